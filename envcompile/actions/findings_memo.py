"""What is remembered of units that were checked: beside the memo of units, and safe to lose like it.

Findings are kept with their places, before anybody graded them or set one aside, and with them what rules about
several resources look at. No value of a Secret is in either: rules never see one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from envcompile.check.finding import Severity  # ruff: ignore[typing-only-first-party-import] - records are read by their types
from envcompile.model import Location, Pointer, ResourceId  # ruff: ignore[typing-only-first-party-import] - as above
from envcompile.units.memo import FOLDER, read_checked, write_checked
from envcompile.units.shards import Shards, shard_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_GENERATIONS = 8
"""A unit that so many checks did not meet is forgotten."""


class Found(NamedTuple):
    """What a rule found in one resource, with its place, before it is graded."""

    rule: str
    resource: ResourceId
    severity: Severity | None
    """The hit's own grade, where it differs from the rule's."""
    field: str
    what: str
    fix: str
    fingerprint: str
    where: Location | None
    mends: bool = False
    """True when `envc fix` has an answer for it."""


class Aside(NamedTuple):
    """One entry of a resource's annotation that sets findings aside."""

    resource: ResourceId
    rule: str
    reason: str
    field: str
    where: Location | None


class Fact(NamedTuple):
    """What rules about several resources see of one."""

    origin: tuple[int, str, int, int]
    id: ResourceId
    app: str
    value: dict[str, Any]


class RawHit(NamedTuple):
    """A hit as it is kept until its place is asked for."""

    rule: str
    resource: ResourceId
    pointer: Pointer
    what: str
    fix: str
    severity: Severity | None
    value: str
    """As JSON."""
    beside: tuple[Pointer, ...]


def packed(facts: Sequence[Fact]) -> bytes | None:
    """Facts as they are kept; None for values that cannot be."""
    try:
        return msgspec.msgpack.encode(facts)
    except (OverflowError, TypeError, UnicodeEncodeError, RecursionError):
        return None


def packed_kinds(kinds: Iterable[tuple[str, str]]) -> bytes:
    """Groups and kinds as they are kept."""
    return msgspec.msgpack.encode(sorted({*kinds}))


def kinds_in(units: Iterable[CheckedUnit]) -> set[tuple[str, str]]:
    """Group and kind of the resources of some units."""
    several = {unit.kinds for unit in units}
    return {kind for one in several for kind in msgspec.msgpack.decode(one, type=list[tuple[str, str]])}


def hits_in(data: bytes) -> list[RawHit]:
    """Hits that were kept, one a line."""
    return msgspec.json.Decoder(RawHit).decode_lines(data)


def packed_found(found: Sequence[Found]) -> bytes:
    """What rules found as it is kept: few ask for it again."""
    return msgspec.msgpack.encode(found) if found else b""


class Details(msgspec.Struct, array_like=True):
    """What was found in one unit: after one change nobody asks for that of others."""

    alone: bytes = b""
    """What rules found that look at one resource, packed."""
    asides: tuple[Aside, ...] = ()
    bodies: tuple[tuple[int, str], ...] | None = None
    """Resources with fields that must stay: their number in the unit, and git's name of a text that says of these what
    they say, empty where none is known; None until there is an older state to hold them against."""
    joint: bytes = b""
    """What rules about several resources found, packed."""
    joint_of: str = ""
    """The digests of the hits that `joint` are the places of."""


class CheckedUnit(msgspec.Struct, array_like=True):
    """What the checks have to know about one unit each time."""

    app: str
    unknown: tuple[str, ...]
    """Kinds that no schema is known of."""
    facts: str
    """The digest of what rules about several resources look at."""
    kinds: bytes
    """Group and kind of its resources, each once, packed: most units have the same."""
    joint_of: str = ""
    """Of its details."""
    changes: bytes = b""
    """What cannot be made of the older state that the pack names, packed."""
    age: int = 0


def found_in(parts: Iterable[bytes]) -> Iterator[Found]:
    """What rules found, of what `packed_found` gave."""
    for data in parts:
        if data:
            yield from _FOUND.decode(data)


_FOUND: Final = msgspec.msgpack.Decoder(list[Found])


_DETAILS: Final = msgspec.msgpack.Decoder(Details)


class _Pack(msgspec.Struct, array_like=True):
    tool: str
    units: dict[str, CheckedUnit]
    joint: dict[str, tuple[str, dict[str, str]]] = {}
    """What rules about several resources see -> a digest of it, and those of what they found by application."""
    older: str = ""
    """The name of the older state that `changes` of all units were held against."""
    beside: tuple[list[int], list[int], list[int]] = ([], [], [])
    """The numbers of the files beside this one: without one of them nothing is known."""


