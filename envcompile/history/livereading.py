"""Questions about clusters: which objects there were at a time, their versions, events and usage."""

from __future__ import annotations

import zlib
from itertools import starmap
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from envcompile.history.database import Database


class LiveObject(NamedTuple):
    """An object of a cluster; the times are microseconds since 1970."""

    number: int
    group: str
    kind: str
    namespace: str
    name: str
    uid: str
    owner: str
    created: int
    first_seen: int
    gone: int | None
    """When it went; None while it is there."""


class Version(NamedTuple):
    """What an object was from one time to another; `until` is None while it is so."""

    number: int
    object: LiveObject
    since: int
    until: int | None
    content: int


class Field(NamedTuple):
    """A field that a version changed, and who wrote it when; empty where the cluster did not say."""

    version: int
    field: str
    how: str
    manager: str
    operation: str
    at: str


class Told(NamedTuple):
    """An event."""

    at: int
    namespace: str
    kind: str
    name: str
    type: str
    reason: str
    source: str
    times: int
    message: str


class Count(NamedTuple):
    """Objects of a kind in a namespace: how many there are, came, changed and went in a time."""

    group: str
    kind: str
    namespace: str
    there: int
    created: int
    changed: int
    gone: int


class Used(NamedTuple):
    """What a container used in a step of time: cores in thousandths and bytes, on average and at most."""

    namespace: str
    pod: str
    container: str
    workload: str
    at: int
    cpu: float
    cpu_most: float
    memory: int
    memory_most: int
    samples: int


class Rate(NamedTuple):
    """What a query said of a pod or workload in a step of time, on average and at most."""

    namespace: str
    pod: str
    name: str
    workload: str
    at: int
    value: float
    value_most: float
    samples: int


class ClusterRow(NamedTuple):
    """A cluster that was watched."""

    number: int
    name: str
    server: str
    seen: int


_OBJECT = (
    "o.id, k.api_group, k.kind, o.namespace, o.name, o.uid, o.owner, o.created_at, o.first_seen, o.gone_at "
    "FROM live_object o JOIN live_kind k ON k.id = o.kind_id"
)

_VERSION = (
    "SELECT v.id, v.valid_from, v.valid_to, v.content_id, o.id, k.api_group, k.kind, o.namespace, o.name, o.uid, "
    "o.owner, o.created_at, o.first_seen, o.gone_at FROM live_version v JOIN live_object o ON o.id = v.object_id "
    "JOIN live_kind k ON k.id = o.kind_id"
)


