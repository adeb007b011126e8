"""The files of a project as they lie in the working folder."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.errors import fail
from envcompile.git.tree import (
    FileEntry,
    Tree,
    file_start,
    hidden,
    hidden_part,
    is_hidden,
    is_ignored,
    join,
    leads_out,
    link_in_circle,
    link_to_hidden,
    link_to_nothing,
)
from envcompile.limits import DEFAULT_LIMITS, too_much
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.errors import EnvcError
    from envcompile.limits import Limits
    from envcompile.seenfiles import Files


_MEBIBYTE = 1 << 20

__all__ = ["File", "FileEntry", "Tree", "WorkingTree", "file_start", "is_ignored", "join"]

SEEN = frozenset({"base", "overlays"})
"""The folders of a project whose files others may have listed already."""

_NO_WAITING = getattr(os, "O_NONBLOCK", 0)


class File(Record, frozen=True):
    """A file that was read: the `Source` of documents."""

    path: str
    data: bytes

    def __repr__(self) -> str:
        return f"File({self.path})"

    def read(self) -> bytes:
        """The bytes the build read."""
        return self.data


class WorkingTree:
    """The files as they lie in a folder now.

    Symlinks are followed as long as they stay in the repository: the nearest folder around the root that holds
    `.git`, or the root itself. They never lead below a name that begins with a dot, or to a file that git ignores: no
    commit holds those, and a branch would only have to point at them.

    Args:
        root: the project's folder.
        limits: what one layer may hold; `limits` of envc.yaml once that is read.
        seen: the files below the folders `SEEN`, where somebody looked at them just now and found no symlink.
    """

    __slots__ = ("_boundary", "_prefix", "_scanned", "_seen", "limits", "root")

    def __init__(self, root: Path, limits: Limits = DEFAULT_LIMITS, *, seen: Files | None = None) -> None:
        self.limits = limits
        self._seen = seen
        self.root = Path(os.path.realpath(root))
        self._prefix = f"{self.root}/"
        self._boundary: str | None = None
        self._scanned: set[str] = set()

    def bound(self, limits: Limits) -> None:
        """Let these limits hold from now on."""
        self.limits = limits

    def files(self, folder: str) -> list[FileEntry]:
        """Every file below a folder, sorted by path; none when the folder does not exist.

        Raises:
            EnvcError: a symlink that leaves the repository, is broken or runs in a circle; an unreadable folder; more
                files or folders than the limits allow.
        """
        prefix = "" if folder in {"", "."} else folder.rstrip("/") + "/"
        if prefix:
            self._require_plain(prefix.rstrip("/"))
        if not (self.root / folder).is_dir():
            return []
        found: list[FileEntry] = []
        if self._seen is not None and folder in SEEN:
            seen = zip(self._seen.paths(), self._seen.numbers(), strict=True)
            found = [
                FileEntry(path)
                for path, (_, _, size, _) in seen
                if path.startswith(prefix) and size >= 0 and not _holds_ignored(path)
            ]
        if not found or len(found) > self.limits.files or len(_folders(found)) > self.limits.folders:
            found = []
            self._walk(folder, prefix, found)
        found.sort()
        self._scanned.update([entry[0] for entry in found])
        return found

    def _walk(self, folder: str, prefix: str, found: list[FileEntry]) -> None:
        todo: list[tuple[str, tuple[str, ...]]] = [(prefix, ())]
        folders = 0
        linked: list[str] = []
        while todo:
            folders += 1
            self._scan(*todo.pop(), found, todo, linked)
            if folders + len(todo) > self.limits.folders:
                raise too_much("folders", self.limits, f"`{folder or '.'}` holds more than", folder)
            if len(found) > self.limits.files:
                raise too_much("files", self.limits, f"`{folder or '.'}` holds more than", folder)
        if linked:
            from envcompile.git.ignore import ignored

            reals = {os.path.realpath(self._prefix + path): path for path in linked}
            for real in ignored(self.root, reals):
                raise hidden(reals[real], "leads to a file that is ignored by git")

    def _scan(
        self,
        prefix: str,
        holders: tuple[str, ...],
        found: list[FileEntry],
        todo: list[tuple[str, tuple[str, ...]]],
        linked: list[str],
    ) -> None:
        """List one folder; `holders` are the real folders whose symlinks led here."""
        try:
            with os.scandir(self._prefix + prefix) as listing:
                entries = [entry for entry in listing if not is_ignored(entry.name)]
        except OSError as error:
            raise _unreadable(prefix.rstrip("/"), error) from error
        for entry in entries:
            path = prefix + entry.name
            trail = self._followed(path, holders) if entry.is_symlink() else holders
            if entry.is_dir():
                todo.append((path + "/", trail))
                continue
            if entry.is_file():  # the listing itself says so of all but links
                found.append(FileEntry(path))
                if trail:
                    linked.append(path)

    def _followed(self, path: str, holders: tuple[str, ...]) -> tuple[str, ...]:
        """The trail after one more symlink, which must not lead out of the repository, nowhere, or in a circle."""
        full = self.root / path
        target = str(full.readlink())
        real = self._check_inside(path, target)
        trail = (*holders, os.path.realpath(full.parent))
        if any(holder == real or holder.startswith(real + os.sep) for holder in trail):
            raise link_in_circle(path, target)
        try:
            full.stat()
        except FileNotFoundError as error:
            raise link_to_nothing(path, target) from error
        except OSError as error:
            raise (link_in_circle(path, target) if error.errno == errno.ELOOP else _unreadable(path, error)) from error
        return trail

    def _check_inside(self, path: str, target: str | None = None) -> str:
        """The real path of a file or folder, which must be part of the repository."""
        real = os.path.realpath(self.root / path)
        boundary = self._repository()
        if real != boundary and not real.startswith(boundary.rstrip(os.sep) + os.sep):
            raise leads_out(path, target)
        if target is not None and hidden_part(self.root, real):
            raise link_to_hidden(path, target)
        return real

    def _require_plain(self, path: str) -> None:
        """Refuse a file or folder that links lead to what no commit holds; one that says so itself is somebody's wish.

        Raises:
            EnvcError: it lies outside of the repository, below a name that begins with a dot, or git ignores it.
        """
        real = self._check_inside(path)
        if real != f"{self._prefix}{path}" and not is_hidden(path):
            from envcompile.git.ignore import ignored

            if hidden_part(self.root, real):
                raise hidden(path, "leads below a name that begins with a dot")
            if ignored(self.root, (real,)):
                raise hidden(path, "leads to a file that is ignored by git")

    def _repository(self) -> str:
        if self._boundary is None:
            from envcompile.files import repository_of

            self._boundary = str(repository_of(self.root))
        return self._boundary

    def read(self, path: str) -> bytes:
        """The bytes of a file.

        Raises:
            EnvcError: the file cannot be read, or lies outside of the repository.
        """
        if path not in self._scanned:
            self._require_plain(path)
        try:
            # A pipe that nobody writes to would be waited for without O_NONBLOCK, which means nothing to a file.
            descriptor = os.open(f"{self._prefix}{path}", os.O_RDONLY | _NO_WAITING)
            try:
                facts = os.fstat(descriptor)
                if not stat.S_ISREG(facts.st_mode):
                    raise _no_file(path, facts.st_mode)
                most = self.limits.file_size * _MEBIBYTE
                data = _content(descriptor, facts.st_size) if facts.st_size <= most else b""
                if max(facts.st_size, len(data)) > most:
                    raise too_much("file_size", self.limits, f"`{path}` holds more than", path)
                return data
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _unreadable(path, error) from error

    def exists(self, path: str) -> bool:
        """Tell whether the path is a file or a folder."""
        return path in self._scanned or (self.root / path).exists()

    def is_file(self, path: str) -> bool:
        """Tell whether the path is a file."""
        return path in self._scanned or (self.root / path).is_file()


def _content(descriptor: int, size: int) -> bytes:
    """All that a file holds, nearly always in one call: it seldom grows while it is read."""
    data = os.read(descriptor, size + 1)
    if len(data) == size:
        return data
    parts = [data]
    while data:
        data = os.read(descriptor, _MEBIBYTE)
        parts.append(data)
    return b"".join(parts)


def _holds_ignored(path: str) -> bool:
    """Tell whether a name on the way to a file belongs to an editor or to the system."""
    is_odd = "~" in path or "#" in path or ".sw" in path or "/." in path
    return is_odd and any(map(is_ignored, path.split("/")))


def _folders(entries: list[FileEntry]) -> set[str]:
    return {entry[0].rpartition("/")[0] for entry in entries}


def _no_file(path: str, mode: int) -> EnvcError:
    kind = "folder" if stat.S_ISDIR(mode) else "pipe" if stat.S_ISFIFO(mode) else "device"
    return fail(f"cannot read `{path}`: it is a {kind}", "put a file in its place, or remove it", file_start(path))


def _unreadable(path: str, error: OSError) -> EnvcError:
    reason = (error.strerror or "unreadable").lower()
    shown = path or "."
    return fail(f"cannot read `{shown}`: {reason}", "check that it exists and its permissions", file_start(shown))


def folders_in(root: Path, path: str) -> Iterator[str]:
    """A folder and all below it, also those without a file: a first one may come."""
    inside = join("", path)
    for folder, below, _ in os.walk(root / inside, followlinks=True) if inside is not None else ():
        below[:] = [name for name in below if not is_ignored(name)]
        yield Path(folder).relative_to(root).as_posix()
