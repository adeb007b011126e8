"""A tree with some of its files changed, added or taken away, to compile what is not written yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.sources.tree import FileEntry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from envcompile.limits import Limits
    from envcompile.sources.tree import Tree


class OverlaidTree:
    """A tree seen with edits.

    Args:
        tree: the tree below.
        edits: path -> the bytes that the file has, None for a file that goes.
    """

    __slots__ = ("_edits", "_tree")

    def __init__(self, tree: Tree, edits: Mapping[str, bytes | None]) -> None:
        self._tree = tree
        self._edits = edits

    @property
    def root(self) -> Path | None:
        """The folder of the tree below."""
        return self._tree.root

    @property
    def limits(self) -> Limits:
        """Those of the tree below."""
        return self._tree.limits

    def bound(self, limits: Limits) -> None:
        """Let these limits hold from now on, for the tree below."""
        self._tree.bound(limits)

    def files(self, folder: str) -> list[FileEntry]:
        """Every file below a folder, sorted by path."""
        prefix = "" if folder in {"", "."} else f"{folder.rstrip('/')}/"
        found = {entry.path: entry for entry in self._tree.files(folder) if entry.path not in self._edits}
        for path, data in self._edits.items():
            if data is not None and path.startswith(prefix):
                found[path] = FileEntry(path)
        return [found[path] for path in sorted(found)]

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        data = self._edits.get(path)
        return data if data is not None else self._tree.read(path)

    def exists(self, path: str) -> bool:
        """Tell whether the path is a file or a folder."""
        if path in self._edits:
            return self._edits[path] is not None
        return any(edited.startswith(f"{path}/") for edited in self._edits) or self._tree.exists(path)

    def is_file(self, path: str) -> bool:
        """Tell whether the path is a file."""
        return self._edits[path] is not None if path in self._edits else self._tree.is_file(path)
