"""One limit of time on everything outside: a server or program that never ends ends with it."""

from __future__ import annotations

import subprocess
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_T = TypeVar("_T")

SECONDS = 15
"""How long a request or a program may take from its start to its end, whatever comes in between."""


class TooSlowError(OSError):
    """What was asked has not ended within the limit."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no end within {seconds} s")
        self.seconds = seconds

    def __reduce__(self) -> tuple[type[TooSlowError], tuple[float]]:
        return type(self), (self.seconds,)


def within_time(work: Callable[[], _T], seconds: float = SECONDS) -> _T:
    """The result of `work`, when it has one within the limit.

    A timeout of a socket is one of each read: a server that sends a byte a second never reaches it. So the whole runs
    beside the caller, who waits no longer than the limit; what is then still running ends with the process.

    Raises:
        TooSlowError: when it has not ended.
    """
    outcome: list[_T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:  # ruff: ignore[blind-except] - it is raised again where the caller waits
            failure.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failure:
        raise failure[0]
    if not outcome:
        raise TooSlowError(seconds)
    return outcome[0]


def run_program(
    command: Sequence[str], environ: Mapping[str, str], seconds: float = SECONDS, *, quiet: bool = True
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end; its output comes through a pipe and is kept in memory only.

    Args:
        command: the program and its arguments.
        environ: its env vars.
        seconds: how long it may take.
        quiet: keep what it says on stderr from the terminal.

    Raises:
        OSError: when it cannot be started.
        TooSlowError: when it does not end; it is killed.
    """
    try:
        return subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if quiet else None,
            check=False,
            env=dict(environ),
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise TooSlowError(seconds) from None
