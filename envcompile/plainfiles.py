"""Files that envc keeps for itself: a link, a pipe or a device in the place of one counts as none. Imports nothing."""

from __future__ import annotations

import os

TYPE_CHECKING = False
"""Type checkers take it for true; a build with nothing to do imports this module."""

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

_NO_FOLLOWING: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""A pipe that nobody writes to would be waited for without O_NONBLOCK."""
_TYPE_BITS, _FILE = 0o170000, 0o100000
"""S_IFMT and S_IFREG of inode(7)."""
_MOST: Final = 1 << 30


def read_plain(path: str | os.PathLike[str]) -> bytes | None:
    """The bytes of a file; None when there is none, or something else, or far too much."""
    found = read_behind(path, 0)
    return found[1] if found is not None else None


def read_behind(path: str | os.PathLike[str], size: int) -> tuple[bytes, bytes] | None:
    """The first bytes of a file, and all behind them; None as `read_plain` answers it.

    Args:
        path: the file.
        size: so many bytes stand before the others.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOWING | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    try:
        facts = os.fstat(descriptor)
        if facts.st_mode & _TYPE_BITS != _FILE or facts.st_size > _MOST:
            return None
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return file.read(size), file.read()
    except OSError:
        return None
    finally:
        os.close(descriptor)


def write_plain(path: str | os.PathLike[str], parts: Iterable[bytes], mode: int = 0o666) -> bool:
    """Replace a file that may be lost at any time, in one step; false where it cannot be written, which is no error.

    Nothing waits for the disk: what a crash leaves half written is told by the checksum that each such file has.

    Args:
        path: the file; the folder above it must exist.
        parts: its content, one part behind the other.
        mode: its permissions, less what the umask takes.
    """
    beside = f"{os.fspath(path)}.{os.getpid()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NO_FOLLOWING | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(beside, flags, mode), "wb") as file:
            file.writelines(parts)
        os.replace(beside, path)
    except OSError:
        try:
            os.unlink(beside)
        except OSError:
            pass
        return False
    return True
