"""What runs in clusters, written: every version of every object once, with the time from which it held.

A version is never overwritten: the next one ends it. An object that goes keeps its rows and gets the time of its going.
What a batch brings and where the watcher is after it are one transaction, so a watcher that is killed at any moment
goes on where the database is. Times are microseconds since 1970.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.files import lock
from envcompile.history import bulk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from contextlib import ExitStack

    from envcompile.history.database import Database


_OBJECT: Final = bulk.Columns(
    "live_object",
    {
        "kind_id": "integer",
        "uid": "text",
        "namespace": "text",
        "name": "text",
        "owner": "text",
        "created_at": "bigint",
        "first_seen": "bigint",
        "resource_version": "text",
        "managers": "bytea",
    },
)
_STATE: Final = bulk.Columns("live_object", {"resource_version": "text", "gone_at": "bigint", "id": "bigint"})
_GONE: Final = bulk.Columns("live_object", {"gone_at": "bigint", "id": "bigint"})
_CONTENT: Final = bulk.Columns("live_content", {"digest": "bytea", "size": "integer", "body": "bytea"})
_ENDED: Final = bulk.Columns("live_version", {"valid_to": "bigint", "object_id": "bigint"})
_VERSION: Final = bulk.Columns(
    "live_version",
    {
        "object_id": "bigint",
        "valid_from": "bigint",
        "valid_to": "bigint",
        "content_id": "bigint",
        "resource_version": "text",
    },
)
_FIELD: Final = bulk.Columns(
    "live_field",
    {
        "version_id": "bigint",
        "field": "text",
        "how": "text",
        "manager": "text",
        "operation": "text",
        "written_at": "text",
    },
)
_OPEN: Final = "valid_to IS NULL"
_WATCHERS: Final = 0x656E7677
"""The PostgreSQL advisory locks of watchers, one for each cluster."""


class KindName(NamedTuple):
    """A kind as the tables know it: in all of its versions."""

    group: str
    plural: str
    kind: str
    short_names: str
    """With commas between them."""


class Seen(NamedTuple):
    """An object as a watcher saw it."""

    uid: str
    namespace: str
    name: str
    resource_version: str
    created: int
    owner: str
    body: bytes
    """Its JSON text; empty for an object that is gone."""
    digest: bytes
    managers: bytes
    """The JSON text of its `managedFields`."""
    is_gone: bool
    value: Any
    """What whoever compares it with the version before needs of it."""


class FieldOf(NamedTuple):
    """A field that a version changed, and who wrote it."""

    field: str
    how: str
    manager: str
    operation: str
    at: str


class Written(NamedTuple):
    """What a batch came to."""

    created: int
    changed: int
    gone: int
    same: int
    """Objects that were known as they are, or that differ in nothing that is kept."""

    def plus(self, other: Written) -> Written:
        """Both."""
        return Written(*(left + right for left, right in zip(self, other, strict=True)))


class _TakenError(Exception):
    """Somebody else holds the lock."""


def _refuse() -> None:
    raise _TakenError


class _Known(NamedTuple):
    number: int
    resource_version: str
    gone_at: int | None
    content: int | None
    last: int
    """When its newest version began, or ended."""


class LiveStore:
    """The tables of clusters in an open history database."""

    __slots__ = ("_database", "_kinds")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kinds: dict[tuple[int, KindName], int] = {}

    @property
    def database(self) -> Database:
        """The connection."""
        return self._database

    def cluster(self, name: str, server: str, now: int) -> int:
        """The number of a cluster; one that is new gets one."""
        with self._database.writing():
            self._database.run(
                "INSERT INTO live_cluster (name, server, seen_at) VALUES (?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET server = excluded.server, seen_at = excluded.seen_at",
                (name, server, now),
            )
        return int(self._database.rows("SELECT id FROM live_cluster WHERE name = ?", (name,))[0][0])

    def take(self, cluster: int, held: ExitStack) -> bool:
        """Be the only one who writes a cluster, until the connection is closed; False when somebody else is.

        Two watchers that are not equally far would store what was as what came after.

        Args:
            cluster: its number.
            held: gives it back where the database has no locks of its own.
        """
        if not self._database.is_sqlite:
            question = "SELECT pg_try_advisory_lock(?, ?)"
            return bool(self._database.rows(question, (_WATCHERS, cluster))[0][0])
        try:
            held.enter_context(lock(Path(f"{self._database.name}.watch-{cluster}"), waiting=_refuse))
        except _TakenError:
            return False
        return True

    def positions(self, cluster: int) -> dict[tuple[str, str, str], str]:
        """Where the last watcher came to: by group, plural and namespace."""
        rows = self._database.rows(
            "SELECT k.api_group, k.plural, p.namespace, p.resource_version FROM live_position p "
            "JOIN live_kind k ON k.id = p.kind_id WHERE k.cluster_id = ?",
            (cluster,),
        )
        return {(row[0], row[1], row[2]): row[3] for row in rows if row[3]}

    def write(
        self,
        cluster: int,
        kind: KindName,
        seen: Sequence[Seen],
        *,
        now: int,
        compare: Callable[[bytes, Seen], list[FieldOf]],
        position: str | None = None,
        namespace: str = "",
        everything: Collection[str] | None = None,
    ) -> Written:
        """Store what was seen of a kind, all or nothing.

        Args:
            cluster: its number.
            kind: the kind.
            seen: objects in the order of the server; one may be there several times.
            now: when it was seen.
            compare: the fields in which an object differs from the text of the version before.
            position: where to go on from afterwards; empty when that is not known, None when it is as before.
            namespace: the one that is watched; all when empty.
            everything: the uids of all objects that there are; what else is known as there is gone.
        """
        with self._database.writing():
            number = self._kind(cluster, kind)
            written = self._write(number, seen, now, compare) if seen else Written(0, 0, 0, 0)
            if everything is not None:
                written = written.plus(Written(0, 0, self._sweep(number, namespace, everything, now), 0))
            if position is not None:
                self._database.run(
                    "INSERT INTO live_position (kind_id, namespace, resource_version) VALUES (?, ?, ?) "
                    "ON CONFLICT (kind_id, namespace) DO UPDATE SET resource_version = excluded.resource_version",
                    (number, namespace, position),
                )
        return written

    def drop(self, cluster: int, kind: KindName, now: int) -> int:
        """Let every object of a kind be gone, because the kind is; how many there were."""
        with self._database.writing():
            number = self._kind(cluster, kind)
            gone = self._sweep(number, "", (), now)
            self._database.run("DELETE FROM live_position WHERE kind_id = ?", (number,))
        return gone

    def forget(self) -> None:
        """Numbers may be of rows that were taken back: ask for them anew."""
        self._kinds.clear()

    def _kind(self, cluster: int, kind: KindName) -> int:
        if (number := self._kinds.get((cluster, kind))) is not None:
            return number
        self._database.run(
            "INSERT INTO live_kind (cluster_id, api_group, plural, kind, short_names) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (cluster_id, api_group, plural) DO UPDATE SET short_names = excluded.short_names",
            (cluster, *kind),
        )
        query = "SELECT id FROM live_kind WHERE cluster_id = ? AND api_group = ? AND plural = ?"
        number = int(self._database.rows(query, (cluster, kind.group, kind.plural))[0][0])
        self._kinds[cluster, kind] = number
        return number

    def _write(
        self, kind: int, seen: Sequence[Seen], now: int, compare: Callable[[bytes, Seen], list[FieldOf]]
    ) -> Written:
        known = self._known(kind, {one.uid for one in seen})
        missing: dict[str, Seen] = {}
        for one in seen:
            if one.uid not in known and not one.is_gone:
                missing.setdefault(one.uid, one)
        bulk.insert(
            self._database,
            _OBJECT,
            [
                (kind, one.uid, one.namespace, one.name, one.owner, one.created, now, "", zlib.compress(one.managers))
                for one in missing.values()
            ],
        )
        if missing:
            known |= self._known(kind, missing.keys())
        contents = self._contents(one for one in seen if not one.is_gone)
        bodies = self._bodies({one.content for one in known.values() if one.content is not None})
        bodies |= {contents[one.digest]: one.body for one in seen if not one.is_gone}
        versions = _Versions()
        fields: dict[tuple[int, int], list[FieldOf]] = {}
        created = changed = gone = same = 0
        for one in seen:
            old = known.get(one.uid)
            if old is None:  # it went before it was ever seen
                same += 1
                continue
            moment = max(now, old.last + 1)
            if one.is_gone:
                if old.gone_at is None and old.content is not None:
                    versions.end(old.number, moment)
                    known[one.uid] = _Known(old.number, one.resource_version, moment, None, moment)
                    gone += 1
                continue
            content = contents[one.digest]
            if old.content is not None and (old.resource_version == one.resource_version or old.content == content):
                known[one.uid] = old._replace(resource_version=one.resource_version)
                same += 1
                continue
            if old.content is not None:
                versions.end(old.number, moment)
                fields[old.number, moment] = compare(bodies[old.content], one)
                changed += 1
            else:
                created += 1
            versions.begin(old.number, moment, content, one.resource_version)
            known[one.uid] = _Known(old.number, one.resource_version, None, content, moment)
        self._write_versions(versions, fields)
        states = [(one.resource_version, one.gone_at, one.number) for one in known.values()]
        bulk.update(self._database, _STATE, "id", states)
        return Written(created, changed, gone, same)

    def _known(self, kind: int, uids: Collection[str]) -> dict[str, _Known]:
        """What is known of objects, with the content of those that are there."""
        rows = self._database.rows_in(
            "SELECT o.uid, o.kind_id, o.id, o.resource_version, o.gone_at, o.first_seen, v.content_id, v.valid_from "
            "FROM live_object o LEFT JOIN live_version v ON v.object_id = o.id AND v.valid_to IS NULL WHERE o.uid",
            uids,
        )
        return {
            row[0]: _Known(row[2], row[3], row[4], row[6], row[7] or row[4] or row[5] - 1)
            for row in rows
            if row[1] == kind
        }

    def _contents(self, seen: Iterable[Seen]) -> dict[bytes, int]:
        """The numbers of contents, each stored once."""
        wanted = {one.digest: one.body for one in seen}
        held = self._numbers_of(wanted)
        rows = [(digest, len(body), zlib.compress(body, 6)) for digest, body in wanted.items() if digest not in held]
        bulk.insert(self._database, _CONTENT, rows)
        return held if len(held) == len(wanted) else self._numbers_of(wanted)

    def _numbers_of(self, digests: Collection[bytes]) -> dict[bytes, int]:
        rows = self._database.rows_in("SELECT digest, id FROM live_content WHERE digest", digests)
        return {bytes(row[0]): row[1] for row in rows}

    def _bodies(self, numbers: Collection[int]) -> dict[int, bytes]:
        rows = self._database.rows_in("SELECT id, body FROM live_content WHERE id", numbers)
        return {row[0]: zlib.decompress(row[1]) for row in rows}

    def _write_versions(self, versions: _Versions, fields: Mapping[tuple[int, int], list[FieldOf]]) -> None:
        database = self._database
        bulk.update(
            database, _ENDED, "object_id", [(moment, number) for number, moment in versions.ended.items()], _OPEN
        )
        bulk.insert(database, _VERSION, versions.rows)
        told = {place for place, found in fields.items() if found}
        if not told:
            return
        rows = database.rows_in(
            "SELECT id, object_id, valid_from FROM live_version WHERE valid_from >= ? AND object_id",
            {number for number, _ in told},
            [min(moment for _, moment in told)],
        )
        numbers = {(row[1], row[2]): row[0] for row in rows}
        bulk.insert(database, _FIELD, [(numbers[place], *field) for place in told for field in fields[place]])

    def _sweep(self, kind: int, namespace: str, everything: Collection[str], now: int) -> int:
        """Let objects be gone that a whole list does not have."""
        within, arguments = (" AND namespace = ?", (namespace,)) if namespace else ("", ())
        rows = self._database.rows(
            f"SELECT id, uid FROM live_object WHERE kind_id = ? AND gone_at IS NULL{within}",  # ruff: ignore[hardcoded-sql-expression] - a constant
            (kind, *arguments),
        )
        there = set(everything)
        gone = [row[0] for row in rows if row[1] not in there]
        last = {
            row[0]: row[1]
            for row in self._database.rows_in(
                "SELECT object_id, valid_from FROM live_version WHERE valid_to IS NULL AND object_id", gone
            )
        }
        moments = {number: max(now, last.get(number, 0) + 1) for number in gone}
        ended = [(moment, number) for number, moment in moments.items()]
        bulk.update(self._database, _ENDED, "object_id", ended, _OPEN)
        bulk.update(self._database, _GONE, "id", ended)
        return len(gone)


class _Versions:
    """Versions that a batch ends and begins; those that it does both with are written once."""

    def __init__(self) -> None:
        self.ended: dict[int, int] = {}
        self.rows: list[list[Any]] = []
        self._open: dict[int, list[Any]] = {}

    def begin(self, number: int, moment: int, content: int, resource_version: str) -> None:
        """An object has this content from now on."""
        row = [number, moment, None, content, resource_version]
        self.rows.append(row)
        self._open[number] = row

    def end(self, number: int, moment: int) -> None:
        """What an object was it is no more."""
        if (row := self._open.pop(number, None)) is not None:
            row[2] = moment
        else:
            self.ended[number] = moment
