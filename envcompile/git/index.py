"""What `git commit` would commit: the index, also that of a partial commit."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import Problem, UnavailableError
from envcompile.git.objects import FOLDER, SUBMODULE, TreeEntry, missing
from envcompile.git.run import at_top, reason_of, run
from envcompile.git.trees import AT_ONCE, CONFLICT, StoredTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envcompile.git.objects import GitObjects
    from envcompile.git.run import Place

_EMPTY_FILE = {
    40: "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    64: "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
}
"""Hexadecimal digits of an id -> that of an empty file, which also stands for one only meant to be added."""
_EMPTY_FOLDER = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}


class Staged(NamedTuple):
    """One file of the index."""

    path: str
    """From the top of the repository."""
    entry: TreeEntry
    """Its mode (`conflict` when it has two sides) and its blob's id."""
    is_skipped: bool
    """A sparse checkout leaves it out of the work tree."""


class IndexTree(StoredTree):
    """The files of the next commit: what is staged, not what lies in the folder.

    Args:
        files: what is staged.
        objects: where contents are read.
        prefix: the project's folder inside of the repository, such as `deploy/`.
        owns_objects: end the reader of contents together with the tree.
    """

    __slots__ = ()

    def __init__(self, files: Iterable[Staged], objects: GitObjects, prefix: str, *, owns_objects: bool = True) -> None:
        super().__init__(IndexNames(files), objects, prefix, owns_objects=owns_objects)


class IndexNames:
    """The names in an index, by folder."""

    __slots__ = ("_folders",)

    name = "the index"

    def __init__(self, files: Iterable[Staged]) -> None:
        self._folders: dict[str, dict[str, TreeEntry]] = {"": {}}
        for path, entry, _ in files:
            folder, name = posixpath.split(path)
            self._make(folder)[name] = entry

    def _make(self, folder: str) -> dict[str, TreeEntry]:
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = {}
            above, name = posixpath.split(folder)
            self._make(above)[name] = TreeEntry(FOLDER, "")
        return known

    def entry(self, path: str) -> TreeEntry | None:
        """What is at a path."""
        if not path:
            return TreeEntry(FOLDER, "")
        folder, name = posixpath.split(path)
        return self._folders.get(folder, {}).get(name)

    def folder(self, path: str) -> Mapping[str, TreeEntry]:
        """The names directly in a folder."""
        return self._folders.get(path, {})


def staged(place: Place, *paths: str) -> list[Staged]:
    """The files that the next commit holds, sorted by path.

    Args:
        place: the repository.
        paths: only these files and folders, from the top of the repository.

    Raises:
        UnavailableError: git cannot read the index.
    """
    done = run(at_top(place), "ls-files", "-s", "-t", "-z", "--", *paths)
    if done.returncode:
        raise UnavailableError([Problem(f"git cannot read the index: {reason_of(done)}", "run `git status`")])
    found: dict[str, Staged] = {}
    for line in done.stdout.decode("utf-8", "surrogateescape").split("\0"):
        facts, _, path = line.partition("\t")
        if path:
            tag, mode, blob, stage = facts.split()
            entry = TreeEntry(mode if stage == "0" else CONFLICT, blob)
            found[path] = Staged(path, entry, tag == "S")
    for path in _meant_to_be_added(place, found):
        del found[path]
    return list(found.values())


def changed_in_index(place: Place) -> list[str]:
    """The files that the next commit adds or changes, sorted, from the top of the repository.

    Raises:
        UnavailableError: git cannot read the index.
    """
    options = ("--cached", "--name-only", "-z", "--no-relative", "--no-ext-diff", "--diff-filter=ACMRT")
    done = run(place, "diff", *options)
    if done.returncode:
        raise UnavailableError([Problem(f"git cannot read the index: {reason_of(done)}", "run `git status`")])
    return sorted({name for name in done.stdout.decode("utf-8", "surrogateescape").split("\0") if name})


def blobs_of(files: Sequence[Staged], objects: GitObjects) -> Iterator[tuple[str, bytes]]:
    """The bytes of files of the index by path; submodules and files in conflict have none.

    Raises:
        UnavailableError: the repository does not hold one of them.
    """
    plain = [file for file in files if file.entry.mode not in {SUBMODULE, CONFLICT}]
    for start in range(0, len(plain), AT_ONCE):
        part = plain[start : start + AT_ONCE]
        for file, answer in zip(part, objects.read([file.entry.hash for file in part]), strict=True):
            if answer is None:
                raise missing(f"`{file.path}` of the index (object {file.entry.hash[:12]})")
            yield file.path, answer[1]


def _meant_to_be_added(place: Place, files: Mapping[str, Staged]) -> Iterator[str]:
    """The files of `git add --intent-to-add`: the index has their names, a commit would not."""
    empty = [path for path, file in files.items() if _EMPTY_FILE.get(len(file.entry.hash)) == file.entry.hash]
    if not empty:
        return
    nothing = _EMPTY_FOLDER[len(files[empty[0]].entry.hash)]
    options = ("--cached", "--ita-invisible-in-index", "--name-only", "-r", "-z", "--no-renames")
    done = run(at_top(place), "diff-index", *options, nothing, "--", *empty)
    if done.returncode:
        raise UnavailableError([Problem(f"git cannot read the index: {reason_of(done)}", "run `git status`")])
    real = {*done.stdout.decode("utf-8", "surrogateescape").split("\0")}
    yield from (path for path in empty if path not in real)
