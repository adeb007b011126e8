"""The working folder of a sparse checkout: what is not checked out is read from git."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.git.discovery import has_sparse_patterns
from envcompile.git.index import IndexTree, staged
from envcompile.git.repository import open_repository
from envcompile.git.trees import CONFLICT

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.git.repository import Repository
    from envcompile.git.tree import FileEntry, Tree


def completed(folder: Tree) -> Tree:
    """The files of a working folder with those that a sparse checkout left out; the same tree where there are none.

    Raises:
        UsageError: git does not trust the owner of the repository.
        UnavailableError: git cannot read the index.
    """
    if folder.root is None or not has_sparse_patterns(folder.root):
        return folder
    tree = SparseTree(folder, open_repository(folder.root))
    return tree if tree.left_out else folder


class SparseTree:
    """A working folder together with the files of the index that are not checked out (git-sparse-checkout(1)).

    Args:
        folder: the files that are checked out.
        repository: where the others are.
    """

    __slots__ = ("_folder", "_index", "left_out")

    def __init__(self, folder: Tree, repository: Repository) -> None:
        files = [file for file in staged(repository.place) if file.entry.mode != CONFLICT]
        self._folder = folder
        self._index = IndexTree(files, repository.objects(), repository.prefix)
        self.left_out = frozenset(file.path for file in files if file.is_skipped)
        """Paths from the top of the repository."""

    @property
    def root(self) -> Path | None:
        """The folder on disk."""
        return self._folder.root

    def files(self, folder: str) -> list[FileEntry]:
        """Every file below a folder, sorted by path; none when the folder does not exist."""
        found = {entry.path: entry for entry in self._index.files(folder) if self._is_left_out(entry.path)}
        found.update({entry.path: entry for entry in self._folder.files(folder)})
        return [found[path] for path in sorted(found)]

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        return self._index.read(path) if self._is_left_out(path) else self._folder.read(path)

    def exists(self, path: str) -> bool:
        """Tell whether the path is a file or a folder."""
        return self._folder.exists(path) or self._is_left_out(path) or self._holds_left_out(path)

    def is_file(self, path: str) -> bool:
        """Tell whether the path is a file."""
        return self._folder.is_file(path) or self._is_left_out(path)

    def close(self) -> None:
        """End the git process that reads the files."""
        self._index.close()

    def _is_left_out(self, path: str) -> bool:
        """Tell whether a file is in the index, not meant to be checked out, and indeed not there."""
        return self._index.real_path(path) in self.left_out and not self._folder.exists(path)

    def _holds_left_out(self, path: str) -> bool:
        real = self._index.real_path(path)
        return real is not None and any(name.startswith(f"{real}/") for name in self.left_out)
