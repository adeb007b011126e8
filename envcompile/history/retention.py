"""Retention: revisions that are old, or that no branch reaches, go; what stays is read as before.

A revision holds what differs from its base. Where the base goes, the revision becomes complete. A pruned commit keeps
its row, without the version of envc that compiled it: so it counts as recorded, and nothing brings it back by accident.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import UnavailableError
from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Collection

    from envcompile.history.database import Database
    from envcompile.history.store import Store

_UNUSED_CONTENT = (
    "FROM content WHERE NOT EXISTS (SELECT 1 FROM resource_change WHERE resource_change.content_id = content.id)"
)
_PRUNED = "SELECT id FROM recorded_commit WHERE tool = ''"
_GONE = f"SELECT id FROM revision WHERE commit_id IN ({_PRUNED})"  # ruff: ignore[hardcoded-sql-expression] - a constant
_TO_FOLD = """
SELECT r.id, e.name FROM revision r
JOIN recorded_commit c ON c.id = r.commit_id AND c.tool <> ''
JOIN revision b ON b.id = r.base_id
JOIN recorded_commit bc ON bc.id = b.commit_id AND bc.tool = ''
JOIN environment e ON e.id = r.environment_id ORDER BY r.id
"""


class Pruned(NamedTuple):
    """What went, or would go."""

    commits: int
    revisions: int
    contents: int
    bytes: int
    """Of the contents, as they are stored."""
    completed: int
    """Revisions that hold all themselves now, because what they were based on went."""


class _NotForGoodError(Exception):
    """Takes a rehearsal back."""


def pruned(database: Database) -> set[str]:
    """The hashes of the commits that were pruned."""
    return {row[0] for row in database.rows("SELECT hash FROM recorded_commit WHERE tool = ''")}


def choose(
    database: Database, heads: Collection[str], *, before: int | None, keep: int | None, among: Collection[str] | None
) -> list[str]:
    """The commits that may go, oldest first.

    The newest revision of every environment stays, and so do heads.

    Args:
        database: the history.
        heads: what branches and tags point to.
        before: only commits older than this, in seconds since 1970.
        keep: so many of the newest revisions of every environment stay.
        among: only these commits.
    """
    rows = database.rows(
        "SELECT c.hash, c.committed_at, r.environment_id FROM recorded_commit c JOIN revision r ON r.commit_id = c.id "
        "WHERE c.tool <> '' ORDER BY c.committed_at DESC, r.id DESC"
    )
    counts: dict[int, int] = {}
    stays = {*heads}
    for commit, _, environment in rows:
        counts[environment] = counts.get(environment, 0) + 1
        if counts[environment] <= max(keep or 1, 1):
            stays.add(commit)
    found = dict.fromkeys(
        commit
        for commit, time, _ in reversed(rows)
        if commit not in stays and (before is None or time < before) and (among is None or commit in among)
    )
    return list(found)


def prune(store: Store, commits: Collection[str], *, dry_run: bool = False) -> Pruned:
    """Let commits go with their revisions, and the contents that nothing refers to any more: all of it, or nothing.

    Args:
        store: the history.
        commits: full hashes.
        dry_run: take everything back, and only say what would go.

    Raises:
        UnavailableError: the database does not answer, or has no room for what becomes complete.
    """
    database = store.database
    found: list[Pruned] = []
    try:
        with database.writing():
            found.append(_prune(store, commits))
            _stop(when=dry_run)
    except _NotForGoodError:
        pass
    return found[0]


def _stop(*, when: bool) -> None:
    if when:
        raise _NotForGoodError


def give_back(database: Database) -> str:
    """Make the file of a SQLite database as small as what is in it; why that failed, empty when it did not.

    PostgreSQL's own autovacuum sees to that.
    """
    if not database.is_sqlite:
        return ""
    try:
        database.run("VACUUM")
        database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    except UnavailableError as error:
        return error.problems[0].what
    return ""


def _prune(store: Store, commits: Collection[str]) -> Pruned:
    database = store.database
    # Names of resources stay: they are small, and recorders at work know their numbers.
    for name in ("content_id", "base_id"):
        # Only pruning looks things up from this end: the foreign keys would read whole tables for every row.
        table = "resource_change" if name == "content_id" else "revision"
        database.run(f"CREATE INDEX prune_{name} ON {table} ({name})")
    before = int(database.rows("SELECT COUNT(*) FROM recorded_commit WHERE tool = ''")[0][0])
    database.run_many(
        "UPDATE recorded_commit SET tool = '', inputs = '' WHERE hash = ?", [(commit,) for commit in commits]
    )
    after = int(database.rows("SELECT COUNT(*) FROM recorded_commit WHERE tool = ''")[0][0])
    completed = _complete(store)
    revisions = int(database.rows(f"SELECT COUNT(*) FROM ({_GONE}) AS gone")[0][0])  # ruff: ignore[hardcoded-sql-expression] - a constant
    for table in ("field_change", "resource_change"):
        database.run(f"DELETE FROM {table} WHERE revision_id IN ({_GONE})")  # ruff: ignore[hardcoded-sql-expression] - constants
    database.run(f"UPDATE revision SET base_id = NULL WHERE commit_id IN ({_PRUNED})")  # ruff: ignore[hardcoded-sql-expression] - a constant
    database.run(f"DELETE FROM revision WHERE commit_id IN ({_PRUNED})")  # ruff: ignore[hardcoded-sql-expression] - a constant
    contents, size = database.rows(f"SELECT COUNT(*), COALESCE(SUM(LENGTH(body)), 0) {_UNUSED_CONTENT}")[0]
    database.run(f"DELETE {_UNUSED_CONTENT}")
    for name in ("content_id", "base_id"):
        database.run(f"DROP INDEX prune_{name}")
    return Pruned(after - before, revisions, int(contents), int(size), completed)


def _complete(store: Store) -> int:
    """Let revisions whose base goes hold all that they stand for, as the first one of a history does.

    What changed in them is not known any more, so that compiling all that is kept again gives the same history.
    """
    database = store.database
    numbers: dict[str, dict[ResourceId, int]] = {}
    rows = database.rows(_TO_FOLD)
    for revision, environment in rows:
        known = numbers.get(environment)
        if known is None:
            known = numbers[environment] = {
                ResourceId(*row[:4]): row[4]
                for row in database.rows(
                    "SELECT x.api_group, x.kind, x.namespace, x.name, x.id FROM resource x "
                    "JOIN environment e ON e.id = x.environment_id WHERE e.name = ?",
                    (environment,),
                )
            }
        state = store.state(revision)
        for table in ("field_change", "resource_change"):
            database.run(f"DELETE FROM {table} WHERE revision_id = ?", (revision,))  # ruff: ignore[hardcoded-sql-expression] - names of ours
        database.run_many(
            "INSERT INTO resource_change (revision_id, resource_id, content_id, file) VALUES (?, ?, ?, ?)",
            [(revision, known[identity], held.content, held.file) for identity, held in state.items()],
        )
        database.run("UPDATE revision SET base_id = NULL WHERE id = ?", (revision,))
    return len(rows)
