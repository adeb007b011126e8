"""Branches, tags, remotes and what they have in common."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from envcompile.errors import Problem, UsageError
from envcompile.git.discovery import find
from envcompile.git.library import open_library
from envcompile.git.run import ask, run

if TYPE_CHECKING:
    from pathlib import Path

    from git import Repo

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
    sides = [repository.resolve(branch), repository.resolve(revision)]
    with closing(_library(repository)) as library:
        _, found, _ = library.git.merge_base(*sides, with_extended_output=True, with_exceptions=False)
    if found:
        return str(found).split()[0]
    fix = "fetch the whole history: `git fetch --unshallow`, in GitHub Actions `fetch-depth: 0`"
    raise UsageError([
        Problem(
            f"git finds no commit that `{branch}` and `{revision}` have in common",
            fix if repository.is_shallow() else "name the revision to compare with by --from",
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
    with closing(open_library(found.place, found.git_folder, found.common_folder)) as library:
        address = next((str(known.url) for known in library.remotes if known.name == remote), "")
    scheme, separator, rest = address.partition("://")
    if not separator or scheme not in {"http", "https"}:
        return address
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def pinned(repository: Repository) -> set[str]:
    """The commits that branches and tags point to, here and on remotes, and those checked out in any work tree."""
    with closing(_library(repository)) as library:
        names = library.git.for_each_ref("--format=%(objectname) %(*objectname)").split()
        trees = library.git.worktree("list", "--porcelain").splitlines()
    return {*names, *(line.removeprefix("HEAD ") for line in trees if line.startswith("HEAD "))}


def changed_files(repository: Repository, revision: str) -> list[str]:
    """The project's files that differ between a commit and the working folder, new ones included, sorted.

    Raises:
        UsageError: git knows no such revision.
        UnavailableError: git cannot compare them.
    """
    plain = ("--no-textconv", "--no-ext-diff", "--no-renames")
    commit = repository.resolve(revision)
    tracked = ask(repository.place, "diff", "--name-only", "-z", *plain, "--relative", commit, "--", ".")
    new = ask(repository.place, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
    return sorted({path for path in (tracked + new).split("\0") if path})


def hooks_path(repository: Repository) -> str:
    """Where git looks for the hooks of this work tree: what `core.hooksPath` says, else the shared git folder."""
    done = run(repository.place, "rev-parse", "--path-format=absolute", "--git-path", "hooks", hooks_path=True)
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def _library(repository: Repository) -> Repo:
    return open_library(repository.place, repository.git_folder, repository.common_folder)
