"""What an expression costs: the API server stops one that costs too much.

Sources: interpreter/runtimecost.go and ext of github.com/google/cel-go, pkg/cel/library/cost.go and
pkg/apis/cel/config.go of k8s.io/apiserver.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.cel.quantities import FORMATS, Format
from envcompile.check.cel.values import Opaque, size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PER_CALL: Final = 1_000_000
"""The most that one expression may cost."""
PER_BINDING: Final = 10_000_000
"""The most that all expressions of a policy may cost for one object."""
MATCH_CONDITIONS: Final = 2_500_000
"""The most that the conditions of a policy may cost together."""
LIST: Final = 10
MAP: Final = 30
STRUCT: Final = 40
_PER_LETTER: Final = 0.1
_PER_LETTER_OF_PATTERN: Final = 0.25


def _letters(count: float) -> int:
    return math.ceil(count * _PER_LETTER)


def _traversal(value: Any) -> int:
    if isinstance(value, str | bytes):
        return int(len(value if isinstance(value, bytes) else value.encode()) * _PER_LETTER)
    if isinstance(value, list):
        return sum(map(_traversal, value))
    if isinstance(value, dict):
        return sum(_traversal(key) + _traversal(item) for key, item in value.items())
    return 1


def _over_items(values: Sequence[Any], _: Any) -> int:
    return _traversal(values[0])


def _first(factor: int) -> Callable[[Sequence[Any], Any], int]:
    return lambda values, _: _letters(size(values[0]) * factor)


def _pattern(values: Sequence[Any], _: Any) -> int:
    return _letters(1 + size(values[0])) * math.ceil(size(values[1]) * _PER_LETTER_OF_PATTERN)


def _format(values: Sequence[Any], _: Any) -> int:
    longest = FORMATS[values[0].name][1] if isinstance(values[0], Format) else 1
    return _letters(1 + size(values[1])) * math.ceil(longest * _PER_LETTER_OF_PATTERN)


def _equals(values: Sequence[Any], _: Any) -> int:
    if isinstance(values[0], Opaque):
        return 1
    return _letters(min(size(values[0]), size(values[1])))


def _contained(values: Sequence[Any], _: Any) -> int:
    return _letters(size(values[0])) * _letters(size(values[1]))


def _out(_: Sequence[Any], result: Any) -> int:
    return 1 + LIST + size(result)


def _flatten(values: Sequence[Any], _: Any) -> int:
    return 1 + LIST + size(values[0]) * (values[1] if len(values) > 1 else 1)


def _squared(values: Sequence[Any], _: Any) -> int:
    keys = values[-1]
    factor = 2 + _PER_LETTER if keys and isinstance(keys[0], str | bytes) else 2
    return 1 + LIST + int(size(keys) ** 2 * factor)


def _sets(values: Sequence[Any], _: Any) -> int:
    return 1 + size(values[0]) * size(values[1])


BY_FUNCTION: Final[Mapping[str, Callable[[Sequence[Any], Any], int]]] = {
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf", "includes"), _over_items),
    **dict.fromkeys(("url", "lowerAscii", "upperAscii", "substring", "trim"), _first(1)),
    **dict.fromkeys(("cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"), _first(1)),
    **dict.fromkeys(("bytes", "string", "format", "strings.quote"), _first(1)),
    **dict.fromkeys(("replace", "split", "ip.isCanonical"), _first(2)),
    "join": lambda _, result: _letters(size(result) * 2),
    **dict.fromkeys(("find", "findAll", "matches"), _pattern),
    "validate": _format,
    "startsWith": lambda values, _: _letters(size(values[1])),
    "endsWith": lambda values, _: _letters(size(values[1])),
    "contains": _contained,
    **dict.fromkeys(("_==_", "_!=_"), _equals),
    **dict.fromkeys(("slice", "lists.range", "reverse"), _out),
    "flatten": _flatten,
    **dict.fromkeys(("distinct", "sort", "@sortByAssociatedKeys"), _squared),
    **dict.fromkeys(("sets.contains", "sets.intersects"), _sets),
    "sets.equivalent": lambda values, result: 2 * _sets(values, result) - 1,
}
"""Function -> what a call costs, by its values and its result; 1 for all others."""

BY_OVERLOAD: Final[Mapping[str, Callable[[Sequence[Any], Any], int]]] = {
    "in_list": lambda values, _: size(values[1]),
    **dict.fromkeys(("add_string", "add_bytes"), lambda values, _: _letters(size(values[0]) + size(values[1]))),
    **dict.fromkeys(
        [
            f"{order}_{kind}"
            for order in ("less", "less_equals", "greater", "greater_equals")
            for kind in ("string", "bytes")
        ],
        _equals,
    ),
    "cidr_contains_ip_string": lambda values, _: 1 + _letters(size(values[1])),
    "cidr_contains_cidr_string": lambda values, _: 3 + _letters(size(values[1])),
    "cidr_ip": lambda _, __: 1,
}
"""The same where the checker knows which overload it is."""
