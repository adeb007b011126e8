"""A whole history put in the place of another, in one transaction; and where two of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.history.database import Database

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
_REVISIONS = """
SELECT e.name, p.hash, r.digest, r.resources, r.problem FROM revision r
JOIN recorded_commit c ON c.id = r.commit_id JOIN environment e ON e.id = r.environment_id
LEFT JOIN revision b ON b.id = r.base_id LEFT JOIN recorded_commit p ON p.id = b.commit_id WHERE c.hash = ?
"""
_CHANGES = """
SELECT e.name, x.api_group, x.kind, x.namespace, x.name, k.digest, k.size, h.file FROM resource_change h
JOIN revision r ON r.id = h.revision_id JOIN recorded_commit c ON c.id = r.commit_id
JOIN resource x ON x.id = h.resource_id JOIN environment e ON e.id = x.environment_id
LEFT JOIN content k ON k.id = h.content_id WHERE c.hash = ?
"""
_FIELDS = """
SELECT e.name, x.api_group, x.kind, x.namespace, x.name, f.field, f.how, f.old, f.new, f.place FROM field_change f
JOIN revision r ON r.id = f.revision_id JOIN recorded_commit c ON c.id = r.commit_id
JOIN resource x ON x.id = f.resource_id JOIN environment e ON e.id = x.environment_id WHERE c.hash = ?
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


def revisions_of(database: Database, commit: str) -> list[tuple[str, ...]]:
    """All that is recorded of a commit in its environments, without numbers: equal lists mean equal revisions."""
    found = []
    for number, query in enumerate((_REVISIONS, _CHANGES, _FIELDS)):
        for row in database.rows(query, (commit,)):
            cells = [bytes(cell).hex() if isinstance(cell, (bytes, memoryview)) else repr(cell) for cell in row]
            found.append((str(number), *cells))
    return sorted(found)


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
