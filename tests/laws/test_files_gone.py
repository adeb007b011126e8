"""A project with files gone, by what a build kept: planned and joined as from nothing, and `affected` says the same."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from envcompile.actions.affected import affected
from envcompile.errors import EnvcError
from envcompile.sources import WorkingTree
from envcompile.sources.overlaid import OverlaidTree
from envcompile.units.compare import State
from envcompile.units.project import Project
from tests.harness.repository import LINK
from tests.laws.repositories import random_repository
from tests.laws.workshop import Workshop, ask

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.model import ResourceId
    from envcompile.units.environment import LinkedEnvironment
    from tests.laws.repositories import Files

FILES: Final = 4
"""Files that go, of each repository, one after the other and then all together."""


def plain_repository(seed: int) -> Files:
    """A random repository without Secrets and symlinks: where git or a link has a say, a build keeps no plans."""
    files = random_repository(seed)
    return {path: text for path, text in files.items() if "kind: Secret" not in text and not text.startswith(LINK)}


def linked_or_not(project: Project, environment: str) -> LinkedEnvironment | str:
    """An environment joined, or what is wrong with it."""
    try:
        return project.link(environment)
    except EnvcError as error:
        return str(error)


def places(linked: LinkedEnvironment) -> dict[ResourceId, str]:
    """The file of every resource."""
    if linked.paths is None:
        return dict(State(linked).paths)
    return {
        linked.id_at(number, position): path
        for number, own in enumerate(linked.paths)
        for position, path in enumerate(own)
    }


def asked(project: Project, paths: list[str]) -> dict[str, list[ResourceId]] | str:
    """What `affected` says, or what is wrong."""
    try:
        return affected(project, [str(project.root / path) for path in paths], None)
    except EnvcError as error:
        return str(error)


def test_what_a_build_kept_says_the_same(bound_seed: int, tmp_path: Path) -> None:
    """Plans, places, warnings and answers are those of a project of which nothing is remembered."""
    shop, chance = Workshop(tmp_path / "kept"), Random(bound_seed)
    shop.put(plain_repository(bound_seed))
    if ask(shop.root, "build").code:
        pytest.skip("this repository does not compile")
    shop.commit()
    names = sorted(path for path in shop.files if path.startswith(("base/", "overlays/")))
    chosen = chance.sample(names, min(FILES, len(names)))
    for paths in (*([path] for path in chosen), chosen):
        kept, plain = Project.of_folder(shop.root), Project(WorkingTree(shop.root))
        for environment in kept.environments:
            kept.link(environment)  # so that it is known how much is the same
        edits = dict.fromkeys(paths)
        try:
            there = Project(OverlaidTree(plain.tree, edits))
        except EnvcError as error:
            with pytest.raises(type(error)):
                kept.with_edits(edits)
            continue
        here = kept.with_edits(edits)
        assert here.environments == there.environments
        for environment in here.environments:
            one, other = linked_or_not(here, environment), linked_or_not(there, environment)
            if isinstance(one, str) or isinstance(other, str):
                assert one == other
                continue
            assert list(one.plan.units) == list(other.plan.units), paths
            assert (one.plan.patches, one.plan.documents) == (other.plan.patches, other.plan.documents)
            assert places(one) == places(other)
            assert one.warnings == other.warnings
        assert asked(kept, paths) == asked(plain, paths)
