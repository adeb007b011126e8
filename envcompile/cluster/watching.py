"""A whole cluster watched: a task for each kind, kinds that come and go, and usage asked for each minute."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.cluster.answers import ApiError
from envcompile.cluster.choice import EVENTS, by_key, key_of, watched
from envcompile.cluster.client import Cluster
from envcompile.cluster.kinds import DEFINITIONS
from envcompile.cluster.pace import Backoff
from envcompile.cluster.reflector import Batch, KindGoneError, Reflector
from envcompile.errors import UnavailableError
from envcompile.log import decision

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from envcompile.cluster.kinds import ApiKind, Discovered
    from envcompile.cluster.kubeconfig import Access
    from envcompile.cluster.pace import Pace
    from envcompile.cluster.prometheus import Figure
    from envcompile.cluster.reflector import Told
    from envcompile.cluster.streaming import Stream

STREAMING: Final = (1, 34)
"""The first version whose servers stream lists by default (WatchList)."""
_LISTS_AT_ONCE: Final = 6
"""Kinds that are listed at the same time: a start shall not flood the server."""
_METRICS: Final = "/apis/metrics.k8s.io/v1beta1/pods"

Key = tuple[str, str]


class Wanted(NamedTuple):
    """What of a cluster is watched."""

    kinds: tuple[str, ...] = ()
    namespace: str = ""
    events: bool = True
    metrics: bool = True
    prometheus: str = ""
    """Where usage is asked for, in place of the metrics API."""
    queries: tuple[tuple[str, str], ...] = ()
    """Further figures that are asked for there: their names, and PromQL."""


class Dropped(NamedTuple):
    """A kind that the cluster does not serve any more, and all of whose objects are gone with it."""

    kind: ApiKind


class Usage(NamedTuple):
    """What the metrics API answered: a list of PodMetrics; and what queries of a Prometheus did."""

    items: list[dict[str, Any]]
    rates: tuple[Figure, ...] = ()


News = Batch | Dropped | Usage


class ClusterWatch:
    """Watches the kinds of one cluster.

    Args:
        access: the cluster.
        stream: connections to it.
        wanted: what of it.
        pace: how long to wait.
        chance: for jitter.
        put: takes what is new.
        versions: where the last run came to, by group, plural and namespace.
    """

    def __init__(
        self,
        access: Access,
        stream: Stream,
        wanted: Wanted,
        *,
        pace: Pace,
        chance: random.Random,
        put: Callable[[News], Awaitable[None]],
        versions: Mapping[tuple[str, str, str], str],
    ) -> None:
        self.access = access
        self._stream = stream
        self._wanted = wanted
        self._pace = pace
        self._chance = chance
        self._put = put
        self._versions = dict(versions)
        self._listing = asyncio.Semaphore(_LISTS_AT_ONCE)
        self._running: dict[Key, tuple[Reflector, asyncio.Task[None]]] = {}
        self._changed = asyncio.Event()
        self._streams = False
        self.problem = ""
        """Why the cluster's kinds are not known; empty when they are."""
        self.no_usage = ""
        """Why there is no usage; empty when there is, or none is asked for."""
        self.is_discovered = asyncio.Event()

    def told(self) -> dict[Key, Told]:
        """How each kind stands."""
        return {key: reflector.told() for key, (reflector, _) in self._running.items()}

    @property
    def is_ready(self) -> bool:
        """Whether every kind has been listed, or cannot be."""
        return self.is_discovered.is_set() and all(one.is_ready.is_set() for one, _ in self._running.values())

    async def once(self) -> None:
        """List every kind once, and ask once for usage.

        Raises:
            UnavailableError: the cluster does not answer.
        """
        found = await self._discover()
        self.is_discovered.set()
        reflectors = [self._reflector(kind) for kind in self._kinds(found).values()]
        tasks = [asyncio.create_task(_listed(one)) for one in reflectors]
        self._running = {key_of(one.kind): (one, task) for one, task in zip(reflectors, tasks, strict=True)}
        try:
            await asyncio.gather(*tasks)
            if self._wanted.metrics:
                await self._measure()
        finally:
            await _ended(tasks)

    async def run(self) -> None:
        """Watch until the task is cancelled."""
        backoff = Backoff(self._pace, self._chance)
        usage = asyncio.create_task(self._measure_on()) if self._wanted.metrics else None
        try:
            while True:
                self._changed.clear()
                try:
                    found = await self._discover()
                except UnavailableError as error:
                    self.problem = error.problems[0].what
                    await asyncio.sleep(backoff.wait(error.wait if isinstance(error, ApiError) else 0.0))
                    continue
                self.problem = ""
                backoff.reset()
                await self._adjust(found)
                self.is_discovered.set()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), self._pace.discovery)
                    # A definition is served a moment after it is there, and several come together.
                    await asyncio.sleep(self._pace.first)
        finally:
            tasks = [task for _, task in self._running.values()]
            await _ended([*tasks, *([usage] if usage is not None else [])])

    def _kinds(self, found: Discovered) -> dict[Key, ApiKind]:
        kinds = by_key(watched(found, self._wanted.kinds))
        if self._wanted.namespace:
            kinds = {key: kind for key, kind in kinds.items() if kind.namespaced}
        if self._wanted.events and not self._wanted.kinds:
            kinds |= {key: kind for key, kind in by_key(found.kinds).items() if key == EVENTS}
        return kinds

    async def _discover(self) -> Discovered:
        found, version = await asyncio.to_thread(_asked, self.access)
        self._streams = version >= STREAMING
        return found

    async def _adjust(self, found: Discovered) -> None:
        """Start what is new, stop what is gone; a kind whose server is silent for now goes on."""
        kinds = self._kinds(found)
        silent = {name.partition("/")[0] for name in found.silent}
        for key, (reflector, task) in list(self._running.items()):
            kind = kinds.get(key)
            if kind is None and key[0] in silent:
                continue
            if kind is None or kind.version != reflector.kind.version or task.done():
                del self._running[key]
                await _ended([task])
                if kind is None:
                    decision("watch", "%s is not served any more", reflector.kind.title)
                    await self._put(Dropped(reflector.kind))
        for key, kind in kinds.items():
            if key not in self._running:
                reflector = self._reflector(kind)
                # Where the last run came to counts once: a kind that comes back has gone on since.
                version = self._versions.pop((*key, self._wanted.namespace if kind.namespaced else ""), "")
                self._running[key] = (reflector, asyncio.create_task(self._watched(reflector, version)))

    def _reflector(self, kind: ApiKind) -> Reflector:
        return Reflector(
            self._stream,
            kind,
            self._wanted.namespace,
            pace=self._pace,
            chance=self._chance,
            put=self._take,
            listing=self._listing,
            streams=self._streams,
        )

    async def _take(self, batch: Batch) -> None:
        if key_of(batch.kind) == key_of(DEFINITIONS) and batch.changes:
            self._changed.set()
        await self._put(batch)

    async def _watched(self, reflector: Reflector, version: str) -> None:
        try:
            await reflector.run(version)
        except KindGoneError:
            self._changed.set()

    async def _measure_on(self) -> None:
        while True:
            try:
                await self._measure()
                self.no_usage = ""
            except UnavailableError as error:
                self.no_usage = error.problems[0].what
            await asyncio.sleep(self._pace.metrics)

    async def _measure(self) -> None:
        """Usage as it is now; the metrics API cannot be watched. A cluster without it has none."""
        if self._wanted.prometheus:
            from envcompile.cluster.prometheus import figures, pod_metrics

            url, namespace, now = self._wanted.prometheus, self._wanted.namespace, time.time()
            # A query that is refused leaves usage as it is.
            await self._put(Usage(await pod_metrics(url, namespace, now)))
            if self._wanted.queries:
                rates = await figures(url, dict(self._wanted.queries), namespace, now)
                await self._put(Usage([], tuple(rates)))
            return
        path = _METRICS
        if self._wanted.namespace:
            path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{self._wanted.namespace}/pods"
        try:
            found = await self._stream.get(path, {}, what="list pods.metrics.k8s.io")
        except ApiError as error:
            if error.status in {403, 404, 503}:
                return
            raise
        await self._put(Usage(list(found.get("items") or ())))


async def _listed(reflector: Reflector) -> None:
    with suppress(KindGoneError):
        await reflector.run(once=True)


def _asked(access: Access) -> tuple[Discovered, tuple[int, int]]:
    """The kinds of a cluster and its version."""
    with Cluster(access) as cluster:
        numbers = re.match(r"v(\d+)\.(\d+)", cluster.version())
        version = (int(numbers[1]), int(numbers[2])) if numbers is not None else (0, 0)
        return cluster.discover(), version


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
