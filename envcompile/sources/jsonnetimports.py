"""What jsonnet files import: found in the tree, read once, accounted for."""

from __future__ import annotations

import posixpath
import re
from itertools import starmap
from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import EnvcError, did_you_mean, fail
from envcompile.git.lineends import as_stored
from envcompile.limits import DEFAULT_LIMITS, too_much
from envcompile.model import Location
from envcompile.sources.jsonneterrors import split_trace
from envcompile.sources.tree import File, file_start, join
from envcompile.sources.visibility import require_not_ignored, require_visible
from envcompile.sources.yamlfiles import JSONNET_ENDING

if TYPE_CHECKING:
    from envcompile.limits import Limits
    from envcompile.sources.tree import Tree

LIBRARIES = ("lib", "vendor")
"""Searched after the importing file's own folder, as jsonnet-bundler lays a project out."""
_STAND_IN = ("<import>", b"error 'import'")
"""Given for an import that failed: an exception raised through gojsonnet ends in bytes of foreign memory, because the
binding does not terminate its message."""


class Dependency(NamedTuple):
    """A file that an evaluation looked at."""

    path: str
    digest: str | None
    """SHA-256 of its content; None when it was looked for and not there: creating it changes the result."""


class _Missing(NamedTuple):
    """An import that was not found."""

    folder: str
    wanted: str
    tried: tuple[str, ...]


class Importer:
    """Finds the imports of one evaluation and keeps account of them.

    Args:
        tree: where the files are.
        files: the files read so far, by path; imports are added to it.
        root: the file that is evaluated.
        limits: how much it may import.
    """

    __slots__ = ("_failure", "_files", "_limits", "_looked_at", "_root", "_size", "_tree")

    def __init__(self, tree: Tree, files: dict[str, File], root: File, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._tree = tree
        self._files = files
        self._files.setdefault(root.path, root)
        self._root = root.path
        self._looked_at: dict[str, str | None] = {root.path: _digest(root.data)}
        self._size = 0
        self._failure: EnvcError | _Missing | None = None

    def find(self, folder: str, wanted: str) -> tuple[str, bytes]:
        """What gojsonnet calls for each import: the folder of the importing file, and the text of the import."""
        tried: list[str] = []
        for place in (folder, *LIBRARIES):
            path = None if wanted.startswith("/") else join(place, wanted)
            if path is None or path in tried:
                continue
            tried.append(path)
            try:
                file = self._open(path)
            except EnvcError as error:
                self._failure = self._failure or error
                return _STAND_IN
            if file is not None:
                return path, file.data
        self._failure = self._failure or _Missing(folder, wanted, tuple(tried))
        return _STAND_IN

    def _open(self, path: str) -> File | None:
        if len(self._looked_at) > self._limits.imports:
            raise too_much("imports", self._limits, f"jsonnet: `{self._root}` looks at more than", self._root)
        require_visible(path)
        file = self._files.get(path)
        if file is None and self._tree.is_file(path):
            file = self._files[path] = File(path, as_stored(self._tree.root, path, self._tree.read(path)))
            self._size += len(file.data)
            if self._size > self._limits.size << 20:
                raise too_much(
                    "size", self._limits, f"jsonnet: what `{self._root}` imports holds more than", self._root
                )
        if path not in self._looked_at:
            self._looked_at[path] = None if file is None else _digest(file.data)
        return file

    def has_same(self, dependencies: tuple[Dependency, ...]) -> bool:
        """Tell whether every file that an earlier evaluation looked at is the same now."""
        for path, digest in dependencies:
            try:
                file = self._open(path)
            except EnvcError:
                return False
            if (None if file is None else _digest(file.data)) != digest:
                return False
        return True

    def texts(self) -> dict[str, bytes]:
        """The files that were read, by path, the evaluated one first."""
        found = {path: self._files[path].data for path in self._looked_at if path in self._files}
        return {self._root: found.pop(self._root, b""), **found}

    def require_visible(self) -> None:
        """Refuse what was read although git ignores it; asked once for all files of an evaluation.

        Raises:
            EnvcError: one of the files is ignored.
        """
        require_not_ignored(
            self._tree, [path for path, digest in self._looked_at.items() if digest is not None and path != self._root]
        )

    def raise_failure(self, message: str) -> None:
        """Raise the first import that failed; nothing when none did.

        Args:
            message: the error that jsonnet ended with, which tells the place; empty when it did not mind.

        Raises:
            EnvcError: an import that is not there or cannot be read, at the place that imports it.
        """
        if self._failure is None:
            return
        if isinstance(self._failure, EnvcError):
            raise self._failure
        folder, wanted, tried = self._failure
        where, trace = split_trace(message)
        trace = [line for line in trace if not line.startswith(_STAND_IN[0])]
        if not tried:
            fix = "imports are relative, to the file's own folder, lib/ or vendor/, and stay in the project"
        elif wanted.startswith("github.com/"):
            fix = f"run `jb install` and commit vendor/ (envc looked for {', '.join(tried)})"
        else:
            fix = did_you_mean(wanted, self._libraries(), f"create one of {', '.join(tried)}")
        place = where or self._find_import(folder, wanted)
        raise fail(f"jsonnet: the import `{wanted}` is not there", fix, place, trace=trace)

    def _libraries(self) -> list[str]:
        """What could have been meant: the files beside the evaluated one and those of the libraries."""
        folder = posixpath.dirname(self._root)
        paths = [(folder, entry.path) for entry in self._tree.files(folder) if entry.path != self._root]
        paths += [(library, entry.path) for library in LIBRARIES for entry in self._tree.files(library)]
        return [
            path.removeprefix(f"{folder}/") for folder, path in paths if path.endswith((".libsonnet", JSONNET_ENDING))
        ]

    def _find_import(self, folder: str, wanted: str) -> Location:
        """The place of an `importstr`, which jsonnet's errors do not tell because the stand-in is a fine string."""
        pattern = re.compile(rf"""import(?:str|bin)\s*(['"]){re.escape(wanted)}\1""".encode())
        for path in sorted(self._looked_at):
            file = self._files.get(path)
            if file is not None and posixpath.dirname(path) == folder.rstrip("/"):
                found = pattern.search(file.data)
                if found:
                    before = file.data[: found.start()]
                    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
                    return Location(path, before.count(b"\n") + 1, column)
        return file_start(self._root)

    def dependencies(self) -> tuple[Dependency, ...]:
        """Every file that was looked at, sorted by path."""
        return tuple(starmap(Dependency, sorted(self._looked_at.items())))


def _digest(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()
