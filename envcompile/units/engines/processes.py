"""Processes of this machine: `--jobs N`, or `--engine processes://N`."""

from __future__ import annotations

import gc
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING

from envcompile.errors import Problem, UsageError
from envcompile.units.executor import Engine

if TYPE_CHECKING:
    from collections.abc import Generator

IS_REMOTE = False


@contextmanager
def opened(address: str) -> Generator[Engine]:
    """Start the processes, and end them afterwards.

    Args:
        address: how many.

    Raises:
        UsageError: it is no number above zero.
    """
    if not address.isdecimal() or not int(address):
        raise UsageError([Problem(f"`{address}` is no number of processes", "write --engine processes://2")])
    # Never forked: a Go runtime that was started in this process does not survive that.
    count = int(address)
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=gc.disable)
    try:
        yield Engine(pool, count, (BrokenProcessPool,))
    finally:
        pool.shutdown(cancel_futures=True)
