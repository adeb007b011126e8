"""What was recorded, written: commits with their revisions, each content once."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from envcompile.history.reading import HistoryReader
from envcompile.history.records import (
    Content,
    Delta,
    FieldRow,
    Held,
    Revision,
    State,
    content_of,
    delta_of,
    digest_of,
    encode,
    failed,
    unchanged,
)
from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from envcompile.git.repository import Commit
    from envcompile.history.database import Database

__all__ = [
    "Content",
    "Delta",
    "FieldRow",
    "Held",
    "Revision",
    "State",
    "Store",
    "content_of",
    "delta_of",
    "digest_of",
    "encode",
    "failed",
    "unchanged",
]


class Store(HistoryReader):
    """The tables of an open history database."""

    __slots__ = ("_environments",)

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._environments: dict[str, int] = {}

    def write(self, commit: Commit, inputs: str, tool: str, now: int, deltas: Sequence[Delta]) -> bool | None:
        """Record a commit with all its environments, or nothing of it.

        Args:
            commit: the commit.
            inputs: the digest of everything that has a say in what it compiles to.
            tool: the version of envc that compiled it.
            now: seconds since 1970.
            deltas: what it changes in each environment.

        Returns:
            True when it was recorded, False when it had been before, None when the bases are others than those that
            the deltas were made against, because somebody else recorded meanwhile: they must be made again.
        """
        database = self._database
        try:
            with database.writing():
                if database.was_changed_elsewhere():
                    self._forget()
                if database.rows("SELECT 1 FROM recorded_commit WHERE hash = ?", (commit.hash,)):
                    return False
                parent = commit.parents[0] if commit.parents else ""
                bases = self.revisions_of(parent) if parent else {}
                if any(delta.base != bases.get(delta.environment) for delta in deltas):
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
                for delta in deltas:
                    self._write_delta(number, delta)
        except BaseException:
            self._forget()  # numbers may be of rows that were taken back
            raise
        return True

    def adopt(self, child: Revision, base: int, fields: list[FieldRow]) -> None:
        """Let a revision that holds all hold only what differs from a base that was recorded after it."""
        wanted, before = self.state(child.id), self.state(base)
        try:
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
        finally:
            self._forget()

    def _write_delta(self, commit: int, delta: Delta) -> None:
        base = delta.base.id if delta.base is not None else None
        revision = self._insert(
            "revision",
            commit_id=commit,
            environment_id=self._environment(delta.environment),
            base_id=base,
            digest=delta.digest,
            resources=delta.resources,
            problem=delta.problem,
        )
        held = self._keep(delta.changed.values())
        numbers = self._resources(delta.environment, {*delta.changed, *delta.gone})
        rows: list[tuple[Any, ...]] = [
            (revision, numbers[identity], held[content.digest], content.file)
            for identity, content in delta.changed.items()
        ]
        rows += [(revision, numbers[identity], None, "") for identity in delta.gone]
        self._database.run_many("INSERT INTO resource_change VALUES (?, ?, ?, ?)", rows)
        self._write_fields(revision, numbers, delta.fields)
        before = self._states.get(base) if base is not None else {}
        if before is not None:
            news = {
                identity: Held(held[content.digest], content.digest, content.file)
                for identity, content in delta.changed.items()
            }
            gone = {*delta.gone}
            kept = {identity: old for identity, old in before.items() if identity not in gone}
            self._remember(revision, dict(sorted({**kept, **news}.items())) if news or gone else before)

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
        if name not in self._environments:
            rows = self._database.rows("SELECT id FROM environment WHERE name = ?", (name,))
            self._environments[name] = int(rows[0][0]) if rows else self._insert("environment", name=name)
        return self._environments[name]

    def _resources(self, environment: str, wanted: Collection[ResourceId]) -> dict[ResourceId, int]:
        """The numbers of an environment's resources; those that were never there get one."""
        number = self._environment(environment)
        if any((number, identity) not in self._numbers for identity in wanted):
            self._read_numbers(number)
            missing = [identity for identity in wanted if (number, identity) not in self._numbers]
            self._database.run_many(
                "INSERT INTO resource (environment_id, api_group, kind, namespace, name) VALUES (?, ?, ?, ?, ?)",
                [(number, *identity) for identity in missing],
            )
            if missing:
                self._read_numbers(number)
        return {identity: self._numbers[number, identity] for identity in wanted}

    def _read_numbers(self, environment: int) -> None:
        query = "SELECT api_group, kind, namespace, name, id FROM resource WHERE environment_id = ?"
        for row in self._database.rows(query, (environment,)):
            self._numbers[environment, ResourceId(*row[:4])] = row[4]

    def _insert(self, table: str, **columns: Any) -> int:
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id"  # ruff: ignore[hardcoded-sql-expression] - names of ours
        return int(self._database.rows(statement, tuple(columns.values()))[0][0])

    def _forget(self) -> None:
        self._states.clear()
        self._numbers.clear()
        self._environments.clear()
