"""The one funnel that turns whatever goes wrong into a message on stderr and an exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from envcompile import __version__
from envcompile.cli.output import flush, tell
from envcompile.errors import EXIT_BUG, EXIT_INTERRUPTED, EXIT_OK, EXIT_UNAVAILABLE, EnvcError

if TYPE_CHECKING:
    from collections.abc import Callable

DEEPEST = 10_000
"""Calls within calls: the reader takes documents of 512 levels, and each stage a few calls for a level."""


def run_safely(action: Callable[[], int]) -> int:
    """Run an action; its exit code, or the one that its error stands for."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEPEST))
    try:
        code = action()
        flush()  # while there is somebody who can say that it failed
    except EnvcError as error:
        count = len(error.problems)
        tell(f"{error}\n\n{count} errors" if count > 1 else str(error))
        return error.exit_code
    except KeyboardInterrupt:
        tell("interrupted")
        return EXIT_INTERRUPTED
    except OSError as error:
        return refused(error)
    except Exception as error:  # ruff: ignore[blind-except] - the funnel itself: a bug must not reach people as a traceback
        return _bug(error)
    finally:
        sys.setrecursionlimit(before)
    return code


def refused(error: OSError) -> int:
    """Say what the operating system refused: a full disk, a folder that is gone, output that nobody takes.

    Returns:
        The exit code; a reader of stdout that went away (`envc show prod | head`) is no mistake.
    """
    if isinstance(error, BrokenPipeError):
        _silence()
        return EXIT_OK
    reason = (error.strerror or type(error).__name__).lower()
    if error.filename is not None:
        what, fix = f"{error.filename}: {reason}", "see to the file system, then try again"
    elif isinstance(error, (ConnectionError, TimeoutError)):
        what, fix = f"the system refused: {reason}", "try again"
    else:  # files are written by `files`, which says which one it is about
        _silence()
        what, fix = f"stdout cannot be written: {reason}", "free some space, or send it elsewhere"
    tell(f"error: {what}\nhint: {fix}")
    return EXIT_UNAVAILABLE


def _silence() -> None:
    """Point stdout at nothing: its reader is gone, and the interpreter would complain when it flushes at exit."""
    import os

    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _bug(error: Exception) -> int:
    """Write the traceback to a file that can be pasted into a bug report, and say where it is.

    The file names functions and lines of envc; it holds neither values nor arguments, which could be secrets.
    """
    import os
    import platform
    import tempfile
    import traceback

    frames = "".join(traceback.format_tb(error.__traceback__))
    report = (
        f"### envc {__version__}\n\nPython {platform.python_version()}, {platform.platform()}\n\n"
        f"```\n{frames}{type(error).__name__}\n```\n"
    )
    descriptor, path = tempfile.mkstemp(prefix="envc-bug-", suffix=".md")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(report)
    tell(f"error: envc failed: {type(error).__name__}")
    tell(f"hint: this is a bug in envc; please report it with the file {path}")
    return EXIT_BUG
