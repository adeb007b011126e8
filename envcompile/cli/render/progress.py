"""How far long work is, on stderr, where somebody watches; nothing anywhere else."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from envcompile.log import PROGRESS, logger

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def shown_progress() -> Generator[None]:
    """Show how far the work is that is done meanwhile; not with `-q`, and not where the log is told."""
    told = os.environ.get("ENVC_QUIET") or os.environ.get("ENVC_LOG") or os.environ.get("TERM") == "dumb"
    if told or PROGRESS in os.environ or not sys.stderr.isatty():
        yield
        return
    from envcompile.cli.render.bar import Bar

    bar, loud = Bar(), logger("progress")
    loud.addHandler(bar)
    loud.setLevel("INFO")
    loud.propagate = False
    os.environ[PROGRESS] = "1"
    try:
        yield
    finally:
        del os.environ[PROGRESS]
        loud.removeHandler(bar)
        bar.flush()
