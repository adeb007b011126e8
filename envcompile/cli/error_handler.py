"""The one funnel that turns whatever goes wrong into a message on stderr and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

from envcompile import __version__
from envcompile.cli import signals
from envcompile.cli.output import tell
from envcompile.errors import EXIT_BUG, EXIT_INTERRUPTED, EXIT_OK, EXIT_UNAVAILABLE, EnvcError, Problem
from envcompile.log import detail, is_on

if TYPE_CHECKING:
    from collections.abc import Callable

DEEPEST = 10_000
"""Calls within calls: the reader takes documents of 512 levels, and each stage a few calls for a level."""
_MOST = 100
"""Errors that are shown at once: whoever has more has one cause, and reads the first."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def run_safely(action: Callable[[], int]) -> int:
    """Run an action; its exit code, or the one that its error stands for."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEPEST))
    is_own = signals.is_installed()
    try:
        if is_own:
            signals.raise_errors()
        code = action()
        sys.stdout.flush()
    except BaseException as error:
        if is_own:
            signals.leave_at_once()
        if isinstance(error, (SystemExit, GeneratorExit)):
            raise
        return code_of(error)
    finally:
        if is_own:
            signals.leave_at_once()
        sys.setrecursionlimit(before)
    return code


def code_of(error: BaseException) -> int:
    """Say what went wrong; the exit code.

    What the user or the world did is told in a sentence; only what is left is a bug.
    """
    _trace(error)
    if isinstance(error, EnvcError):
        _tell(_said(error))
        return error.exit_code
    if isinstance(error, signals.TerminatedError):
        return 128 + error.number
    if isinstance(error, KeyboardInterrupt):
        _tell("interrupted")
        return EXIT_INTERRUPTED
    if isinstance(error, BrokenPipeError) and _is_reader_gone():
        _silence()
        return EXIT_OK
    if isinstance(error, OSError):
        _tell(str(_outside(error)))
        return EXIT_UNAVAILABLE
    if isinstance(error, MemoryError):
        _tell(
            str(Problem("the memory is used up", "give the process more of it, or compile fewer environments at once"))
        )
        return EXIT_UNAVAILABLE
    return _bug(error)


def _said(error: EnvcError) -> str:
    """All that is wrong, or as much of it as somebody reads, and how much that is."""
    count = len(error.problems)
    if count <= 1:
        return str(error)
    if count <= _MOST or is_on():
        return f"{error}\n\n{count} errors"
    first = "\n\n".join(map(str, error.problems[:_MOST]))
    return f"{first}\n\n{count:,} errors, the first {_MOST} are shown; `-v` shows all"


def _outside(error: OSError) -> Problem:
    """What the system refused, in the words of the system."""
    reason = (error.strerror or type(error).__name__).lower()
    if error.filename is None and (_is_raised_by_printing(error) or not _can_flush()):
        _silence()
        return Problem(f"stdout cannot be written: {reason}", "free some space, or send it elsewhere")
    try:
        os.getcwd()
    except OSError:
        return Problem("the current folder is gone", "change into a folder that exists, then run the command again")
    names = " and ".join(f"`{os.fsdecode(name)}`" for name in (error.filename, error.filename2) if name is not None)
    what = f"{names} cannot be used: {reason}" if names else f"the system refuses: {reason}"
    if error.errno in _FULL:
        return Problem(what, "make room, then run the command again")
    if error.errno in _FORBIDDEN:
        return Problem(what, "check the permissions of the file and of its folder")
    return Problem(what, "mend that, then run the command again; ENVC_LOG=debug shows where it happened")


def _tell(text: str) -> None:
    """Say it, even when stdout cannot be written any more; when stderr cannot either, the exit code has to do."""
    if not _can_flush():
        _silence()
    try:
        tell(text)
    except OSError:
        return


def _can_flush() -> bool:
    try:
        sys.stdout.flush()
    except OSError:
        return False
    return True


def _is_raised_by_printing(error: OSError) -> bool:
    """Tell whether the call that failed stands in this room, or in the library that prints help: those only print."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    file = at.tb_frame.f_code.co_filename if at is not None else ""
    return file.startswith(os.path.dirname(__file__)) or f"{os.sep}typer{os.sep}" in file


def _is_reader_gone() -> bool:
    """Tell whether it is stdout's pipe that broke, and not the one to a program that envc started."""
    try:
        import select

        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return not _can_flush() or any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))
    except (OSError, AttributeError):
        return not _can_flush()


def _silence() -> None:
    """Point stdout at nothing: it cannot be written, and the interpreter would complain when it flushes at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError:
        return


def _trace(error: BaseException) -> None:
    """Log where an error came from, for `ENVC_LOG=debug`: functions and lines, neither values nor messages."""
    if is_on():
        import traceback

        detail("cli", "%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)).rstrip())


def _bug(error: BaseException) -> int:
    """Write the traceback to a file that can be pasted into a bug report, and say where it is.

    The file names functions and lines of envc; it holds neither values nor arguments, which could be secrets.
    """
    import platform
    import tempfile
    import traceback

    frames = "".join(traceback.format_tb(error.__traceback__))
    report = (
        f"### envc {__version__}\n\nPython {platform.python_version()}, {platform.platform()}\n\n"
        f"```\n{frames}{type(error).__name__}\n```\n"
    )
    try:
        descriptor, path = tempfile.mkstemp(prefix="envc-bug-", suffix=".md")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(report)
        advice = f"please report it with the file {path}"
    except OSError as refused:
        advice = f"no report of it could be written ({refused.strerror}); ENVC_LOG=debug prints it"
    _tell(f"error: envc failed: {type(error).__name__}\nhint: this is a bug in envc; {advice}")
    return EXIT_BUG
