"""How long what is kept of clusters, and how much room it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.history.drifted import forget
from envcompile.history.livetimes import DAY, SECOND, TimeStore

if TYPE_CHECKING:
    from envcompile.history.database import Database

TABLES: Final = (
    "content", "field_change", "resource_change", "revision", "recorded_commit",
    "live_object", "live_version", "live_content", "live_field", "live_series",
    "live_event", "live_usage", "live_usage_5m", "live_usage_1h",
    "live_rate", "live_rate_5m", "live_rate_1h", "drift",
)  # fmt: skip
"""The tables whose size is told."""
_COMPRESSED_AFTER: Final = 3
"""Days after which a chunk of TimescaleDB is compressed, and a partition is put in order."""


class Retention(NamedTuple):
    """Days that rows are kept; what is compiled from git is kept for ever (`envc history prune` lets it go)."""

    usage: int = 14
    five_minutes: int = 90
    hours: int = 730
    events: int = 90
    versions: int = 90


class Collected(NamedTuple):
    """What went: rows, or whole partitions where the database has them."""

    usage: int
    five_minutes: int
    hours: int
    events: int
    versions: int
    objects: int
    contents: int
    compressed: int
    """Chunks of TimescaleDB that were compressed."""
    drift: int
    """Differences from clusters that ended."""


class TableSize(NamedTuple):
    """A table: how many rows (estimated on PostgreSQL) and bytes with its indexes (0 where that is not known)."""

    name: str
    rows: int
    size: int


def collect(database: Database, retention: Retention, now: int, *, dry_run: bool = False) -> Collected:
    """Let go what is older than it is kept; what is there now stays, however old it is.

    Args:
        database: the history.
        retention: how long what is kept.
        now: microseconds since 1970.
        dry_run: only count what would go.
    """
    times = TimeStore(database)
    gone = []
    for table, days in (
        ("live_usage", retention.usage),
        ("live_usage_5m", retention.five_minutes),
        ("live_usage_1h", retention.hours),
        ("live_event", retention.events),
    ):
        before = now - days * DAY
        # Rates are kept as long as usage is, and counted with it.
        tables = [table, table.replace("usage", "rate")] if "usage" in table else [table]
        count = _older if dry_run else _dropped
        gone.append(sum(count(database, times, name, before) for name in tables))
    objects = _collect_objects(database, now - retention.versions * DAY, dry_run=dry_run)
    drift = forget(database, (now - retention.versions * DAY) // SECOND, dry_run=dry_run)
    compressed = 0 if dry_run else times.compress_before(now - _COMPRESSED_AFTER * DAY)
    if not dry_run:
        times.arrange_before(now - _COMPRESSED_AFTER * DAY)
    return Collected(gone[0], gone[1], gone[2], gone[3], *objects, compressed, drift)


def _older(database: Database, times: TimeStore, table: str, before: int) -> int:
    if times.layout == "partitions":
        return sum(end <= before for _, end in times.partitions(table))
    return int(database.rows(f"SELECT COUNT(*) FROM {table} WHERE at < ?", (before,))[0][0])  # ruff: ignore[hardcoded-sql-expression] - names of ours


def _dropped(_: Database, times: TimeStore, table: str, before: int) -> int:
    return times.drop_before(table, before)


def _collect_objects(database: Database, before: int, *, dry_run: bool) -> tuple[int, int, int]:
    """Versions that ended long ago, objects that are left without any, contents that nothing refers to."""
    old = "FROM live_version WHERE valid_to < ?"
    unused = "FROM live_content WHERE NOT EXISTS (SELECT 1 FROM live_version v WHERE v.content_id = live_content.id)"
    bare = "FROM live_object WHERE gone_at < ?"
    with database.writing():
        versions = int(database.rows(f"SELECT COUNT(*) {old}", (before,))[0][0])
        objects = int(database.rows(f"SELECT COUNT(*) {bare}", (before,))[0][0])
        if dry_run:
            return versions, objects, 0
        database.run(f"DELETE FROM live_field WHERE version_id IN (SELECT id {old})", (before,))  # ruff: ignore[hardcoded-sql-expression] - a constant
        database.run(f"DELETE {old}", (before,))
        database.run(f"DELETE {bare}", (before,))
        contents = int(database.rows(f"SELECT COUNT(*) {unused}")[0][0])
        database.run(f"DELETE {unused}")
    return versions, objects, contents


def size_of(database: Database) -> int:
    """How many bytes the whole database has on disk."""
    if database.is_sqlite:
        files = [Path(database.name), Path(f"{database.name}-wal")]
        return sum(file.stat().st_size for file in files if file.is_file())
    return int(database.rows("SELECT pg_database_size(current_database())")[0][0])


def sizes(database: Database) -> list[TableSize]:
    """The tables that hold much, largest first."""
    found = []
    for name in TABLES:
        if database.is_sqlite:
            rows = int(database.rows(f"SELECT COUNT(*) FROM {name}")[0][0])  # ruff: ignore[hardcoded-sql-expression] - names of ours
            found.append(TableSize(name, rows, 0))
            continue
        row = database.rows(
            "SELECT COALESCE(SUM(pg_total_relation_size(c.oid)), 0), COALESCE(SUM(GREATEST(c.reltuples, 0)), 0) "
            "FROM pg_class c WHERE c.oid IN (SELECT relid FROM pg_partition_tree(CAST(? AS regclass)) "
            "UNION SELECT CAST(? AS regclass))",
            (name, name),
        )[0]
        found.append(TableSize(name, int(row[1]), int(row[0])))
    return sorted(found, key=lambda one: (-one.size, -one.rows, one.name))
