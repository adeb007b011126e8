"""Which repository a project belongs to, in every layout that git has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from envcompile.errors import UsageError
from envcompile.git.discovery import place_of, prefix_of
from envcompile.git.ignore import in_repository
from envcompile.git.refs import hooks_path, remote_url
from envcompile.git.repository import open_repository
from envcompile.git.run import Place, run
from tests.git.repositories import commit_all, run_git
from tests.harness.command import run_envc
from tests.harness.repository import config_map, environment, write_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROJECT = {"base/c.yaml": config_map(), "overlays/prod/environment.yaml": environment("namespace: p\n")}
LOOKALIKE = {"HEAD": "ref: refs/heads/main\n", "objects/x": "", "refs/heads/x": ""}
"""What git takes for a repository when it comes by."""


def trap(folder: Path) -> str:
    """A configuration that makes a file `RAN` whenever git obeys it."""
    command = f"touch {folder}/RAN; false"
    return (
        f'[core]\n\trepositoryformatversion = 1\n\tbare = false\n\tworktree = .\n\tfsmonitor = "{command}"\n'
        f'[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\turl = {folder}\n\tuploadpack = "{command}"\n'
    )


@pytest.fixture(params=["alone", "subfolder", "above", "commondir"])
def lookalike(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project with files that look like a repository: in no repository, in one, in its folder or one above."""
    top = tmp_path / "top"
    project = top / "deploy" / "eu"
    write_files(project, PROJECT)
    around = top / "deploy" if request.param == "above" else project
    write_files(around, {**LOOKALIKE, "config": trap(tmp_path)})
    if request.param == "commondir":
        (project / "objects" / "x").unlink()
        (project / "objects").rmdir()
        write_files(project, {"commondir": "../../real\n"})
        write_files(top / "real", {**LOOKALIKE, "config": trap(tmp_path)})
    if request.param != "alone":
        run_git(top, "init", "--quiet", "--initial-branch=main")
        commit_all(top)
        commit_all(top)
    return project


COMMANDS = (
    ("build",),
    ("show", "prod"),
    ("diff", "--from", "HEAD~1"),
    ("affected",),
    ("check",),
    ("secrets", "scan"),
    ("secrets", "status"),
    ("argocd", "app", "prod", "--repo", "https://example.com/x"),
    ("history", "record"),
    ("history", "log", "prod"),
    ("pr", "comment", "--dry-run", "--from", "HEAD~1"),
    ("owners",),
    ("hook", "status"),
)


def test_files_of_the_project_are_no_repository(lookalike: Path, tmp_path: Path) -> None:
    """Case embedded-bare-repository: no command obeys a configuration that lies in the work tree."""
    outcomes = {arguments: run_envc(lookalike, *arguments) for arguments in COMMANDS}
    assert not (tmp_path / "RAN").exists()
    is_alone = not (tmp_path / "top/.git").exists()
    for arguments in (("diff", "--from", "HEAD~1"), ("secrets", "scan"), ("history", "log", "prod")):
        assert ("error: not a git repository" in outcomes[arguments].err) is is_alone
    assert outcomes["diff", "--from", "HEAD~1"].code == (2 if is_alone else 0)
    assert outcomes["build",].code == 0
    if not is_alone:
        assert open_repository(lookalike).prefix == prefix_of(lookalike) == "deploy/eu/"
        with closing(open_repository(lookalike).commit_tree("HEAD")) as tree:
            assert [entry.path for entry in tree.files("base")] == ["base/c.yaml"]
        assert in_repository(lookalike)
    else:
        assert place_of(lookalike) is None
        assert not in_repository(lookalike)


def test_git_is_told_that_no_folder_is_a_repository_by_its_looks(lookalike: Path, tmp_path: Path) -> None:
    """Whoever asked git there without a look before would be refused: one wall stands behind the other."""
    assert run(Place(lookalike), "ls-files", "--others").returncode != 0
    assert not (tmp_path / "RAN").exists()


