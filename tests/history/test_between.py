"""What two revisions hold otherwise is the same, whether their states are read whole or the way between them."""

from __future__ import annotations

import random
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.past import compare, compare_all, open_past, revision_of
from envcompile.history.between import has_kind, states_between
from tests.harness.repository import config_map, deployment

if TYPE_CHECKING:
    from envcompile.history.store import State
    from tests.history.conftest import Folder

pytestmark = pytest.mark.usefixtures("backend")


def _differing(before: State, after: State) -> dict[object, tuple[object, object]]:
    """Resource -> what either state holds of it, where that is not the same."""
    names = {*before, *after}
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


def _edits(folder: Folder, count: int) -> list[str]:
    """Commits that add resources, change them, take them away and bring them back."""
    chance = random.Random(15)
    commits = [folder.commit("start")]
    for number in range(count):
        kind = chance.randrange(4)
        if kind == 0:
            commits.append(folder.commit(f"{number}", base__web=deployment(replicas=number + 2)))
        elif kind == 1:
            commits.append(folder.commit(f"{number}", base__map=config_map("map", a=str(number))))
        elif kind == 2:
            commits.append(folder.commit(f"{number}", overlays__prod__own=config_map("own", b=str(number))))
        else:
            (folder.root / "base/map.yaml").unlink(missing_ok=True)
            commits.append(folder.commit(f"{number}", base__other=config_map(f"other{number}")))
    return commits


def test_the_way_between_two_revisions_tells_what_their_states_tell(folder: Folder) -> None:
    """For every pair of commits on a line; the other way round nothing is on the way."""
    commits = _edits(folder, 8)
    folder.record()
    with closing(open_past(folder.root)) as past:
        revisions = [revision_of(past, "prod", commit) for commit in commits]
        for newer in range(len(revisions)):
            for older in range(newer + 1):
                left, right = revisions[older], revisions[newer]
                found = states_between(past.store.database, left.id, right.id)
                assert found is not None
                assert _differing(*found) == _differing(past.store.state(left.id), past.store.state(right.id))
                if left.id != right.id:
                    assert states_between(past.store.database, right.id, left.id) is None


def test_branches_are_compared_by_their_states(folder: Folder) -> None:
    """Neither commit is on the way to the other; several environments are compared as each alone."""
    start = folder.commit("start")
    one = folder.commit("one", base__web=deployment(replicas=2))
    folder.git("checkout", "-q", "-b", "side", start)
    two = folder.commit("two", base__web=deployment(replicas=3))
    folder.git("merge", "-q", "-s", "ours", "--no-edit", "--no-verify", one)
    folder.record()
    with closing(open_past(folder.root)) as past:
        sides = [(name, revision_of(past, name, one), revision_of(past, name, two)) for name in ("dev", "prod")]
        assert states_between(past.store.database, sides[0][1].id, sides[0][2].id) is None
        found = compare_all(past, sides)
        assert found == [compare(past, *side) for side in sides]
        (field,) = found[1].resources[0].fields
        assert (field.field, field.old, field.new) == ("spec.replicas", 2, 3)
        back = compare(past, "prod", revision_of(past, "prod", one), revision_of(past, "prod", start))
        (field,) = back.resources[0].fields
        assert (field.old, field.new) == (2, 1)


def test_a_kind_that_an_environment_never_had(folder: Folder) -> None:
    """Definitions are only looked for where there ever was one."""
    folder.commit("start")
    folder.record()
    with closing(open_past(folder.root)) as past:
        assert has_kind(past.store.database, "prod", "Deployment")
        assert not has_kind(past.store.database, "prod", "CustomResourceDefinition")
        assert not has_kind(past.store.database, "nowhere", "Deployment")
