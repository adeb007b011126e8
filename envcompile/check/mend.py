"""What is to be changed in a resource so that a finding is mended, where there is only one right answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.check.reading import at
from envcompile.values import ABSENT, value_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.model import Pointer


def unchanged(value: Any) -> Any:
    """The value as it was written."""
    return value


class Mend(NamedTuple):
    """A change of one field, wherever layers write it down."""

    field: Pointer
    to: Pointer | None
    """Where it belongs; the field itself when only its value changes, None when it goes."""
    convert: Callable[[Any], Any] = unchanged
    """From the value that a layer writes, ABSENT where none does, to the value as it should be."""


def mended(value: dict[str, Any], mends: tuple[Mend, ...]) -> dict[str, Any]:
    """A compiled resource with its mends; a map that a field was the last one of goes with it."""
    for mend in mends:
        old = value_at(value, mend.field)
        if mend.to is None:
            value = without(value, mend.field)
        else:
            if mend.to != mend.field:
                value = without(value, mend.field)
            value = put(value, mend.to, mend.convert(old))
    return value


def put(value: Any, pointer: Pointer, new: Any) -> Any:
    """A copy of a value with another value at a place; maps on the way are made."""
    if not pointer:
        return new
    step, rest = pointer[0], pointer[1:]
    if isinstance(step, int):
        return [put(item, rest, new) if position == step else item for position, item in enumerate(value)]
    known = value if isinstance(value, dict) else {}
    return {**known, step: put(known.get(step), rest, new)}


def without(value: Any, pointer: Pointer) -> Any:
    """A copy of a value without a field, and without the maps around it that have nothing else."""
    while len(pointer) > 1 and isinstance(at(value, *pointer[:-1]), dict) and len(at(value, *pointer[:-1])) == 1:
        pointer = pointer[:-1]
    return _taken(value, pointer)


def _taken(value: Any, pointer: Pointer) -> Any:
    step, rest = pointer[0], pointer[1:]
    if isinstance(value, list):
        if rest:
            return [_taken(item, rest) if position == step else item for position, item in enumerate(value)]
        return [item for position, item in enumerate(value) if position != step]
    if not isinstance(value, dict) or step not in value:
        return value
    if rest:
        return {**value, step: _taken(value[step], rest)}
    return {key: item for key, item in value.items() if key != step}


def is_absent(value: Any) -> bool:
    """Tell whether no layer writes the field."""
    return value is ABSENT
