"""Values of CEL: what Python has no type for, equality and order between all of them, and how errors travel.

Strings, bytes, booleans, whole numbers, floating point, lists, maps and null are Python's own. Sources: common/types of
github.com/google/cel-go, pkg/cel of k8s.io/apiserver.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING, Any, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LARGEST: Final = 2**63 - 1
SMALLEST: Final = -(2**63)
LARGEST_UNSIGNED: Final = 2**64 - 1
NANOSECONDS: Final = 10**9
_FIRST_INSTANT: Final = -62135596800 * NANOSECONDS
_LAST_INSTANT: Final = 253402300800 * NANOSECONDS - 1
_LONGEST: Final = LARGEST
"""Nanoseconds of the longest duration."""


class CelError(Exception):
    """An error of an expression, in the server's words; `||`, `&&`, `all` and `exists` may make up for it."""


class CostError(Exception):
    """An expression does more than the server lets it do; nothing makes up for that."""


class UnknownError(CelError):
    """What an expression asks for cannot be known here; the message says what, nothing is concluded from it.

    It may stand in a value, where the server would write something of a type that is known (`type_name`).
    """

    def __init__(self, what: str, type_name: str = "") -> None:
        super().__init__(what)
        self.type_name = type_name


class Uint(int):
    """A whole number without sign."""


@dataclass(frozen=True, slots=True)
class Timestamp:
    """An instant: nanoseconds since 1970, and the offset it was written with."""

    nanoseconds: int
    offset: int = 0
    """Seconds east of UTC."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in nanoseconds."""

    nanoseconds: int


@dataclass(frozen=True, slots=True)
class Maybe:
    """An optional value: `value` counts where `is_there`."""

    value: Any = None
    is_there: bool = False


NOTHING: Final = Maybe()


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type as a value."""

    name: str


class Opaque:
    """A value of one of Kubernetes' own types: equal values of the same type, an error beside any other."""

    __slots__ = ()
    type_name: ClassVar[str] = ""

    def same(self, other: Any) -> bool:
        """Tell whether another value of the type is the same."""
        return bool(self == other)


class Unordered(list[Any]):  # ruff: ignore[subclass-builtin] - it is a list wherever one is asked for
    """A list whose order does not count when it is compared: a set, or entries that are told apart by keys."""

    __slots__ = ("keys",)

    def __init__(self, items: list[Any], keys: list[str]) -> None:
        super().__init__(items)
        self.keys = keys

    def key(self, item: Any) -> Any:
        """What tells an item apart: its keys, or all of it."""
        return [item.get(name) for name in self.keys] if self.keys and isinstance(item, dict) else item


class Lazy:
    """A map whose values are made when they are first asked for."""

    __slots__ = ("_known", "_make")

    def __init__(self, make: Callable[[str], Any]) -> None:
        self._make = make
        self._known: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        """The value of a name, or the error that it has become.

        Raises:
            CelError: there is no such name, or its expression has failed.
        """
        if name not in self._known:
            try:
                self._known[name] = self._make(name)
            except CelError as error:
                self._known[name] = error
        found = self._known[name]
        if isinstance(found, CelError):
            raise found
        return found


_NAMES: Final[dict[type, str]] = {
    bool: "bool",
    int: "int",
    Uint: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    Unordered: "list",
    dict: "map",
    Lazy: "map",
    type(None): "null_type",
    Timestamp: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration",
    Maybe: "optional_type",
    TypeName: "type",
}


def type_name(value: Any) -> str:
    """The name of a value's type."""
    return value.type_name if isinstance(value, Opaque) else _NAMES[type(value)]


def is_number(value: Any) -> bool:
    """Tell whether a value is a number, of whichever kind."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def no_overload(name: str, *values: Any) -> CelError:
    """The server's words where no function fits the values it is given."""
    if not values:
        return CelError(f"no such overload: {name}" if name else "no such overload")
    return CelError(f"no such overload: {name}({', '.join(map(type_name, values))})")


def whole(value: int) -> int:
    """A result that is to be an int.

    Raises:
        CelError: it does not fit.
    """
    if not SMALLEST <= value <= LARGEST:
        raise CelError("integer overflow")
    return value


def unsigned(value: int) -> Uint:
    """A result that is to be a uint.

    Raises:
        CelError: it does not fit.
    """
    if not 0 <= value <= LARGEST_UNSIGNED:
        raise CelError("unsigned integer overflow")
    return Uint(value)


def instant(nanoseconds: int, offset: int = 0) -> Timestamp:
    """A result that is to be a timestamp.

    Raises:
        CelError: it lies outside of the years 1 to 9999.
    """
    if not _FIRST_INSTANT <= nanoseconds <= _LAST_INSTANT:
        raise CelError("timestamp overflow")
    return Timestamp(nanoseconds, offset)


def span(nanoseconds: int) -> Duration:
    """A result that is to be a duration.

    Raises:
        CelError: it is too long.
    """
    if abs(nanoseconds) > _LONGEST:
        raise CelError("duration overflow")
    return Duration(nanoseconds)


