"""Locks that one process holds at a time, files that are replaced whole or not at all, and texts put aside."""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, BinaryIO, Final

from envcompile.errors import EnvcError, Problem, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Iterator
    from pathlib import Path

SCRATCH = ".tmp-"
"""What the name of a temporary file holds: `.NAME.tmp-…` is no source, and belongs to a write that was killed."""

LEFT_BEHIND = 3600.0
"""Seconds after which a temporary file has no writer any more."""

LARGEST = 64 << 20
"""Bytes of a file beside the sources that are read at most."""

_LENGTH_BITS = 32
"""Bits of the number that says where a text is, which hold its length."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextmanager
def lock(path: Path, waiting: Callable[[], None] | None = None) -> Generator[None]:
    """Hold a lock that one process of this machine holds at a time; wait until it is free.

    Where there are no locks (the file system, a folder that cannot be written) nobody waits: whoever needs more than
    order, such as a database, must see to it itself.

    Args:
        path: a file that is made when it is missing and stays, or a folder that exists.
        waiting: called once when another process holds the lock; it may tell somebody, or raise instead of waiting.
    """
    descriptor = _lockable(path)
    if descriptor is None:
        yield
        return
    try:
        if not _is_taken(descriptor, at_once=True):
            if waiting is not None:
                waiting()
            _is_taken(descriptor, at_once=False)
        yield
    finally:
        os.close(descriptor)  # which frees the lock, as the end of the process does


def _lockable(path: Path) -> int | None:
    """The descriptor of a lock; None where it cannot be opened."""
    try:
        if path.is_dir():
            return os.open(path, os.O_RDONLY)
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError:
        return None


def _is_taken(descriptor: int, *, at_once: bool) -> bool:
    """Take a lock; False when another process holds it. True where there are no locks, too."""
    if sys.platform == "win32":
        import msvcrt

        while True:  # LK_LOCK gives up after ten seconds
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK if at_once else msvcrt.LK_LOCK, 1)
            except OSError as error:
                if error.errno not in {errno.EACCES, errno.EDEADLK}:
                    return True
                if at_once:
                    return False
            else:
                return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (fcntl.LOCK_NB if at_once else 0))
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def write_atomically(path: Path, data: bytes, *, mode: int | None = None, shown: str = "") -> None:
    """Replace a file by these bytes in one step: whoever is killed here leaves the old file or the new one, whole.

    The bytes are on disk before the file has its name, and the name before this returns.

    Args:
        path: the file; folders above it must exist. A symlink is replaced by a file, what it leads to stays as it is.
        data: its new content.
        mode: its new permissions; those it has, or what the umask allows, when left out.
        shown: the file's name in messages, when it is not its path.

    Raises:
        UnavailableError: the file cannot be written; it is as it was, and nothing is left beside it.
    """
    with replaced(path, mode=mode, shown=shown) as file:
        file.write(data)


@contextmanager
def replaced(path: Path, *, mode: int | None = None, shown: str = "") -> Generator[BinaryIO]:
    """As `write_atomically`, for content that is written piece by piece; an error of the writer leaves the old file.

    Raises:
        UnavailableError: the file cannot be written; it is as it was, and nothing is left beside it.
    """
    temporary = path.with_name(f".{path.name}{SCRATCH}{os.getpid()}-{os.urandom(4).hex()}")
    try:
        kept = _mode(path) if mode is None else mode
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(temporary, flags, 0o666 if kept is None else kept)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if kept is not None:
                temporary.chmod(kept)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _keep_name(path.parent)
    except OSError as error:
        raise unwritable(shown or path, error) from error


def write_below(root: Path, path: str, data: bytes) -> None:
    """Write a file of a project as `write_atomically` does, and make the folders above it.

    Args:
        root: the project's folder.
        path: the file, relative to it.
        data: its new content.

    Raises:
        EnvcError: a symlink above the file leads out of the repository; nothing is written through it.
        UnavailableError: the file cannot be written; it is as it was.
    """
    file = inside(root, path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error
    write_atomically(file, data, shown=path)


def real_path(path: Path) -> Path:
    """A path without symlinks.

    Raises:
        OSError: it cannot be looked at.
        RuntimeError: symlinks lead in a circle, which `Path.resolve` no longer tells from Python 3.13 on.
    """
    real = path.resolve()
    if any(one.is_symlink() for one in (real, *real.parents)):
        raise RuntimeError(f"Symlink loop from {str(path)!r}")
    return real


def inside(root: Path, path: str) -> Path:
    """The place of a project's file, whose folder is in the repository whatever symlinks lead there.

    Raises:
        EnvcError: it is not.
    """
    file = root / path
    try:
        home, real = repository_of(root.resolve()), real_path(file.parent)
    except FileNotFoundError:  # the current folder is gone: no other way leads here
        raise
    except (OSError, RuntimeError) as error:
        what = f"the folder of {path} runs in a circle of symlinks, or cannot be read"
        raise EnvcError([Problem(what, "put a folder in the symlink's place")]) from error
    if not real.is_relative_to(home):
        what = f"the folder of {path} leads out of the repository, to {real}"
        raise EnvcError([Problem(what, "replace the symlink by a folder; envc never writes through it")])
    return file


def read_below(root: Path, path: str) -> bytes | None:
    """The bytes of a project's file that no tree reads; None when there is none.

    Raises:
        EnvcError: a symlink leads out of the repository; a folder, a pipe or a device stands there; it is too large.
    """
    file = root / path
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _refused(path, f"cannot be read: {(error.strerror or str(error)).lower()}", "make it readable") from error
    try:
        facts = os.fstat(descriptor)
        if not file.resolve().is_relative_to(repository_of(root.resolve())):
            raise _refused(path, "leads out of the repository", "put a file in the symlink's place")
        if not stat.S_ISREG(facts.st_mode):
            raise _refused(path, "is no file", "put a file in its place, or remove it")
        with os.fdopen(descriptor, "rb", closefd=False) as opened:
            data = opened.read(LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(data) > LARGEST:
        raise _refused(path, f"holds more than {LARGEST >> 20} MiB", "take some away")
    return data


def _refused(path: str, why: str, fix: str) -> EnvcError:
    from envcompile.model import Location

    return EnvcError([Problem(f"{path} {why}", fix, (Location(path, 1, 1),))])


def repository_of(root: Path) -> Path:
    """The nearest folder around a project's that holds `.git`, or its own: sources end there, too."""
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)


