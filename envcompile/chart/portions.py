"""One application in one environment: what a chart knows of its resources, which are looked at when asked for."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any

import msgspec

from envcompile.chart.facts import (
    Facts,  # ruff: ignore[typing-only-first-party-import] - records are read by their types
    Uses,  # ruff: ignore[typing-only-first-party-import] - records are read by their types
    facts_of,
    flatten,
    is_secret,
    json_of,
    may_show,
    uses_of,
)
from envcompile.chart.memory import digest_of, unpacked
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from envcompile.chart.memory import Recollection

    Numbered = Sequence["Portion"] | Mapping[int, "Portion"]
    """Those of all environments, one behind the other, by their numbers."""


class Note(msgspec.Struct, frozen=True, array_like=True):
    """What is remembered of a portion: digests that say whether it is worth to ask for the rest."""

    digest: str
    size: int
    asked: tuple[int, ...]
    uses_digest: str


class _Body(msgspec.Struct, frozen=True, array_like=True):
    facts: tuple[Facts, ...]
    uses: dict[int, Uses]


class Portion:
    """One application in one environment.

    Args:
        key: the digest of all that decides what its resources are; empty when nothing of them may be remembered.
        load: gives (app, resource) pairs.
        is_clear: Secrets there show their values, so that no memo may hold them.
    """

    def __init__(self, key: str, load: Callable[[], Iterable[tuple[str, Any]]], *, is_clear: bool = False) -> None:
        self.key = key
        self.is_clear = is_clear
        self.asked: tuple[int, ...] = ()
        """The resources of which somebody wanted to know what they say of others."""
        self._load = load
        self._values: list[dict[str, Any]] | None = None
        self._note: Note | None = None
        self._known: Recollection | None = None
        self._facts: tuple[Facts, ...] | None = None
        self._uses: dict[int, Uses] = {}
        self._size = 0

    @property
    def values(self) -> list[dict[str, Any]]:
        """The resources; items of lists one by one."""
        if self._values is None:
            self._read()
        return self._values or []

    @property
    def facts(self) -> tuple[Facts, ...]:
        """What is known of each resource."""
        if self._facts is None:
            self._unpack()
        if self._facts is None:
            self._read()
        return self._facts or ()

    @property
    def size(self) -> int:
        """How long the resources are as JSON, in bytes."""
        if self._note is not None:
            return self._note.size
        if not self._size:
            self._size = sum(len(json_of(value)) for value in self.values)
        return self._size

    @property
    def digest(self) -> str:
        """The digest of what is known of each resource."""
        if self._note is not None:
            return self._note.digest
        return digest_of(self.facts)

    @property
    def uses_digest(self) -> str:
        """The digest of what the resources that are asked for say of others."""
        if self._note is not None and self._note.asked == self.asked:
            return self._note.uses_digest
        return digest_of([self.uses(position) for position in self.asked])

    @property
    def note(self) -> Note:
        """What tells all that is known of it apart."""
        return Note(self.digest, self.size, self.asked, self.uses_digest)

    def uses(self, position: int) -> Uses:
        """What one of them says of others."""
        if position not in self.asked:
            self.asked = tuple(sorted((*self.asked, position)))
        if position not in self._uses:
            self._unpack()
        if position not in self._uses:
            self._uses[position] = uses_of(self.values[position])
        return self._uses[position]

    def recall(self, known: Recollection) -> None:
        """Take what is remembered."""
        self._known = known
        self._note = known.get(f"facts {self.key}" if self.key else "", Note)

    def keep(self, known: Recollection) -> None:
        """Have remembered what was found out."""
        if not self.key or (self._note is not None and self._note.asked == self.asked):
            return
        body = msgspec.msgpack.encode(_Body(self.facts, {at: self.uses(at) for at in self.asked}))
        note = self.note
        if self.key and known.memo is not None:  # it may have turned out that they may not be remembered
            known.put(f"facts {self.key}", note)
            known.memo.put_text(self.key, f"facts {self.key}", body)

    def _unpack(self) -> None:
        if self._note is None or self._facts is not None:
            return
        memo = self._known.memo if self._known is not None else None
        data = memo.text(self.key, f"facts {self.key}") if memo is not None else None
        body = unpacked(data, _Body)
        if body is None:
            self._note = None
            return
        self._facts = body.facts
        self._uses = {**body.uses, **self._uses}

    def _read(self) -> None:
        found = [(app, value) for app, document in self._load() for value in flatten(document)]
        self._values = [value for _, value in found]
        if self._facts is None and self._note is None:
            self._facts = tuple(starmap(facts_of, found))
            if self.is_clear and any(is_secret(facts.key) and may_show(facts) for facts in self._facts):
                self.key = ""


class Held(Record, frozen=True):
    """One resource in one environment."""

    portion: Portion
    position: int
