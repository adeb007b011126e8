"""Questions about plain values as JSON and YAML give them: maps, lists, texts, numbers, booleans and null."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.model import Pointer


class Marker(Enum):
    """What stands in the place of a value and is none; a member stays itself when it is pickled or copied."""

    ABSENT = "absent"
    REMOVED = "removed"

    def __repr__(self) -> str:
        return self.value


ABSENT: Final = Marker.ABSENT
"""Stands for a field that is not there, which is not the same as null."""
REMOVED: Final = Marker.REMOVED
"""Stands for a field that a layer takes away."""


def canonical(value: Any) -> str:
    """A text that two values share exactly when they are the same JSON."""
    import json

    return json.dumps(value, sort_keys=True)


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are the same JSON: `1`, `1.0` and `true` are not, though Python calls them equal.

    The order of keys does not count; not-a-number is the same as itself.
    """
    if left is right:
        return True
    kind = type(left)
    if kind is not type(right):
        return False
    if kind is dict:
        if len(left) != len(right):
            return False
        for key, inner in left.items():
            other = right.get(key, ABSENT)
            if inner is not other and not same(inner, other):
                return False
        return True
    if kind is list:
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right or (left != left and right != right))  # ruff: ignore[comparison-with-itself] - only NaN differs from itself


def equal(left: Any, right: Any) -> bool:
    """As `same`, but numbers are compared by their worth: `1` is `1.0`, as JSON Patch and the API server see it.

    Source: RFC 6902, 4.6 "test".
    """
    kind = type(left)
    if kind is not type(right):
        return kind in _NUMBERS and type(right) in _NUMBERS and bool(left == right)
    if kind is dict:
        if len(left) != len(right):
            return False
        for key, inner in left.items():
            other = right.get(key, ABSENT)
            if inner is not other and not equal(inner, other):
                return False
        return True
    if kind is list:
        return len(left) == len(right) and all(map(equal, left, right))
    return same(left, right)


_NUMBERS: Final = frozenset({int, float})


def value_at(value: Any, pointer: Iterable[str | int]) -> Any:
    """The value at a place inside of another one; ABSENT where there is none."""
    for step in pointer:
        is_key = type(value) is dict and step in value
        if not is_key and not (type(value) is list and type(step) is int and 0 <= step < len(value)):
            return ABSENT
        value = value[step]
    return value


def leaves(value: Any, pointer: Pointer = ()) -> Iterator[tuple[Pointer, Any]]:
    """Every value that holds no other one, with its place: scalars, and maps and lists that are empty."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*pointer, key))
    elif isinstance(value, list) and value:
        for position, item in enumerate(value):
            yield from leaves(item, (*pointer, position))
    else:
        yield pointer, value


def dotted(pointer: Iterable[str | int]) -> str:
    """A place as people write it: `images[0].newTag`; empty for the value itself."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in pointer)
    return text.removeprefix(".")
