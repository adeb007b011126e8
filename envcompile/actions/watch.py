"""`envc watch`: clusters listed and watched into the history database."""

from __future__ import annotations

import asyncio
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.actions.watch_store import FullError, Writer
from envcompile.cluster.pace import Pace
from envcompile.cluster.streaming import Stream
from envcompile.cluster.watching import ClusterWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from envcompile.actions.watch_store import Counted
    from envcompile.cluster.kubeconfig import Access
    from envcompile.cluster.reflector import Told
    from envcompile.cluster.watching import News, Wanted
    from envcompile.history.livegc import Retention
    from envcompile.kubernetes import KubeApi

_WAITING: Final = 32
"""Batches that wait for the database; then the servers are not read until there is room."""
_FAREWELL: Final = 10.0
"""Seconds that are taken at the end to store what has come."""


class Watched(NamedTuple):
    """A cluster to be watched, and what it is called in the database."""

    name: str
    access: Access


class Standing(NamedTuple):
    """How the watch of a cluster stands."""

    cluster: str
    is_ready: bool
    kinds: dict[tuple[str, str], Told]
    counted: Counted
    waiting: int
    """Batches that are not stored yet."""
    size: int
    """Bytes of the database."""
    last: float
    """When something was stored last, in seconds since 1970."""
    problems: tuple[str, ...]
    """Why it is not as it should be; empty when all is well."""
    cap: int = 0
    """Bytes that the database may have; 0 for no cap."""


class Setup(NamedTuple):
    """How clusters are watched."""

    url: str
    wanted: Wanted
    api: KubeApi
    keyed: Callable[[str], str]
    cap: int
    retention: Retention
    pace: Pace = Pace()
    seed: int | None = None
    clock: Callable[[], float] = time.time


class Watch:
    """Watches clusters until it is told to stop.

    Args:
        clusters: which.
        setup: how.
    """

    def __init__(self, clusters: Sequence[Watched], setup: Setup) -> None:
        self._setup = setup
        self._parts = [_Part(cluster, setup) for cluster in clusters]
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def standing(self) -> list[Standing]:
        """How each cluster stands; any thread may ask."""
        return [part.standing() for part in self._parts]

    def stop(self) -> None:
        """End the watch gracefully; any thread, and the handler of a signal, may call it."""
        if self._loop is not None and self._stopping is not None:
            with suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)

    def run(self, *, once: bool = False) -> list[Standing]:
        """Watch; how it stands at the end.

        Args:
            once: take what there is now, and end.

        Raises:
            UnavailableError: the database does not answer at the start, or has reached its cap; with `once`, a
                cluster does not answer, too.
        """
        asyncio.run(self._run(once=once))
        return self.standing()

    async def _run(self, *, once: bool) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with AsyncExitStack() as stack:
            tasks = [asyncio.create_task(part.run(stack, once=once)) for part in self._parts]
            stopping = asyncio.create_task(_until(self._stopping))
            try:
                running = {*tasks}
                while running and not stopping.done():
                    done, running = await asyncio.wait({*running, stopping}, return_when=asyncio.FIRST_COMPLETED)
                    running.discard(stopping)
                    if any(not one.cancelled() and one.exception() is not None for one in done):
                        break
            finally:
                ended = await _ended([stopping, *tasks])
            for one in ended:
                if isinstance(one, Exception):
                    raise one


class _Part:
    """One cluster of a watch: who reads it, and who writes what comes."""

    def __init__(self, cluster: Watched, setup: Setup) -> None:
        self._cluster = cluster
        self._setup = setup
        self._queue: asyncio.Queue[News] = asyncio.Queue(maxsize=_WAITING)
        self._reading: ClusterWatch | None = None
        self._writer = Writer(
            setup.url,
            cluster.name,
            cluster.access.server,
            api=setup.api,
            keyed=setup.keyed,
            cap=setup.cap,
            retention=setup.retention,
            clock=setup.clock,
        )

    def standing(self) -> Standing:
        """How it stands."""
        reading, writer = self._reading, self._writer
        problems = [one for one in (reading.problem if reading is not None else "", writer.problem) if one]
        usage = [reading.no_usage] if reading is not None and reading.no_usage else []
        return Standing(
            self._cluster.name,
            reading is not None and reading.is_ready and not problems,
            reading.told() if reading is not None else {},
            writer.counted,
            self._queue.qsize(),
            writer.size,
            writer.last,
            (*problems, *usage),
            self._setup.cap,
        )

    async def run(self, stack: AsyncExitStack, *, once: bool) -> None:
        """Read and write until cancelled, or until everything is read once."""
        # The driver's connection belongs to the thread that made it.
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"envc-{self._cluster.name}")
        loop = asyncio.get_running_loop()
        try:
            positions = await loop.run_in_executor(thread, self._writer.open)
            stream = await stack.enter_async_context(Stream(self._cluster.access))
            self._reading = ClusterWatch(
                self._cluster.access,
                stream,
                self._setup.wanted,
                pace=self._setup.pace,
                chance=random.Random(self._setup.seed),  # ruff: ignore[suspicious-non-cryptographic-random-usage] - jitter
                put=self._queue.put,
                versions=positions,
            )
            reading = asyncio.create_task(self._reading.once() if once else self._reading.run())
            writing = asyncio.create_task(self._write(thread))
            try:
                await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await self._finish(reading, writing, patience=None if once else _FAREWELL)
        finally:
            self._writer.stop()
            await loop.run_in_executor(thread, self._writer.finish)
            await loop.run_in_executor(thread, self._writer.close)
            thread.shutdown()

    async def _finish(
        self, reading: asyncio.Task[None], writing: asyncio.Task[None], *, patience: float | None
    ) -> None:
        """Stop reading, store what has come, and tell what went wrong."""
        ended = await _ended([reading])
        if not writing.done():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._queue.join(), patience)
        self._writer.stop()
        ended += await _ended([writing])
        for one in ended:
            if isinstance(one, Exception):
                raise one

    async def _write(self, thread: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        while True:
            news = await self._queue.get()
            try:
                await asyncio.shield(loop.run_in_executor(thread, self._writer.store, news))
            except FullError:
                # Nobody takes up what else has come: it comes again when there is room.
                while not self._queue.empty():
                    self._queue.get_nowait()
                    self._queue.task_done()
                raise
            finally:
                self._queue.task_done()


async def _until(event: asyncio.Event) -> None:
    await event.wait()


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> list[BaseException | None]:
    """What became of tasks, which are cancelled where they still run."""
    for task in tasks:
        task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)
