"""The writer of a watcher: stores what comes, waits while the database is away, stops before the disk is full."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.actions.live_objects import comparing, happening_of, measured_of, named, seen_of
from envcompile.cluster.choice import EVENTS, key_of
from envcompile.cluster.watching import Dropped, Usage
from envcompile.errors import Problem, UnavailableError
from envcompile.history.database import connect
from envcompile.history.live import LiveStore, Written
from envcompile.history.livegc import collect, size_of
from envcompile.history.livereading import LiveReader
from envcompile.history.livetimes import SECOND, Rated, TimeStore
from envcompile.log import decision

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.cluster.reflector import Batch
    from envcompile.cluster.watching import News
    from envcompile.history.livegc import Retention
    from envcompile.kubernetes import KubeApi

_LONGEST_WAIT: Final = 10.0
"""Seconds between two tries to reach a database that is away."""
_TURNS: Final = 15
"""Seconds that a watcher waits for another one to end."""
_KEEPING: Final = 3600.0
"""Seconds between two runs of retention."""
_SIZING: Final = 60.0
"""Seconds between two looks at the size."""
_ROLLING: Final = 300.0
"""Seconds between two roll-ups of usage."""


class FullError(UnavailableError):
    """The database has reached its cap: nothing more is stored."""


class TakenError(UnavailableError):
    """Another watcher stores the cluster in this database."""


class Counted(NamedTuple):
    """What has been stored since the watcher began."""

    written: Written
    events: int
    usage: int
    batches: int


class Writer:
    """Stores the news of one cluster; all of it in one thread, which owns the connection.

    Args:
        url: the database.
        cluster: the cluster's name.
        server: its address.
        api: the schemas, for merge keys.
        keyed: makes digests of a Secret's values.
        cap: bytes that the database may have.
        retention: how long what is kept.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        url: str,
        cluster: str,
        server: str,
        *,
        api: KubeApi,
        keyed: Callable[[str], str],
        cap: int,
        retention: Retention,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._name = cluster
        self._server = server
        self._compare = comparing(api)
        self._keyed = keyed
        self._cap = cap
        self._retention = retention
        self._clock = clock
        self._open: tuple[LiveStore, TimeStore, LiveReader, int] | None = None
        self._stop = threading.Event()
        self._held = ExitStack()
        self._sized = self._kept = self._rolled = 0.0
        self.problem = ""
        """Why nothing is stored now; empty while all is well."""
        self.size = 0
        self.last = 0.0
        """When something was stored last, in seconds since 1970."""
        self.counted = Counted(Written(0, 0, 0, 0), 0, 0, 0)

    def open(self) -> dict[tuple[str, str, str], str]:
        """Connect, and learn where the last watcher came to.

        Raises:
            UnavailableError: the database does not answer, or is of another version.
            TakenError: another watcher stores the cluster there, and does not end.
            FullError: it has reached its cap.
        """
        for _ in range(_TURNS):
            try:
                store, _, _, cluster = self._connected()
                break
            except TakenError:
                # A watcher that was killed a moment ago may still be known to the server.
                if self._stop.wait(1.0):
                    raise
        else:
            store, _, _, cluster = self._connected()
        self._check_size(store)
        return store.positions(cluster)

    def store(self, news: News) -> None:
        """Store news; while the database is away, try again until it is back or `stop` is called.

        Raises:
            FullError: the database has reached its cap.
        """
        wait = 0.5
        while not self._stop.is_set():
            try:
                store, times, reader, cluster = self._connected()
                self._house(store, times)
                self._put(news, store, times, reader, cluster)
            except FullError:
                raise
            except UnavailableError as error:
                self.problem = error.problems[0].what
                decision("watch", "the database: %s; trying again in %.1f s", self.problem, wait)
                self.close()
                self._stop.wait(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
            else:
                self.problem = ""
                self.last = self._clock()
                return

    def stop(self) -> None:
        """Give up what waits for the database; any thread may call it."""
        self._stop.set()

    def close(self) -> None:
        """Give the connection back."""
        if self._open is not None:
            self._open[0].database.close()
            self._open = None
        self._held.close()

    def finish(self) -> None:
        """Roll up what was measured, at the end of a run."""
        if self._open is not None and self.counted.usage:
            now = self._now()
            self._open[1].roll_up(now - int(_ROLLING * 2 * SECOND), now)

    def _connected(self) -> tuple[LiveStore, TimeStore, LiveReader, int]:
        if self._open is None:
            database = connect(self._url)
            try:
                store = LiveStore(database)
                cluster = store.cluster(self._name, self._server, self._now())
                self._take(store, cluster)
                self._open = (store, TimeStore(database), LiveReader(database), cluster)
            except BaseException:
                database.close()
                raise
        return self._open

    def _take(self, store: LiveStore, cluster: int) -> None:
        if not store.take(cluster, self._held):
            raise TakenError([
                Problem(
                    f"another watcher stores the cluster {self._name} in {store.database.name}",
                    "one is enough: end it first, or give this cluster another name by --name",
                )
            ])

    def _put(self, news: News, store: LiveStore, times: TimeStore, reader: LiveReader, cluster: int) -> None:
        counted = self.counted
        if isinstance(news, Usage):
            measured = list(measured_of(news.items, lambda space, pod: reader.workload_of(cluster, space, pod)))
            times.add_usage(cluster, measured)
            rated = [
                Rated(
                    one.namespace,
                    one.pod,
                    one.name,
                    one.workload or reader.workload_of(cluster, one.namespace, one.pod),
                    one.at * SECOND,
                    one.value,
                )
                for one in news.rates
            ]
            times.add_rates(cluster, rated)
            stored = counted.usage + len(measured) + len(rated)
            self.counted = counted._replace(usage=stored, batches=counted.batches + 1)
            return
        kind = named(news.kind)
        if isinstance(news, Dropped):
            gone = store.drop(cluster, kind, self._now())
            self.counted = counted._replace(written=counted.written.plus(Written(0, 0, gone, 0)))
            return
        if key_of(news.kind) == EVENTS:
            # An event that is deleted only has expired in the cluster.
            happened = [happening_of(change.value) for change in news.changes if not change.is_gone]
            times.add_events(cluster, [one for one in happened if one.at])
            store.write(
                cluster,
                kind,
                (),
                now=self._now(),
                compare=self._compare,
                position=news.resource_version,
                namespace=news.namespace,
            )
            self.counted = counted._replace(events=counted.events + len(happened), batches=counted.batches + 1)
            return
        written = self._written(news, store, cluster)
        self.counted = counted._replace(written=counted.written.plus(written), batches=counted.batches + 1)

    def _written(self, batch: Batch, store: LiveStore, cluster: int) -> Written:
        seen = [seen_of(change.value, self._keyed, is_gone=change.is_gone) for change in batch.changes]
        try:
            return store.write(
                cluster,
                named(batch.kind),
                seen,
                now=self._now(),
                compare=self._compare,
                position=batch.resource_version,
                namespace=batch.namespace,
                everything=batch.everything,
            )
        except BaseException:
            store.forget()
            raise

    def _house(self, store: LiveStore, times: TimeStore) -> None:
        """What has to be done from time to time: look at the size, roll up, let old rows go."""
        now = self._clock()
        if now - self._sized >= _SIZING:
            self._check_size(store)
            self._sized = now
        if now - self._rolled >= _ROLLING:
            if self._rolled:
                times.roll_up(int(self._rolled * SECOND) - int(_ROLLING * SECOND), self._now())
            self._rolled = now
        if now - self._kept >= _KEEPING:
            if self._kept:
                collect(store.database, self._retention, self._now())
            self._kept = now

    def _check_size(self, store: LiveStore) -> None:
        self.size = size_of(store.database)
        if self._cap and self.size > self._cap:
            self.problem = f"the database has {self.size >> 20} MiB, and its cap is {self._cap >> 20} MiB"
            raise FullError([
                Problem(
                    f"{self.problem}: nothing more is stored",
                    "`envc db gc` lets old rows go; `envc watch --cap` sets another cap",
                )
            ])

    def _now(self) -> int:
        return int(self._clock() * SECOND)
