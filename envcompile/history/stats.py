"""Questions about everything that is recorded: how much it is, what changed, and when a resource was there."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.history.database import Database

# A commit without the version of envc that compiled it was pruned: see retention.py.
_COUNTED = {
    "commits": "SELECT COUNT(*) FROM recorded_commit WHERE tool <> ''",
    "revisions": "SELECT COUNT(*) FROM revision",
    "resources": "SELECT COUNT(*) FROM resource",
    "contents": "SELECT COUNT(*) FROM content",
    "changed fields": "SELECT COUNT(*) FROM field_change",
}
_BUSIEST = {
    "environments": """
        SELECT e.name, COUNT(*) FROM resource_change h JOIN resource x ON x.id = h.resource_id
        JOIN revision r ON r.id = h.revision_id AND r.base_id IS NOT NULL
        JOIN environment e ON e.id = x.environment_id GROUP BY e.name ORDER BY 2 DESC, 1 LIMIT ?""",
    "resources": """
        SELECT x.kind || '/' || x.name, COUNT(*) FROM resource_change h JOIN resource x ON x.id = h.resource_id
        JOIN revision r ON r.id = h.revision_id AND r.base_id IS NOT NULL
        GROUP BY x.kind, x.name ORDER BY 2 DESC, 1 LIMIT ?""",
    "fields": "SELECT field, COUNT(*) FROM field_change GROUP BY field ORDER BY 2 DESC, 1 LIMIT ?",
    "authors": """
        SELECT author_name, COUNT(*) FROM recorded_commit WHERE tool <> ''
        GROUP BY author_name ORDER BY 2 DESC, 1 LIMIT ?""",
}


def every_content(database: Database) -> Iterator[tuple[int, bytes, bytes | None]]:
    """Number, digest and JSON text of every content; None for a text that cannot be read."""
    numbers = [row[0] for row in database.rows("SELECT id FROM content ORDER BY id")]
    for row in database.rows_in("SELECT id, digest, body FROM content WHERE id", numbers):
        try:
            body = zlib.decompress(row[2])
        except zlib.error:
            body = None
        yield row[0], bytes(row[1]), body


def sizes(database: Database) -> dict[str, int]:
    """How many rows the tables have, and the bytes of the whole database."""
    counted = {name: int(database.rows(query)[0][0]) for name, query in _COUNTED.items()}
    if database.is_sqlite:
        query = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    else:
        query = "SELECT pg_database_size(current_database())"
    return {**counted, "bytes": int(database.rows(query)[0][0])}


def busiest(database: Database, most: int) -> dict[str, list[tuple[str, int]]]:
    """What changes most: environments, resources, fields and authors, each with its number of changes."""
    return {name: [(row[0], row[1]) for row in database.rows(query, (most,))] for name, query in _BUSIEST.items()}


def parents(database: Database) -> dict[str, tuple[str, ...]]:
    """Recorded commit -> its parents; those that were pruned are left out."""
    rows = database.rows("SELECT hash, parents FROM recorded_commit WHERE tool <> ''")
    return {row[0]: tuple(row[1].split()) for row in rows}


_CONTENTS = """
SELECT x.api_group, x.kind, x.namespace, x.name, h.revision_id, h.content_id FROM resource_change h
JOIN resource x ON x.id = h.resource_id JOIN environment e ON e.id = x.environment_id WHERE e.name = ?{}
"""
_FIELDS = """
SELECT x.api_group, x.kind, x.namespace, x.name, f.revision_id, f.field, f.how, f.old, f.place FROM field_change f
JOIN resource x ON x.id = f.resource_id JOIN environment e ON e.id = x.environment_id WHERE e.name = ?{} ORDER BY f.id
"""
_OF_ONE = " AND x.api_group = ? AND x.kind = ? AND x.namespace = ? AND x.name = ?"

FieldChange = tuple[int, str, str, str, str]
"""A recorded change inside of a resource: revision, field, how, value before as JSON, place."""


def contents_by_revision(
    database: Database, environment: str, only: ResourceId | None = None
) -> dict[ResourceId, dict[int, int | None]]:
    """Resource -> each revision that touches it -> the content that it has afterwards; None when it is gone.

    Args:
        database: the history.
        environment: its name.
        only: this resource; all of the environment when left out.
    """
    found: dict[ResourceId, dict[int, int | None]] = {}
    for row in database.rows(
        _CONTENTS.format(_OF_ONE if only is not None else ""),
        (environment, *(only or ())),
    ):
        found.setdefault(ResourceId(*row[:4]), {})[row[4]] = row[5]
    return found


def changes_of_fields(
    database: Database, environment: str, only: ResourceId | None = None
) -> dict[ResourceId, list[FieldChange]]:
    """Resource -> every recorded change inside of it, in the order in which they were recorded.

    Args:
        database: the history.
        environment: its name.
        only: this resource; all of the environment when left out.
    """
    found: dict[ResourceId, list[FieldChange]] = {}
    for row in database.rows(
        _FIELDS.format(_OF_ONE if only is not None else ""),
        (environment, *(only or ())),
    ):
        found.setdefault(ResourceId(*row[:4]), []).append((row[4], row[5], row[6], row[7], row[8]))
    return found


def counts(database: Database, environment: str) -> dict[int, int]:
    """Revision -> how many resources it changed."""
    rows = database.rows(
        "SELECT h.revision_id, COUNT(*) FROM resource_change h JOIN revision r ON r.id = h.revision_id "
        "JOIN environment e ON e.id = r.environment_id WHERE e.name = ? GROUP BY h.revision_id",
        (environment,),
    )
    return {row[0]: row[1] for row in rows}


def changed(database: Database, revision: int) -> list[tuple[ResourceId, int | None]]:
    """The resources that a revision changed, with their new content; None for those that are gone."""
    rows = database.rows(
        "SELECT x.api_group, x.kind, x.namespace, x.name, h.content_id FROM resource_change h "
        "JOIN resource x ON x.id = h.resource_id WHERE h.revision_id = ? "
        "ORDER BY x.kind, x.namespace, x.name, x.api_group",
        (revision,),
    )
    return [(ResourceId(*row[:4]), row[4]) for row in rows]


def changes_by_revision(database: Database, environment: str) -> dict[int, list[tuple[ResourceId, bytes | None, str]]]:
    """Revision -> the resources that it changed, each with the digest of its content and its file; None when gone."""
    found: dict[int, list[tuple[ResourceId, bytes | None, str]]] = {}
    for revision, group, kind, namespace, name, digest, file in database.rows(
        "SELECT h.revision_id, x.api_group, x.kind, x.namespace, x.name, k.digest, h.file FROM resource_change h "
        "JOIN resource x ON x.id = h.resource_id JOIN environment e ON e.id = x.environment_id "
        "LEFT JOIN content k ON k.id = h.content_id WHERE e.name = ?",
        (environment,),
    ):
        change = (ResourceId(group, kind, namespace, name), bytes(digest) if digest is not None else None, file)
        found.setdefault(revision, []).append(change)
    return found