class FindingsMemo:
    """What is remembered of one environment's findings.

    What is looked at each time is in one file; what was found, and what rules about several resources look at, are by
    application in others.

    Args:
        root: the project's folder; nothing is remembered without one.
        environment: the environment's name.
        tool: names this version of envc: what another one remembers does not count.
    """

    def __init__(self, root: Path | None, environment: str, tool: str) -> None:
        folder = root / FOLDER if root is not None else None
        self._file = folder / f"findings-{environment}" if folder is not None else None
        self._details = Shards(folder, f"found-{environment}", tool)
        self._facts = Shards(folder, f"facts-{environment}", tool)
        self._hits = Shards(folder, f"hits-{environment}", tool)
        self._tool = tool
        self._pack = self._load()
        self._used: set[str] = set()
        self._known_facts: set[str] | None = None
        self._changed = False

    @property
    def older(self) -> str:
        """The name of the older state that all units were held against."""
        return self._pack.older

    def get(self, key: str) -> CheckedUnit | None:
        """What is remembered of a unit; None when it is nothing."""
        found = self._pack.units.get(key)
        if found is not None:
            self._used.add(key)
        return found

    def put(self, key: str, unit: CheckedUnit) -> None:
        """Remember a unit; `save` keeps it."""
        self._pack.units[key] = unit
        self._used.add(key)
        self._changed = True

    def details(self, key: str, unit: CheckedUnit) -> Details | None:
        """What was found in a unit; None when it is lost."""
        data = self._details.get(unit.app, key)
        try:
            found = _DETAILS.decode(data) if data is not None else None
        except (msgspec.MsgspecError, RecursionError):
            return None
        return found if found is not None and found.joint_of == unit.joint_of else None

    def put_details(self, key: str, app: str, details: Details) -> None:
        """Remember what was found in a unit; `save` keeps it."""
        self._details.put(app, key, msgspec.msgpack.encode(details))
        self._changed = True

    def facts(self, unit: CheckedUnit) -> list[Fact] | None:
        """What rules about several resources look at of a unit; None when it is not known."""
        data = self._facts.get(unit.app, unit.facts)
        try:
            return msgspec.msgpack.decode(data, type=list[Fact]) if data is not None else None
        except (msgspec.MsgspecError, RecursionError):
            return None

    def put_facts(self, unit: CheckedUnit, facts: bytes) -> None:
        """Remember what rules about several resources look at of a unit, unless it is as it was; `save` keeps it."""
        if self._known_facts is None:
            self._known_facts = {one.facts for one in self._pack.units.values()}
        if unit.facts not in self._known_facts:
            self._known_facts.add(unit.facts)
            self._facts.put(unit.app, unit.facts, facts)

    def joint(self, sight: str, digest: str) -> dict[str, str] | None:
        """The digests of what rules about several resources found, by application; None when it was in something else.

        Args:
            sight: what these rules see of each resource.
            digest: of all of it.
        """
        known, found = self._pack.joint.get(sight, ("", {}))
        return found if known == digest else None

    def hits(self, sight: str, app: str) -> bytes:
        """What rules about several resources found in an application, without places; nothing where it is lost."""
        return self._hits.get(app, f"{sight} {app}") or b""

    def put_joint(self, sight: str, digest: str, digests: dict[str, str], found: Mapping[str, bytes]) -> None:
        """Remember what rules about several resources found; `save` keeps it."""
        _, before = self._pack.joint.get(sight, ("", {}))
        for app, hits in found.items():
            if before.get(app) != digests[app]:
                self._hits.put(app, f"{sight} {app}", hits)
        self._pack.joint[sight] = (digest, digests)
        self._changed = True

    def put_older(self, older: str) -> None:
        """Remember what all units were held against."""
        if self._pack.older != older:
            self._pack.older = older
            self._changed = True

    def save(self) -> None:
        """Keep what was learnt; a folder that cannot be written is no error."""
        if self._file is None or not self._changed:
            return
        kept = {}
        for key, unit in self._pack.units.items():
            unit.age = 0 if key in self._used else unit.age + 1
            if unit.age < _GENERATIONS:
                kept[key] = unit
        self._pack.units = kept
        facts = {unit.facts for unit in kept.values()}
        hits = {f"{sight} {app}" for sight, (_, digests) in self._pack.joint.items() for app in digests}
        for shards, wanted in ((self._details, kept), (self._facts, facts), (self._hits, hits)):
            shards.save(wanted.__contains__)
        own = sorted({shard_of(unit.app) for unit in kept.values()})
        spoken = sorted({shard_of(app) for _, digests in self._pack.joint.values() for app in digests})
        self._pack.beside = (own, own, spoken)
        write_checked(self._file, msgspec.msgpack.encode(self._pack))
        self._changed = False

    def _load(self) -> _Pack:
        data = read_checked(self._file) if self._file is not None else None
        if data is not None:
            try:
                found = msgspec.msgpack.decode(data, type=_Pack)
            except msgspec.MsgspecError:
                pass
            else:
                series = (self._details, self._facts, self._hits)
                if found.tool == self._tool and all(map(Shards.are_there, series, found.beside)):
                    return found
        return _Pack(self._tool, {})
