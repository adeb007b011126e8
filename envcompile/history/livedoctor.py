"""Whether what is kept of clusters is whole: intervals, contents, and the rooms for what comes."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from envcompile.history.database import Database

_AT_ONCE = 2000


class LiveExamined(NamedTuple):
    """What was looked at, and what is wrong."""

    objects: int
    versions: int
    contents: int
    damage: tuple[str, ...]


_WRONG = (
    (
        "versions of one object overlap",
        """SELECT COUNT(*) FROM (SELECT valid_from, valid_to, LEAD(valid_from) OVER
        (PARTITION BY object_id ORDER BY valid_from) AS following FROM live_version) AS v
        WHERE following IS NOT NULL AND (valid_to IS NULL OR valid_to > following)""",
    ),
    ("versions end before they begin", "SELECT COUNT(*) FROM live_version WHERE valid_to <= valid_from"),
    (
        "objects are there without a version",
        """SELECT COUNT(*) FROM live_object o WHERE o.gone_at IS NULL AND NOT EXISTS
        (SELECT 1 FROM live_version v WHERE v.object_id = o.id AND v.valid_to IS NULL)""",
    ),
    (
        "objects are gone and have a version that holds",
        """SELECT COUNT(*) FROM live_object o JOIN live_version v ON v.object_id = o.id AND v.valid_to IS NULL
        WHERE o.gone_at IS NOT NULL""",
    ),
)


def examine(database: Database) -> LiveExamined:
    """Look at every row; a large database takes a while."""
    damage = []
    for what, question in _WRONG:
        if count := int(database.rows(question)[0][0]):
            damage.append(f"{count} {what}")
    contents = wrong = last = 0
    while True:
        rows = database.rows(
            "SELECT id, digest, body FROM live_content WHERE id > ? ORDER BY id LIMIT ?", (last, _AT_ONCE)
        )
        for _, digest, body in rows:
            contents += 1
            wrong += not _is_whole(bytes(digest), body)
        if len(rows) < _AT_ONCE:
            break
        last = rows[-1][0]
    if wrong:
        damage.append(f"{wrong} contents are not what their digests say")
    counts = [int(database.rows(f"SELECT COUNT(*) FROM {table}")[0][0]) for table in ("live_object", "live_version")]  # ruff: ignore[hardcoded-sql-expression] - names of ours
    return LiveExamined(counts[0], counts[1], contents, tuple(damage))


def _is_whole(digest: bytes, body: bytes) -> bool:
    try:
        return hashlib.sha256(zlib.decompress(body)).digest() == digest
    except zlib.error:
        return False
