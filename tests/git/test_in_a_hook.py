"""Commands inside of real git hooks: the answers are those outside of one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.git.repositories import commit_all, run_git
from tests.harness.command import PACKAGE_ROOT, run_envc
from tests.harness.repository import config_map, environment, write_files

if TYPE_CHECKING:
    from pathlib import Path

SECRET = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: "hunter2hunter2"}\n'
COMMANDS = ("diff --from HEAD", "diff --from HEAD~1", "affected", "secrets scan", "history record", "history log prod")


def put_hook(repository: Path, name: str, script: str) -> None:
    """Let a repository run a script as a hook, with `envc` as a command of its own."""
    envc = f'envc() {{ PYTHONPATH={PACKAGE_ROOT} {sys.executable} -m envcompile "$@"; }}'
    write_files(repository / ".git/hooks", {name: f"#!/bin/sh\n{envc}\n{script}\n"})
    (repository / ".git/hooks" / name).chmod(0o755)


@pytest.fixture
def deploy(tmp_path: Path) -> Path:
    """A project with two commits, and with a Secret in clear that is staged."""
    root = write_files(
        tmp_path / "deploy",
        {"base/c.yaml": config_map(), "overlays/prod/environment.yaml": environment("namespace: p\n")},
    )
    run_git(root, "init", "--quiet", "--initial-branch=main")
    commit_all(root, "one")
    write_files(root, {"base/c.yaml": config_map(color="red")})
    commit_all(root, "two")
    write_files(root, {"leak.yaml": SECRET})
    run_git(root, "add", "leak.yaml")
    return root


@pytest.mark.parametrize(("commit", "is_linked"), [((), True), (("--all",), False), (("file",), True)])
def test_another_repositorys_hook(commit: tuple[str, ...], *, is_linked: bool, deploy: Path, tmp_path: Path) -> None:
    """Case git-dir-from-a-hook: a hook of `app` asks about `deploy`; the index of `app`, all or a part is committed."""
    app = write_files(tmp_path / "app", {"file": "1"})
    run_git(app, "init", "--quiet", "--initial-branch=main")
    commit_all(app)
    if is_linked:
        run_git(app, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    folder = tmp_path / "side" if is_linked else app
    outcomes = [run_envc(deploy, *words.split()) for words in COMMANDS]
    assert [outcome.code for outcome in outcomes] == [0, 16, 0, 1, 0, 0]
    said = tmp_path / "said"
    put_hook(
        app,
        "pre-commit",
        "\n".join(f"envc --project {deploy} {words} >>{said} 2>&1; echo $? >>{said}" for words in COMMANDS),
    )
    write_files(folder, {"file": "2"})
    if not commit:
        run_git(folder, "add", "file")
    run_git(folder, "commit", "--quiet", "--message=hook", *commit)
    outside = "".join(f"{outcome.out}{outcome.err}{outcome.code}\n" for outcome in outcomes)
    assert said.read_text(encoding="utf-8") == outside.replace("1 commit recorded", "recorded already")


@pytest.mark.parametrize("is_partial", [False, True])
def test_ones_own_hook_reads_what_is_being_committed(*, is_partial: bool, deploy: Path, tmp_path: Path) -> None:
    """`git commit FILE` commits that file alone: a Secret that is staged beside it is no part of the commit."""
    put_hook(deploy, "pre-commit", f"envc secrets scan >{tmp_path}/said 2>&1")
    write_files(deploy, {"base/c.yaml": config_map(color="green")})
    if is_partial:
        run_git(deploy, "commit", "--quiet", "--message=part", "base/c.yaml")
        assert run_git(deploy, "show", "--name-only", "--format=").split() == ["base/c.yaml"]
    else:
        run_git(deploy, "commit", "--quiet", "--message=all", "--all", fails=True)
    assert ("leak.yaml" in (tmp_path / "said").read_text(encoding="utf-8")) is not is_partial
