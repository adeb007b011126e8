"""Many rows by one statement: PostgreSQL takes whole columns, SQLite a row at a time, which costs it nothing.

A server that is told of each row by itself spends most of its time on the telling. Columns travel as arrays, which
`unnest` makes rows of again; `COPY` would be no faster here, and has neither conflicts nor updates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from envcompile.history.database import Database

_ROWS: Final = 5000
"""Rows of one statement."""
BYTES: Final = 1 << 20
"""Bytes of texts in one statement, about."""


class Columns(NamedTuple):
    """Columns of a table, each with its type in PostgreSQL."""

    table: str
    types: dict[str, str]


def insert(database: Database, columns: Columns, rows: Collection[Sequence[Any]], conflict: str = "") -> None:
    """Insert rows.

    Args:
        database: an open one.
        columns: what the rows hold.
        rows: the values; with `DO UPDATE` each key once.
        conflict: what becomes of those that are there, such as `ON CONFLICT DO NOTHING`.
    """
    names = ", ".join(columns.types)
    head = f"INSERT INTO {columns.table} ({names})"
    if database.is_sqlite:
        database.run_many(f"{head} VALUES ({', '.join('?' * len(columns.types))}) {conflict}", rows)
        return
    for arrays in _arrays(rows):
        database.run_columns(f"{head} SELECT * FROM unnest({_unnested(columns)}) {conflict}", arrays)  # ruff: ignore[hardcoded-sql-expression] - names of ours


def update(database: Database, columns: Columns, key: str, rows: Collection[Sequence[Any]], only: str = "") -> None:
    """Update rows by their key.

    Args:
        database: an open one.
        columns: what the rows hold, the key last.
        key: its name.
        rows: the values, each key once.
        only: a condition for what is updated, which begins with a column: `valid_to IS NULL`.
    """
    others = [name for name in columns.types if name != key]
    more = f" AND {columns.table}.{only}" if only else ""
    if database.is_sqlite:
        given = ", ".join(f"{name} = ?" for name in others)
        database.run_many(f"UPDATE {columns.table} SET {given} WHERE {key} = ?{more}", rows)  # ruff: ignore[hardcoded-sql-expression] - names of ours
        return
    given = ", ".join(f"{name} = given.{name}" for name in others)
    for arrays in _arrays(rows):
        database.run_columns(
            f"UPDATE {columns.table} SET {given} FROM unnest({_unnested(columns)}) "  # ruff: ignore[hardcoded-sql-expression] - names of ours
            f"AS given ({', '.join(columns.types)}) WHERE {columns.table}.{key} = given.{key}{more}",
            arrays,
        )


def _unnested(columns: Columns) -> str:
    return ", ".join(f"CAST(? AS {kind}[])" for kind in columns.types.values())


def _arrays(rows: Collection[Sequence[Any]]) -> Iterator[list[list[Any]]]:
    """The columns of as many rows as one statement takes."""
    part: list[Sequence[Any]] = []
    size = 0
    for row in rows:
        length = sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
        if part and (len(part) == _ROWS or size + length > BYTES):
            yield [list(column) for column in zip(*part, strict=True)]
            part, size = [], 0
        part.append(row)
        size += length
    if part:
        yield [list(column) for column in zip(*part, strict=True)]
