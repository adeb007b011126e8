"""The git repository of a project: where it is, what it knows of commits, and the trees it holds."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import Problem, UsageError, nearest
from envcompile.git.discovery import find, shared_folder
from envcompile.git.identity import identity, readable
from envcompile.git.index import IndexTree, blobs_of, changed_in_index, staged
from envcompile.git.moves import Moves, holds_sources
from envcompile.git.objects import GitObjects
from envcompile.git.run import ask, ask_quietly
from envcompile.git.trees import CommitTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.git.run import Place

SHALLOW = "this clone is shallow: fetch the rest with `git fetch --unshallow`, in GitHub Actions `fetch-depth: 0`"
"""What mends a clone that ends too early."""
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
    """A project inside of a git repository: a work tree, a linked work tree or a bare repository."""

    folder: Path
    """Where git is run: the project's folder, or the bare repository."""
    home: Path
    """The folder that holds `history.db` and `spool`; all work trees of a repository share it."""
    prefix: str
    """The project's folder inside of the repository, such as `deploy/`; empty at the top."""
    is_bare: bool
    place: Place
    """What git is told, so that it looks for no repository itself."""
    git_folder: Path
    """The work tree's own git folder."""
    common_folder: Path
    """The git folder that all work trees share."""
    moves: Moves
    """Where the project was before its folder was moved."""

    @property
    def top(self) -> Path:
        """The top of the work tree; the repository itself when it is bare."""
        return Path(self.place.work_tree or self.place.git_folder)

    def objects(self) -> GitObjects:
        """A reader of the repository's objects; close it after use."""
        return GitObjects(self.place)

    def commit_tree(self, revision: str, objects: GitObjects | None = None) -> CommitTree:
        """The project's files in a commit; from before its folder was moved, those in the folder that it had.

        Args:
            revision: whatever git takes for a commit: a branch, a tag, `HEAD~3`, a hash.
            objects: a reader to share; the tree has one of its own when left out.

        Raises:
            UsageError: git knows no such revision.
            UnavailableError: the repository does not hold the commit's folders.
        """
        reader = objects or self.objects()
        commit = reader.resolve(revision)
        if not commit:
            reader.close()
            commit = self.resolve(revision)
        prefix = self.prefix
        if not holds_sources(reader, commit, prefix):
            former = self.moves.at(reader, commit)
            prefix = prefix if former is None else former
        return CommitTree(reader, commit, prefix, revision=revision, owns_objects=objects is None)

    def index_tree(self, objects: GitObjects | None = None) -> IndexTree:
        """The project's files as the next commit would hold them; in a hook, those of the commit that is being made.

        Args:
            objects: a reader to share; the tree has one of its own when left out.

        Raises:
            UsageError: a bare repository, which has no index.
            UnavailableError: git cannot read the index.
        """
        if self.is_bare:
            raise UsageError([Problem("a bare repository has no index", "name a commit")])
        return IndexTree(staged(self.place), objects or self.objects(), self.prefix, owns_objects=objects is None)

    def staged_files(self) -> list[str]:
        """The files that the next commit adds or changes, from the top of the repository."""
        return changed_in_index(self.place)

    def tracked_files(self) -> list[str]:
        """Every file of the project in the index, from the top of the repository."""
        return sorted(file.path for file in staged(self.place, *([self.prefix] if self.prefix else [])))

    def index_blobs(self, files: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of files as the index has them; those that it does not have, or has two sides of, are left out.

        Args:
            files: from the top of the repository.
        """
        wanted = set(files)
        entries = [file for file in staged(self.place) if file.path in wanted]
        with closing(self.objects()) as objects:
            yield from blobs_of(entries, objects)

    def commit(self, revision: str) -> Commit:
        """One commit.

        Raises:
            UsageError: git knows no such revision.
        """
        return self.commits([self.resolve(revision)])[0]

    def find(self, revision: str) -> str:
        """The full hash of a revision; empty when git knows no such commit."""
        asked = f"{revision}^{{commit}}"
        return ask_quietly(self.place, "rev-parse", "--verify", "--quiet", "--end-of-options", asked).strip()

    def resolve(self, revision: str) -> str:
        """The full hash of a revision.

        Raises:
            UsageError: git knows no such revision, or the repository has no commit.
        """
        found = self.find(revision)
        if found:
            return found
        if not self.has_commits():
            raise self.no_commit()
        if near := nearest(revision, _names(self.place)):
            fix = f"did you mean {' or '.join(f'`{name}`' for name in near)}?"
        elif self.is_shallow():
            fix = SHALLOW
        else:
            fix = "name a branch, a tag or a commit that this repository holds"
        raise UsageError([Problem(f"git knows no revision `{revision}`", fix)])

    def no_commit(self) -> UsageError:
        """The error of a repository in which nothing was committed yet."""
        fix = "commit first: `git add --all && git commit`"
        return UsageError([Problem(f"the git repository {self.top} has no commit yet", fix)])

    def has_commits(self) -> bool:
        """Tell whether there is any commit: HEAD, or a branch or a tag."""
        return bool(self.find("HEAD") or ask_quietly(self.place, "rev-list", "--max-count=1", "--all"))

    def is_shallow(self) -> bool:
        """Tell whether the clone does not hold the whole history."""
        return ask(self.place, "rev-parse", "--is-shallow-repository").strip() == "true"

    def has(self, commit: str) -> bool:
        """Tell whether the repository still holds a commit."""
        return bool(self.find(commit))

    def is_ancestor(self, commit: str, revision: str) -> bool:
        """Tell whether a revision reaches a commit."""
        return ask_quietly(self.place, "merge-base", "--is-ancestor", commit, revision, fallback="no") == ""

    def commits(self, hashes: list[str]) -> list[Commit]:
        """The facts of several commits, in their order."""
        if not hashes:
            return []
        options = (
            "--no-walk=unsorted",
            "--stdin",
            "-z",
            "--encoding=UTF-8",
            "--no-notes",
            "--no-color",
            "--no-decorate",
        )
        text = ask(self.place, "log", *options, f"--format={_FIELDS}%x00", stdin="\n".join(hashes))
        facts = text.split("\0")
        found = []
        for at in range(0, len(facts) - 9, 10):
            name, parents, *people, message = facts[at : at + 9]
            found.append(
                Commit(
                    name.strip(),
                    tuple(parents.split()) or self._stated_parents(name.strip()),
                    *identity(*people[:3]),
                    *identity(*people[3:]),
                    readable(message).strip("\n"),
                )
            )
        return found

    def _stated_parents(self, commit: str) -> tuple[str, ...]:
        """The parents that a commit itself names: where a shallow clone ends, git says that there are none."""
        head = ask_quietly(self.place, "cat-file", "commit", commit).partition("\n\n")[0]
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
        return ask(self.place, "rev-list", "--ignore-missing", *order, "--stdin", stdin="\n".join(lines)).split()

    def heads(self) -> list[str]:
        """The commits that HEAD, branches and tags point to, here and on remotes."""
        return ask(self.place, "rev-list", "--no-walk=unsorted", "--all").split()

    def before(self, time: str, revision: str) -> str:
        """The newest commit at or before a time, along first parents; empty when there is none."""
        start = self.resolve(revision)
        return ask(self.place, "rev-list", "-1", "--first-parent", f"--before={time}", start).strip()


def last_change(repository: Repository, path: str) -> Commit | None:
    """The newest commit that HEAD reaches and that touched what stands at a path; None when none did.

    Args:
        repository: whose HEAD.
        path: a file or folder, from the project's folder.
    """
    found = ask(repository.place, "rev-list", "-1", "HEAD", "--", path).split()
    return repository.commits(found)[0] if found else None


def _names(place: Place) -> list[str]:
    """The short names of branches and tags, here and on remotes."""
    refs = ("refs/heads", "refs/tags", "refs/remotes")
    return ask_quietly(place, "for-each-ref", "--format=%(refname:short)", *refs).split()


def open_repository(root: Path, *, bare: bool = False) -> Repository:
    """The repository that a project's folder belongs to.

    Args:
        root: the project's folder.
        bare: the folder may also be a bare repository.

    Raises:
        UsageError: the folder is in no git repository.
        UnavailableError: there is no git on this machine.
    """
    found = find(root, bare=bare)
    return Repository(
        found.place.folder,
        shared_folder(found),
        found.prefix,
        found.is_bare,
        found.place,
        found.git_folder,
        found.common_folder,
        Moves(found.place, found.prefix),
    )
