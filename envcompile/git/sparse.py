"""The working folder of a sparse checkout: what is not checked out is read from git."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from envcompile.errors import fail
from envcompile.git.discovery import has_sparse_patterns
from envcompile.git.ignore import ignored
from envcompile.git.index import IndexNames, staged
from envcompile.git.objects import FOLDER, SYMLINK, TreeEntry
from envcompile.git.repository import open_repository
from envcompile.git.tree import FileEntry, file_start, hidden
from envcompile.git.trees import CONFLICT, StoredTree
from envcompile.limits import too_much

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from envcompile.git.repository import Repository
    from envcompile.git.tree import Tree

_ON_DISK = "100644"


def completed(folder: Tree) -> Tree:
    """The files of a working folder with those that a sparse checkout left out; the same tree where there are none.

    Raises:
        UsageError: git does not trust the owner of the repository.
        UnavailableError: git cannot read the index.
    """
    if folder.root is None or not has_sparse_patterns(folder.root):
        return folder
    repository = open_repository(folder.root)
    names = _Names(repository)
    if not names.has_left_out:
        return folder
    tree = SparseTree(names, repository, folder.root)
    tree.bound(folder.limits)
    return tree


class SparseTree(StoredTree):
    """A working folder together with the files of the index that are not checked out (git-sparse-checkout(1)).

    Args:
        names: what is there.
        repository: where the contents are that are not on disk.
        root: the project's folder.
    """

    __slots__ = ("_top", "root")

    root: Path | None

    def __init__(self, names: _Names, repository: Repository, root: Path) -> None:
        super().__init__(names, repository.objects(), repository.prefix)
        self.root = root
        self._top = repository.top

    def _found(self, name: str, real: str, entry: TreeEntry) -> FileEntry:
        if entry.hash:
            return super()._found(name, real, entry)
        if real != self._prefix + name and ignored(self._top, (str(self._top / real),)):
            raise hidden(name, "leads to a file that is ignored by git")
        return FileEntry(name)

    def _content(self, entry: TreeEntry, real: str, shown: str) -> bytes:
        if entry.hash:
            return super()._content(entry, real, shown)
        place = self._top / real
        try:
            if entry.mode == SYMLINK:
                return os.fsencode(place.readlink())
            if place.stat().st_size > self.limits.file_size << 20:
                raise too_much("file_size", self.limits, f"`{shown}` holds more than", shown)
            return place.read_bytes()
        except OSError as error:
            reason = (error.strerror or "unreadable").lower()
            fix = "check that it exists and its permissions"
            raise fail(f"cannot read `{shown}`: {reason}", fix, file_start(shown)) from error


class _Names:
    """The names on disk, and those of the index that are not checked out; an empty hash means that it is on disk."""

    __slots__ = ("_index", "_top", "has_left_out")

    name = "the working folder"

    def __init__(self, repository: Repository) -> None:
        left_out = [file for file in staged(repository.place) if file.is_skipped and file.entry.mode != CONFLICT]
        self._index = IndexNames(left_out)
        self._top = repository.top
        self.has_left_out = bool(left_out)

    def entry(self, path: str) -> TreeEntry | None:
        """What is at a path."""
        try:
            mode = (self._top / path).lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return self._index.entry(path)
        if stat.S_ISLNK(mode):
            return TreeEntry(SYMLINK, "")
        if stat.S_ISDIR(mode):
            return TreeEntry(FOLDER, "")
        return TreeEntry(_ON_DISK, "") if stat.S_ISREG(mode) else None

    def folder(self, path: str) -> Mapping[str, TreeEntry]:
        """The names directly in a folder."""
        try:
            there = [file.name for file in (self._top / path).iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            there = []
        before = f"{path}/" if path else ""
        names = {*self._index.folder(path), *there}
        entries = {name: self.entry(before + name) for name in names if name != ".git"}
        return {name: entry for name, entry in entries.items() if entry is not None}