def test_the_plugin_of_argo_cd_runs_nothing(lookalike: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case embedded-bare-repository as it was found: Argo CD hands a folder to `envc argocd generate`."""
    monkeypatch.setenv("ARGOCD_ENV_ENVIRONMENT", "prod")
    monkeypatch.chdir(lookalike)
    outcome = run_envc(None, "argocd", "generate")
    assert outcome.code == 0, outcome.err
    assert "kind: ConfigMap" in outcome.out
    assert not (tmp_path / "RAN").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("diff",),
        ("pr", "comment", "--dry-run"),
        ("history", "log", "prod"),
        ("hook", "install"),
        ("secrets", "scan"),
        ("affected",),
        ("history", "record"),
    ],
)
def test_outside_of_a_repository_it_is_said(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Case no-repository-speaks-of-branches: one text for all commands, and none speaks of branches."""
    outcome = run_envc(write_files(tmp_path, PROJECT), *arguments)
    assert outcome.code == 2
    assert outcome.err == "error: not a git repository\nhint: `git init` and commit first\n"


@pytest.mark.parametrize(
    "arguments",
    [("diff",), ("pr", "comment", "--dry-run"), ("diff", "--from", "HEAD"), ("affected",), ("history", "record")],
)
def test_a_repository_without_a_commit_is_said(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Case no-repository-speaks-of-branches, its variation: there is a repository, and nothing in it yet."""
    run_git(write_files(tmp_path, PROJECT), "init", "--quiet")
    outcome = run_envc(tmp_path, *arguments)
    assert outcome.code == 2
    assert "has no commit yet\nhint: commit first: `git add --all && git commit`" in outcome.err


def test_a_repository_with_other_branches_says_which_it_looked_for(tmp_path: Path) -> None:
    """Where there are commits but no default branch, that is what is missing."""
    run_git(write_files(tmp_path, PROJECT), "init", "--quiet", "--initial-branch=trunk")
    commit_all(tmp_path)
    outcome = run_envc(tmp_path, "diff")
    assert outcome.code == 2
    assert "there is no default branch to compare with" in outcome.err


def _in_clone(origin: Path, folder: Path) -> None:
    run_git(folder, "clone", "--quiet", "--bare", str(origin), ".bare")
    run_git(folder / ".bare", "worktree", "add", "--quiet", "../main", "main")
    run_git(folder / ".bare", "worktree", "add", "--quiet", "-b", "w2", "../w2", "main")


def _as_git_file(origin: Path, folder: Path) -> None:
    _in_clone(origin, folder)
    write_files(folder, {".git": "gitdir: ./.bare\n"})


def _in_dot_git(origin: Path, folder: Path) -> None:
    run_git(folder, "clone", "--quiet", "--bare", str(origin), ".git")
    run_git(folder / ".git", "worktree", "add", "--quiet", "../main", "main")
    run_git(folder / ".git", "worktree", "add", "--quiet", "-b", "w2", "../w2", "main")


@pytest.mark.parametrize("make", [_in_clone, _as_git_file, _in_dot_git])
@pytest.mark.parametrize("prefix", ["", "deploy/"])
def test_work_trees_of_a_bare_clone_share(make: Callable[[Path, Path], None], prefix: str, tmp_path: Path) -> None:
    """Case bare-clone-with-worktrees: one history and one spool for all work trees, which outlive each of them."""
    origin = tmp_path / "origin"
    write_files(origin / prefix, PROJECT)
    run_git(origin, "init", "--quiet", "--initial-branch=main")
    commit_all(origin)
    folder = tmp_path / "clone"
    folder.mkdir()
    make(origin, folder)
    main, second = (folder / name / prefix for name in ("main", "w2"))
    assert open_repository(main).home == open_repository(second).home
    assert run_envc(main, "hook", "install").code == 0
    assert "outdated" not in run_envc(second, "hook", "status").out
    assert run_envc(main, "history", "record").code == 0
    assert run_envc(second, "history", "log", "prod").code == 0
    run_git(folder / "main", "worktree", "remove", "--force", str(folder / "main"))
    write_files(second, {"base/c.yaml": config_map(color="red")})
    commit_all(folder / "w2", "second")
    assert run_envc(second, "history", "record").code == 0
    assert "second" in run_envc(second, "history", "log", "prod").out
    assert not (folder / "main").exists()


def test_linked_work_trees_share_with_the_main_one(tmp_path: Path) -> None:
    """An ordinary clone: the project's folder of the main work tree is the home of all."""
    top = tmp_path / "top"
    write_files(top / "deploy", PROJECT)
    run_git(top, "init", "--quiet", "--initial-branch=main")
    commit_all(top)
    run_git(top, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    for folder in (top, tmp_path / "side"):
        repository = open_repository(folder / "deploy")
        assert repository.home == top / "deploy" / ".envc"
        assert repository.prefix == "deploy/"
        assert repository.top == folder


def test_work_trees_of_a_submodule_share(tmp_path: Path) -> None:
    """A submodule's git folder names its work tree; work trees linked to it have the same home."""
    write_files(tmp_path / "inner", PROJECT)
    for name in ("inner", "outer"):
        (tmp_path / name).mkdir(exist_ok=True)
        run_git(tmp_path / name, "init", "--quiet", "--initial-branch=main")
        commit_all(tmp_path / name)
    run_git(tmp_path / "outer", "submodule", "--quiet", "add", str(tmp_path / "inner"), "deploy")
    commit_all(tmp_path / "outer")
    module = tmp_path / "outer" / "deploy"
    run_git(module, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    assert open_repository(module).home == open_repository(tmp_path / "side").home == module / ".envc"
    assert open_repository(module).prefix == ""
    assert remote_url(module) == str(tmp_path / "inner")


def test_work_trees_of_a_git_folder_kept_elsewhere_share(tmp_path: Path) -> None:
    """`git init --separate-git-dir` names no work tree: the shared git folder is the home."""
    write_files(tmp_path / "main", PROJECT)
    run_git(tmp_path / "main", "init", "--quiet", f"--separate-git-dir={tmp_path / 'store'}")
    commit_all(tmp_path / "main")
    run_git(tmp_path / "main", "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    homes = {open_repository(tmp_path / name).home for name in ("main", "side")}
    assert homes == {tmp_path / "store" / ".envc"}


def test_a_bare_repository_is_taken_only_as_such(tmp_path: Path) -> None:
    """A mirror whose history is imported is no project; a folder that is a project is no mirror."""
    write_files(tmp_path / "origin", PROJECT)
    run_git(tmp_path / "origin", "init", "--quiet", "--initial-branch=main")
    commit_all(tmp_path / "origin")
    mirror = tmp_path / "mirror.git"
    run_git(tmp_path, "clone", "--quiet", "--bare", str(tmp_path / "origin"), str(mirror))
    repository = open_repository(mirror, bare=True)
    assert repository.is_bare
    assert repository.home == mirror / ".envc"
    with pytest.raises(UsageError, match="not a git repository"):
        open_repository(mirror)
    with pytest.raises(UsageError, match="a bare repository has no index"):
        repository.index_tree()
    assert run_envc(mirror, "history", "import").code == 0
    assert run_envc(mirror, "history", "log", "prod").code == 0


def test_hooks_are_where_people_have_set_them(tmp_path: Path) -> None:
    """`core.hooksPath` counts although envc's own calls run no hooks; without it, it is the shared git folder."""
    run_git(tmp_path, "init", "--quiet")
    assert hooks_path(open_repository(tmp_path)) == str(tmp_path / ".git/hooks")
    run_git(tmp_path, "config", "core.hooksPath", ".husky/_")
    assert hooks_path(open_repository(tmp_path)) == str(tmp_path / ".husky/_")


def test_another_users_repository_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git's own check of the owner stands before anything of the repository is obeyed."""
    run_git(write_files(tmp_path, PROJECT), "init", "--quiet")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    for path in (tmp_path, tmp_path / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(UsageError, match="it belongs to another user") as caught:
        open_repository(tmp_path)
    assert "safe.directory" in caught.value.problems[0].fix


def test_a_removed_folder_is_no_traceback(tmp_path: Path) -> None:
    """Somebody may delete the project while a command runs."""
    folder = write_files(tmp_path / "gone", PROJECT)
    run_git(folder, "init", "--quiet")
    repository = open_repository(folder)
    shutil.rmtree(folder)
    with pytest.raises(UsageError, match="is no folder"):
        repository.resolve("HEAD")


@pytest.mark.parametrize("closed", [".git", ".git/HEAD"])
def test_a_git_folder_that_may_not_be_read_is_said(tmp_path: Path, closed: str) -> None:
    """Nobody is told to make a repository where there is one."""
    run_git(write_files(tmp_path, PROJECT), "init", "--quiet")
    commit_all(tmp_path)
    # Root reads everything, unless it gives up the right to.
    words = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    if words and shutil.which(words[0]) is None:
        pytest.skip("setpriv is not installed: root reads every file")
    mode = (tmp_path / closed).stat().st_mode
    (tmp_path / closed).chmod(0)
    try:
        command = [*words, sys.executable, "-m", "envcompile", "--project", str(tmp_path), "diff"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        (tmp_path / closed).chmod(mode)
    assert done.returncode == 2
    assert f"git cannot read {tmp_path / closed}: permission denied" in done.stderr
    assert "git init" not in done.stderr
