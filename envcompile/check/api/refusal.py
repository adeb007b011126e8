"""What the API server would refuse, and what a validator is told about where it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envcompile.model import Pointer


class Refusal(NamedTuple):
    """One thing the API server would refuse; `pointer` leads to the field, also to one that is missing."""

    pointer: Pointer
    what: str


class Place(NamedTuple):
    """Where a validator looks: the object around the value, its kind, and the Kubernetes version."""

    group: str
    kind: str
    version: str
    """The API version, such as `v1`."""
    root: dict[str, Any]
    pointer: Pointer
    """The way from the object to the value."""
    release: int
    """The minor version of Kubernetes."""
    is_namespaced: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields on the way."""
        return tuple(part for part in self.pointer if isinstance(part, str))


if TYPE_CHECKING:
    Said = Iterator[tuple[Pointer, str]]
    """A field relative to the value looked at, and what is wrong with it."""

    Validator = Callable[[dict[str, Any], Place], Said]
    """Looks at a map of one type of the API."""
