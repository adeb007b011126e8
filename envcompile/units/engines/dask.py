"""A Dask cluster that runs already: `--engine dask://HOST:PORT`."""

from __future__ import annotations

from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from envcompile.errors import Problem, UnavailableError
from envcompile.units.executor import Engine

if TYPE_CHECKING:
    from collections.abc import Generator

IS_REMOTE = True
_SECONDS = 20
"""So long the scheduler may take to answer."""
_RETRIES = 5
"""So often a batch is tried that failed together with its worker, before it is compiled here."""


@contextmanager
def opened(address: str) -> Generator[Engine]:
    """Connect to the scheduler.

    Args:
        address: its HOST:PORT.

    Raises:
        UnavailableError: the package is missing, or the scheduler does not answer.
    """
    try:
        from distributed import Client
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        advice = "install it: pip install 'envcompile[dask]'"
        raise UnavailableError([Problem("--engine dask:// needs the package distributed", advice)]) from error
    try:
        client: Any = cast("Any", Client)(f"tcp://{address}", timeout=_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        advice = "start a scheduler there, or build without --engine"
        raise UnavailableError([Problem(f"no Dask scheduler answers at {address}", advice)]) from error
    with client:
        workers = sum(client.nthreads().values())
        executor = client.get_executor(pure=False, retries=_RETRIES)
        yield Engine(executor, max(1, workers), (KilledWorker, CancelledError, OSError))
