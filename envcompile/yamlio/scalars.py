"""What a scalar means to kubectl: the resolution of go-yaml v2 and the key conversion of sigs.k8s.io/yaml."""

from __future__ import annotations

import re
from typing import Any, Final

from envcompile.errors import PicklableError

MERGE: Final = object()
"""What the key table gives for a plain `<<`: the entry is merged into its map."""

# Plenty for the words of a large repository; beyond it, unique words (hashes, base64) would only cost memory.
_MEMO_LIMIT: Final = 1 << 16
_INT64: Final = 1 << 63
_UINT64: Final = 1 << 64
_SURE_DIGITS: Final = 18
"""A number of so many digits fits into 64 bits."""

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_NOT_FINITE: Final = frozenset({
    *(".nan", ".NaN", ".NAN"),
    *(f"{sign}{word}" for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")),
})

_INTEGER: Final = r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]+)|(0|[1-9][0-9]*))"
_BASES: Final = (16, 2, 8, 8, 10)
# strconv.ParseInt(text[2:], 2, 64) after a `0b` that the general rule refused: a sign may stand behind the prefix.
_SIGNED_BINARY: Final = r"0b([-+][01]+)"
_FLOAT: Final = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
# A number that starts with a dot goes to strconv.ParseFloat as it is; underscores must stand between digits there.
_DOT_FLOAT: Final = r"\.[0-9](_?[0-9])*([eE][-+]?[0-9](_?[0-9])*)?"


class NotJsonError(PicklableError, ValueError):
    """A scalar that Kubernetes cannot hold; the text says why and `fix` how to mend it."""

    def __init__(self, what: str, fix: str) -> None:
        self.fix = fix
        super().__init__(what)


def resolve(text: str) -> Any:
    """The value of a plain scalar: None, bool, int, float, or the text itself.

    Raises:
        NotJsonError: for infinity and not-a-number.
    """
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first in "0123456789+-":
        if text.isdecimal() and text.isascii() and len(text) <= _SURE_DIGITS and (first != "0" or text == "0"):
            return int(text)  # nearly every number
        if text in _NOT_FINITE:
            raise _not_finite(text)
        number = _number(text.replace("_", ""))
        return text if number is None else number
    if first == ".":
        if text in _NOT_FINITE:
            raise _not_finite(text)
        if re.fullmatch(_DOT_FLOAT, text):
            value = float(text.replace("_", ""))
            return text if value == float("inf") else value
    return text


def _not_finite(text: str) -> NotJsonError:
    return NotJsonError(f"`{text}` is not a number that Kubernetes can hold", f'quote it to mean the text: "{text}"')


def _number(text: str) -> int | float | None:
    integer = _integer(text)
    if integer is not None:
        return integer
    if re.fullmatch(_FLOAT, text):
        value = float(text)
        return None if value in {float("inf"), float("-inf")} else value
    if match := re.fullmatch(_SIGNED_BINARY, text):
        value = int(match[1], 2)
        return value if -_INT64 <= value < _INT64 else None
    return None


def _integer(text: str) -> int | None:
    """The integer when it fits into 64 bits: signed with a sign, up to 2**64 - 1 without."""
    match = re.fullmatch(_INTEGER, text)
    if not match or len(text) > 70:
        return None
    group = match.lastindex or 0
    value = int(match[group], _BASES[group - 2])
    if match[1] == "-":
        value = -value
    return value if -_INT64 <= value < (_INT64 if match[1] else _UINT64) else None


def key_of(value: Any) -> str:
    """The string that kubectl's conversion to JSON makes of a key.

    Raises:
        NotJsonError: for keys the conversion refuses: null and integers above 2**63 - 1.
    """
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        if value < _INT64:
            return str(value)
        raise NotJsonError(f"the key {value} is too large a number for Kubernetes", f'quote the key: "{value}":')
    if kind is float:
        return _float32_text(value)
    raise NotJsonError("a key is null", 'write a name before the colon, or quote the word: "null":')


def plain_key(text: str) -> Any:
    """The key a plain scalar makes: a string, or `MERGE`.

    Raises:
        NotJsonError: as `key_of`.
    """
    if text == "<<":
        return MERGE
    if text in _NOT_FINITE:
        return text.lower().lstrip("+")
    return key_of(resolve(text))


def _float32_text(value: float) -> str:
    """strconv.FormatFloat(value, 'g', -1, 32): the shortest text that reads back as the same 32-bit float."""
    from struct import error, pack, unpack

    try:
        packed = pack("<f", value)
    except (OverflowError, error):
        return "-.inf" if value < 0 else ".inf"
    (single,) = unpack("<f", packed)
    for digits in range(9):
        text = f"{single:.{digits}e}"
        if pack("<f", float(text)) == packed:
            break
    mantissa, _, exponent = text.partition("e")
    power = int(exponent)
    if -4 <= power < 6:
        return f"{float(text):.{max(digits - power, 0)}f}"
    return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


class Plain(dict[str, Any]):  # ruff: ignore[subclass-builtin] - a lookup that hits must not leave C
    """Memo of `resolve`: look a plain scalar up to resolve it. A pure cache of immutable values."""

    __slots__ = ()

    def __missing__(self, text: str) -> Any:
        value = resolve(text)
        if len(self) < _MEMO_LIMIT:
            self[text] = value
        return value


class Keys(dict[str, Any]):  # ruff: ignore[subclass-builtin] - as Plain
    """Memo of `plain_key`. A pure cache of strings."""

    __slots__ = ()

    def __missing__(self, text: str) -> Any:
        key = plain_key(text)
        if len(self) < _MEMO_LIMIT:
            self[text] = key
        return key


PLAIN: Final = Plain()
KEYS: Final = Keys()


class LiteralPlain(dict[str, Any]):  # ruff: ignore[subclass-builtin] - as Plain
    """As `Plain`, for files that are no Kubernetes objects: infinity and not-a-number are numbers."""

    __slots__ = ()

    def __missing__(self, text: str) -> Any:
        return float(text.replace(".", "")) if text in _NOT_FINITE else PLAIN[text]


class LiteralKeys(dict[str, Any]):  # ruff: ignore[subclass-builtin] - as Plain
    """As `Keys`, but `<<` is a key like any other."""

    __slots__ = ()

    def __missing__(self, text: str) -> Any:
        return text if text == "<<" else KEYS[text]


LITERAL_PLAIN: Final = LiteralPlain()
LITERAL_KEYS: Final = LiteralKeys()
