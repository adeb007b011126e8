"""Conversions between the types of CEL, and what timestamps and durations tell of themselves.

Source: `ConvertToType` of the types in common/types of github.com/google/cel-go; time.ParseDuration of Go.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from envcompile.check.cel.values import (
    LARGEST,
    LARGEST_UNSIGNED,
    NANOSECONDS,
    SMALLEST,
    CelError,
    Duration,
    Timestamp,
    TypeName,
    Uint,
    instant,
    no_overload,
    plain_number,
    span,
    type_name,
    unsigned,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_NATURAL: Final = re.compile(r"[0-9]+")
_FLOAT: Final = re.compile(
    r"[+-]?(?:inf(?:inity)?|nan|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?)", re.IGNORECASE
)
_TIME: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_UNITS: Final[Mapping[str, int]] = {
    "ns": 1,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ms": 10**6,
    "s": NANOSECONDS,
    "m": 60 * NANOSECONDS,
    "h": 3600 * NANOSECONDS,
}
_TRUTH: Final = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}


def _failure(value: Any, wanted: str) -> CelError:
    return CelError(f"type conversion error from '{type_name(value)}' to '{wanted}'")


def to_int(value: Any) -> int:
    """`int(value)`.

    Raises:
        CelError: the value is none.
    """
    match value:
        case bool():
            raise no_overload("int", value)
        case float():
            if not math.isfinite(value) or not SMALLEST < value < LARGEST:
                raise CelError("integer overflow")
            return int(value)
        case Uint():
            if value > LARGEST:
                raise CelError("integer overflow")
            return int(value)
        case int():
            return value
        case str():
            if _INTEGER.fullmatch(value) and SMALLEST <= int(value) <= LARGEST:
                return int(value)
            raise _failure(value, "int")
        case Timestamp():
            return value.nanoseconds // NANOSECONDS
        case Duration():
            return value.nanoseconds
    raise no_overload("int", value)


def to_uint(value: Any) -> Uint:
    """`uint(value)`.

    Raises:
        CelError: the value is none.
    """
    match value:
        case bool():
            raise no_overload("uint", value)
        case float():
            if not math.isfinite(value) or not 0 <= value < LARGEST_UNSIGNED:
                raise CelError("unsigned integer overflow")
            return Uint(int(value))
        case int():
            return unsigned(value)
        case str():
            if _NATURAL.fullmatch(value) and int(value) <= LARGEST_UNSIGNED:
                return Uint(int(value))
            raise _failure(value, "uint")
    raise no_overload("uint", value)


def to_double(value: Any) -> float:
    """`double(value)`.

    Raises:
        CelError: the value is none.
    """
    if isinstance(value, str):
        if _FLOAT.fullmatch(value) and (not math.isinf(float(value)) or "inf" in value.lower()):
            return float(value)
        raise _failure(value, "double")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise no_overload("double", value)
    return float(value)


def to_bool(value: Any) -> bool:
    """`bool(value)`.

    Raises:
        CelError: the value is none.
    """
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise no_overload("bool", value)
    if value not in _TRUTH:
        raise _failure(value, "bool")
    return _TRUTH[value]


def to_bytes(value: Any) -> bytes:
    """`bytes(value)`.

    Raises:
        CelError: the value is neither text nor bytes.
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    raise no_overload("bytes", value)


def to_string(value: Any) -> str:
    """`string(value)`.

    Raises:
        CelError: the value has no text.
    """
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            return plain_number(value)
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                raise CelError("invalid UTF-8 in bytes, cannot convert to string") from None
        case Timestamp():
            return time_text(value)
        case Duration():
            return f"{shortest(Decimal(value.nanoseconds) / NANOSECONDS)}s"
    text = getattr(value, "as_string", None)
    if text is not None:
        return str(text())
    raise no_overload("string", value)


def shortest(value: Decimal) -> str:
    """A number with as few decimal places as it needs, without an exponent."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def to_timestamp(value: Any) -> Timestamp:
    """`timestamp(value)`.

    Raises:
        CelError: the value is none.
    """
    match value:
        case Timestamp():
            return value
        case bool() | Uint():
            raise no_overload("timestamp", value)
        case int():
            return instant(value * NANOSECONDS)
        case str():
            found = parse_time(value)
            if found is None:
                raise _failure(value, "google.protobuf.Timestamp")
            return found
    raise no_overload("timestamp", value)


def parse_time(text: str) -> Timestamp | None:
    """Read a time of RFC 3339; None for what is none."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    offset = 0
    if match[8]:
        if int(match[9]) > 24 or int(match[10]) > 59:
            return None
        offset = (int(match[9]) * 60 + int(match[10])) * 60 * (1 if match[8] == "+" else -1)
    try:
        date = dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC)
    except ValueError:
        return None
    seconds = (date - _EPOCH) // dt.timedelta(seconds=1) - offset
    return instant(seconds * NANOSECONDS + int((match[7] or "0")[:9].ljust(9, "0")), offset)


