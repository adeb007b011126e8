"""How git is started: what it is told, and what of the environment and of a repository it never obeys."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from envcompile.errors import UnavailableError, UsageError
from envcompile.git.refs import default_branch, merge_base, remote_url
from envcompile.git.repository import open_repository
from envcompile.git.run import Place, ask, clean_environment, command, run
from tests.git.repositories import commit_all, run_git
from tests.harness.repository import write_files

if TYPE_CHECKING:
    from pathlib import Path

LOCAL = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_EXTERNAL_DIFF",
    "GIT_ATTR_SOURCE",
)


def test_what_a_hook_sets_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that names one repository goes; what a machine or its user sets for all of them stays."""
    kept = {"GIT_SSH_COMMAND": "ssh -x", "GIT_CONFIG_COUNT": "0", "GIT_CONFIG_KEY_0": "a.b", "GIT_SSL_CAINFO": "/ca"}
    for name in LOCAL:
        monkeypatch.setenv(name, "elsewhere")
    for name, text in kept.items():
        monkeypatch.setenv(name, text)
    environ = clean_environment()
    assert not {*LOCAL} & {*environ}
    assert kept.items() <= environ.items()
    assert environ["GIT_NO_LAZY_FETCH"] == "1"
    assert environ["GIT_TERMINAL_PROMPT"] == environ["GIT_OPTIONAL_LOCKS"] == "0"
    assert environ["LC_ALL"] == "C"


def test_every_call_carries_the_safeguards(tmp_path: Path) -> None:
    """Whatever is asked: no hook, no monitor, no program for signatures, no repository by its looks, no protocol."""
    words = command(Place(tmp_path), "status")
    stated = {words[at + 1] for at, word in enumerate(words) if word == "-c"}
    assert stated == {
        "safe.bareRepository=explicit",
        "core.fsmonitor=false",
        "log.showSignature=false",
        "core.hooksPath=/dev/null",
    }
    assert "--literal-pathspecs" in words
    environ = clean_environment()
    assert (environ["GIT_ALLOW_PROTOCOL"], environ["GIT_NO_LAZY_FETCH"]) == ("", "1")


def test_git_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a missing program nor a missing folder is a traceback."""
    with pytest.raises(UsageError, match="nothing is no folder"):
        run(Place(tmp_path / "nothing"), "version")
    write_files(tmp_path, {"file": ""})
    with pytest.raises(UsageError, match="file is no folder"):
        run(Place(tmp_path / "file"), "version")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="git is not installed"):
        open_repository(tmp_path)


def test_a_refusal_is_told_in_one_line(tmp_path: Path) -> None:
    """Git's own reason, without its word for it and without its warnings."""
    run_git(tmp_path, "init", "--quiet")
    with pytest.raises(UsageError, match=r"git rev-list failed: bad revision 'x'"):
        ask(Place(tmp_path), "rev-list", "x", "--")


@pytest.fixture
def trapped(tmp_path: Path) -> Path:
    """A repository whose own configuration runs a command at every opportunity; `ran` is made by it."""
    root = tmp_path / "repository"
    root.mkdir()
    run_git(root, "init", "--quiet", "--initial-branch=main")
    attributes = "* diff=trap filter=trap\nother.yaml filter=a=b.c\n"
    write_files(
        root, {"base/a.yaml": "1\n", ".gitattributes": attributes, ".gitignore": "x\n", "base/other.yaml": "1\n"}
    )
    commit_all(root)
    run_git(root, "checkout", "--quiet", "-b", "side")
    write_files(root, {"base/a.yaml": "2\n"})
    commit_all(root)
    write_files(root, {"base/a.yaml": "3\n"})
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n", encoding="utf-8")
    trap.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "diff.external",
        "diff.trap.textconv",
        "diff.trap.command",
        "gpg.program",
        "core.pager",
    ):
        run_git(root, "config", key, str(trap))
    for key in ("filter.trap.smudge", "filter.trap.clean", "filter.trap.process", "filter.a=b.c.clean"):
        run_git(root, "config", key, str(trap))
    run_git(root, "config", "filter.trap.required", "true")
    run_git(root, "config", "filter.a=b.c.required", "true")
    run_git(root, "config", "log.showSignature", "true")
    hooks = root / ".git/hooks"
    for name in ("post-index-change", "reference-transaction", "fsmonitor-watchman", "post-checkout"):
        write_files(hooks, {name: trap.read_text(encoding="utf-8")})
        (hooks / name).chmod(0o755)
    return root


def test_no_command_of_the_configuration_runs(trapped: Path, tmp_path: Path) -> None:
    """Case embedded-bare-repository, its kind: fsmonitor, diffs, textconv, filters, pagers, gpg, hooks stay still."""
    from envcompile.git.ignore import IgnoreRules, is_ignored
    from envcompile.git.lines import line_times, past_versions

    repository = open_repository(trapped)
    assert merge_base(repository, default_branch(repository), "HEAD") == repository.resolve("main")
    assert line_times(trapped, "base/a.yaml") == {1: 0}
    assert line_times(trapped, "base/other.yaml").keys() == {1}
    assert [data for _, data in past_versions(trapped, "base/a.yaml", "2")] == [b"2\n"]
    assert IgnoreRules(trapped)("x") is is_ignored(trapped, "x") is True
    assert remote_url(trapped) == ""
    assert repository.commit("HEAD").message == "change"
    assert repository.staged_files() == []
    assert dict(repository.index_blobs(["base/a.yaml"])) == {"base/a.yaml": b"2\n"}
    with_commit = repository.commit_tree("main")
    assert with_commit.read("base/a.yaml") == b"1\n"
    with_commit.close()
    assert not (tmp_path / "ran").exists()


