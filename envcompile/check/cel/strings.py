"""The string functions of CEL, version 2: `split`, `format`, `quote` and the others.

Source: ext/strings.go and ext/formatting.go of github.com/google/cel-go.
"""

from __future__ import annotations

import math
import string
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.cel.convert import time_text, to_string
from envcompile.check.cel.values import CelError, Duration, Timestamp, TypeName, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER: Final = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_SPACES: Final = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_SUPERSCRIPT: Final = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_ESCAPES: Final = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}


def char_at(text: str, position: int) -> str:
    """`text.charAt(position)`."""
    if not 0 <= position <= len(text):
        raise CelError(f"index out of range: {position}")
    return text[position : position + 1]


def index_of(text: str, part: str, offset: int = 0) -> int:
    """`text.indexOf(part)`."""
    if offset < 0:
        raise CelError(f"index out of range: {offset}")
    return min(offset, len(text)) if not part else text.find(part, offset)


def last_index_of(text: str, part: str, offset: int | None = None) -> int:
    """`text.lastIndexOf(part)`."""
    if offset is None:
        if not part:
            return len(text)
        if len(text.encode()) < len(part.encode()):
            return -1
        offset = len(text) - 1
    if offset < 0:
        raise CelError(f"index out of range: {offset}")
    if not part:
        return min(offset, len(text))
    return -1 if offset >= len(text) else text.rfind(part, 0, offset + len(part))


def lower(text: str) -> str:
    """`text.lowerAscii()`."""
    return text.translate(_LOWER)


def upper(text: str) -> str:
    """`text.upperAscii()`."""
    return text.translate(_UPPER)


def replace(text: str, old: str, new: str, count: int = -1) -> str:
    """`text.replace(old, new)`."""
    return text.replace(old, new, count)


def split(text: str, separator: str, count: int = -1) -> list[str]:
    """`text.split(separator)`."""
    if count == 0:
        return []
    if separator:
        return text.split(separator, -1 if count < 0 else count - 1)
    if count < 0 or count >= len(text):
        return list(text)
    return [*text[: count - 1], text[count - 1 :]]


def substring(text: str, start: int, end: int | None = None) -> str:
    """`text.substring(start)`."""
    if end is None:
        if not 0 <= start <= len(text):
            raise CelError(f"index out of range: {start}")
        return text[start:]
    if start > end:
        raise CelError(f"invalid substring range. start: {start}, end: {end}")
    for position in (start, end):
        if not 0 <= position <= len(text):
            raise CelError(f"index out of range: {position}")
    return text[start:end]


def trim(text: str) -> str:
    """`text.trim()`."""
    return text.strip(_SPACES)


def join(items: list[Any], separator: str = "") -> str:
    """`items.join(separator)`."""
    for item in items:
        if not isinstance(item, str):
            raise CelError(f"join: invalid input: {to_string(item)}")
    return separator.join(items)


def quote(text: str) -> str:
    """`strings.quote(text)`."""
    return '"' + "".join(_ESCAPES.get(letter, letter) for letter in text) + '"'


def go_quote(text: str) -> str:
    """A text as Go's `%q` writes it."""
    return '"' + "".join(_ESCAPES.get(letter) or _printable(letter) for letter in text) + '"'


def _printable(letter: str) -> str:
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 128 else f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


# ---- format


def format_string(text: str, values: list[Any]) -> str:
    """`text.format(values)`.

    Raises:
        CelError: a clause is malformed, has no value, or one of another type.
    """
    made, used = [], 0
    for clause in clauses(text):
        if isinstance(clause, str):
            made.append(clause)
            continue
        if used >= len(values):
            raise CelError(f"index {used} out of range")
        try:
            made.append(_CLAUSES[clause[0]](values[used], clause[1], clause[0]))
        except CelError as error:
            raise CelError(f"error during formatting: {error}") from None
        used += 1
    return "".join(made)


def clauses(text: str) -> list[str | tuple[str, int]]:
    """The parts of a format: plain text, and clauses with their precision.

    Raises:
        CelError: a clause is malformed.
    """
    found: list[str | tuple[str, int]] = []
    position, plain = 0, ""
    while position < len(text):
        letter = text[position]
        position += 1
        if letter != "%":
            plain += letter
            continue
        if text[position : position + 1] == "%":
            plain += "%"
            position += 1
            continue
        if plain:
            found.append(plain)
            plain = ""
        clause, position = _clause(text, position)
        found.append(clause)
    return [*found, plain] if plain else found


