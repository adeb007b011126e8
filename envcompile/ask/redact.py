"""Secrets in a difference: that they changed may be told, what they are may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from envcompile.model import LAST_APPLIED_ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.model import ResourceId

REDACTED = "<redacted>"
_PLACES = {
    ("", "Secret"): (("data",), ("stringData",)),
    ("bitnami.com", "SealedSecret"): (("spec", "encryptedData"), ("spec", "template", "data")),
}
"""Kind -> the maps whose values are secrets."""


class Hidden:
    """A value that can be compared and never seen."""

    __hash__ = None  # type: ignore[assignment]  # a hash of a secret is a digest of it
    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Hidden):
            return NotImplemented
        return type(self._value) is type(other._value) and bool(self._value == other._value)

    def __repr__(self) -> str:
        return REDACTED

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be serialised")

    def reveal(self) -> Any:
        """The value itself, for applying a difference."""
        return self._value


def redacted(identity: ResourceId, value: dict[str, Any]) -> dict[str, Any]:
    """A resource with its secrets hidden; every other resource as it is."""
    places = _PLACES.get((identity.group, identity.kind))
    if places is None:
        return value
    for place in (*places, ("metadata", "annotations")):
        value = _hide(value, place, only=LAST_APPLIED_ANNOTATION if place[0] == "metadata" else None)
    return value


def hides(identity: ResourceId, path: Sequence[Any]) -> bool:
    """Tell whether a field holds a secret.

    Args:
        identity: the resource that has it.
        path: the way to it, by the parts of a pointer or of a field's path.
    """
    places = _PLACES.get((identity.group, identity.kind))
    if places is None:
        return False
    every = (*places, ("metadata", "annotations", LAST_APPLIED_ANNOTATION))
    return any(tuple(path[: len(place)]) == place for place in every)


def _hide(value: Any, place: tuple[str, ...], only: str | None) -> Any:
    if not isinstance(value, dict):
        # Where a map is expected and something else stands, that may be a secret too.
        return Hidden(value) if not place and value is not None else value
    if not place:
        return {key: Hidden(held) if only in {None, key} else held for key, held in value.items()}
    if place[0] not in value:
        return value
    if only is not None and len(place) == 1 and not isinstance(value[place[0]], dict):
        return value
    return {**value, place[0]: _hide(value[place[0]], place[1:], only)}


def shown(value: Any) -> Any:
    """The value with `<redacted>` in the place of everything hidden, fit to be printed."""
    if isinstance(value, Hidden):
        return REDACTED
    if isinstance(value, dict):
        return {key: shown(held) for key, held in value.items()}
    if isinstance(value, list):
        return [shown(held) for held in value]
    return value
