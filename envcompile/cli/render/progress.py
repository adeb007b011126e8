"""A bar on stderr for what takes longer than a moment, where somebody watches; nothing anywhere else."""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from envcompile.log import PROGRESS, logger

if TYPE_CHECKING:
    from collections.abc import Generator

    from rich.progress import Progress

_PATIENCE: Final = 1.0
"""Seconds after which people want to know how long something takes."""
_REFRESH: Final = 0.1
"""Seconds between two drawings."""


class _Bar(logging.Handler):
    """Draws how far something is; without a thread, because copies of this process are made while it works."""

    def __init__(self) -> None:
        super().__init__()
        self._began = self._drawn = time.monotonic()
        self._shown: Progress | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Draw the bar anew, if it is time to."""
        now = time.monotonic()
        if now - self._began < _PATIENCE or not isinstance(record.args, tuple):
            return
        what, done, total = record.args
        if done == total:
            self.flush()
        elif now - self._drawn >= _REFRESH:
            self._drawn = now
            is_new = self._shown is None
            shown = self._shown = self._shown or _made()
            task = shown.task_ids[0]
            shown.update(task, description=str(what), completed=int(str(done)), total=int(str(total)))
            (shown.start if is_new else shown.refresh)()

    def flush(self) -> None:
        """Take the bar away, before anything else is printed."""
        if self._shown is not None:
            self._shown.stop()
            self._shown = None


def _made() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    shown = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
    shown.add_task("", total=None)
    return shown


@contextmanager
def shown_progress() -> Generator[None]:
    """Show how far the work is that is done meanwhile; not with `-q`, and not where the log is told."""
    told = os.environ.get("ENVC_QUIET") or os.environ.get("ENVC_LOG") or os.environ.get("TERM") == "dumb"
    if told or PROGRESS in os.environ or not sys.stderr.isatty():
        yield
        return
    bar, loud = _Bar(), logger("progress")
    loud.addHandler(bar)
    loud.setLevel(logging.INFO)
    loud.propagate = False
    os.environ[PROGRESS] = "1"
    try:
        yield
    finally:
        del os.environ[PROGRESS]
        loud.removeHandler(bar)
        bar.flush()
