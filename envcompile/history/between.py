"""What two revisions of an environment hold otherwise, where one is on the way to the other: no state is read whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.history.records import Held
from envcompile.model import ResourceId

if TYPE_CHECKING:
    from envcompile.history.database import Database
    from envcompile.history.records import State

_WAY: Final = """
WITH RECURSIVE way(id, base_id, depth) AS (
  SELECT id, base_id, 0 FROM revision WHERE id = ?
  UNION ALL
  SELECT revision.id, revision.base_id, depth + 1 FROM revision JOIN way ON revision.id = way.base_id
)
"""
_TOUCHED: Final = "SELECT DISTINCT resource_id FROM resource_change WHERE revision_id"
_HELD: Final = (
    _WAY
    + """
SELECT way.depth, x.api_group, x.kind, x.namespace, x.name, k.id, k.digest, h.file FROM resource_change h
JOIN way ON way.id = h.revision_id JOIN resource x ON x.id = h.resource_id
LEFT JOIN content k ON k.id = h.content_id WHERE h.resource_id IN ({}) ORDER BY way.depth
"""
)
_MOST: Final = 400
"""Changed resources; to read the states of more is not slower."""


def states_between(database: Database, older: int, newer: int) -> tuple[State, State] | None:
    """The resources that were touched between two revisions, as either holds them.

    Args:
        database: the history.
        older: a revision.
        newer: a revision of the same environment.

    Returns:
        both states, without the resources that are the same in both because nobody touched them; None where the older
        revision is not on the way to the newer one, or too much lies between.
    """
    way = [row[0] for row in database.rows(f"{_WAY} SELECT id FROM way ORDER BY depth", (newer,))]  # ruff: ignore[hardcoded-sql-expression] - a constant
    if older not in way:
        return None
    depth = way.index(older)
    touched = [row[0] for row in database.rows_in(_TOUCHED, way[:depth])]
    numbers = list(dict.fromkeys(touched))
    if len(numbers) > _MOST:
        return None
    before: dict[ResourceId, Held | None] = {}
    after: dict[ResourceId, Held | None] = {}
    rows = database.rows(_HELD.format(", ".join("?" * len(numbers))), (newer, *numbers)) if numbers else ()
    for at, group, kind, namespace, name, content, digest, file in rows:
        identity = ResourceId(group, kind, namespace, name)
        held = Held(content, bytes(digest), file) if content is not None else None
        after.setdefault(identity, held)
        if at >= depth:
            before.setdefault(identity, held)
    return _present(before), _present(after)


def has_kind(database: Database, environment: str, kind: str) -> bool:
    """Tell whether an environment ever had a resource of a kind."""
    query = "SELECT 1 FROM resource x JOIN environment e ON e.id = x.environment_id WHERE e.name = ? AND x.kind = ?"
    return bool(database.rows(f"{query} LIMIT 1", (environment, kind)))


def _present(state: dict[ResourceId, Held | None]) -> State:
    return {identity: held for identity, held in sorted(state.items()) if held is not None}
