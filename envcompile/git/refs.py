"""Branches, tags, remotes and what they have in common."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envcompile.errors import Problem, UnavailableError, UsageError
from envcompile.git.discovery import find
from envcompile.git.library import open_library
from envcompile.git.repository import SHALLOW
from envcompile.git.run import ask_quietly, reason_of, run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from envcompile.git.repository import Repository

_DEFAULT_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


def default_branch(repository: Repository) -> str:
    """The branch that others start from: what `origin/HEAD` names, else the first of the usual names.

    Raises:
        UsageError: there is none, or no commit at all.
    """
    for branch in _DEFAULT_BRANCHES:
        if repository.has(branch):
            return branch
    if not repository.has_commits():
        raise repository.no_commit()
    raise UsageError([
        Problem(
            "there is no default branch to compare with: neither origin/HEAD nor main nor master exists here",
            "name the revision with --from",
        )
    ])


def merge_base(repository: Repository, branch: str, revision: str) -> str:
    """The newest commit that two revisions have in common.

    Raises:
        UsageError: git knows no such revision, or they have nothing in common.
        UnavailableError: there is no git on this machine.
    """
    if not branch.startswith("-") and not revision.startswith("-"):
        found = str(open_library(repository.place).merge_base(branch, revision, with_exceptions=False)).split()
        if found:
            return found[0]
    repository.resolve(branch)
    repository.resolve(revision)
    raise UsageError([
        Problem(
            f"git finds no commit that `{branch}` and `{revision}` have in common",
            SHALLOW if repository.is_shallow() else "name the revision to compare with by --from",
        )
    ])


def remote_url(root: Path, remote: str = "origin") -> str:
    """The address of a project's remote without user and password; empty where there is none, or no repository.

    Raises:
        UnavailableError: there is no git on this machine.
    """
    try:
        found = find(root)
    except UsageError:
        return ""
    address = str(open_library(found.place).config("--get", f"remote.{remote}.url", with_exceptions=False))
    scheme, separator, rest = address.partition("://")
    if not separator or scheme not in {"http", "https"}:
        return address
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def pinned(repository: Repository) -> set[str]:
    """The commits that branches and tags point to, here and on remotes, and those checked out in any work tree."""
    library = open_library(repository.place)
    names = str(library.for_each_ref("--format=%(objectname) %(*objectname)")).split()
    trees = str(library.worktree("list", "--porcelain")).splitlines()
    return {*names, *(line.removeprefix("HEAD ") for line in trees if line.startswith("HEAD "))}


def hooks_path(repository: Repository) -> str:
    """Where git looks for the hooks of this work tree: what `core.hooksPath` says, else the shared git folder."""
    done = run(repository.place, "rev-parse", "--path-format=absolute", "--git-path", "hooks", hooks_path=True)
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def configured(repository: Repository, key: str) -> str:
    """What the repository's own configuration says of something; empty for nothing."""
    return ask_quietly(repository.place, "config", "--local", "--get", key).rstrip("\n")


def configure(repository: Repository, key: str, value: str | None = None) -> None:
    """Let the repository's own configuration say something; without a value a whole section is taken away.

    Raises:
        UnavailableError: the configuration cannot be written.
    """
    words = ("--remove-section", key) if value is None else (key, value)
    done = run(repository.place, "config", "--local", *words)
    if done.returncode:
        how = "see whether another git holds the configuration, and who may write it"
        raise UnavailableError([Problem(f"git cannot write its configuration: {reason_of(done)}", how)])


def commits_to_push(repository: Repository, told: Iterable[str], remote: str) -> dict[str, str]:
    """The commits that a push sends and that the remote is not known to have: hash -> the ref that names it.

    Args:
        repository: where the push starts.
        told: what git tells its pre-push hook, `<local ref> <local id> <remote ref> <remote id>` a line; a ref that
            is deleted has the local id 0, and a tag may be one of something else than a commit (githooks(5)).
        remote: the remote's name, or its address.
    """
    found: dict[str, str] = {}
    for words in (line.split() for line in told):
        commit = repository.find(words[1]) if len(words) == 4 and words[1].strip("0") else ""
        if commit:
            found.setdefault(commit, words[2])
    known = f"--remotes={remote}" if re.fullmatch(r"[\w.-]+", remote) else "--remotes"
    ask_one = ("rev-list", "--max-count=1")
    return {
        commit: ref
        for commit, ref in found.items()
        if ask_quietly(repository.place, *ask_one, commit, "--not", known, fallback="new").strip()
    }
