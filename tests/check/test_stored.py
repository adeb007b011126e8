"""`envc check` of what git holds: the index and a commit are checked as the folder is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import commit, deployment, environment, git, write_files

if TYPE_CHECKING:
    from pathlib import Path


def test_what_git_holds_is_checked(tmp_path: Path) -> None:
    """`--staged` looks at the index, `--at` at a commit, each with the baseline that it holds."""
    broken = deployment().replace("replicas: 1", "replicas: -1")
    root = write_files(
        tmp_path / "shop",
        {"base/web/web.yaml": deployment(), "overlays/dev/environment.yaml": environment("namespace: dev\n")},
    )
    first = commit(root)
    write_files(root, {"base/web/web.yaml": broken})
    assert run_envc(root, "check").code == 1
    assert run_envc(root, "check", "--staged").code == 0
    git(root, "add", "--all")
    write_files(root, {"base/web/web.yaml": deployment()})
    assert run_envc(root, "check").code == 0
    done = run_envc(root, "check", "--staged", "--format", "json")
    assert done.code == 1
    assert "base/web/web.yaml" in done.out
    git(root, "commit", "--quiet", "--message=broken")
    assert run_envc(root, "check", "--at", "HEAD").code == 1
    assert run_envc(root, "check", "--at", first).code == 0
    write_files(root, {"base/web/web.yaml": broken})
    assert run_envc(root, "check", "--write-baseline").code == 0
    assert run_envc(root, "check", "--staged").code == 1
    git(root, "add", "--all")
    assert run_envc(root, "check", "--staged").code == 0
    assert run_envc(root, "check", "--staged", "--at", "HEAD").code == 2
    assert run_envc(root, "check", "--staged", "--write-baseline").code == 2


@pytest.mark.parametrize("side", [("--staged",), ("--at", "HEAD")])
def test_a_field_that_cannot_change_is_seen_in_git(tmp_path: Path, side: tuple[str, ...]) -> None:
    """The older state of the index is HEAD's, that of a commit its parent's."""
    root = write_files(
        tmp_path / "shop",
        {"base/web/web.yaml": deployment(), "overlays/dev/environment.yaml": environment("namespace: dev\n")},
    )
    assert run_envc(root, "build").code == 0
    commit(root)
    changed = deployment().replace("app: web", "app: other")
    write_files(root, {"base/web/web.yaml": changed})
    assert run_envc(root, "build", "--force").code == 0
    git(root, "add", "--all")
    if side == ("--at", "HEAD"):
        commit(root)
    assert "immutable-field" in run_envc(root, "check", *side).out