def sweep(folder: Path, name: str = "*", *, age: float = LEFT_BEHIND) -> None:
    """Remove what writes that were killed left in a folder.

    Args:
        folder: where they wrote.
        name: the file they wrote, or a pattern.
        age: seconds since a temporary file was touched last; 0 is right under a lock that every writer takes.
    """
    from time import time

    for leftover in folder.glob(f".{name}{SCRATCH}*"):
        with suppress(OSError):
            if time() - leftover.lstat().st_mtime >= age:
                leftover.unlink()


def write_output(path: Path, data: bytes, root: Path) -> None:
    """Write what somebody asked for into the file that they named.

    A file is replaced in one step, also where a symlink leads to it; a device or pipe (`/dev/stdout`) is written to.

    Args:
        path: the file.
        data: its new content.
        root: the project's folder, in which a branch may have planted symlinks.

    Raises:
        EnvcError: the name lies in the project's repository, and leads out of it.
        UnavailableError: the file cannot be written; it is as it was.
    """
    try:
        refuse_planted(path, root)
        target = path.resolve() if path.is_symlink() else path
        if target.exists() and not target.is_file() and not target.is_dir():
            path.write_bytes(data)
            return
    except OSError as error:
        raise unwritable(path, error) from error
    write_atomically(target, data, shown=str(path))


def refuse_planted(path: Path, root: Path) -> None:
    """Refuse the name of an output that lies in a project's repository and leads out of it.

    Raises:
        EnvcError: it does.
    """
    home = repository_of(root.resolve())
    if path.absolute().is_relative_to(home) and not path.resolve().is_relative_to(home):
        what = f"{path} leads out of the repository, to {path.resolve()}"
        raise EnvcError([Problem(what, "name that file itself; envc follows no symlink out of a checkout")])