def time_text(value: Timestamp) -> str:
    """A timestamp as RFC 3339 has it, with as many decimal places as it needs."""
    date = _date(value, dt.timezone(dt.timedelta(seconds=value.offset)))
    part = f"{value.nanoseconds % NANOSECONDS:09d}".rstrip("0")
    sign, offset = "-" if value.offset < 0 else "+", abs(value.offset) // 60
    zone = f"{sign}{offset // 60:02d}:{offset % 60:02d}" if value.offset else "Z"
    return f"{date.year:04d}{date:-%m-%dT%H:%M:%S}{'.' if part else ''}{part}{zone}"


def _date(value: Timestamp, zone: dt.tzinfo) -> dt.datetime:
    return (_EPOCH + dt.timedelta(seconds=value.nanoseconds // NANOSECONDS)).astimezone(zone)


def to_duration(value: Any) -> Duration:
    """`duration(value)`.

    Raises:
        CelError: the value is none.
    """
    if isinstance(value, Duration):
        return value
    if isinstance(value, str):
        found = parse_duration(value)
        if found is None:
            raise _failure(value, "google.protobuf.Duration")
        return found
    if type(value) is int:
        return span(value)
    raise no_overload("duration", value)


def parse_duration(text: str) -> Duration | None:
    """Read a duration such as `1h30m` or `-1.5s`; None for what is none."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return Duration(0)
    parts = list(_PART.finditer(rest))
    if not parts or "".join(part[0] for part in parts) != rest:
        return None
    total = sum(int(Decimal(part[1]) * _UNITS[part[2]]) for part in parts)
    return Duration(sign * total) if total <= LARGEST else None


def _zone(name: Any) -> dt.tzinfo:
    if not isinstance(name, str):
        raise no_overload("")
    hours, colon, minutes = name.partition(":")
    if not colon:
        if name in {"", "UTC"}:
            return dt.UTC
        try:
            return ZoneInfo(name)
        except (ValueError, OSError, LookupError):
            raise CelError(f"unknown time zone {name}") from None
    for part in (hours, minutes):
        if not _INTEGER.fullmatch(part):
            raise CelError(f'strconv.Atoi: parsing "{part}": invalid syntax')
    if not 0 <= int(minutes) <= 59:
        raise CelError(f"timezone offset minutes out of range [0, 59]: {name}")
    offset = int(hours) * 60 + (-1 if name[0] == "-" else 1) * int(minutes)
    return dt.timezone(dt.timedelta(minutes=offset))


_OF_TIME: Final[Mapping[str, Callable[[dt.datetime], int]]] = {
    "getFullYear": lambda date: date.year,
    "getMonth": lambda date: date.month - 1,
    "getDayOfYear": lambda date: date.timetuple().tm_yday - 1,
    "getDate": lambda date: date.day,
    "getDayOfMonth": lambda date: date.day - 1,
    "getDayOfWeek": lambda date: date.isoweekday() % 7,
    "getHours": lambda date: date.hour,
    "getMinutes": lambda date: date.minute,
    "getSeconds": lambda date: date.second,
}
_OF_DURATION: Final[Mapping[str, int]] = {
    "getHours": 3600 * NANOSECONDS,
    "getMinutes": 60 * NANOSECONDS,
    "getSeconds": NANOSECONDS,
    "getMilliseconds": 10**6,
}
GETTERS: Final = (*_OF_TIME, "getMilliseconds")
"""What timestamps and durations tell of themselves."""


def part_of(name: str, value: Any, *zone: Any) -> int:
    """A part of a timestamp, in a time zone if one is given, or a duration in a unit.

    Raises:
        CelError: the value is neither, or there is no such time zone.
    """
    if isinstance(value, Duration) and name in _OF_DURATION and not zone:
        return int(math.copysign(abs(value.nanoseconds) // _OF_DURATION[name], value.nanoseconds))
    if not isinstance(value, Timestamp):
        raise no_overload(name, value, *zone)
    if name == "getMilliseconds":
        _ = [_zone(one) for one in zone]
        return value.nanoseconds % NANOSECONDS // 10**6
    own = dt.timezone(dt.timedelta(seconds=value.offset))
    return _OF_TIME[name](_date(value, _zone(zone[0]) if zone else own))


def type_of(value: Any) -> TypeName:
    """`type(value)`."""
    return TypeName(type_name(value))
