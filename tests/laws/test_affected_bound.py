"""Files named by hand: `envc affected FILE` names at least what an edit of the file changes, as the guide says it."""

from __future__ import annotations

import json
import shutil
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from tests.harness.command import run_envc
from tests.laws import documents
from tests.laws.documents import SEPARATOR, TEAMS
from tests.laws.edits import METADATA_NAME, NUMBER, TEAM
from tests.laws.repositories import APPS, random_repository
from tests.laws.sequences import changed_resources
from tests.laws.workshop import Workshop, ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.laws.repositories import Files
    from tests.laws.sequences import Named

    Edit = Callable[[Random, str], str | None]

FILES: Final = 3
"""Files that are named, of each repository."""


def loss(chance: Random, text: str) -> str | None:
    """The file goes, or all that is in it."""
    return chance.choice([None, "", "".join(f"# {line}\n" for line in text.splitlines())])


def fewer_documents(chance: Random, text: str) -> str:
    """One document goes."""
    parts = text.split(SEPARATOR)
    parts.pop(chance.randrange(len(parts)))
    return SEPARATOR.join(parts)


def other_values(chance: Random, text: str) -> str:
    """Numbers and words are other ones; no name and no kind is."""
    for match in chance.sample([*NUMBER.finditer(text)], min(2, len(NUMBER.findall(text)))):
        text = f"{text[: match.start()]}{chance.choice('0257') * len(match[0])}{text[match.end() :]}"
    return TEAM.sub(lambda _: chance.choice(TEAMS), text)


def other_names(chance: Random, text: str) -> str:
    """Documents are called otherwise."""
    return METADATA_NAME.sub(lambda match: match[1] + chance.choice([match[2], f"{match[2]}-2", *APPS]), text)


def something_else(chance: Random, _: str) -> str:
    """The file speaks of other things: another kind and name at once, or as a `kind: Patch`."""
    return chance.choice([
        documents.wide_patch(chance, APPS),
        documents.overlay_patch(chance.choice(APPS), chance),
        documents.config_map(chance.choice(APPS), chance),
        documents.custom_resource("Gadget", "g", chance),
    ])


FORESEEN: Final[tuple[Edit, ...]] = (loss, fewer_documents, other_values)
"""What a file stands for when it is named before it is edited."""
ANY: Final[tuple[Edit, ...]] = (*FORESEEN, other_names, something_else)
"""What is counted when it is named afterwards."""


def is_named(path: str) -> bool:
    """Tell whether a build reads a file of this path."""
    return path == "envc.yaml" or path.startswith(("base/", "overlays/", "lib/", "crds/"))


def ask_affected(shop: Workshop, path: str) -> Named:
    """The environments and resources that `envc affected FILE` names."""
    outcome = run_envc(shop.root, "affected", path, "--format", "json")
    assert outcome.code == 0, outcome.err
    return {
        (name, item["group"], item["kind"], item["namespace"], item["name"])
        for name, items in json.loads(outcome.out)["environments"].items()
        for item in items
    }


def test_what_an_edit_changes_is_named(bound_seed: int, tmp_path: Path) -> None:
    """Before the edit for loss and values, after it for every edit: fresh builds differ in nothing else."""
    shop, chance = Workshop(tmp_path / "kept"), Random(bound_seed)
    shop.put(random_repository(bound_seed))
    first = ask(shop.root, "build")
    if first.code:
        pytest.skip("this repository does not compile")
    existing, _ = changed_resources({}, first.files)
    shop.commit()
    start: Files = dict(shop.files)
    names = sorted(filter(is_named, start))
    for path in chance.sample(names, min(FILES, len(names))):
        before = ask_affected(shop, path)
        for edit in (chance.choice(FORESEEN), chance.choice(ANY)):
            text = edit(chance, start[path])
            shop.put({name: held for name, held in {**start, path: text}.items() if held is not None})
            after = ask(shop.fresh(tmp_path / "anew", outputs=False), "build")
            if not after.code:
                changed, _ = changed_resources(first.files, after.files)
                assert changed <= ask_affected(shop, path), f"{path} named after: {edit.__doc__}"
                assert edit not in FORESEEN or (changed & existing) <= before, f"{path} named before: {edit.__doc__}"
            shop.put(start)
    shutil.rmtree(tmp_path / "kept")


def test_a_patch_is_named_for_what_it_could_patch_as_well(tmp_path: Path) -> None:
    """A document that patches one resource stands for all of its kind, and all of its name, in its environment."""
    shop = Workshop(tmp_path / "kept")
    shop.put({
        "base/web/web.yaml": SEPARATOR.join([
            documents.config_map("web", Random(1)),
            documents.config_map("api", Random(2)),
            documents.deployment("web", Random(3)),
        ]),
        "overlays/prod/environment.yaml": "apiVersion: envcompile.dev/v1\nkind: Environment\nnamespace: prod\n",
        "overlays/prod/web.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {more: more}\n",
    })
    assert {f"{item[2]}/{item[4]}" for item in ask_affected(shop, "overlays/prod/web.yaml")} == {
        "ConfigMap/web",
        "ConfigMap/api",
        "Deployment/web",
    }
