"""The history of live clusters for programs: store and delete objects, events and usage; ask what ran when.

    with LiveHistory.open("sqlite:///.envc/history.db") as history:
        prod = history.cluster("prod")
        prod.store([deployment])
        for entry in prod.history("deploy/web"):
            print(entry.at, entry.what, entry.fields)

`envc watch` and `envc live` are made of the same parts.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.live import FOREVER, Live
from envcompile.actions.live_objects import comparing, happening_of, keyed_digests, measured_of, seen_of
from envcompile.actions.watch_setup import KUBERNETES, prepare
from envcompile.errors import Problem, UsageError
from envcompile.history.database import connect
from envcompile.history.live import KindName, LiveStore, Written
from envcompile.history.livereading import LiveReader
from envcompile.history.livetimes import SECOND, TimeStore
from envcompile.kubernetes.api import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from typing import Self

    from envcompile.actions.live import Blamed, Entry, State
    from envcompile.actions.watch import Watch
    from envcompile.history.database import Database
    from envcompile.history.livereading import Count, Rate, Told, Used

__all__ = ["LiveCluster", "LiveHistory", "Statistics", "watch"]


class Statistics(NamedTuple):
    """Objects by kind and namespace in a time, and how many versions and events there are in all."""

    counts: tuple[Count, ...]
    objects: int
    created: int
    changed: int
    gone: int


class LiveHistory:
    """An open history database; `with` closes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> Self:
        """Open a database; an empty one gets its tables.

        Args:
            url: `sqlite:///PATH` or `postgresql://USER@HOST/NAME`.

        Raises:
            UnavailableError: it does not answer, or has tables of another version.
        """
        return cls(connect(url))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    @property
    def clusters(self) -> list[str]:
        """The names of the clusters that were watched."""
        return [one.name for one in LiveReader(self._database).clusters()]

    def cluster(self, name: str, server: str = "") -> LiveCluster:
        """A cluster; one that is new gets its place."""
        return LiveCluster(self._database, name, server)


