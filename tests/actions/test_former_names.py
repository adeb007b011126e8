"""An environment that was renamed keeps its history; one that is merely like another does not take over its."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment
from tests.history.conftest import folder

if TYPE_CHECKING:
    from tests.history.conftest import Folder

__all__ = ["folder"]


def logged(folder: Folder, name: str) -> list[dict[str, object]]:
    """The entries of a log."""
    outcome = run_envc(folder.root, "history", "log", name, "--format=json")
    assert outcome.code == 0, outcome.err
    return [dict(entry) for entry in json.loads(outcome.out)]


def test_a_renamed_environment_is_followed(folder: Folder) -> None:
    """Two renames in a row: every commit is in the log, with the name of its time, and a rename changes nothing."""
    commits = [folder.commit("start"), folder.commit("more", base__web=deployment(replicas=2))]
    folder.git("mv", "overlays/prod", "overlays/production")
    commits += [folder.commit("a longer name"), folder.commit("still more", base__web=deployment(replicas=3))]
    folder.git("mv", "overlays/production", "overlays/live")
    commits.append(folder.commit("another name, and a change", base__web=deployment(replicas=4)))
    assert run_envc(folder.root, "history", "import").code == 0
    entries = logged(folder, "live")
    assert [entry["commit"] for entry in entries] == commits[::-1]
    assert [entry["environment"] for entry in entries] == ["live", "production", "production", "prod", "prod"]
    assert [entry["changed"] for entry in entries] == [1, 1, 0, 1, 2]
    assert [entry["commit"] for entry in logged(folder, "prod")] == commits[1::-1]
    shown = run_envc(folder.root, "history", "show", "live", commits[0], "deployment/web")
    assert shown.code == 0, shown.err
    assert run_envc(folder.root, "history", "diff", commits[0], commits[4], "live").code == 16
    assert run_envc(folder.root, "history", "rebuild", "--check").code == 0


def test_a_new_environment_beside_another_begins_anew(folder: Folder) -> None:
    """A copy is no rename, nor is one that comes when a quite different one goes."""
    folder.commit("start", overlays__old__environment="apiVersion: envcompile.dev/v1\nkind: Environment\n")
    copy = folder.commit("a copy", overlays__copy__environment="apiVersion: envcompile.dev/v1\nkind: Environment\n")
    folder.git("rm", "-r", "-q", "overlays/old", "base")
    other = folder.commit(
        "another",
        base__else=config_map("else", a="b"),
        overlays__other__environment="apiVersion: envcompile.dev/v1\nkind: Environment\n",
    )
    assert run_envc(folder.root, "history", "import").code == 0
    assert [entry["commit"] for entry in logged(folder, "copy")] == [other, copy]
    assert [entry["commit"] for entry in logged(folder, "other")] == [other]
