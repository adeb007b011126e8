"""An environment that was renamed keeps its history; one that is merely like another does not take over its."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, git, write_files
from tests.history.conftest import folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.history.conftest import Folder

__all__ = ["folder"]


def logged(folder: Folder, name: str) -> list[dict[str, object]]:
    """The entries of a log."""
    outcome = run_envc(folder.root, "history", "log", name, "--format=json")
    assert outcome.code == 0, outcome.err
    return [dict(entry) for entry in json.loads(outcome.out)["revisions"]]


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


def test_blame_follows_an_environment_and_a_file_to_their_former_names(tmp_path: Path) -> None:
    """A commit that renames an environment's folder, or a file, changed no field: who wrote the value is told."""
    root = write_files(
        tmp_path,
        {
            ".gitignore": ".envc/\n",
            "overlays/dev/environment.yaml": environment("namespace: shop\n"),
            "base/a/b.yaml": config_map(color="blue", size="big", **{"app.properties": "|\n    a=1\n    b=1"}),
        },
    )
    first = commit(root, "one")
    path = root / "base/a/b.yaml"
    path.write_text(path.read_text().replace("blue", "red").replace("b=1", "b=2"), encoding="utf-8")
    second = commit(root, "two")
    git(root, "mv", "overlays/dev", "overlays/prod")
    write_files(root, {"overlays/prod/environment.yaml": environment("namespace: other\n")})
    renamed = commit(root, "renamed")
    git(root, "mv", "base/a/b.yaml", "base/a/c.yaml")
    commit(root, "moved")
    assert run_envc(root, "history", "import").code == 0
    said = run_envc(root, "history", "blame", "prod", "configmap/settings", "--format", "json")
    assert said.code == 0, said.err
    found = {field["field"]: field for field in json.loads(said.out)["fields"]}
    assert found["data.color"]["commit"] == second
    assert found["data.size"]["commit"] == first
    assert found["data.size"]["place"].startswith("base/a/b.yaml:")
    assert found["metadata.namespace"]["commit"] == renamed
    keys = run_envc(root, "history", "blame", "prod", "configmap/settings", r"data.app\.properties#")
    assert keys.code == 0, keys.err
    assert first[:12] in keys.out
    assert second[:12] in keys.out
    assert renamed[:12] not in keys.out


@pytest.mark.parametrize(("before", "after"), [("deploy", "infra/shop"), ("", "infra"), ("deploy", "")])
def test_a_project_whose_folder_was_moved_keeps_its_history(tmp_path: Path, before: str, after: str) -> None:
    """In a fresh clone all commits are in the log; a comparison with one from before is of the same project."""
    files = {
        "base/web/web.yaml": deployment(),
        "base/web/settings.yaml": config_map(level="info"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    }
    origin = write_files(tmp_path / "origin", {f"{before}/{path}".lstrip("/"): text for path, text in files.items()})
    write_files(origin, {".gitignore": ".envc/\n", "other/base/x.yaml": config_map("other"), "README.md": "shop\n"})
    commits = [commit(origin, "start")]
    write_files(origin, {f"{before}/base/web/web.yaml".lstrip("/"): deployment(replicas=3)})
    commits.append(commit(origin, "more"))
    (origin / after).mkdir(parents=True, exist_ok=True)
    for name in ("base", "overlays"):
        git(origin, "mv", f"{before}/{name}".lstrip("/"), f"{after}/{name}".lstrip("/"))
    write_files(origin, {f"{after}/base/web/settings.yaml".lstrip("/"): config_map(level="debug")})
    commits.append(commit(origin, "moved, with a change"))
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    project = clone / after
    assert run_envc(project, "history", "import").code == 0
    entries = json.loads(run_envc(project, "history", "log", "prod", "--format=json").out)["revisions"]
    assert [entry["commit"] for entry in entries] == commits[::-1]
    assert [entry["changed"] for entry in entries] == [1, 1, 2]
    shown = run_envc(project, "diff", "--from", commits[0], "--format=json")
    assert shown.code in {0, 16}, shown
    (prod,) = json.loads(shown.out)["environments"]
    assert {change["kind"]: change["change"] for change in prod["resources"]} == {
        "ConfigMap": "changed",
        "Deployment": "changed",
    }
    assert run_envc(project, "build", "--check", "--at", commits[0]).code == 0
    assert run_envc(project, "history", "rebuild", "--check").code == 0


def test_a_project_that_is_merely_like_another_takes_over_no_history(tmp_path: Path) -> None:
    """A copy beside it, and one that came with others' files, begin anew."""
    files = {"base/a.yaml": config_map(), "overlays/prod/environment.yaml": environment()}
    root = write_files(tmp_path / "shop", {f"one/{path}": text for path, text in files.items()})
    commit(root, "one")
    write_files(root, {f"two/{path}": text for path, text in files.items()})
    copied = commit(root, "two is a copy")
    assert run_envc(root / "two", "history", "import").code == 0
    entries = json.loads(run_envc(root / "two", "history", "log", "prod", "--format=json").out)["revisions"]
    assert [entry["commit"] for entry in entries] == [copied]
