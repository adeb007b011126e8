"""What ends `envc` from outside: Ctrl-C, `kill`, and a terminal that goes away, at any moment and without a traceback.

While a command runs, a signal is an error that is raised, so that temporary files are removed and the database is
left whole. Before that, while modules are imported, and after it there is nothing to clean up: the process ends at
once. A second signal ends it at once in any case; nothing that envc writes depends on cleaning up.
"""

from __future__ import annotations

TYPE_CHECKING = False
"""Type checkers take it for true; importing `signal` itself takes as long as a build with nothing to do."""

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, Final

HANGUP: Final = 1
INTERRUPT: Final = 2
TERMINATE: Final = 15
_NUMBERS: Final = (HANGUP, INTERRUPT, TERMINATE)
"""POSIX: SIGHUP, SIGINT, SIGTERM."""
_DEFAULT, _IGNORED = 0, 1
"""SIG_DFL and SIG_IGN, as the C module gives them."""


class TerminatedError(BaseException):
    """Somebody asked the process to end; as with `KeyboardInterrupt`, nothing but cleaning up may catch it.

    Args:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def leave_at_once() -> None:
    """Let signals end the process from now on, with 128 and their number; those that are ignored stay ignored."""
    _install(_leave)


def raise_errors() -> None:
    """Let signals raise `KeyboardInterrupt`, or `TerminatedError`, from now on."""
    _install(_raise)


def is_installed() -> bool:
    """Tell whether this process is envc's own; where `envcompile` is a library, signals belong to somebody else."""
    return _signals().getsignal(INTERRUPT) in {_leave, _raise}


def _install(handler: Callable[[int, FrameType | None], None]) -> None:
    signals = _signals()
    for number in _NUMBERS:
        try:
            now = signals.getsignal(number)
            ours = now in {_leave, _raise}
            if ours or now == _DEFAULT or now is signals.default_int_handler:
                signals.signal(number, handler)
        except (OSError, ValueError):
            continue  # this system does not know it, or another thread than the first one asks


def _leave(number: int, _: FrameType | None) -> None:
    import os

    os._exit(128 + number)


def _raise(number: int, _: FrameType | None) -> None:
    leave_at_once()
    if number == INTERRUPT:
        raise KeyboardInterrupt
    raise TerminatedError(number)


def _signals() -> Any:
    """The interpreter's own module: `signal` wraps it in enumerations, which take their time."""
    return __import__("_signal")