class LiveReader:
    """Reads the tables of clusters in an open history database."""

    __slots__ = ("_database", "_workloads")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._workloads: dict[tuple[int, str, str], str] = {}

    def clusters(self) -> list[ClusterRow]:
        """Every cluster that was watched, by name."""
        rows = self._database.rows("SELECT id, name, server, seen_at FROM live_cluster ORDER BY name")
        return list(starmap(ClusterRow, rows))

    def kinds(self, cluster: int) -> list[tuple[int, str, str, str, str]]:
        """The kinds of a cluster: number, group, plural, kind, short names."""
        rows = self._database.rows(
            "SELECT id, api_group, plural, kind, short_names FROM live_kind WHERE cluster_id = ? ORDER BY kind",
            (cluster,),
        )
        return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]

    def objects(self, kinds: Collection[int], name: str, namespace: str = "") -> list[LiveObject]:
        """Every object of a name, also those that are gone; the one that came last is the last.

        Args:
            kinds: numbers of kinds.
            name: the name.
            namespace: only there; in all when empty.
        """
        marks = ", ".join("?" * len(kinds))
        within, more = (" AND o.namespace = ?", (namespace,)) if namespace else ("", ())
        rows = self._database.rows(
            f"SELECT {_OBJECT} WHERE o.kind_id IN ({marks}) AND o.name = ?{within} ORDER BY o.first_seen, o.id",
            (*kinds, name, *more),
        )
        return list(starmap(LiveObject, rows))

    def owned(self, uid: str) -> list[LiveObject]:
        """The objects that an object owns, and what these own, in as many steps as there are."""
        found: list[LiveObject] = []
        asked = [uid]
        while asked and len(found) < 10_000:
            rows = self._database.rows_in(f"SELECT {_OBJECT} WHERE o.owner", asked)
            asked = [row[5] for row in rows]
            found += list(starmap(LiveObject, rows))
        return found

    def at(
        self, cluster: int, moment: int, *, kinds: Collection[int] = (), namespace: str = "", name: str = ""
    ) -> list[Version]:
        """What there was at a time, sorted by kind, namespace and name.

        Args:
            cluster: its number.
            moment: the time.
            kinds: only these; all when empty.
            namespace: only there; in all when empty.
            name: only this one; all when empty.
        """
        where, arguments = self._picked(cluster, kinds, namespace, name)
        rows = self._database.rows(
            f"{_VERSION} WHERE {where} AND o.first_seen <= ? AND v.valid_from <= ? "
            "AND (v.valid_to IS NULL OR v.valid_to > ?) ORDER BY k.kind, o.namespace, o.name, k.api_group",
            (*arguments, moment, moment, moment),
        )
        return [Version(row[0], LiveObject(*row[4:]), row[1], row[2], row[3]) for row in rows]

    def versions(self, objects: Sequence[LiveObject], *, most: int | None = None) -> list[Version]:
        """The versions of objects, newest first."""
        known = {one.number: one for one in objects}
        if not known:
            return []
        rows = self._database.rows_in(
            "SELECT id, object_id, valid_from, valid_to, content_id FROM live_version WHERE object_id", known
        )
        found = [Version(row[0], known[row[1]], row[2], row[3], row[4]) for row in rows]
        return sorted(found, key=lambda one: one.since, reverse=True)[:most]

    def fields(self, versions: Collection[int]) -> dict[int, list[Field]]:
        """The fields that versions changed, by version."""
        found: dict[int, list[Field]] = {}
        for row in self._database.rows_in(
            "SELECT version_id, field, how, manager, operation, written_at FROM live_field WHERE version_id", versions
        ):
            found.setdefault(row[0], []).append(Field(*row))
        return found

    def bodies(self, contents: Collection[int]) -> dict[int, bytes]:
        """The JSON texts of contents."""
        rows = self._database.rows_in("SELECT id, body FROM live_content WHERE id", {*contents})
        return {row[0]: zlib.decompress(row[1]) for row in rows}

    def managers(self, number: int) -> bytes:
        """The `managedFields` of an object when it was first seen, as JSON."""
        rows = self._database.rows("SELECT managers FROM live_object WHERE id = ?", (number,))
        return zlib.decompress(rows[0][0]) if rows else b"[]"

    def events(
        self, cluster: int, *, uids: Collection[str] = (), namespace: str = "", since: int, until: int, most: int
    ) -> list[Told]:
        """Events, newest first.

        Args:
            cluster: its number.
            uids: only of these objects; of all when empty.
            namespace: only of objects there.
            since: from this time on.
            until: before this time.
            most: so many.
        """
        columns = "at, namespace, kind, name, type, reason, source, times, message FROM live_event"
        where, arguments = "cluster_id = ? AND at >= ? AND at < ?", (cluster, since, until)
        rows: list[Any]
        if uids:
            rows = []
            every = sorted(uids)
            for start in range(0, len(every), 500):
                part = every[start : start + 500]
                rows += self._database.rows(
                    f"SELECT {columns} WHERE {where} AND object_uid IN ({', '.join('?' * len(part))}) "
                    "ORDER BY at DESC LIMIT ?",
                    (*arguments, *part, most),
                )
        else:
            within, more = (" AND namespace = ?", (namespace,)) if namespace else ("", ())
            rows = self._database.rows(
                f"SELECT {columns} WHERE {where}{within} ORDER BY at DESC LIMIT ?",
                (*arguments, *more, most),
            )
        return sorted(starmap(Told, rows), key=lambda one: one.at, reverse=True)[:most]

    def counts(self, cluster: int, since: int, until: int, *, namespace: str = "") -> list[Count]:
        """How many objects of each kind and namespace there are at the end of a time, came, changed and went in it."""
        within, more = (" AND o.namespace = ?", (namespace,)) if namespace else ("", ())
        source = "FROM live_version v JOIN live_object o ON o.id = v.object_id JOIN live_kind k ON k.id = o.kind_id"
        by = "k.api_group, k.kind, o.namespace"
        found: dict[tuple[str, str, str], list[int]] = {}
        objects = "FROM live_object o JOIN live_kind k ON k.id = o.kind_id"
        in_time = "{0} >= ? AND {0} < ?"
        questions: tuple[tuple[str, str, tuple[int, int]], ...] = (
            (source, "v.valid_from <= ? AND (v.valid_to IS NULL OR v.valid_to > ?)", (until, until)),
            (objects, in_time.format("o.first_seen"), (since, until)),
            (source, f"{in_time.format('v.valid_from')} AND v.valid_from > o.first_seen", (since, until)),
            (objects, in_time.format("o.gone_at"), (since, until)),
        )
        for place, (tables, condition, arguments) in enumerate(questions):
            question = f"SELECT {by}, COUNT(*) {tables} WHERE k.cluster_id = ? AND {condition}{within} GROUP BY {by}"
            for row in self._database.rows(question, (cluster, *arguments, *more)):
                found.setdefault((row[0], row[1], row[2]), [0, 0, 0, 0])[place] = int(row[3])
        return [Count(*key, *numbers) for key, numbers in sorted(found.items(), key=lambda item: item[0][1:])]

    def usage(
        self,
        cluster: int,
        table: str,
        since: int,
        until: int,
        *,
        namespace: str = "",
        workload: str = "",
        pod: str = "",
    ) -> list[Used]:
        """Usage of containers, step by step.

        Args:
            cluster: its number.
            table: `live_usage`, `live_usage_5m` or `live_usage_1h`.
            since: from this time on.
            until: before this time.
            namespace: only there.
            workload: only of its pods, such as `Deployment/web`.
            pod: only of this one.
        """
        figures = "cpu, cpu, memory, memory, 1"
        if table != "live_usage":
            figures = "cpu, cpu_most, memory, memory_most, samples"
        series = self._series(cluster, namespace=namespace, workload=workload, pod=pod)
        return [Used(*series[row[0]], *row[1:]) for row in self._figures(table, figures, series, (since, until))]

    def rates(
        self,
        cluster: int,
        table: str,
        since: int,
        until: int,
        *,
        namespace: str = "",
        workload: str = "",
        pod: str = "",
    ) -> list[Rate]:
        """What queries said, by series and time; arguments as those of `usage`.

        Args:
            cluster: its number.
            table: `live_rate`, `live_rate_5m` or `live_rate_1h`.
            since: from this time on.
            until: before this time.
            namespace: only there.
            workload: only of it and its pods, such as `Deployment/web`.
            pod: only of this one.
        """
        figures = "value, value, 1" if table == "live_rate" else "value, value_most, samples"
        series = self._series(cluster, namespace=namespace, workload=workload, pod=pod)
        return [Rate(*series[row[0]], *row[1:]) for row in self._figures(table, figures, series, (since, until))]

    def _series(self, cluster: int, **wanted: str) -> dict[int, tuple[str, str, str, str]]:
        where, arguments = "cluster_id = ?", [cluster]
        for column, value in wanted.items():
            if value:
                where += f" AND {column} = ?"
                arguments.append(value)  # type: ignore[arg-type]  # arguments of several types
        rows = self._database.rows(
            f"SELECT id, namespace, pod, container, workload FROM live_series WHERE {where}",  # ruff: ignore[hardcoded-sql-expression] - names of ours
            arguments,
        )
        return {row[0]: tuple(row[1:]) for row in rows}

    def _figures(self, table: str, figures: str, series: Collection[int], time: tuple[int, int]) -> list[Any]:
        """Rows of series, sorted by them and by time."""
        # The series are asked for first: a planner that joins reads all rows of a time for the few that count.
        rows = self._database.rows_in(
            f"SELECT series_id, at, {figures} FROM {table} WHERE at >= ? AND at < ? AND series_id",  # ruff: ignore[hardcoded-sql-expression] - names of ours
            series,
            time,
        )
        return sorted(rows, key=itemgetter(0, 1))

    def workload_of(self, cluster: int, namespace: str, pod: str) -> str:
        """What a pod belongs to, as KIND/NAME: the owner that nobody owns; empty where that is not known."""
        key = (cluster, namespace, pod)
        if key not in self._workloads:
            if len(self._workloads) > 100_000:
                self._workloads.clear()
            found = self._topmost(cluster, namespace, pod)
            if not found:
                return ""
            self._workloads[key] = found
        return self._workloads[key]

    def _topmost(self, cluster: int, namespace: str, pod: str) -> str:
        rows = self._database.rows(
            f"SELECT {_OBJECT} WHERE k.cluster_id = ? AND k.kind = 'Pod' AND k.api_group = '' AND o.name = ? "
            "AND o.namespace = ? ORDER BY o.first_seen DESC LIMIT 1",
            (cluster, pod, namespace),
        )
        top = LiveObject(*rows[0]) if rows else None
        for _ in range(8):
            if top is None or not top.owner:
                break
            above = self._database.rows(f"SELECT {_OBJECT} WHERE o.uid = ? LIMIT 1", (top.owner,))
            if not above:  # its kind has not been listed yet: asked again with the next figures
                return ""
            top = LiveObject(*above[0])
        return f"{top.kind}/{top.name}" if top is not None else ""

    @staticmethod
    def _picked(cluster: int, kinds: Collection[int], namespace: str, name: str) -> tuple[str, list[Any]]:
        where, arguments = "k.cluster_id = ?", [cluster]
        if kinds:
            where += f" AND k.id IN ({', '.join('?' * len(kinds))})"
            arguments += kinds
        for column, value in (("namespace", namespace), ("name", name)):
            if value:
                where += f" AND o.{column} = ?"
                arguments.append(value)  # type: ignore[arg-type]  # arguments of several types
        return where, arguments
