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

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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


def hits_in(data: bytes) -> list[RawHit]:
    """Hits that were kept, one a line."""
    return msgspec.json.Decoder(RawHit).decode_lines(data)


def packed_found(found: Sequence[Found]) -> bytes:
    """What rules found as it is kept: few ask for it again."""
    return msgspec.msgpack.encode(found) if found else b""


class CheckedUnit(msgspec.Struct, array_like=True):
    """What the checks have to say about one unit as it is."""

    app: str
    alone: bytes
    """What rules found that look at one resource, packed."""
    asides: tuple[Aside, ...]
    unknown: tuple[str, ...]
    """Kinds that no schema is known of."""
    facts: str
    """The digest of what rules about several resources look at."""
    kinds: tuple[tuple[str, str], ...]
    """Group and kind of its resources, each once."""
    bodies: tuple[tuple[int, str], ...] | None = None
    """Resources with fields that must stay: their number in the unit, and git's name of a text that says of these what
    they say, empty where none is known; None until there is an older state to hold them against."""
    joint: bytes = b""
    """What rules about several resources found, packed."""
    joint_of: str = ""
    """The digest of the hits that `joint` are the places of."""
    changes: bytes = b""
    """What cannot be made of the older state that the pack names, packed."""
    age: int = 0

    def found(self) -> Iterator[Found]:
        """All that rules found."""
        for data in (self.alone, self.joint, self.changes):
            if data:
                yield from _FOUND.decode(data)


_FOUND: Final = msgspec.msgpack.Decoder(list[Found])


class _Pack(msgspec.Struct, array_like=True):
    tool: str
    units: dict[str, CheckedUnit]
    joint: dict[str, tuple[str, dict[str, bytes]]] = {}
    """What rules about several resources see -> a digest of it, and what they found by application, without places."""
    older: str = ""
    """The name of the older state that `changes` of all units were held against."""


class _Facts(msgspec.Struct, array_like=True):
    tool: str
    facts: dict[str, bytes]


class FindingsMemo:
    """What is remembered of one environment's findings.

    Args:
        root: the project's folder; nothing is remembered without one.
        environment: the environment's name.
        tool: names this version of envc: what another one remembers does not count.
    """

    def __init__(self, root: Path | None, environment: str, tool: str) -> None:
        folder = root / FOLDER if root is not None else None
        self._file = folder / f"findings-{environment}" if folder is not None else None
        self._facts_file = folder / f"facts-{environment}" if folder is not None else None
        self._tool = tool
        self._pack = self._load()
        self._facts: dict[str, bytes] | None = None
        self._used: set[str] = set()
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

    def put(self, key: str, unit: CheckedUnit, facts: bytes | None = None) -> None:
        """Remember a unit; `save` keeps it."""
        self._pack.units[key] = unit
        self._used.add(key)
        if facts is not None:
            self._known_facts()[unit.facts] = facts
        self._changed = True

    def facts(self, digest: str) -> list[Fact] | None:
        """What rules about several resources look at of a unit; None when it is not known."""
        data = self._known_facts().get(digest)
        try:
            return msgspec.msgpack.decode(data, type=list[Fact]) if data is not None else None
        except (msgspec.MsgspecError, RecursionError):
            return None

    def joint(self, sight: str, digest: str) -> dict[str, bytes] | None:
        """What rules about several resources found by application; None when it was in something else.

        Args:
            sight: what these rules see of each resource.
            digest: of all of it.
        """
        known, found = self._pack.joint.get(sight, ("", {}))
        return found if known == digest else None

    def put_joint(self, sight: str, digest: str, found: dict[str, bytes]) -> None:
        """Remember what rules about several resources found; `save` keeps it."""
        self._pack.joint[sight] = (digest, found)
        self._changed = True

    def put_older(self, older: str) -> None:
        """Remember what all units were held against."""
        if self._pack.older != older:
            self._pack.older = older
            self._changed = True

    def save(self) -> None:
        """Keep what was learnt; a folder that cannot be written is no error."""
        if self._file is None or self._facts_file is None or not self._changed:
            return
        kept = {}
        for key, unit in self._pack.units.items():
            unit.age = 0 if key in self._used else unit.age + 1
            if unit.age < _GENERATIONS:
                kept[key] = unit
        self._pack.units = kept
        write_checked(self._file, msgspec.msgpack.encode(self._pack))
        if self._facts is not None:
            wanted = {unit.facts for unit in kept.values()}
            facts = {digest: data for digest, data in self._facts.items() if digest in wanted}
            write_checked(self._facts_file, msgspec.msgpack.encode(_Facts(self._tool, facts)))
        self._changed = False

    def _known_facts(self) -> dict[str, bytes]:
        if self._facts is None:
            self._facts = {}
            data = read_checked(self._facts_file) if self._facts_file is not None else None
            if data is not None:
                try:
                    found = msgspec.msgpack.decode(data, type=_Facts)
                except msgspec.MsgspecError:
                    return self._facts
                if found.tool == self._tool:
                    self._facts = found.facts
        return self._facts

    def _load(self) -> _Pack:
        data = read_checked(self._file) if self._file is not None else None
        if data is not None:
            try:
                found = msgspec.msgpack.decode(data, type=_Pack)
            except msgspec.MsgspecError:
                pass
            else:
                if found.tool == self._tool:
                    return found
        return _Pack(self._tool, {})
