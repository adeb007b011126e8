"""Events and usage of clusters, which grow with time: partitions are made before rows need them, and dropped whole.

Usage is rolled up to 5 minutes and to an hour by the same statements on every database. What is stored twice is there
once: a watcher that is killed between two answers asks again.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.history import bulk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from envcompile.history.database import Database

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
SPANS: Final = {
    "live_event": 7 * DAY,
    "live_usage": DAY,
    "live_usage_5m": 30 * DAY,
    "live_usage_1h": 365 * DAY,
    "live_rate": DAY,
    "live_rate_5m": 30 * DAY,
    "live_rate_1h": 365 * DAY,
}
"""The tables that grow with time, and what of it a partition holds."""
_EVENT: Final = bulk.Columns(
    "live_event",
    {
        "cluster_id": "integer",
        "at": "bigint",
        "uid": "text",
        "object_uid": "text",
        "namespace": "text",
        "kind": "text",
        "name": "text",
        "type": "text",
        "reason": "text",
        "source": "text",
        "times": "integer",
        "message": "text",
    },
)
_USAGE: Final = bulk.Columns(
    "live_usage", {"series_id": "integer", "at": "bigint", "cpu": "double precision", "memory": "bigint"}
)
_SERIES: Final = bulk.Columns(
    "live_series",
    {"cluster_id": "integer", "namespace": "text", "pod": "text", "container": "text", "workload": "text"},
)
_RATE: Final = bulk.Columns("live_rate", {"series_id": "integer", "at": "bigint", "value": "double precision"})
STEPS: Final = {"5m": 300 * SECOND, "1h": 3600 * SECOND}
"""What rows are rolled up to."""
_ROLLED: Final = {
    "live_usage": {
        "cpu": "AVG(cpu)",
        "cpu_most": "MAX(cpu)",
        "memory": "CAST(AVG(memory) AS BIGINT)",
        "memory_most": "MAX(memory)",
        "samples": "COUNT(*)",
    },
    "live_rate": {"value": "AVG(value)", "value_most": "MAX(value)", "samples": "COUNT(*)"},
}
"""The tables that are rolled up, and what of their rows."""


class Happening(NamedTuple):
    """An event of a cluster, as often as it was told by then."""

    at: int
    uid: str
    object_uid: str
    namespace: str
    kind: str
    name: str
    type: str
    reason: str
    source: str
    times: int
    message: str


class Measured(NamedTuple):
    """What a container used at a moment: cores in thousandths, memory in bytes."""

    namespace: str
    pod: str
    container: str
    workload: str
    at: int
    cpu: float
    memory: int


class Rated(NamedTuple):
    """What a query said of a pod, or of a workload as a whole, at a moment: such as requests a second."""

    namespace: str
    pod: str
    name: str
    """What the query is called."""
    workload: str
    at: int
    value: float


class TimeStore:
    """The tables of an open history database that grow with time."""

    __slots__ = ("_database", "_series", "layout", "rollups")

    def __init__(self, database: Database) -> None:
        self._database = database
        settings = dict(database.rows("SELECT name, value FROM live_setting"))
        self.layout = str(settings.get("layout", "plain"))
        """`plain`, `partitions` or `timescaledb`."""
        self.rollups = str(settings.get("rollups", "tables"))
        """`aggregates` where TimescaleDB makes them, else `tables`."""
        self._series: dict[tuple[int, str, str, str], tuple[int, str]] = {}

    def add_events(self, cluster: int, events: Collection[Happening]) -> None:
        """Store events; one that is known at its time stays, unless it has come about more often since."""
        if not events:
            return
        self.ensure("live_event", {one.at for one in events})
        # An event that is told several times within a second counts on.
        latest: dict[tuple[str, int], Happening] = {}
        for one in events:
            if (known := latest.get((one.uid, one.at))) is None or known.times <= one.times:
                latest[one.uid, one.at] = one
        with self._database.writing():
            bulk.insert(
                self._database,
                _EVENT,
                [(cluster, *one) for one in latest.values()],
                "ON CONFLICT (cluster_id, uid, at) DO UPDATE SET times = excluded.times, message = excluded.message "
                "WHERE excluded.times > live_event.times",
            )

    def add_usage(self, cluster: int, measured: Sequence[Measured]) -> None:
        """Store usage; a moment that is known stays as it is."""
        if not measured:
            return
        self.ensure("live_usage", {one.at for one in measured})
        with self._database.writing():
            numbers = self._numbers(
                cluster, {(one.namespace, one.pod, one.container, one.workload) for one in measured}
            )
            rows = [(numbers[one.namespace, one.pod, one.container], one.at, one.cpu, one.memory) for one in measured]
            bulk.insert(self._database, _USAGE, rows, "ON CONFLICT DO NOTHING")

    def add_rates(self, cluster: int, rated: Sequence[Rated]) -> None:
        """Store rates; a moment that is known stays as it is."""
        if not rated:
            return
        self.ensure("live_rate", {one.at for one in rated})
        with self._database.writing():
            # A rate has a series as a container has, by the name of its query.
            numbers = self._numbers(cluster, {(one.namespace, one.pod, one.name, one.workload) for one in rated})
            rows = [(numbers[one.namespace, one.pod, one.name], one.at, one.value) for one in rated]
            bulk.insert(self._database, _RATE, rows, "ON CONFLICT DO NOTHING")

    def roll_up(self, since: int, until: int) -> None:
        """Make the 5-minute and hourly rows of a time from the raw ones; those that are there are made anew.

        TimescaleDB does so with what has changed only, in its continuous aggregates.

        Args:
            since: from the step that holds this on.
            until: to the end of the step that holds this.
        """
        for table, figures in _ROLLED.items():
            for name, step in STEPS.items():
                self._roll_up(table, f"{table}_{name}", figures, (since - since % step, until - until % step + step))

    def _roll_up(self, source: str, table: str, figures: Mapping[str, str], time: tuple[int, int]) -> None:
        """Make the rows of a whole number of steps, from the first moment up to the second."""
        start, end = time
        step = STEPS[table.removeprefix(f"{source}_")]
        if self.rollups == "aggregates":
            self._database.run(f"CALL refresh_continuous_aggregate('{table}', ?::BIGINT, ?::BIGINT)", time)
            return
        # An hour is made of raw rows, too, as long as they are kept: an average of averages would be another one.
        self.ensure(table, range(start, end, min(SPANS[table], max(step, end - start))))
        self.ensure(table, {end - 1})
        given = ", ".join(f"{name} = excluded.{name}" for name in figures)
        with self._database.writing():
            self._database.run(
                f"INSERT INTO {table} (series_id, at, {', '.join(figures)}) "  # ruff: ignore[hardcoded-sql-expression] - names of ours
                f"SELECT series_id, at - at % {step} AS step, {', '.join(figures.values())} "
                f"FROM {source} WHERE at >= ? AND at < ? GROUP BY series_id, step "
                f"ON CONFLICT (series_id, at) DO UPDATE SET {given}",
                time,
            )

    def ensure(self, table: str, moments: Iterable[int]) -> None:
        """See to it that there is room for rows of these times."""
        if self.layout != "partitions":
            return
        span = SPANS[table]
        for start in sorted({moment - moment % span for moment in moments}):
            # Nobody remembers that it is there: another process may have let it go.
            name = f"{table}_{datetime.fromtimestamp(start // SECOND, UTC):%Y%m%d}"
            bounds = f"FROM ({start}) TO ({start + span})"
            self._database.run(f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table} FOR VALUES {bounds}")

    def drop_before(self, table: str, moment: int) -> int:
        """Let rows go that are older; how many partitions, chunks or rows went. The rows of a step are whole."""
        if self.layout == "plain":
            count = int(self._database.rows(f"SELECT COUNT(*) FROM {table} WHERE at < ?", (moment,))[0][0])  # ruff: ignore[hardcoded-sql-expression] - names of ours
            self._database.run(f"DELETE FROM {table} WHERE at < ?", (moment,))  # ruff: ignore[hardcoded-sql-expression] - names of ours
            return count
        if self.layout == "timescaledb":
            # A hypertable's chunks go whole; what is left of the last one goes with it, later.
            return len(self._database.rows(f"SELECT drop_chunks('{table}', older_than => {int(moment)}::BIGINT)"))
        gone = 0
        for name, end in self.partitions(table):
            if end <= moment:
                self._database.run(f"DROP TABLE {name}")
                gone += 1
        return gone

    def partitions(self, table: str) -> list[tuple[str, int]]:
        """The partitions of a table, each with the time at which it ends."""
        rows = self._database.rows(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i "
            "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = CAST(? AS regclass) ORDER BY 1",
            (table,),
        )
        found = []
        for name, bounds in rows:
            with suppress(ValueError):
                found.append((str(name), int(bounds.rpartition("TO (")[2].strip(")'"))))
        return found

    def compress_before(self, moment: int) -> int:
        """Compress the chunks of a hypertable that are older, where TimescaleDB's licence has it; how many it were."""
        if self.layout != "timescaledb":
            return 0
        licence = self._database.rows("SELECT current_setting('timescaledb.license', true)")
        if licence[0][0] != "timescale":
            return 0
        count = 0
        for table, by in (("live_usage", "series_id"), ("live_rate", "series_id"), ("live_event", "cluster_id")):
            self._database.run(
                f"ALTER TABLE {table} SET (timescaledb.compress, timescaledb.compress_segmentby = '{by}')"
            )
            chunks = self._database.rows(
                "SELECT format('%I.%I', chunk_schema, chunk_name) FROM timescaledb_information.chunks "
                "WHERE hypertable_name = ? AND NOT is_compressed AND range_end_integer <= ?",
                (table, moment),
            )
            for (chunk,) in chunks:
                self._database.rows("SELECT compress_chunk(CAST(? AS regclass), true)", (chunk,))
                count += 1
        return count

    def arrange_before(self, moment: int) -> int:
        """Put the rows of whole partitions that are older into the order of their series; how many partitions it were.

        Rows come minute by minute of all series: what is asked of one is on as many pages as there are rows. It is done
        once for each partition, when nothing is written to it any more.
        """
        if self.layout != "partitions":
            return 0
        count = 0
        for table in [table for table in SPANS if table != "live_event"]:
            for name, end in self.partitions(table):
                if end > moment or self._is_arranged(name):
                    continue
                self._database.run(f"CLUSTER {name} USING {name}_pkey")
                count += 1
        return count

    def _is_arranged(self, partition: str) -> bool:
        question = "SELECT COALESCE(BOOL_OR(indisclustered), false) FROM pg_index WHERE indrelid = CAST(? AS regclass)"
        return bool(self._database.rows(question, (partition,))[0][0])

    def _numbers(self, cluster: int, series: Collection[tuple[str, str, str, str]]) -> dict[tuple[str, str, str], int]:
        """The numbers of series; those that are new get one, and a workload that was not known yet is noted."""
        wanted = {(namespace, pod, name): workload for namespace, pod, name, workload in sorted(series)}
        new = []
        for key, workload in wanted.items():
            known = self._series.get((cluster, *key))
            if known is None or (workload and not known[1]):
                new.append((cluster, *key, workload))
        if new:
            bulk.insert(
                self._database,
                _SERIES,
                new,
                "ON CONFLICT (cluster_id, namespace, pod, container) DO UPDATE SET workload = excluded.workload "
                "WHERE live_series.workload = ''",
            )
            rows = self._database.rows(
                "SELECT namespace, pod, container, id, workload FROM live_series WHERE cluster_id = ?", (cluster,)
            )
            self._series.update({(cluster, row[0], row[1], row[2]): (row[3], row[4]) for row in rows})
        return {key: self._series[cluster, *key][0] for key in wanted}
