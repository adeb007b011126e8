"""A sparse checkout compiles to what the whole one compiles to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, environment, git, read_files

if TYPE_CHECKING:
    from tests.conftest import MakeProject


def test_what_is_not_checked_out_is_read_from_git(make_project: MakeProject) -> None:
    """Nothing is missing from the output, and a commit that changes what is not there is noticed."""
    root = make_project({
        ".gitignore": ".envc/\n",
        "base/web/config.yaml": config_map(),
        "base/api/config.yaml": config_map("api"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })
    assert run_envc(root, "build").code == 0
    commit(root)
    whole = read_files(root / "environments")
    git(root, "sparse-checkout", "set", "--no-cone", "/*", "!/base/api/")
    assert not (root / "base/api").exists()
    outcome = run_envc(root, "build")
    assert outcome.code == 0, outcome.err
    assert read_files(root / "environments") == whole
    git(root, "sparse-checkout", "disable")
    (root / "base/api/config.yaml").write_text(config_map("api", color="red"))
    commit(root)
    git(root, "sparse-checkout", "set", "--no-cone", "/*", "!/base/api/")
    assert run_envc(root, "build", "--check").code == 16
    assert run_envc(root, "build").code == 0
    assert b"red" in read_files(root / "environments")["prod/api/configmap-api.yaml"]