def equal(left: Any, right: Any) -> bool:
    """`==`.

    Raises:
        CelError: a value of Kubernetes' own types is compared with one of another type.
    """
    if left is None or right is None:
        return left is right
    kind = type(left)
    if left is right and kind is not float:
        return True
    if isinstance(left, UnknownError):
        raise left
    if isinstance(right, UnknownError):
        raise right
    if kind is type(right) and kind in {str, bool, int, bytes}:
        return bool(left == right)
    if is_number(left):
        return is_number(right) and left == right
    if isinstance(left, Opaque):
        if type(left) is not type(right):
            raise no_overload("")
        return left.same(right)
    if isinstance(left, Unordered) and isinstance(right, list):
        return len(left) == len(right) and all(any(equal(item, other) for other in right) for item in left)
    if isinstance(right, Unordered) and isinstance(left, list):
        return equal(right, left)
    if kind is not type(right):
        return False
    if kind is list:
        return len(left) == len(right) and all(starmap(equal, zip(left, right, strict=True)))
    if kind is dict:
        return len(left) == len(right) and all(
            (there := find(right, key))[0] and equal(value, there[1]) for key, value in left.items()
        )
    if kind is Maybe:
        return left.is_there == right.is_there and (not left.is_there or equal(left.value, right.value))
    if kind is Timestamp:
        return bool(left.nanoseconds == right.nanoseconds)
    return bool(left == right)


_ORDERED: Final = (str, bool, bytes)


def compare(left: Any, right: Any, sign: str) -> int:
    """The order of two values: -1, 0 or 1.

    Raises:
        CelError: they have none.
    """
    if is_number(left) and is_number(right):
        if math.isnan(left) or math.isnan(right):
            raise CelError("NaN values cannot be ordered")
    elif type(left) is type(right) and isinstance(left, Timestamp | Duration):
        left, right = left.nanoseconds, right.nanoseconds
    elif type(left) is not type(right) or not isinstance(left, _ORDERED):
        known = is_number(left) or isinstance(left, (*_ORDERED, Timestamp, Duration))
        raise no_overload("" if known else sign)
    elif isinstance(left, str):
        left, right = left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass")
    return int(left > right) - int(left < right)


def find(container: dict[Any, Any], key: Any) -> tuple[bool, Any]:
    """Whether a map has a key, and its value; numbers of different kinds are the same key, true is not 1."""
    try:
        if key not in container:
            return False, None
    except TypeError:
        return False, None
    if isinstance(key, int | float) and any(
        other == key and isinstance(other, bool) is not isinstance(key, bool) for other in container
    ):
        return False, None
    return True, container[key]


def member(value: Any, key: Any) -> tuple[bool, Any]:
    """Whether a value has a field or an item, and what it is; an optional value is looked into.

    Raises:
        CelError: a list is asked for something that is no position, a map for something that is no key.
    """
    if type(value) is dict:
        if type(key) is str:
            return key in value, value.get(key)
        if not isinstance(key, int | float):
            raise CelError(f"invalid qualifier type: {_NO_KEYS.get(type(key), type_name(key))}")
        return find(value, key)
    if isinstance(value, list):
        position = _position(key)
        inside = 0 <= position < len(value)
        return inside, value[position] if inside else None
    if isinstance(value, Lazy) and isinstance(key, str):
        return True, value.get(key)
    return False, None


_NO_KEYS: Final[Mapping[type, str]] = {
    list: "*types.baseList",
    dict: "*types.baseMap",
    type(None): "types.Null",
    bytes: "types.Bytes",
    Timestamp: "types.Timestamp",
    Duration: "types.Duration",
    TypeName: "*types.Type",
}
"""What no map is asked for, as the server's own code calls it."""


def _position(key: Any) -> int:
    if isinstance(key, float) and not key.is_integer():
        raise CelError(f"unsupported index value {plain_number(key)} in list")
    if not is_number(key):
        raise CelError(f"unsupported index type '{type_name(key)}' in list")
    return int(key)


def missing(value: Any, key: Any) -> CelError:
    """The server's words for a field or an item that is not there."""
    words = key_text(key)
    return CelError(f"index out of bounds: {words}" if isinstance(value, list) else f"no such key: {words}")


def key_text(key: Any) -> str:
    """A key in words."""
    if isinstance(key, bool):
        return "true" if key else "false"
    return plain_number(key) if isinstance(key, float) else str(key)


_FIXED: Final = 6
"""From this power of ten on, numbers are written with an exponent (strconv's `%g` with the fewest digits)."""


def plain_number(value: float) -> str:
    """A floating-point number as Go's `%g` writes it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    digits, _, exponent = f"{value!r}".partition("e")
    power = int(exponent) if exponent else 0
    sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    left, _, right = digits.partition(".")
    right = "" if right == "0" else right
    figures = (left + right).lstrip("0")
    point = len(left) + power - (len(left + right) - len(figures))
    figures = figures.rstrip("0")
    if not figures:
        return f"{sign}0"
    if -5 < point - 1 < _FIXED:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{figures}"
        body = figures.ljust(point, "0")
        return f"{sign}{body[:point]}" + (f".{body[point:]}" if body[point:] else "")
    rest = f".{figures[1:]}" if figures[1:] else ""
    return f"{sign}{figures[0]}{rest}e{'-' if point < 1 else '+'}{abs(point - 1):02d}"


def size(value: Any) -> int:
    """How long a value is, which is what looking at it costs; 1 for what has no length."""
    if isinstance(value, str | bytes | list | dict):
        return len(value)
    if isinstance(value, Maybe) and value.is_there:
        return size(value.value)
    return 1
