"""The history for a data warehouse: every revision as one line of JSON, or every change as one row of Parquet."""

from __future__ import annotations

import json
from itertools import islice, starmap
from typing import TYPE_CHECKING, Any

from envcompile.errors import Problem, UsageError
from envcompile.files import replaced
from envcompile.history.stats import changed as changed_by
from envcompile.history.times import milliseconds, stamp

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from envcompile.history.store import Store

ROWS = 20_000
"""Rows of one group of a Parquet file."""


def revisions(store: Store, leave_out: Collection[str] = ()) -> Iterator[dict[str, Any]]:
    """Every revision with what it changed, environment by environment, as recorded; times are UTC.

    `complete` says that the changes are all that the environment holds: nothing before it is recorded, or kept.

    Args:
        store: the history.
        leave_out: commits that are not wanted.
    """
    for environment in store.environments():
        found = {name: revision for name, revision in store.revisions(environment).items() if name not in leave_out}
        commits = store.commits(found.keys())
        for name, revision in found.items():
            commit = commits[name]
            changed = changed_by(store.database, revision.id)
            values = store.values({content for _, content in changed if content is not None})
            yield {
                "commit": commit.hash,
                "parents": list(commit.parents),
                "author": {
                    "name": commit.author_name,
                    "email": commit.author_email,
                    "time": stamp(commit.authored_at, utc=True),
                },
                "committer": {
                    "name": commit.committer_name,
                    "email": commit.committer_email,
                    "time": stamp(commit.committed_at, utc=True),
                },
                "message": commit.message,
                "environment": environment,
                "digest": revision.digest.hex(),
                "resources": revision.resources,
                "problem": revision.problem,
                "complete": revision.base is None,
                "changes": [
                    {**identity._asdict(), "content": values[content] if content is not None else None}
                    for identity, content in changed
                ],
            }


def lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Revisions as lines of JSON."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False)


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Write revisions as lines of JSON, in one step; how many.

    Raises:
        UnavailableError: the file cannot be written.
    """
    count = 0
    with replaced(path) as file:
        for line in lines(rows):
            file.write(f"{line}\n".encode())
            count += 1
    return count


def write_parquet(path: Path, rows: Iterable[dict[str, Any]], *, at_once: int = ROWS) -> int:
    """Write one row for every resource that a revision changed, and one for a revision that changed none; how many.

    Args:
        path: the file, written in one step.
        rows: the revisions.
        at_once: rows of one group.

    Raises:
        UsageError: pyarrow is not installed.
        UnavailableError: the file cannot be written.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError([
            Problem("Parquet files need pyarrow", "install it: pip install 'envcompile[warehouse]'")
        ]) from error
    schema = _schema(pa)
    flat = (item for row in rows for item in _flat(row))
    count = 0
    with replaced(path) as file, parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := list(islice(flat, at_once)):
            writer.write_table(pa.Table.from_pylist(group, schema=schema), row_group_size=at_once)
            count += len(group)
        if not count:
            writer.write_table(schema.empty_table())
    return count


def _schema(pa: Any) -> Any:
    """The columns; they stay as they are, further ones may follow."""
    text, moment = pa.string(), pa.timestamp("ms", tz="UTC")
    columns = [
        ("environment", text),
        ("commit", text),
        ("parents", pa.list_(text)),
        ("author_name", text),
        ("author_email", text),
        ("authored_at", moment),
        ("committer_name", text),
        ("committer_email", text),
        ("committed_at", moment),
        ("message", text),
        ("digest", text),
        ("resources", pa.int32()),
        ("problem", text),
        ("complete", pa.bool_()),
    ]
    changes = [
        ("api_group", text),
        ("kind", text),
        ("namespace", text),
        ("name", text),
        ("removed", pa.bool_()),
        ("content", text),
    ]
    fields = [pa.field(name, kind, nullable=False) for name, kind in columns]
    return pa.schema([*fields, *starmap(pa.field, changes)])


def _flat(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    revision = {
        "environment": row["environment"],
        "commit": row["commit"],
        "parents": row["parents"],
        "author_name": row["author"]["name"],
        "author_email": row["author"]["email"],
        "authored_at": milliseconds(row["author"]["time"]),
        "committer_name": row["committer"]["name"],
        "committer_email": row["committer"]["email"],
        "committed_at": milliseconds(row["committer"]["time"]),
        "message": row["message"],
        "digest": row["digest"],
        "resources": row["resources"],
        "problem": row["problem"],
        "complete": row["complete"],
    }
    for change in row["changes"]:
        content = change["content"]
        yield {
            **revision,
            "api_group": change["group"],
            "kind": change["kind"],
            "namespace": change["namespace"],
            "name": change["name"],
            "removed": content is None,
            "content": json.dumps(content, ensure_ascii=False) if content is not None else None,
        }
    if not row["changes"]:
        yield revision
