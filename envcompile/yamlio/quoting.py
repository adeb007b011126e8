"""How a text stands on the page: plain, in double quotes, or as a literal block."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from envcompile.errors import fail

_MEMO_LIMIT: Final = 1 << 16
_LONGEST_MEMO_TEXT: Final = 200
_LONGEST_PLAIN_TEXT: Final = 1000
"""Beyond it, looking at every character costs more than the quotes."""
_LONGEST_SIMPLE_KEY: Final = 1000
"""YAML readers look for the colon of a key within 1,024 characters."""

LONG_KEY: Final = "\0"
"""Stands where a long key needs a line of its own; no rendered text can hold it otherwise."""

# Plain only what no YAML 1.1, YAML 1.2 or Go reader could take for anything but this text: a first letter that starts
# no number or indicator, then characters without a meaning inside a block scalar. Numbers with a unit (100m, 1.5Gi,
# 30s) are plain too, but none of the letters a to f, o, x and _ may follow the digits.
_PLAIN: Final = re.compile(
    r"(?:[A-Za-z_/]|[0-9]+(?:\.[0-9]+)*[G-NP-WYZg-np-wyz])"
    r"(?:[A-Za-z0-9_./@%+=,()\[\]{}!*&?;~^$-]|:(?=[^\s:])| (?=[A-Za-z0-9_/.(-]))*"
).fullmatch
_PLAIN_KEY: Final = re.compile(r"(?:[A-Za-z_/]|[0-9]+(?:\.[0-9]+)*[G-NP-WYZg-np-wyz])[A-Za-z0-9_./@%+=()$-]*").fullmatch
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "none"})

# Beyond what JSON escapes: C1 controls, line breaks of YAML 1.1, byte order mark, non-characters.
_UNPRINTABLE: Final = r"[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]"
_NOT_IN_BLOCKS: Final = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]"
# Most texts are printable: these are seldom asked, and take as long to compile as a whole unit.


def quoted(text: str) -> str:
    """The text in double quotes, on one line.

    Raises:
        EnvcError: for half a surrogate pair, which no YAML can hold.
    """
    try:
        found = msgspec.json.encode(text).decode()
    except UnicodeEncodeError:
        found = text
    if found.isprintable() or (found.isascii() and "\x7f" not in found):
        return found
    return re.sub(_UNPRINTABLE, _escape, found)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xD800 <= code <= 0xDFFF:
        raise fail(
            f"a text holds U+{code:04X}, one half of a surrogate pair, which YAML cannot hold",
            "write the whole character, or U+FFFD in its place",
        )
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def block(text: str, newline: str) -> str:
    """A text of several lines as a literal block, or in double quotes where a block cannot hold it for certain.

    Text that ends in several line breaks is quoted, because tools that split and join documents drop or add some.

    Args:
        text: holds a line break.
        newline: a line break and the indentation of the key or dash that the block belongs to.
    """
    body = text.removesuffix("\n")
    begin = body.lstrip("\n")
    if not begin or begin.isspace() or body[-1] == "\n" or not _is_for_blocks(text):
        return quoted(text)
    header = "|2" if begin[0] in " \t" else "|"
    if len(body) == len(text):
        header += "-"
    pad = newline + "  "
    if "\n\n" in body or body[0] == "\n":
        lines = body.split("\n")
        return header + "".join([pad + line if line else "\n" for line in lines])
    return header + pad + body.replace("\n", pad)


def _is_for_blocks(text: str) -> bool:
    """Tell whether a block can hold every character of a text."""
    return text.replace("\n", "").isprintable() or not re.search(_NOT_IN_BLOCKS, text)


class Words(dict[str, str]):  # ruff: ignore[subclass-builtin] - a lookup that hits must not leave C
    """Memo from a text of one line to its rendering as a value, empty for one of several lines. A pure cache."""

    __slots__ = ()

    def __missing__(self, text: str) -> str:
        is_plain = len(text) <= _LONGEST_PLAIN_TEXT and _PLAIN(text) and text.lower() not in _WORDS
        found = text if is_plain else "" if "\n" in text else quoted(text)
        if len(text) < _LONGEST_MEMO_TEXT and len(self) < _MEMO_LIMIT:
            self[text] = found
        return found


class KeyWords(dict[str, str]):  # ruff: ignore[subclass-builtin] - as Words
    """Memo from a key to its rendering with the colon, before which a long key has `LONG_KEY`. A pure cache."""

    __slots__ = ()

    def __missing__(self, text: str) -> str:
        found = text if _PLAIN_KEY(text) and text.lower() not in _WORDS else quoted(text)
        if len(found) > _LONGEST_SIMPLE_KEY:
            return f"? {found}{LONG_KEY}:"
        found += ":"
        if len(self) < _MEMO_LIMIT:
            self[text] = found
        return found


WORDS: Final = Words()
KEY_WORDS: Final = KeyWords()
