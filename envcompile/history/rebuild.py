"""A whole history put in the place of another, in one transaction; and where two of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.history.database import Database
    from envcompile.history.store import Revision, Store
    from envcompile.model import ResourceId

_TABLES: dict[str, tuple[str, ...]] = {
    "environment": ("id", "name"),
    "recorded_commit": (
        "id",
        "hash",
        "first_parent",
        "parents",
        "author_name",
        "author_email",
        "authored_at",
        "committer_name",
        "committer_email",
        "committed_at",
        "message",
        "tool",
        "inputs",
        "recorded_at",
    ),
    "content": ("id", "digest", "size", "body"),
    "resource": ("id", "environment_id", "api_group", "kind", "namespace", "name"),
    "revision": ("id", "commit_id", "environment_id", "base_id", "digest", "resources", "problem"),
    "resource_change": ("revision_id", "resource_id", "content_id", "file"),
    "field_change": ("id", "revision_id", "resource_id", "field", "how", "old", "new", "place"),
}
"""Every table with its columns, in an order in which each refers to earlier ones only."""
_REFERENCES = {
    "environment_id": "environment",
    "commit_id": "recorded_commit",
    "base_id": "revision",
    "revision_id": "revision",
    "resource_id": "resource",
    "content_id": "content",
}
_CHANGES = """
SELECT x.api_group, x.kind, x.namespace, x.name, k.digest, h.file FROM resource_change h
JOIN resource x ON x.id = h.resource_id LEFT JOIN content k ON k.id = h.content_id WHERE h.revision_id = ?
"""
_AT_ONCE = 2000
"""Rows that are in memory at a time."""


def replace_all(target: Database, source: Database) -> None:
    """Put everything that one database holds in the place of everything that another one holds.

    No number is used again: a process that remembers one from before finds nothing by it, instead of something else.
    The caller has begun the transaction.
    """
    firsts = {
        table: int(target.rows(f"SELECT COALESCE(MAX(id), 0) FROM {table}")[0][0])  # ruff: ignore[hardcoded-sql-expression] - names of ours
        for table, columns in _TABLES.items()
        if columns[0] == "id"
    }
    for table in reversed(_TABLES):
        target.run(f"DELETE FROM {table}")  # ruff: ignore[hardcoded-sql-expression] - names of ours
    for table, columns in _TABLES.items():
        shifts = [firsts[table if name == "id" else _REFERENCES[name]] if _is_number(name) else 0 for name in columns]
        marks = ", ".join("?" * len(columns))
        for rows in _all_rows(source, table, columns):
            shifted = [
                [cell + shift if shift and cell is not None else cell for cell, shift in zip(row, shifts, strict=True)]
                for row in rows
            ]
            target.run_many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", shifted)  # ruff: ignore[hardcoded-sql-expression] - names of ours
        if columns[0] == "id" and not target.is_sqlite:
            target.run(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT COALESCE(MAX(id), 1) FROM {table}))"  # ruff: ignore[hardcoded-sql-expression] - names of ours
            )


def holds_the_same(one: Store, other: Store, commit: str) -> bool:
    """Tell whether a commit's environments hold the same in two databases, however each has stored them.

    Where both tell a revision from the same one before it, the fields that it changed count, too. The place that set a
    field is not known for a revision that was recorded before its parent.
    """
    ours, theirs = one.revisions_of(commit), other.revisions_of(commit)
    return ours.keys() == theirs.keys() and all(_is_the_same(one, ours[name], other, theirs[name]) for name in ours)


def _is_the_same(one: Store, ours: Revision, other: Store, theirs: Revision) -> bool:
    if ours[4:] != theirs[4:]:
        return False
    if ours.base is None or theirs.base is None:
        # One of them was recorded before its parent, or kept when that was pruned, and holds all.
        return _state(one, ours) == _state(other, theirs)
    return _changes(one, ours) == _changes(other, theirs) and _fields(one, ours) == _fields(other, theirs)


def _state(store: Store, revision: Revision) -> dict[ResourceId, tuple[Any, ...]]:
    return {identity: held[1:] for identity, held in store.state(revision.id).items()}


def _changes(store: Store, revision: Revision) -> list[tuple[str, ...]]:
    rows = store.database.rows(_CHANGES, (revision.id,))
    return sorted((*row[:4], bytes(row[4]).hex() if row[4] is not None else "", row[5]) for row in rows)


def _fields(store: Store, revision: Revision) -> list[tuple[Any, ...]]:
    return sorted(tuple(row[:5]) for row in store.field_rows(revision.id))


def _is_number(column: str) -> bool:
    return column == "id" or column in _REFERENCES


def _all_rows(database: Database, table: str, columns: tuple[str, ...]) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a table, some at a time, each one behind those that it refers to."""
    order = "id" if columns[0] == "id" else "revision_id, resource_id"
    start = 0
    while True:
        rows = database.rows(
            f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order} LIMIT ? OFFSET ?",  # ruff: ignore[hardcoded-sql-expression] - names of ours
            (_AT_ONCE, start),
        )
        if not rows:
            return
        yield rows
        start += len(rows)
