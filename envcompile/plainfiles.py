"""Files that envc keeps for itself: a link, a pipe or a device in the place of one counts as none. Imports nothing."""

from __future__ import annotations

import os

TYPE_CHECKING = False
"""Type checkers take it for true; a build with nothing to do imports this module."""

if TYPE_CHECKING:
    from typing import Final

_NO_FOLLOWING: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""A pipe that nobody writes to would be waited for without O_NONBLOCK."""
_TYPE_BITS, _FILE = 0o170000, 0o100000
"""S_IFMT and S_IFREG of inode(7)."""
_MOST: Final = 1 << 30


def read_plain(path: str | os.PathLike[str]) -> bytes | None:
    """The bytes of a file; None when there is none, or something else, or far too much."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOWING | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    try:
        facts = os.fstat(descriptor)
        if facts.st_mode & _TYPE_BITS != _FILE or facts.st_size > _MOST:
            return None
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            return file.read()
    except OSError:
        return None
    finally:
        os.close(descriptor)
