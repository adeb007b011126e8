"""What was recorded, read and written: commits, revisions, and the state of an environment at each of them.

A revision holds what differs from its base, the revision of its commit's first parent; without a base it holds all.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from envcompile.history.database import Database
    from envcompile.history.repository import Commit

_STATE = """
WITH RECURSIVE chain(id, base_id, depth) AS (
  SELECT id, base_id, 0 FROM revision WHERE id = ?
  UNION ALL
  SELECT revision.id, revision.base_id, depth + 1 FROM revision JOIN chain ON revision.id = chain.base_id
)
SELECT x.api_group, x.kind, x.namespace, x.name, k.id, k.digest, h.file FROM chain
JOIN resource_change h ON h.revision_id = chain.id JOIN resource x ON x.id = h.resource_id
LEFT JOIN content k ON k.id = h.content_id ORDER BY chain.depth
"""


class Held(NamedTuple):
    """One resource in a state: which content it has, and the file it is written to."""

    content: int
    digest: bytes
    file: str


State = dict[ResourceId, Held]


class Content(NamedTuple):
    """One resource to be recorded: its JSON text and the file it is written to."""

    body: bytes
    digest: bytes
    file: str


class Snapshot(NamedTuple):
    """What a commit compiles to in one environment; with a problem it has no contents of its own."""

    environment: str
    contents: Mapping[ResourceId, Content]
    problem: str = ""


class FieldRow(NamedTuple):
    """One field that a revision changed; `old` and `new` are JSON, empty where the field is not there."""

    resource: ResourceId
    field: str
    how: str
    old: str
    new: str
    place: str


class Revision(NamedTuple):
    """One environment at one commit."""

    id: int
    commit: str
    environment: str
    base: int | None
    digest: bytes
    resources: int
    problem: str


def encode(value: Any) -> bytes:
    """A resource as the JSON text that is kept; keys stay in their order, which files show."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def content_of(value: Any, file: str) -> Content:
    """A resource ready to be recorded."""
    body = encode(value)
    return Content(body, hashlib.sha256(body).digest(), file)


def digest_of(contents: Iterable[tuple[ResourceId, bytes, str]]) -> bytes:
    """The digest of a whole environment: of each resource's identity, content and file."""
    total = hashlib.sha256()
    for identity, digest, file in sorted(contents):
        total.update(json.dumps([*identity, digest.hex(), file]).encode())
    return total.digest()


