"""What git knows about commits, asked of a work tree, a linked work tree or a bare repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from envcompile.errors import Problem, UnavailableError, UsageError

_FIELDS = "%H%x00%P%x00%aN%x00%aE%x00%at%x00%cN%x00%cE%x00%ct%x00%B"


class Commit(NamedTuple):
    """A commit as git tells it; times are seconds since 1970."""

    hash: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    authored_at: int
    committer_name: str
    committer_email: str
    committed_at: int
    message: str


class Repository(NamedTuple):
    """A project inside of a git repository."""

    folder: Path
    """Where git is run: the project's folder, or the bare repository."""
    home: Path
    """The folder that holds `.envc/history.db` and `.envc/spool`; linked work trees share the main one's."""
    prefix: str
    """The project's folder inside of the repository, such as `deploy/`; empty at the top."""
    is_bare: bool

    @classmethod
    def open(cls, folder: Path) -> Repository:
        """The repository that a project's folder belongs to.

        Raises:
            UsageError: the folder is in no git repository.
            UnavailableError: there is no git on this machine.
        """
        asked = ("--is-bare-repository", "--path-format=absolute", "--git-common-dir", "--show-prefix")
        bare, common, prefix = [*_git(folder, "rev-parse", *asked).split("\n"), "", ""][:3]
        git_folder = Path(common)
        if bare != "true" and git_folder.name == ".git":
            home = git_folder.parent / prefix
        else:
            home = git_folder if bare == "true" else folder
        return cls(folder, home / ".envc", prefix, bare == "true")

    def commit(self, revision: str) -> Commit:
        """One commit.

        Raises:
            UsageError: git knows no such revision.
        """
        return self.commits([self.resolve(revision)])[0]

    def find(self, revision: str) -> str:
        """The full hash of a revision; empty when git knows no such commit."""
        return self._quietly("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()

    def resolve(self, revision: str) -> str:
        """The full hash of a revision.

        Raises:
            UsageError: git knows no such revision.
        """
        found = self.find(revision)
        if found:
            return found
        shallow = _git(self.folder, "rev-parse", "--is-shallow-repository").strip() == "true"
        fix = "this clone is shallow: fetch the rest with `git fetch --unshallow`"
        raise UsageError([
            Problem(
                f"git knows no revision `{revision}`",
                fix if shallow else "name a branch, a tag or a commit that this repository holds",
            )
        ])

    def has(self, commit: str) -> bool:
        """Tell whether the repository still holds a commit."""
        return bool(self.find(commit))

    def is_ancestor(self, commit: str, revision: str) -> bool:
        """Tell whether a revision reaches a commit."""
        return self._quietly("merge-base", "--is-ancestor", commit, revision, fallback="no") == ""

    def commits(self, hashes: list[str]) -> list[Commit]:
        """The facts of several commits, in their order."""
        if not hashes:
            return []
        text = _git(
            self.folder,
            "log",
            "--no-walk=unsorted",
            "--stdin",
            "-z",
            f"--format={_FIELDS}%x00",
            stdin="\n".join(hashes),
        )
        facts = text.split("\0")
        found = []
        for at in range(0, len(facts) - 9, 10):
            name, parents, author, mail, authored, committer, committer_mail, committed, message = facts[at : at + 9]
            found.append(
                Commit(
                    name.strip(),
                    tuple(parents.split()) or self._stated_parents(name.strip()),
                    author,
                    mail,
                    int(authored),
                    committer,
                    committer_mail,
                    int(committed),
                    message.strip("\n"),
                )
            )
        return found

    def _stated_parents(self, commit: str) -> tuple[str, ...]:
        """The parents that a commit itself names: where a shallow clone ends, git says that there are none."""
        head = self._quietly("cat-file", "commit", commit).partition("\n\n")[0]
        return tuple(line.removeprefix("parent ") for line in head.splitlines() if line.startswith("parent "))

    def walk(self, revisions: list[str], *, without: list[str] | None = None, oldest_first: bool = False) -> list[str]:
        """The hashes of all commits that revisions reach, in git log's order, or parents before children.

        Args:
            revisions: where to start.
            without: commits to leave out with all that they reach; those that git does not hold are passed over.
            oldest_first: parents before children.
        """
        order = ["--topo-order", "--reverse"] if oldest_first else []
        lines = [*revisions, *(f"^{commit}" for commit in without or ())]
        text = _git(self.folder, "rev-list", "--ignore-missing", *order, "--stdin", stdin="\n".join(lines))
        return text.split()

    def heads(self) -> list[str]:
        """The commits that HEAD, branches and tags point to, here and on remotes."""
        return _git(self.folder, "rev-list", "--no-walk=unsorted", "--all").split()

    def before(self, time: str, revision: str) -> str:
        """The newest commit at or before a time, along first parents; empty when there is none."""
        return _git(self.folder, "rev-list", "-1", "--first-parent", f"--before={time}", self.resolve(revision)).strip()

    def _quietly(self, *arguments: str, fallback: str = "") -> str:
        """What git prints; the fallback when it refuses."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=clean_environment(), capture_output=True, check=False
        )
        return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else fallback


def clean_environment() -> dict[str, str]:
    """The env vars for git: what a hook sets for the repository it runs in would lead elsewhere."""
    kept = {name: text for name, text in os.environ.items() if name not in _LOCAL}
    return {**kept, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}


_LOCAL = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"})


def _git(folder: Path, *arguments: str, stdin: str = "") -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=clean_environment(),
            input=stdin.encode("utf-8", "surrogateescape"),
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise UnavailableError([Problem("git is not installed", "install git")]) from error
    except NotADirectoryError as error:
        raise UsageError([
            Problem(f"{folder} is no folder", "name the repository with `envc --project DIR`")
        ]) from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = lines[0].removeprefix("fatal: ") if lines else f"git {arguments[0]} failed"
        raise UsageError([Problem(f"cannot read git history here: {reason}", "run envc inside of a git repository")])
    return done.stdout.decode("utf-8", "surrogateescape")