def test_nothing_is_fetched_that_a_repository_lacks(tmp_path: Path) -> None:
    """A partial clone whose configuration names a program to fetch with: an error, and no program is started."""
    root = write_files(tmp_path / "repository", {"base/a.yaml": "1\n"})
    run_git(root, "init", "--quiet", "--initial-branch=main")
    commit_all(root)
    blob = run_git(root, "rev-parse", "HEAD:base/a.yaml").strip()
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
    trap.chmod(0o755)
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": str(root),
        "remote.origin.uploadpack": str(trap),
        "protocol.allow": "always",
    }.items():
        run_git(root, "config", key, value)
    (root / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with (
        closing(open_repository(root).commit_tree("HEAD")) as tree,
        pytest.raises(UnavailableError, match=r"git cannot read `base/a\.yaml` of commit"),
    ):
        tree.read("base/a.yaml")
    assert not (tmp_path / "ran").exists()
    run_git(root, "cat-file", "-e", blob, fails=True)
    assert (tmp_path / "ran").exists()  # git by itself would have


def test_a_foreign_environment_leads_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case git-dir-from-a-hook, its kind: every question is answered by the project's own repository."""
    for name in ("own", "other"):
        folder = write_files(tmp_path / name, {"base/a.yaml": name})
        run_git(folder, "init", "--quiet", "--initial-branch=main")
        run_git(folder, "remote", "add", "origin", f"https://user:secret@example.com/{name}.git")
        commit_all(folder)
    own, other = tmp_path / "own", tmp_path / "other" / ".git"
    before = open_repository(own)
    for name in LOCAL:
        monkeypatch.setenv(name, str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other / "objects"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.bare'='true'")
    repository = open_repository(own)
    assert repository == before
    assert remote_url(own) == "https://example.com/own.git"
    assert default_branch(repository) == "main"
    for tree in (repository.commit_tree("HEAD"), repository.index_tree()):
        assert tree.read("base/a.yaml") == b"own"
        tree.close()


@pytest.mark.parametrize("name", ["index.lock", "next-index-17.lock", "index.alternate"])
def test_the_index_of_a_partial_commit_is_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lies beside the work tree's own index; with a relative path too."""
    write_files(tmp_path, {"base/a.yaml": "a", "base/b.yaml": "b"})
    run_git(tmp_path, "init", "--quiet")
    index = tmp_path / ".git" / name
    run_git(tmp_path, "add", "base/a.yaml", GIT_INDEX_FILE=str(index))
    for path in (str(index), f".git/{name}"):
        monkeypatch.setenv("GIT_INDEX_FILE", path)
        tree = open_repository(tmp_path / "base").index_tree()
        assert [entry.path for entry in tree.files("")] == ["a.yaml"]
        tree.close()
        assert open_repository(tmp_path).staged_files() == ["base/a.yaml"]


def test_the_index_of_another_work_tree_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither that of a linked work tree, of a submodule, of a temporary folder, nor one that is not there."""
    write_files(tmp_path / "main", {"base/a.yaml": "a"})
    run_git(tmp_path / "main", "init", "--quiet", "--initial-branch=main")
    commit_all(tmp_path / "main")
    run_git(tmp_path / "main", "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    linked = tmp_path / "main/.git/worktrees/side/index.lock"
    elsewhere = tmp_path / "index"
    module = tmp_path / "main/.git/modules/x/index"
    for index in (linked, elsewhere, module):
        index.parent.mkdir(parents=True, exist_ok=True)
        run_git(tmp_path / "main", "read-tree", "--empty", GIT_INDEX_FILE=str(index))
    for index in (linked, elsewhere, module, tmp_path / "main/.git/nothing.lock"):
        monkeypatch.setenv("GIT_INDEX_FILE", str(index))
        tree = open_repository(tmp_path / "main").index_tree()
        assert [entry.path for entry in tree.files("")] == ["base/a.yaml"]
        tree.close()
    monkeypatch.setenv("GIT_INDEX_FILE", str(linked))
    side = open_repository(tmp_path / "side").index_tree()
    assert side.files("") == []
    side.close()
    assert os.environ["GIT_INDEX_FILE"] == str(linked)


def test_a_damaged_repository_is_the_worlds_fault(tmp_path: Path) -> None:
    """A commit that is empty, garbled or gone in the middle of a history: exit code 4, with what helps."""
    run_git(tmp_path, "init", "--quiet")
    for number in range(3):
        write_files(tmp_path, {"file": str(number)})
        commit_all(tmp_path)
    commit = run_git(tmp_path, "rev-parse", "HEAD~1").strip()
    file = tmp_path / ".git/objects" / commit[:2] / commit[2:]
    file.chmod(0o644)
    place = open_repository(tmp_path).place
    for data in (b"", b"garbage", file.read_bytes()[:30], None):
        if data is None:
            file.unlink()
        else:
            file.write_bytes(data)
        with pytest.raises(UnavailableError, match="git fsck"):
            ask(place, "rev-list", "HEAD")
    with pytest.raises(UsageError):
        ask(place, "rev-list", "nothing-of-that-name")