class Store:
    """The tables of an open history database."""

    __slots__ = ("_database", "_states")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._states: dict[int, State] = {}

    @property
    def database(self) -> Database:
        """The connection."""
        return self._database

    def known(self) -> set[str]:
        """The hashes of all commits that were recorded."""
        return {row[0] for row in self._database.rows("SELECT hash FROM recorded_commit")}

    def commits(self, hashes: Collection[str]) -> dict[str, Commit]:
        """The facts of recorded commits."""
        from envcompile.history.repository import Commit

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

    def is_alike(self, commit: str, inputs: str, tool: str) -> bool:
        """Tell whether a recorded commit compiles to the same, because everything that has a say is the same."""
        query = "SELECT 1 FROM recorded_commit WHERE hash = ? AND inputs = ? AND tool = ?"
        return bool(self._database.rows(query, (commit, inputs, tool)))

    def state(self, revision: int) -> State:
        """What an environment holds at a revision."""
        known = self._states.get(revision)
        if known is not None:
            return known
        rows = self._database.rows(
            _STATE,
            (revision,),
        )
        seen: dict[ResourceId, Held | None] = {}
        for group, kind, namespace, name, content, digest, file in rows:
            identity = ResourceId(group, kind, namespace, name)
            if identity not in seen:
                seen[identity] = Held(content, bytes(digest), file) if content is not None else None
        state = {identity: held for identity, held in sorted(seen.items()) if held is not None}
        self._remember(revision, state)
        return state

    def values(self, contents: Collection[int]) -> dict[int, Any]:
        """The resources with these contents."""
        return {number: json.loads(body) for number, body in self.bodies(contents).items()}

    def bodies(self, contents: Collection[int]) -> dict[int, bytes]:
        """The JSON texts of contents."""
        rows = self._database.rows_in("SELECT id, body FROM content WHERE id", contents)
        return {row[0]: zlib.decompress(row[1]) for row in rows}

    def field_rows(self, revision: int) -> list[FieldRow]:
        """The fields that a revision changed in resources that were there before."""
        rows = self._database.rows(
            "SELECT x.api_group, x.kind, x.namespace, x.name, f.field, f.how, f.old, f.new, f.place "
            "FROM field_change f JOIN resource x ON x.id = f.resource_id WHERE f.revision_id = ? ORDER BY f.id",
            (revision,),
        )
        return [FieldRow(ResourceId(*row[:4]), *row[4:]) for row in rows]

    def write(
        self,
        commit: Commit,
        inputs: str,
        tool: str,
        now: int,
        snapshots: Iterable[Snapshot],
        fields: Mapping[str, tuple[int | None, list[FieldRow]]],
    ) -> bool | None:
        """Record a commit with all its environments, or nothing of it.

        Args:
            commit: the commit.
            inputs: the digest of everything that has a say in what it compiles to.
            tool: the version of envc that compiled it.
            now: seconds since 1970.
            snapshots: what it compiles to.
            fields: environment -> the base that its changed fields were found against, and those fields.

        Returns:
            True when it was recorded, False when it had been before, None when a base was recorded meanwhile by
            somebody else, so that the fields must be found again.
        """
        database = self._database
        with database.writing():
            if database.rows("SELECT 1 FROM recorded_commit WHERE hash = ?", (commit.hash,)):
                return False
            parent = commit.parents[0] if commit.parents else ""
            bases = {name: revision.id for name, revision in self.revisions_of(parent).items()} if parent else {}
            if any(base != bases.get(environment) for environment, (base, _) in fields.items()):
                return None
            number = self._insert(
                "recorded_commit",
                hash=commit.hash,
                first_parent=parent,
                parents=" ".join(commit.parents),
                author_name=commit.author_name,
                author_email=commit.author_email,
                authored_at=commit.authored_at,
                committer_name=commit.committer_name,
                committer_email=commit.committer_email,
                committed_at=commit.committed_at,
                message=commit.message,
                tool=tool,
                inputs=inputs,
                recorded_at=now,
            )
            for snapshot in snapshots:
                self._write_snapshot(number, snapshot, bases.get(snapshot.environment), fields[snapshot.environment][1])
        return True

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

    def adopt(self, child: Revision, base: int, fields: list[FieldRow]) -> None:
        """Let a revision that holds all hold only what differs from a base that was recorded after it."""
        wanted, before = self.state(child.id), self.state(base)
        with self._database.writing():
            if self._database.rows("SELECT 1 FROM revision WHERE id = ? AND base_id IS NOT NULL", (child.id,)):
                return
            self._database.run("DELETE FROM resource_change WHERE revision_id = ?", (child.id,))
            changes = {
                identity: held
                for identity, held in wanted.items()
                if identity not in before or before[identity][1:] != held[1:]
            }
            numbers = self._resources(child.environment, {*changes, *(before.keys() - wanted.keys())})
            self._database.run_many(
                "INSERT INTO resource_change VALUES (?, ?, ?, ?)",
                [
                    *((child.id, numbers[identity], held.content, held.file) for identity, held in changes.items()),
                    *((child.id, numbers[identity], None, "") for identity in before.keys() - wanted.keys()),
                ],
            )
            self._write_fields(child.id, numbers, fields)
            self._database.run("UPDATE revision SET base_id = ? WHERE id = ?", (base, child.id))
        self._states.clear()

    def _write_snapshot(self, commit: int, snapshot: Snapshot, base: int | None, fields: list[FieldRow]) -> None:
        before = self.state(base) if base is not None else {}
        contents = snapshot.contents
        if snapshot.problem:
            digest, count = b"", len(before)
            changed: dict[ResourceId, Content] = {}
            gone: set[ResourceId] = set()
        else:
            digest = digest_of((identity, content.digest, content.file) for identity, content in contents.items())
            count = len(contents)
            changed = {
                identity: content
                for identity, content in contents.items()
                if identity not in before or before[identity][1:] != content[1:]
            }
            gone = before.keys() - contents.keys()
        revision = self._insert(
            "revision",
            commit_id=commit,
            environment_id=self._environment(snapshot.environment),
            base_id=base,
            digest=digest,
            resources=count,
            problem=snapshot.problem,
        )
        held = self._keep(changed.values())
        numbers = self._resources(snapshot.environment, {*changed, *gone})
        rows: list[tuple[Any, ...]] = [
            (revision, numbers[identity], held[content.digest], content.file) for identity, content in changed.items()
        ]
        rows += [(revision, numbers[identity], None, "") for identity in gone]
        self._database.run_many("INSERT INTO resource_change VALUES (?, ?, ?, ?)", rows)
        self._write_fields(revision, numbers, fields)

    def _write_fields(self, revision: int, numbers: Mapping[ResourceId, int], fields: Iterable[FieldRow]) -> None:
        self._database.run_many(
            "INSERT INTO field_change (revision_id, resource_id, field, how, old, new, place) VALUES (?,?,?,?,?,?,?)",
            [(revision, numbers[row.resource], *row[1:]) for row in fields],
        )

    def _keep(self, contents: Iterable[Content]) -> dict[bytes, int]:
        """The numbers of contents, each stored once."""
        wanted = {content.digest: content.body for content in contents}
        held = self._numbers_of(wanted)
        self._database.run_many(
            "INSERT INTO content (digest, size, body) VALUES (?, ?, ?)",
            [(digest, len(body), zlib.compress(body, 6)) for digest, body in wanted.items() if digest not in held],
        )
        return held if len(held) == len(wanted) else self._numbers_of(wanted)

    def _numbers_of(self, digests: Collection[bytes]) -> dict[bytes, int]:
        rows = self._database.rows_in("SELECT digest, id FROM content WHERE digest", digests)
        return {bytes(row[0]): row[1] for row in rows}

    def _environment(self, name: str) -> int:
        rows = self._database.rows("SELECT id FROM environment WHERE name = ?", (name,))
        return int(rows[0][0]) if rows else self._insert("environment", name=name)

    def _resources(self, environment: str, wanted: Collection[ResourceId]) -> dict[ResourceId, int]:
        if not wanted:
            return {}
        number = self._environment(environment)
        query = "SELECT api_group, kind, namespace, name, id FROM resource WHERE environment_id = ?"
        found = {ResourceId(*row[:4]): row[4] for row in self._database.rows(query, (number,))}
        missing = [identity for identity in wanted if identity not in found]
        if missing:
            self._database.run_many(
                "INSERT INTO resource (environment_id, api_group, kind, namespace, name) VALUES (?, ?, ?, ?, ?)",
                [(number, *identity) for identity in missing],
            )
            found = {ResourceId(*row[:4]): row[4] for row in self._database.rows(query, (number,))}
        return found

    def _insert(self, table: str, **columns: Any) -> int:
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id"  # ruff: ignore[hardcoded-sql-expression] - names of ours
        return int(self._database.rows(statement, tuple(columns.values()))[0][0])

    def _remember(self, revision: int, state: State) -> None:
        if len(self._states) >= 16:
            del self._states[next(iter(self._states))]
        self._states[revision] = state
