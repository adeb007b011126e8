"""Everything that was recorded of a period, in few queries: which revision changed which resource and which field."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.history.records import FieldRow
from envcompile.model import ResourceId

if TYPE_CHECKING:
    from envcompile.history.database import Database

_FIELDS = """
SELECT r.id, x.api_group, x.kind, x.namespace, x.name, f.field, f.how, f.old, f.new, f.place
FROM field_change f JOIN revision r ON r.id = f.revision_id JOIN recorded_commit c ON c.id = r.commit_id
JOIN resource x ON x.id = f.resource_id
WHERE r.base_id IS NOT NULL AND c.committed_at >= ? ORDER BY f.id
"""
_WHOLE = """
SELECT r.id, x.api_group, x.kind, x.namespace, x.name, h.content_id,
  (SELECT e.content_id FROM resource_change e WHERE e.resource_id = h.resource_id AND e.revision_id < h.revision_id
   ORDER BY e.revision_id DESC LIMIT 1)
FROM resource_change h JOIN revision r ON r.id = h.revision_id JOIN recorded_commit c ON c.id = r.commit_id
JOIN resource x ON x.id = h.resource_id
LEFT JOIN field_change f ON f.revision_id = h.revision_id AND f.resource_id = h.resource_id
WHERE r.base_id IS NOT NULL AND c.committed_at >= ? AND f.id IS NULL ORDER BY r.id, x.kind, x.name
"""
_REVISIONS = """
SELECT r.id, e.name, c.hash, r.problem FROM revision r JOIN recorded_commit c ON c.id = r.commit_id
JOIN environment e ON e.id = r.environment_id
WHERE r.base_id IS NOT NULL AND c.committed_at >= ? ORDER BY r.id
"""


class Recorded(NamedTuple):
    """A revision with a revision before it: what it changed, came with, and took away."""

    revision: int
    environment: str
    commit: str
    problem: str
    fields: tuple[FieldRow, ...]
    added: tuple[ResourceId, ...]
    removed: tuple[ResourceId, ...]


def recorded_since(database: Database, since: int) -> list[Recorded]:
    """The revisions of commits since a time, those that change nothing left out, in the order of recording.

    Args:
        database: the history.
        since: seconds since 1970.
    """
    fields: dict[int, list[FieldRow]] = {}
    known: dict[tuple[str, ...], ResourceId] = {}
    for number, *row in database.rows(_FIELDS, (since,)):
        identity = known.setdefault(tuple(row[:4]), ResourceId(*row[:4]))
        fields.setdefault(number, []).append(FieldRow(identity, *row[4:]))
    added: dict[int, list[ResourceId]] = {}
    removed: dict[int, list[ResourceId]] = {}
    for number, group, kind, namespace, name, now, before in database.rows(_WHOLE, (since,)):
        if (now is None) != (before is None):
            (removed if now is None else added).setdefault(number, []).append(ResourceId(group, kind, namespace, name))
    return [
        Recorded(
            number,
            environment,
            commit,
            problem,
            tuple(fields.get(number, ())),
            tuple(added.get(number, ())),
            tuple(removed.get(number, ())),
        )
        for number, environment, commit, problem in database.rows(_REVISIONS, (since,))
        if number in fields or number in added or number in removed or problem
    ]


def newest(database: Database) -> str:
    """What changes whenever a revision is recorded or pruned."""
    count, last = database.rows("SELECT COUNT(*), MAX(id) FROM revision")[0]
    return f"{count} {last or 0}"