class LiveCluster:
    """One cluster of a history. Times are `datetime`s with a time zone; the present when left out."""

    def __init__(self, database: Database, name: str, server: str) -> None:
        self._store = LiveStore(database)
        self._times = TimeStore(database)
        self._reader = LiveReader(database)
        number = self._store.cluster(name, server, _moment(None))
        row = next(one for one in self._reader.clusters() if one.number == number)
        api = load(KUBERNETES)
        self._live = Live(self._reader, row, api)
        self._compare = comparing(api)
        self._keyed = keyed_digests()

    def store(self, objects: Iterable[Mapping[str, Any]], *, at: datetime | None = None) -> Written:
        """Store objects as the API server gives them: new ones, and new versions of known ones; nothing twice.

        Args:
            objects: with `metadata.uid` and `metadata.resourceVersion`.
            at: when they were so.
        """
        return self._write(objects, at, is_gone=False)

    update = store
    """The same: a version is never overwritten."""

    def delete(self, objects: Iterable[Mapping[str, Any]], *, at: datetime | None = None) -> Written:
        """Let objects be gone; their versions stay."""
        return self._write(objects, at, is_gone=True)

    def add_events(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Store events as the API server gives them."""
        self._times.add_events(self._number, [one for one in map(happening_of, events) if one.at])

    def add_metrics(self, pods: Iterable[Mapping[str, Any]]) -> None:
        """Store usage as `metrics.k8s.io` gives it (PodMetrics)."""
        measured = list(measured_of(pods, lambda space, pod: self._reader.workload_of(self._number, space, pod)))
        self._times.add_usage(self._number, measured)

    def state(self, wanted: str = "", *, namespace: str = "", at: datetime | None = None) -> list[State]:
        """What there is, or was at a time: everything, a KIND, or KIND/NAME."""
        return self._live.state(_moment(at), wanted=wanted, namespace=namespace)

    def history(self, wanted: str, *, namespace: str = "", most: int | None = None) -> list[Entry]:
        """The versions of KIND/NAME, newest first, with the fields that changed and who changed them."""
        return self._live.log(wanted, namespace, most=most)

    def blame(self, wanted: str, field: str = "", *, namespace: str = "") -> list[Blamed]:
        """Who gave each field of KIND/NAME its value."""
        return self._live.blame(wanted, namespace, field)

    def events(
        self,
        wanted: str = "",
        *,
        namespace: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        most: int = 1000,
    ) -> list[Told]:
        """Events, newest first: of everything, or of KIND/NAME and what it owns."""
        start, end = (_moment(since) if since is not None else 0), (_moment(until) if until is not None else FOREVER)
        return self._live.events(wanted=wanted, namespace=namespace, since=start, until=end, most=most)

    def metrics(
        self,
        *,
        step: str = "raw",
        namespace: str = "",
        workload: str = "",
        pod: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Used]:
        """Usage of containers.

        Args:
            step: `raw`, `5m` or `1h`.
            namespace: only there.
            workload: only of its pods, such as `Deployment/web`.
            pod: only of this one.
            since: from then on.
            until: before then.

        Raises:
            UsageError: there is no such step.
        """
        start, end = (_moment(since) if since is not None else 0), (_moment(until) if until is not None else FOREVER)
        table = _table("live_usage", step)
        return self._reader.usage(self._number, table, start, end, namespace=namespace, workload=workload, pod=pod)

    def rates(
        self,
        *,
        step: str = "raw",
        namespace: str = "",
        workload: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Rate]:
        """What the queries of `metrics` in environment.yaml said, such as requests a second.

        Args:
            step: `raw`, `5m` or `1h`.
            namespace: only there.
            workload: only of it, such as `Deployment/web`.
            since: from then on.
            until: before then.

        Raises:
            UsageError: there is no such step.
        """
        start, end = (_moment(since) if since is not None else 0), (_moment(until) if until is not None else FOREVER)
        table = _table("live_rate", step)
        return self._reader.rates(self._number, table, start, end, namespace=namespace, workload=workload)

    def statistics(
        self, *, namespace: str = "", since: datetime | None = None, until: datetime | None = None
    ) -> Statistics:
        """How many objects there are at the end of a time, came, changed and went in it."""
        start = _moment(since) if since is not None else 0
        counts = self._reader.counts(self._number, start, _moment(until) + 1, namespace=namespace)
        return Statistics(
            tuple(counts),
            sum(one.there for one in counts),
            sum(one.created for one in counts),
            sum(one.changed for one in counts),
            sum(one.gone for one in counts),
        )

    @property
    def _number(self) -> int:
        return self._live.cluster.number

    def _write(self, objects: Iterable[Mapping[str, Any]], at: datetime | None, *, is_gone: bool) -> Written:
        by_kind: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for value in objects:
            group = str(value.get("apiVersion", "")).rpartition("/")[0]
            by_kind.setdefault((group, str(value.get("kind", ""))), []).append(value)
        total = Written(0, 0, 0, 0)
        for (group, kind), values in by_kind.items():
            seen = [seen_of(value, self._keyed, is_gone=is_gone) for value in values]
            name = self._named(group, kind)
            written = self._store.write(self._number, name, seen, now=_moment(at), compare=self._compare)
            total = total.plus(written)
        return total

    def _named(self, group: str, kind: str) -> KindName:
        """The kind as a watcher has stored it, else with a plural as English makes it."""
        for _, its_group, plural, its_kind, short in self._reader.kinds(self._number):
            if (its_group, its_kind) == (group, kind):
                return KindName(its_group, plural, its_kind, short)
        word = kind.lower()
        plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}es" if word.endswith("s") else f"{word}s"
        return KindName(group, plural, kind, "")


def watch(folder: Path, *, contexts: Sequence[str] = (), kinds: Sequence[str] = (), namespace: str = "") -> Watch:
    """A watch of clusters into the database of a project; `run` watches until another thread calls `stop`.

    Args:
        folder: a folder of the project; its database is `ENVC_HISTORY_URL`, else that of the project.
        contexts: contexts of the kubeconfig; the current one when empty.
        kinds: kinds by name; all but heartbeats when empty.
        namespace: only this one's; all when empty.
    """
    return prepare(
        folder,
        contexts=contexts,
        environments=(),
        kinds=kinds,
        namespace=namespace,
        name="",
        cap=os.environ.get("ENVC_HISTORY_CAP", "20Gi"),
    )


def _table(name: str, step: str) -> str:
    tables = {"raw": name, "5m": f"{name}_5m", "1h": f"{name}_1h"}
    if step not in tables:
        raise UsageError([Problem(f"there is no step `{step}`", f"it is one of {', '.join(tables)}")])
    return tables[step]


def _moment(at: datetime | None) -> int:
    return int((time.time() if at is None else at.timestamp()) * SECOND)
