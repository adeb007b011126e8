"""The operators of CEL on two values.

Source: the traits of the types in common/types of github.com/google/cel-go, and common/stdlib/standard.go.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.cel.values import (
    CelError,
    Duration,
    Maybe,
    Timestamp,
    Uint,
    Unordered,
    compare,
    equal,
    find,
    instant,
    no_overload,
    span,
    unsigned,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _kind(value: Any) -> type:
    """What arithmetic takes a value for."""
    return type(value)


def add(left: Any, right: Any) -> Any:
    """`left + right`."""
    if isinstance(left, Unordered) and isinstance(right, list):
        return _united(left, right)
    kind = _kind(left)
    if kind is _kind(right):
        if kind in {str, bytes, float, list}:
            return left + right
        if kind is int:
            return whole(left + right)
        if kind is Uint:
            return unsigned(int(left) + int(right))
        if kind is Duration:
            return span(left.nanoseconds + right.nanoseconds)
    if kind is Timestamp and isinstance(right, Duration):
        return instant(left.nanoseconds + right.nanoseconds, left.offset)
    if kind is Duration and isinstance(right, Timestamp):
        return instant(left.nanoseconds + right.nanoseconds, right.offset)
    raise no_overload("" if kind in {str, bytes, list, float, int, Uint, Timestamp, Duration} else "_+_")


def _united(left: Unordered, right: list[Any]) -> Unordered:
    """A set with the items of another, or entries with those of the same keys replaced."""
    found = list(left)
    for item in right:
        at = next((at for at, other in enumerate(found) if equal(left.key(other), left.key(item))), None)
        if at is None:
            found.append(item)
        else:
            found[at] = item
    return Unordered(found, left.keys)


def subtract(left: Any, right: Any) -> Any:
    """`left - right`."""
    kind = _kind(left)
    if kind is Timestamp and isinstance(right, Timestamp):
        return span(left.nanoseconds - right.nanoseconds)
    if kind is Timestamp and isinstance(right, Duration):
        return instant(left.nanoseconds - right.nanoseconds, left.offset)
    if kind is _kind(right):
        if kind is float:
            return left - right
        if kind is int:
            return whole(left - right)
        if kind is Uint:
            return unsigned(int(left) - int(right))
        if kind is Duration:
            return span(left.nanoseconds - right.nanoseconds)
    raise no_overload("" if kind in {float, int, Uint, Timestamp, Duration} else "_-_")


def multiply(left: Any, right: Any) -> Any:
    """`left * right`."""
    kind = _kind(left)
    if kind is _kind(right):
        if kind is int:
            return whole(left * right)
        if kind is float:
            return left * right
        if kind is Uint:
            return unsigned(int(left) * int(right))
    raise no_overload("" if kind in {float, int, Uint} else "_*_")


def divide(left: Any, right: Any) -> Any:
    """`left / right`."""
    kind = _kind(left)
    if kind is _kind(right):
        if kind is float:
            return _quotient(left, right)
        if kind in {int, Uint}:
            if not right:
                raise CelError("division by zero")
            quotient = abs(int(left)) // abs(int(right))
            quotient = -quotient if (left < 0) is not (right < 0) else quotient
            return Uint(quotient) if kind is Uint else whole(quotient)
    raise no_overload("" if kind in {float, int, Uint} else "_/_")


def _quotient(left: float, right: float) -> float:
    try:
        return left / right
    except ZeroDivisionError:
        if left == 0 or math.isnan(left):
            return math.nan
        return math.copysign(math.inf, left) * math.copysign(1.0, right)


def modulo(left: Any, right: Any) -> Any:
    """`left % right`."""
    kind = _kind(left)
    if kind is _kind(right) and kind in {int, Uint}:
        if not right:
            raise CelError("modulus by zero")
        if kind is int and right == -1 and left == -(2**63):
            raise CelError("integer overflow")
        rest = abs(int(left)) % abs(int(right))
        return Uint(rest) if kind is Uint else -rest if left < 0 else rest
    raise no_overload("" if kind in {int, Uint} else "_%_")


def negate(value: Any) -> Any:
    """`-value`."""
    kind = _kind(value)
    if kind is int:
        return whole(-value)
    if kind is float:
        return -value
    if kind is Duration:
        return span(-value.nanoseconds)
    raise no_overload("")


def contained(value: Any, container: Any) -> bool:
    """`value in container`."""
    if isinstance(container, list):
        return any(_same(item, value) for item in container)
    if isinstance(container, dict):
        return find(container, value)[0]
    if isinstance(container, Maybe):
        raise no_overload("@in", value, container)
    raise no_overload("")


def _same(one: Any, other: Any) -> bool:
    try:
        return equal(one, other)
    except CelError:
        return False


def _ordered(test: Callable[[int, int], bool], sign: str) -> Callable[[Any, Any], bool]:
    def ask(left: Any, right: Any) -> bool:
        return test(compare(left, right, sign), 0)

    return ask


def size_of(value: Any) -> int:
    """`size(value)`."""
    if isinstance(value, str | bytes | list | dict):
        return len(value)
    raise no_overload("size")


def text_test(test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    """A question about two texts."""

    def ask(text: Any, part: Any) -> bool:
        if not isinstance(text, str) or not isinstance(part, str):
            raise no_overload("")
        return test(text, part)

    return ask


BINARY: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "_+_": add,
    "_-_": subtract,
    "_*_": multiply,
    "_/_": divide,
    "_%_": modulo,
    "_==_": equal,
    "_!=_": lambda left, right: not equal(left, right),
    "_<_": _ordered(operator.lt, "_<_"),
    "_<=_": _ordered(operator.le, "_<=_"),
    "_>_": _ordered(operator.gt, "_>_"),
    "_>=_": _ordered(operator.ge, "_>=_"),
    "@in": contained,
    "startsWith": text_test(str.startswith),
    "endsWith": text_test(str.endswith),
    "contains": text_test(operator.contains),
}
"""Functions of two values that every expression may use."""
