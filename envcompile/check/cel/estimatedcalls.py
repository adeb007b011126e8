"""What a call of a function may cost, and how large its result may be.

Sources: functionCost in checker/cost.go of github.com/google/cel-go, EstimateCallCost in pkg/cel/library/cost.go of
k8s.io/apiserver, ext/lists.go and ext/sets.go of cel-go.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.check.cel import costs
from envcompile.check.cel.ranges import MANY, ONE, ZERO, Range, fixed
from envcompile.check.cel.tree import Constant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from envcompile.check.cel.tree import CelType, Node

_LETTER: Final = 0.1
_LETTER_OF_PATTERN: Final = 0.25
_LONGEST_FORM: Final = 128
_FORM_NAME: Final = 64
_ADDRESS: Final = Range(4, 16)
"""Bytes of an address."""


class Operand(NamedTuple):
    """What a function is called on or with."""

    node: Node | None
    type: CelType
    known: Range
    """How large it is."""
    element: Operand | None = None
    """One of its items; None for what has none."""


class Estimate(NamedTuple):
    """What a call costs, what it is called with aside, and the size of its result where that is told."""

    cost: Range
    size: Range | None = None


if TYPE_CHECKING:
    _Rule = Callable[[Operand | None, Sequence[Operand]], Estimate | None]

_NOMINAL: Final = Estimate(ONE)


def call_estimate(
    function: str, overloads: Sequence[str], target: Operand | None, arguments: Sequence[Operand]
) -> Estimate:
    """What a call costs.

    Args:
        function: its name.
        overloads: what the checker takes it for; more than one where types are not known.
        target: what it is called on.
        arguments: what it is called with.
    """
    rule = _RULES.get(function)
    found = rule(target, arguments) if rule is not None else None
    if found is not None:
        return found
    if function in _COMPARED:
        return _compare(function, arguments)
    if function == "_+_":
        return _add(arguments)
    if function == "@in":
        return _in(arguments)
    if function == "ip":
        return _NOMINAL if target is not None or "cidr_ip" in overloads else _parsed(1)(None, arguments) or _NOMINAL
    return _NOMINAL


def _parsed(factor: int) -> _Rule:
    """A text that is read."""
    return lambda _, arguments: Estimate(arguments[0].known.times(factor * _LETTER)) if arguments else None


def _kept(target: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    """A text that is gone through, and a result of its size."""
    part = target if target is not None else arguments[0] if arguments else None
    return Estimate(part.known.times(_LETTER), part.known) if part is not None else None


def _over_items(target: Operand | None, _: Sequence[Operand]) -> Estimate | None:
    if target is None:
        return None
    if target.element is None:
        return Estimate(target.known.times(_LETTER))
    each = ONE
    if target.element.type.name in {"string", "bytes"}:
        each += target.element.known.times(_LETTER)
    return Estimate(target.known * each)


def _includes(target: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    if target is not None and target.element is None:
        return Estimate(target.known)
    return _over_items(target, arguments)


def _replace(target: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    if target is None or len(arguments) < 2:
        return None
    size, old, new = target.known, arguments[0].known, arguments[1].known
    high, high_kept = _replaced(size.high, old.low, shorter=new.high <= old.low)
    low, low_kept = _replaced(size.low, old.high, shorter=old.high <= new.low)
    return Estimate(size.times(2 * _LETTER), Range(low, high) * new + Range(low_kept, high_kept))


def _replaced(size: int, old: int, *, shorter: bool) -> tuple[int, int]:
    """How many replacements there are, and how much of the text stays."""
    if old == 0:
        return min(MANY, size + 1), size
    return (0, size) if shorter else (math.ceil(size / old), 0)


def _split(target: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    if target is None:
        return None
    most = target.known.high
    limit = arguments[1].node if len(arguments) > 1 else None
    if isinstance(limit, Constant) and isinstance(limit.value, int):
        most = limit.value if limit.value >= 0 else MANY
    return Estimate(target.known.times(2 * _LETTER), Range(0, most))


def _join(target: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    if target is None:
        return None
    count, size = target.known, ZERO
    if target.element is not None:
        size = count * target.element.known
    if arguments:
        size += arguments[0].known * Range(max(0, count.low - 1), max(0, count.high - 1))
    return Estimate(size.times(_LETTER), size)


def _found(target: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    if target is None or not arguments:
        return None
    return Estimate(_matched(target.known, arguments[0].known), Range(0, target.known.high))


def _matched(text: Range, pattern: Range) -> Range:
    return (text + ONE).times(_LETTER) * pattern.times(_LETTER_OF_PATTERN)


def _matches(target: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    parts = [*((target,) if target is not None else ()), *arguments]
    return Estimate(_matched(parts[0].known, parts[1].known)) if len(parts) == 2 else None


def _contains(target: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    if target is None or len(arguments) != 1:
        return None
    return Estimate(target.known.times(_LETTER) * arguments[0].known.times(_LETTER))


def _contains_address(further: Range) -> _Rule:
    def estimate(_: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
        if not arguments:
            return None
        found = (_ADDRESS + _ADDRESS).times(_LETTER) + further
        is_text = arguments[0].type.name == "string"
        return Estimate(found + arguments[0].known.times(_LETTER) if is_text else found)

    return estimate


def _validate(_: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    if not arguments:
        return None
    return Estimate(arguments[0].known.times(_LETTER).times(_LONGEST_FORM * _LETTER_OF_PATTERN))


def _to_bytes(_: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    if not arguments or arguments[0].type.name not in {"string", "dyn"}:
        return None
    size = arguments[0].known
    return Estimate(size.times(_LETTER) | _unless_known(arguments[0]), Range(size.low, min(MANY, size.high * 4)))


def _to_string(_: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    if not arguments or arguments[0].type.name not in {"bytes", "dyn"}:
        return None
    size = arguments[0].known
    return Estimate(size.times(_LETTER) | _unless_known(arguments[0]), Range(size.low // 4, size.high))


def _unless_known(operand: Operand) -> Range:
    """The cost of the other things that a call may be where nobody knows what it is called with."""
    return ONE if operand.type.name == "dyn" else Range(MANY, 0)


def _quoted(_: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    if len(arguments) != 1:
        return None
    size = arguments[0].known
    return Estimate(size.times(_LETTER), Range(min(MANY, size.low + 2), min(MANY, size.high * 2 + 2)))


def _formatted(target: Operand | None, _: Sequence[Operand]) -> Estimate | None:
    return Estimate(target.known.times(_LETTER)) if target is not None else None


def _made(factor: float, size: Range) -> Estimate:
    """A new list."""
    return Estimate(size.times(factor) + fixed(1 + costs.LIST), size)


def _literal(operand: Operand, otherwise: int) -> int:
    value = operand.node.value if isinstance(operand.node, Constant) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise


def _slice(target: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    if target is None or len(arguments) != 2:
        return None
    start, end = _literal(arguments[0], 0), _literal(arguments[1], target.known.high)
    return _made(1, fixed((end - start) % (MANY + 1)))


def _range(_: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    return _made(1, fixed(_literal(arguments[0], MANY))) if len(arguments) == 1 else None


def _reverse(target: Operand | None, _: Sequence[Operand]) -> Estimate | None:
    return _made(1, target.known) if target is not None and target.type.name == "list" else None


def _flatten(target: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    if target is None:
        return None
    return _made(_literal(arguments[0], MANY) if arguments else 1, target.known)


def _squared(operand: Operand, factor: float) -> Estimate:
    return _made(factor, operand.known * operand.known)


def _distinct(target: Operand | None, _: Sequence[Operand]) -> Estimate | None:
    return _squared(target, 2) if target is not None else None


def _sorted(target: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
    """By the items themselves, or by those of a second list."""
    keys = arguments[0] if arguments else target
    if keys is None:
        return None
    is_text = keys.element is not None and keys.element.type.name in {"string", "bytes"}
    return _squared(keys, 2 + _LETTER if is_text else 2)


def _sets(factor: float) -> _Rule:
    def estimate(_: Operand | None, arguments: Sequence[Operand]) -> Estimate | None:
        if len(arguments) != 2:
            return None
        return Estimate((arguments[0].known * arguments[1].known).times(factor) + ONE)

    return estimate


_COMPARED: Final = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
_TEXTS: Final = frozenset({"string", "bytes"})
_OPAQUE: Final = frozenset({"net.IP", "net.CIDR", "kubernetes.Quantity", "kubernetes.Semver"})


def _compare(function: str, arguments: Sequence[Operand]) -> Estimate:
    one, other = arguments[0], arguments[1]
    if function in {"_==_", "_!=_"}:
        if function == "_==_" and one.type == other.type and one.type.name in _OPAQUE:
            return _NOMINAL
        if function == "_==_" and one.type == other.type and one.type.name == "kubernetes.NamedFormat":
            return Estimate(Range(1, _FORM_NAME).times(_LETTER))
        return Estimate(_both(one, other))
    names = {one.type.name, other.type.name}
    if names <= _TEXTS:
        return Estimate(_both(one, other))
    if "dyn" in names and names <= {*_TEXTS, "dyn"}:
        return Estimate(_both(one, other) | ONE)
    return _NOMINAL


def _both(one: Operand, other: Operand) -> Range:
    smallest = min(one.known.high, other.known.high)
    return Range(1 if smallest > 0 else 0, smallest).times(_LETTER)


def _add(arguments: Sequence[Operand]) -> Estimate:
    one, other = arguments[0], arguments[1]
    names, size = {one.type.name, other.type.name}, one.known + other.known
    if names <= {"list"}:
        return Estimate(ONE, size)
    if names <= _TEXTS:
        return Estimate(size.times(_LETTER), size)
    if "dyn" in names and names <= {"list", "dyn", *_TEXTS}:
        return Estimate(size.times(_LETTER) | ONE, size)
    return _NOMINAL


def _in(arguments: Sequence[Operand]) -> Estimate:
    match arguments[1].type.name:
        case "list":
            return Estimate(arguments[1].known)
        case "dyn":
            return Estimate(arguments[1].known | ONE)
    return _NOMINAL


_RULES: Final[Mapping[str, _Rule]] = {
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _over_items),
    "includes": _includes,
    **dict.fromkeys(("url", "lowerAscii", "upperAscii", "substring", "trim"), _kept),
    "replace": _replace,
    "split": _split,
    "join": _join,
    **dict.fromkeys(("find", "findAll"), _found),
    "matches": _matches,
    "contains": _contains,
    **dict.fromkeys(("cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"), _parsed(1)),
    **dict.fromkeys(("startsWith", "endsWith"), _parsed(1)),
    "ip.isCanonical": _parsed(2),
    "containsIP": _contains_address(ZERO),
    "containsCIDR": _contains_address(_ADDRESS.times(_LETTER) + ONE),
    "validate": _validate,
    "bytes": _to_bytes,
    "string": _to_string,
    "strings.quote": _quoted,
    "format": _formatted,
    "slice": _slice,
    "lists.range": _range,
    "reverse": _reverse,
    "flatten": _flatten,
    "distinct": _distinct,
    **dict.fromkeys(("sort", "@sortByAssociatedKeys"), _sorted),
    **dict.fromkeys(("sets.contains", "sets.intersects"), _sets(1)),
    "sets.equivalent": _sets(2),
}
"""Function -> its estimate; all others cost 1."""
