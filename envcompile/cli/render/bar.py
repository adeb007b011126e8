"""A bar on a terminal, drawn from the records that `envcompile.log.progress` writes."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE: Final = 1.0
"""Seconds after which people want to know how long something takes."""
_REFRESH: Final = 0.1
"""Seconds between two drawings."""


class Bar(logging.Handler):
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
