"""What is to be changed in a resource so that a finding is mended, where there is only one right answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.values import ABSENT, value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from envcompile.model import Pointer


def unchanged(value: Any) -> Any:
    """The value as it was written."""
    return value


def as_written(value: Any) -> Any:
    """Stands for the text that the file has for a scalar: what `8080` or `yes` become in quotes."""
    return value


class Mend(NamedTuple):
    """A change of one field, wherever layers write it down."""

    field: Pointer
    to: Pointer | None
    """Where it belongs; the field itself when only its value changes, None when it goes."""
    convert: Callable[[Any], Any] = unchanged
    """From the value that a layer writes, ABSENT where none does, to the value as it should be."""

    @property
    def adds(self) -> bool:
        """True for a field that no layer has to write yet."""
        return self.to == self.field and self.convert(ABSENT) is not ABSENT and self.convert is not as_written


def mended(value: dict[str, Any], mends: Iterable[Mend], actual: Any = None) -> dict[str, Any]:
    """A compiled resource with its mends; a map that a field was the last one of goes with it.

    Args:
        value: the resource as it is.
        mends: what to change.
        actual: the resource as it became, which alone knows how a scalar was written.
    """
    found: Any = value
    for field, to, convert in mends:
        old = value_at(value, field)
        if to != field:
            found = without(found, field)
        if to is not None:
            new = value_at(actual, to) if convert is as_written else convert(old)
            found = put(found, to, new) if new is not ABSENT else found
    done: dict[str, Any] = found
    return done


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
    return taken(value, alone_in(value, pointer))


def alone_in(value: Any, pointer: Pointer) -> Pointer:
    """The way to the outermost map that holds nothing but a field, or to the field itself."""
    while len(pointer) > 1:
        around = value_at(value, pointer[:-1])
        if not isinstance(around, dict) or len(around) != 1 or pointer[-1] not in around:
            break
        pointer = pointer[:-1]
    return pointer


def taken(value: Any, pointer: Pointer) -> Any:
    """A copy of a value without a field; a map that had nothing else stays."""
    step, rest = pointer[0], pointer[1:]
    if isinstance(value, list):
        if rest:
            return [taken(item, rest) if position == step else item for position, item in enumerate(value)]
        return [item for position, item in enumerate(value) if position != step]
    if not isinstance(value, dict) or step not in value:
        return value
    if rest:
        return {**value, step: taken(value[step], rest)}
    return {key: item for key, item in value.items() if key != step}
