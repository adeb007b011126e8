"""A Secret as the configuration declares it: its entries, where they come from and where they are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envcompile.model import Location, Pointer

if TYPE_CHECKING:
    from envcompile.secrets.ciphertext import Scope
    from envcompile.secrets.plaintext import Plaintext
    from envcompile.secrets.references import Reference
    from envcompile.secrets.store import ValueId

Where = Callable[[Pointer], Location]
"""Gives the source place of a field of the composed Secret."""
Ignored = Callable[[str], bool]
"""Tells whether git ignores a file of the repository (and does not track it)."""


def _not_ignored(_file: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a field, looked up when somebody asks: a build without a fault never does."""

    where: Where
    pointer: Pointer

    def find(self) -> Location:
        """The location itself."""
        return self.where(self.pointer)


@dataclass(frozen=True, slots=True)
class SecretEntry:
    """One key of a Secret: a reference, a value that is harmless, or a value from a file that git ignores."""

    id: ValueId
    place: Place = field(repr=False, compare=False)
    reference: Reference | None = None
    literal: Plaintext | None = None
    harmless: bool = False

    @property
    def where(self) -> Location:
        """Where the value is written."""
        return self.place.find()


@dataclass(frozen=True, slots=True)
class Declaration:
    """A Secret as the configuration declares it, with everything but its values."""

    environment: str
    name: str
    namespace: str
    scope: Scope
    type: str
    place: Place = field(repr=False, compare=False)
    entries: tuple[SecretEntry, ...]
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict, repr=False)
    immutable: bool | None = None
    allow_empty: frozenset[str] = frozenset()
    sources: tuple[str, ...] = ()
    """The files that have a say in it; the one it is placed in when there are none here."""
    ignored: Ignored = field(default=_not_ignored, repr=False, compare=False)

    @property
    def where(self) -> Location:
        """Where the Secret is written."""
        return self.place.find()

    @property
    def title(self) -> str:
        """How messages name it."""
        return f"environment {self.environment}: Secret/{self.name}"

    @property
    def private(self) -> bool:
        """Whether git ignores every file that declares it, so that nobody else's build knows of it."""
        return all(map(self.ignored, self.sources or (self.where.file,)))

    @property
    def has_private_values(self) -> bool:
        """Whether a value stands in a file that git ignores."""
        return any(entry.literal is not None and not entry.harmless for entry in self.entries)

    @property
    def sealable(self) -> tuple[SecretEntry, ...]:
        """The entries whose values are to be sealed, by key."""
        return tuple(entry for entry in self.entries if not entry.harmless)