def _clause(text: str, position: int) -> tuple[tuple[str, int], int]:
    if position >= len(text):
        raise CelError("unexpected end of string")
    precision = 6
    wrong = "could not parse formatting clause: "
    if text[position] == ".":
        end = position + 1
        while end < len(text) and text[end] in string.digits:
            end += 1
        if end >= len(text):
            raise CelError(f"{wrong}error while parsing precision: could not find end of precision specifier")
        digits = text[position + 1 : end]
        if not digits:
            why = 'error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax'
            raise CelError(f"{wrong}error while parsing precision: {why}")
        precision, position = int(digits), end
    letter = text[position]
    if letter not in _CLAUSES:
        raise CelError(f'{wrong}unrecognized formatting clause "{letter}"')
    return (letter, precision), position + 1


def _as_text(value: Any, _: int = 6, __: str = "") -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        pairs = sorted((_key(key), _literal(item)) for key, item in value.items())
        return f"{{{', '.join(f'{key}:{item}' for key, item in pairs)}}}"
    if isinstance(value, TypeName):
        return value.name
    if isinstance(value, bool | int | float | str | bytes | Timestamp | Duration):
        return to_string(value)
    what = "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps"
    raise CelError(f"string clause can only be used on {what}, was given {type_name(value)}")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return go_quote(key)
    if isinstance(key, bool | int):
        return to_string(key)
    raise CelError(f"no formatting function for map key of type {type_name(key)}")


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return go_quote(value)
    if isinstance(value, bytes):
        return "b" + go_quote(value.decode("utf-8", "replace"))
    if isinstance(value, float):
        return f"{value:.6f}" if math.isfinite(value) else go_quote(_infinite(value))
    if isinstance(value, Timestamp):
        return f'timestamp("{time_text(value)}")'
    if isinstance(value, Duration):
        return f'duration("{to_string(value)}")'
    if value is None or isinstance(value, bool | int | list | dict | TypeName):
        return _as_text(value)
    raise CelError(f"no formatting function for {type_name(value)}")


def _infinite(value: float) -> str:
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def _decimal(value: Any, _: int, __: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise CelError(f"decimal clause can only be used on integers, was given {type_name(value)}")
    return str(int(value))


def _double(value: Any, what: str) -> float:
    if isinstance(value, str) and value in {"NaN", "Infinity", "-Infinity"}:
        return float(value)
    if not isinstance(value, float):
        raise CelError(f"{what} clause can only be used on doubles, was given {type_name(value)}")
    return value


def _fixed(value: Any, precision: int, _: str) -> str:
    number = _double(value, "fixed-point")
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    return f"{number:,.{precision}f}"


def _scientific(value: Any, precision: int, _: str) -> str:
    number = _double(value, "scientific")
    if not math.isfinite(number):
        return _fixed(number, precision, "")
    digits, _, power = f"{number:.6e}".partition("e")
    # The server takes the precision for a width: `%.3e` has six decimal places, too.
    return f"{digits}×10{power.removeprefix('+').translate(_SUPERSCRIPT)}".rjust(precision)


def _binary(value: Any, _: int, __: str) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if not isinstance(value, int):
        raise CelError(f"only integers and bools can be formatted as binary, was given {type_name(value)}")
    return f"{value:b}"


def _hex(value: Any, _: int, letter: str) -> str:
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        text = value.hex()
    elif isinstance(value, int) and not isinstance(value, bool):
        text = f"{value:x}"
    else:
        what = "only integers, byte buffers, and strings can be formatted as hex"
        raise CelError(f"{what}, was given {type_name(value)}")
    return text.upper() if letter == "X" else text


def _octal(value: Any, _: int, __: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise CelError(f"octal clause can only be used on integers, was given {type_name(value)}")
    return f"{value:o}"


_CLAUSES: Final[Mapping[str, Callable[[Any, int, str], str]]] = {
    "s": _as_text,
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    "b": _binary,
    "x": _hex,
    "X": _hex,
    "o": _octal,
}
ACCEPTED: Final[Mapping[str, tuple[str, ...]]] = {
    "d": ("int", "uint"),
    "f": ("double", "string"),
    "e": ("double", "string"),
    "b": ("int", "uint", "bool"),
    "x": ("int", "uint", "string", "bytes"),
    "X": ("int", "uint", "string", "bytes"),
    "o": ("int", "uint"),
    "s": (
        "list", "map", "int", "uint", "double", "bool", "string", "timestamp", "bytes", "duration", "type", "null_type",
    ),
}  # fmt: skip
"""Clause -> the types that the checker lets it have."""
