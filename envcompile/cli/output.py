"""Where words go: data to stdout, everything for people to stderr."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
"""As in `entry`: the quick answers come through here, too."""

if TYPE_CHECKING:
    from typing import TextIO


def data(text: str) -> None:
    """Print a line of data."""
    _stdout().write(f"{text}\n")


def raw(text: str) -> None:
    """Print data that brings its own line ends."""
    _stdout().write(text)


def flush() -> None:
    """Hand over what was printed.

    Raises:
        OSError: it cannot be written.
    """
    if sys.stdout is not None:
        sys.stdout.flush()


def tell(text: str) -> None:
    """Tell people something; scripts that read stdout do not see it, and where both are one screen the order holds."""
    flush()
    sys.stderr.write(f"{text}\n")


def _stdout() -> TextIO:
    """Where data goes; Python has none when the descriptor was closed before it began (`envc show prod >&-`).

    Raises:
        OSError: it is closed.
    """
    if sys.stdout is None:
        import errno
        import os

        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return sys.stdout
