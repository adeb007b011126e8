"""`envc db`: the history database itself, of commits and of clusters."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.live_places import database_of
from envcompile.history.database import VERSION, connect, version_of
from envcompile.history.livedoctor import examine
from envcompile.history.livegc import Retention, collect, size_of, sizes
from envcompile.history.livereading import LiveReader
from envcompile.history.livetimes import SECOND, TimeStore
from envcompile.history.retention import give_back

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.history.database import Database
    from envcompile.history.livedoctor import LiveExamined
    from envcompile.history.livegc import Collected, TableSize
    from envcompile.history.livereading import ClusterRow


class Status(NamedTuple):
    """How a database stands."""

    name: str
    version: str
    """Of its tables."""
    newest: str
    """Of the tables that this envc writes."""
    layout: str
    """How what grows with time is kept: `plain`, `partitions` or `timescaledb`."""
    size: int
    """Bytes on disk."""
    tables: tuple[TableSize, ...]
    clusters: tuple[ClusterRow, ...]
    retention: Retention


def status(folder: Path) -> Status:
    """The size of the history database, how it is kept, and what is in it.

    Raises:
        UsageError: there is none.
    """
    database = connect(database_of(folder), create=False, any_version=True)
    try:
        version = version_of(database)
        if version != VERSION:
            return Status(database.name, version, VERSION, "", size_of(database), (), (), Retention())
        return Status(
            database.name,
            version,
            VERSION,
            TimeStore(database).layout,
            size_of(database),
            tuple(sizes(database)),
            tuple(LiveReader(database).clusters()),
            Retention(),
        )
    finally:
        database.close()


def upgrade(folder: Path) -> tuple[str, str]:
    """Bring the tables to the version that this envc writes: the version before, and the one now.

    Raises:
        UnavailableError: the database does not answer, or was written by a newer envc.
    """
    from envcompile.history.migrate import upgrade as migrate

    url = database_of(folder)
    database = connect(url, any_version=True)
    try:
        before = version_of(database)
    finally:
        database.close()
    if before < VERSION:
        migrate(url)
    connect(url).close()
    return before, VERSION


def gc(folder: Path, retention: Retention, *, dry_run: bool = False) -> tuple[Collected, str]:
    """Let go what is older than it is kept, and give the room back: what went, and why room was not given back.

    Args:
        folder: a folder of the project.
        retention: how long what is kept.
        dry_run: only count what would go.
    """
    database = connect(database_of(folder), create=False)
    try:
        found = collect(database, retention, int(time.time() * SECOND), dry_run=dry_run)
        return found, "" if dry_run or not any(found) else give_back(database)
    finally:
        database.close()


def doctor(folder: Path) -> LiveExamined:
    """Look at every row that is kept of clusters."""
    database: Database = connect(database_of(folder), create=False)
    try:
        return examine(database)
    finally:
        database.close()
