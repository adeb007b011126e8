"""What was recorded, read: commits, revisions, and the state of an environment at each of them.

A revision holds what differs from its base, the revision of its commit's first parent; without a base it holds all.
"""

from __future__ import annotations

import json
import zlib
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from envcompile.history.database import damaged
from envcompile.history.records import FieldRow, Held, Revision
from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Collection

    from envcompile.git.repository import Commit
    from envcompile.history.database import Database
    from envcompile.history.records import State

_STATES = """
WITH RECURSIVE chain(start, id, base_id, depth) AS (
  SELECT id, id, base_id, 0 FROM revision WHERE id IN ({})
  UNION ALL
  SELECT chain.start, revision.id, revision.base_id, depth + 1 FROM revision JOIN chain ON revision.id = chain.base_id
)
SELECT chain.start, x.environment_id, x.id, x.api_group, x.kind, x.namespace, x.name, k.id, k.digest, h.file FROM chain
JOIN resource_change h ON h.revision_id = chain.id JOIN resource x ON x.id = h.resource_id
LEFT JOIN content k ON k.id = h.content_id ORDER BY chain.depth
"""
_MOST_STATES = 64
"""States that are kept at hand: those of a commit and of its parent, in every environment."""


class HistoryReader:
    """The tables of an open history database, as far as they are read."""

    __slots__ = ("_database", "_numbers", "_states")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._states: dict[int, State] = {}
        self._numbers: dict[tuple[int, ResourceId], int] = {}

    @property
    def database(self) -> Database:
        """The connection."""
        return self._database

    def known(self) -> set[str]:
        """The hashes of all commits that were recorded."""
        return {row[0] for row in self._database.rows("SELECT hash FROM recorded_commit")}

    def recorded(self, hashes: Collection[str]) -> set[str]:
        """Those of the commits that were recorded."""
        return {row[0] for row in self._database.rows_in("SELECT hash FROM recorded_commit WHERE hash", hashes)}

    def recorded_at(self, hashes: Collection[str]) -> dict[str, tuple[int, int]]:
        """When commits were recorded, in seconds since 1970, and their numbers, which rise."""
        rows = self._database.rows_in("SELECT hash, recorded_at, id FROM recorded_commit WHERE hash", hashes)
        return {row[0]: (row[1], row[2]) for row in rows}

    def children(self, parent: str) -> list[str]:
        """The recorded commits whose first parent a commit is."""
        return [
            row[0] for row in self._database.rows("SELECT hash FROM recorded_commit WHERE first_parent = ?", (parent,))
        ]

    def commits(self, hashes: Collection[str]) -> dict[str, Commit]:
        """The facts of recorded commits."""
        from envcompile.git.repository import Commit

        found = {}
        query = (
            "SELECT hash, parents, author_name, author_email, authored_at, committer_name, committer_email, "
            "committed_at, message FROM recorded_commit WHERE hash"
        )
        for row in self._database.rows_in(query, hashes):
            found[row[0]] = Commit(row[0], tuple(row[1].split()), *row[2:])
        return found

    def environments(self) -> list[str]:
        """The environments that were ever recorded."""
        return [row[0] for row in self._database.rows("SELECT name FROM environment ORDER BY name")]

    def revisions(self, environment: str) -> dict[str, Revision]:
        """Commit -> its revision of an environment."""
        rows = self._database.rows(
            "SELECT r.id, c.hash, r.base_id, r.digest, r.resources, r.problem FROM revision r "
            "JOIN recorded_commit c ON c.id = r.commit_id JOIN environment e ON e.id = r.environment_id "
            "WHERE e.name = ? ORDER BY r.id",
            (environment,),
        )
        return {row[1]: Revision(row[0], row[1], environment, row[2], bytes(row[3]), row[4], row[5]) for row in rows}

    def revisions_of(self, commit: str) -> dict[str, Revision]:
        """Environment -> its revision at a commit."""
        rows = self._database.rows(
            "SELECT r.id, e.name, r.base_id, r.digest, r.resources, r.problem FROM revision r "
            "JOIN recorded_commit c ON c.id = r.commit_id JOIN environment e ON e.id = r.environment_id "
            "WHERE c.hash = ? ORDER BY e.id",
            (commit,),
        )
        return {row[1]: Revision(row[0], commit, row[1], row[2], bytes(row[3]), row[4], row[5]) for row in rows}

    def inputs_and_tool(self, commit: str) -> tuple[str, str]:
        """The digest of what had a say in a recorded commit, and the version of envc that compiled it."""
        rows = self._database.rows("SELECT inputs, tool FROM recorded_commit WHERE hash = ?", (commit,))
        return (rows[0][0], rows[0][1]) if rows else ("", "")

    def state(self, revision: int) -> State:
        """What an environment holds at a revision."""
        if revision not in self._states:
            self.load_states([revision])
        return self._states[revision]

    def load_states(self, revisions: Collection[int]) -> None:
        """Read several states at once; asking for them costs nothing afterwards."""
        missing = [revision for revision in revisions if revision not in self._states]
        if not missing:
            return
        seen: dict[int, dict[int, Held | None]] = {revision: {} for revision in missing}
        identities: dict[int, ResourceId] = {}
        # Most rows of a long history are of what was changed again since.
        for row in self._database.rows(_STATES.format(", ".join("?" * len(missing))), missing):
            state, number = seen[row[0]], row[2]
            if number in state:
                continue
            state[number] = Held(row[7], bytes(row[8]), row[9]) if row[7] is not None else None
            if number not in identities:
                known = identities[number] = ResourceId(*row[3:7])
                self._numbers[row[1], known] = number
        for revision, state in seen.items():
            held = [(identities[number], item) for number, item in state.items() if item is not None]
            self._remember(revision, dict(sorted(held, key=itemgetter(0))))

    def values(self, contents: Collection[int]) -> dict[int, Any]:
        """The resources with these contents.

        Raises:
            UnavailableError: they are not what was recorded.
        """
        try:
            return {number: json.loads(body) for number, body in self.bodies(contents).items()}
        except ValueError as error:
            raise damaged(self._database.name, "a content is no JSON") from error

    def bodies(self, contents: Collection[int]) -> dict[int, bytes]:
        """The JSON texts of contents.

        Raises:
            UnavailableError: they are not what was recorded.
        """
        rows = self._database.rows_in("SELECT id, body FROM content WHERE id", contents)
        try:
            return {row[0]: zlib.decompress(row[1]) for row in rows}
        except zlib.error as error:
            raise damaged(self._database.name, "a content cannot be unpacked") from error

    def field_rows(self, revision: int) -> list[FieldRow]:
        """The fields that a revision changed in resources that were there before."""
        rows = self._database.rows(
            "SELECT x.api_group, x.kind, x.namespace, x.name, f.field, f.how, f.old, f.new, f.place "
            "FROM field_change f JOIN resource x ON x.id = f.resource_id WHERE f.revision_id = ? ORDER BY f.id",
            (revision,),
        )
        return [FieldRow(ResourceId(*row[:4]), *row[4:]) for row in rows]

    def orphans(self, parent: str) -> dict[str, list[Revision]]:
        """Environment -> the revisions of a commit's children that were recorded before it, hence hold all."""
        rows = self._database.rows(
            "SELECT r.id, c.hash, e.name, r.digest, r.resources, r.problem FROM revision r "
            "JOIN recorded_commit c ON c.id = r.commit_id JOIN environment e ON e.id = r.environment_id "
            "WHERE c.first_parent = ? AND r.base_id IS NULL",
            (parent,),
        )
        found: dict[str, list[Revision]] = {}
        for row in rows:
            revision = Revision(row[0], row[1], row[2], None, bytes(row[3]), row[4], row[5])
            found.setdefault(row[2], []).append(revision)
        return found

    def _remember(self, revision: int, state: State) -> None:
        if len(self._states) >= _MOST_STATES:
            del self._states[next(iter(self._states))]
        self._states[revision] = state
