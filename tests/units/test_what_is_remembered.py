"""What a build remembers holds no longer than its reasons: answers are those of a folder without a memo."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Final

from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, environment, git, write_files

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.harness.command import Outcome

DEV: Final = {"overlays/dev/environment.yaml": environment("namespace: dev\n")}
JSONNET: Final = """\
local library = import 'library.libsonnet';
{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'made'}, data: {text: library.text}}
"""


def fresh(root: Path, *arguments: str) -> Outcome:
    """The answer without a memo."""
    shutil.rmtree(root / ".envc", ignore_errors=True)
    return run_envc(root, *arguments)


def test_an_import_that_is_gone_from_jsonnet_may_be_ignored_by_git(tmp_path: Path) -> None:
    """Only what the evaluation of now reads has to be visible, not what an earlier one read."""
    files = {
        "lib/library.libsonnet": "{text: importstr 'aaa.txt'}",
        "lib/aaa.txt": "text",
        "base/web/x.jsonnet": JSONNET,
    }
    root = write_files(tmp_path, {**DEV, **files})
    git(root, "init", "--quiet")
    assert run_envc(root, "build").code == 0
    write_files(root, {"lib/library.libsonnet": "{text: 'other'}", ".gitignore": "aaa.txt\n"})
    assert run_envc(root, "build", "--check").code == 16
    assert fresh(root, "build", "--check").code == 16


def test_a_file_in_a_folder_of_definitions_that_was_empty_is_seen(tmp_path: Path) -> None:
    """A folder below one that `crds:` names counts before it holds a file."""
    files = {"envc.yaml": "crds: [crds]\n", "crds/a/list.yaml": config_map(), "base/web/map.yaml": config_map()}
    root = write_files(tmp_path, {**DEV, **files})
    (root / "crds/b/c").mkdir(parents=True)
    assert run_envc(root, "build").code == 0
    assert "nothing to do" in run_envc(root, "build").err
    write_files(root, {"crds/b/c/broken.yaml": "a: [\n"})
    seen = run_envc(root, "build")
    assert seen.code == 1
    assert seen == fresh(root, "build")


def test_a_library_that_is_upgraded_makes_what_is_remembered_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another version of what reads YAML or evaluates jsonnet may give other bytes."""
    packages = tmp_path / "site-packages"
    (packages / "gojsonnet-1.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [*sys.path, str(packages)])
    root = write_files(tmp_path / "project", {**DEV, "base/web/map.yaml": config_map()})
    for said in ("1 added", "nothing to do"):
        assert said in run_envc(root, "build").err
    (packages / "gojsonnet-1.dist-info").rename(packages / "gojsonnet-2.dist-info")
    assert "nothing changed" in run_envc(root, "build", "--why").err
    assert "nothing to do" in run_envc(root, "build").err


def test_a_repository_of_sha_256_is_compared_as_others_are(tmp_path: Path) -> None:
    """Its names of contents are not those by which files are remembered: an edit is not one "while it was compiled"."""
    root = write_files(tmp_path, {**DEV, "base/web/map.yaml": config_map(a="b")})
    git(root, "init", "--quiet", "--object-format=sha256")
    commit(root)
    assert run_envc(root, "build").code == 0
    assert run_envc(root, "diff", "--from", "HEAD").code == 0
    write_files(root, {"base/web/map.yaml": config_map(a="c")})
    assert run_envc(root, "diff", "--from", "HEAD").code == 16
    commit(root)
    assert run_envc(root, "diff", "--from", "HEAD~1", "--to", "HEAD").code == 16


def test_nothing_is_remembered_behind_a_link(tmp_path: Path) -> None:
    """A folder of `.envc` that leads elsewhere stays as it is, also when no output has to be written."""
    root = write_files(tmp_path / "project", {**DEV, "base/web/map.yaml": config_map(a="b")})
    assert run_envc(root, "build").code == 0
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("units", "cache", "jsonnet"):
        shutil.rmtree(root / ".envc" / name, ignore_errors=True)
        (root / ".envc" / name).symlink_to(elsewhere)
    more = "{apiVersion: 'v1', kind: 'List', items: []}"
    write_files(root, {"base/web/none.yaml": "# nothing\n", "base/web/x.jsonnet": more})
    run_envc(root, "build")
    run_envc(root, "check")
    assert [*elsewhere.iterdir()] == []