def _mode(path: Path) -> int | None:
    """The permissions of a file that is there.

    Raises:
        IsADirectoryError: there is a folder.
    """
    try:
        found = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return stat.S_IMODE(found) if stat.S_ISREG(found) else None


def _keep_name(folder: Path) -> None:
    """Bring the names of a folder to the disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


TOO_MANY_OPEN: Final = frozenset({errno.EMFILE, errno.ENFILE})
"""Refusals that say nothing about the file: this process, or the machine, has no more files to open."""
MORE_OPEN_FILES: Final = "raise the limit of open files (`ulimit -n`)"


def unwritable(path: Path | str, error: OSError, kept: str = "the file is as it was") -> UnavailableError:
    """What an operating system's refusal to write means to a person.

    Args:
        path: what was to be written.
        error: the refusal.
        kept: what became of what was there, for the hint.
    """
    reason = (error.strerror or str(error)).lower()
    what, fix = f"{path} cannot be written: {reason}", "see to the file system"
    if error.errno in _FULL:
        what, fix = f"no space left to write {path}", "free some space"
    elif error.errno in _FORBIDDEN:
        fix = "make it and its folder writable for you"
    elif error.errno == errno.EFBIG:
        fix = "raise the limit of file sizes (`ulimit -f`)"
    elif error.errno in TOO_MANY_OPEN:
        fix = MORE_OPEN_FILES
    elif error.errno in {errno.ENOENT, errno.ENOTDIR, errno.EISDIR}:
        fix = "see to its folder, or name another file"
    return UnavailableError([Problem(what, f"{fix}, then try again; {kept}")])


class Spool:
    """Texts by their keys; an unnamed file that only this process can read takes those beyond a bound.

    Args:
        bound: bytes that are kept in memory.
    """

    __slots__ = ("_bound", "_file", "_held", "_owner", "_places", "_size", "_written")

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._held: dict[Hashable, bytes] = {}
        self._places: dict[Hashable, int] = {}
        self._file: IO[bytes] | None = None
        self._size = 0
        self._written = 0
        self._owner = 0

    def __len__(self) -> int:
        return len(self._held) + len(self._places)

    def __iter__(self) -> Iterator[Hashable]:
        yield from self._held
        yield from self._places

    def __contains__(self, key: Hashable) -> bool:
        return key in self._held or key in self._places

    def __del__(self) -> None:
        """Give the file up."""
        if self._file is not None:
            self._file.close()

    def put(self, key: Hashable, text: bytes) -> None:
        """Put a text aside."""
        self._size += len(text)
        is_copy = self._file is not None and self._owner != os.getpid()  # the file is written to by one process
        if self._size <= self._bound or is_copy:
            self._places.pop(key, None)
            self._held[key] = text
            return
        if self._file is None:
            from tempfile import TemporaryFile

            self._file = TemporaryFile(buffering=0)  # ruff: ignore[open-file-with-context-handler] - it lives as long as the spool
            self._owner = os.getpid()
        self._held.pop(key, None)
        self._places[key] = self._written << _LENGTH_BITS | len(text)  # one number takes a third of the room of two
        self._written += len(text)
        # Each text where it belongs, past any buffer: a copy of this process shares the file.
        remaining = text
        while remaining:
            remaining = remaining[os.pwrite(self._file.fileno(), remaining, self._written - len(remaining)) :]

    def get(self, key: Hashable) -> bytes | None:
        """A text that was put aside; None when there is none."""
        held = self._held.get(key)
        if held is not None or self._file is None:
            return held
        place = self._places.get(key)
        if place is None:
            return None
        at, length = place >> _LENGTH_BITS, place & ((1 << _LENGTH_BITS) - 1)
        found = os.pread(self._file.fileno(), length, at)
        if len(found) != length:
            raise OSError(f"{length - len(found)} bytes of a temporary file are gone")
        return found

    def drop(self, key: Hashable) -> None:
        """Forget a text; its room is not used again."""
        self._held.pop(key, None)
        self._places.pop(key, None)
