"""Equality as JSON sees it: `1`, `"1"` and `true` differ, `1.0` and `1` do not, keys have no order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.values import equal

if TYPE_CHECKING:
    from envcompile.model import Pointer

EXACT_INTEGERS = 2**53
"""From here on Helm, which keeps every number as a float, cannot tell neighbouring integers apart."""

_UNSAFE_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


class Strictness(NamedTuple):
    """The first field that differs, and how, without the values themselves."""

    pointer: Pointer
    what: str


def _shape(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "a map"


def difference(wanted: Any, found: Any, at: Pointer = ()) -> Strictness | None:
    """Where two values first differ; None when they are equal."""
    if equal(wanted, found):
        return None
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key, value in wanted.items():
            if key not in found:
                return Strictness((*at, key), "is missing")
            if inner := difference(value, found[key], (*at, key)):
                return inner
        extra = next(key for key in found if key not in wanted)
        return Strictness((*at, extra), "should not be there")
    if isinstance(wanted, list) and isinstance(found, list):
        for index, (one, other) in enumerate(zip(wanted, found, strict=False)):
            if inner := difference(one, other, (*at, index)):
                return inner
        return Strictness(at, f"has {len(found)} items, not {len(wanted)}")
    if _shape(wanted) != _shape(found):
        return Strictness(at, f"is {_shape(found)}, not {_shape(wanted)}")
    return Strictness(at, f"is {_shape(found)} of another value")


def _is_plain_key(key: str) -> bool:
    """Whether `toYaml` writes a key so that it is read back: it leaves the merge key `<<` without quotes."""
    return key != "<<" and "\n" not in key and fits_values(key)


def fits_values(value: Any) -> bool:
    """Whether a value comes back the same from Helm's values through `toYaml` or `toJson`."""
    if isinstance(value, str):
        if _UNSAFE_TEXT.search(value) is not None:
            return False
        body = value.rstrip()
        return value == body or ("\n" in body and value == body + "\n" and value[0] not in " \t\n")
    if value is None:
        return False
    if isinstance(value, bool):
        return True
    if isinstance(value, int):
        return -EXACT_INTEGERS < value < EXACT_INTEGERS
    if isinstance(value, dict):
        return all(_is_plain_key(key) and fits_values(item) for key, item in value.items())
    if isinstance(value, list):
        return all(fits_values(item) for item in value)
    return isinstance(value, float)


def same_shapes(values: list[Any]) -> bool:
    """Whether no key holds a map in one value and something else in another: Helm warns when it lays those together."""
    maps = [value for value in values if isinstance(value, dict)]
    if not maps:
        return True
    if len(maps) < len(values):
        return False
    keys = dict.fromkeys(key for value in maps for key in value)
    return all(same_shapes([value[key] for value in maps if key in value]) for key in keys)


def depth(value: Any) -> int:
    """How many maps or lists are nested in a value; 0 for a scalar."""
    if isinstance(value, dict):
        return 1 + max((depth(item) for item in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth(item) for item in value), default=0)
    return 0
