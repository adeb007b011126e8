"""Java's `.properties`: `=`, `:` or blank as separator, continued lines, unicode escapes, the last of a key wins."""

from __future__ import annotations

import re
from typing import Final

from envcompile.compose.configtext.lines import Dialect, KeyLine, Section
from envcompile.compose.configtext.text import reject

# One match takes the comments and blank lines before an entry, then the entry: 1 key, 2 separator, 3 value.
_ENTRY: Final = re.compile(
    r"""
    (?: [ \t\f]*+ (?: [#!][^\r\n]*+ )?+ (?: \r\n | \n | \r ) )*+
    (?:
      ( [ \t\f]*+ )
      ( (?: [^ \t\f=:\\\r\n]++ | \\(?:\r\n|\n|\r)[ \t\f]*+ | \\[^\r\n] )++ )
      (?: [ \t\f]++ | \\(?:\r\n|\n|\r) )*+
      ( (?: [=:] (?: [ \t\f]++ | \\(?:\r\n|\n|\r) )*+ )?+ )
      ( [^\\\r\n]*+ (?: \\(?:\r\n|[\s\S]) [^\\\r\n]*+ )*+ )
      ( \r\n | \n | \r | \Z )
    )?+
    """,
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(\r\n|\n|\r)[ \t\f]*+|([\s\S]))")
_HALF: Final = re.compile(r"[\ud800-\udfff]")
_BLANKS: Final = " \t\f"
_PLAIN: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
_LETTERS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_new: Final = tuple.__new__  # twice as quick as the constructor of a NamedTuple, once for every line of a build


def _scan(text: str) -> tuple[list[Section], list[KeyLine]]:
    """Read line by line; a text with escapes, continued lines or unusual line breaks takes the long way."""
    sections = [Section("", 0, 0)]
    if "\\" in text or "\r" in text:
        return sections, _scan_fully(text, 0, len(text))
    entries: list[KeyLine] = []
    position = 0
    for line in text.split("\n"):
        start = position
        position += len(line) + 1
        key, equals, value = line.partition("=")
        key = key.strip(_BLANKS)
        if equals and key and not key.strip(_PLAIN):
            value = value.lstrip(_BLANKS)
            end = position - 1
            entries.append(_new(KeyLine, (0, key, value, "=", start, end - len(value), end, position, -1)))
        elif line and (first := line.lstrip(_BLANKS)[:1]) and first not in "#!":
            entries += _scan_fully(text, start, position)
    return sections, entries


def _scan_fully(text: str, position: int, length: int) -> list[KeyLine]:
    entries: list[KeyLine] = []
    escapes = "\\" in text
    while position < length:
        match = _ENTRY.match(text, position, length)
        if not match or match.start(1) < 0:
            position = match.end() if match else position
            break
        _, (start, key_start), (_, key_end), separator, (value_start, value_end), (stop, end) = match.regs
        key, value = text[key_start:key_end], text[value_start:value_end]
        if escapes:
            key = _unescaped(key, text, key_start)
            if stop == end:  # the last line break was taken for a continuation
                what = f"`{key}` is continued, but the text ends"
                reject(text, start, what, "drop the backslash at the end of the last line")
            value = _unescaped(value, text, value_start)
        blank = " " if key_end < value_start else ""
        sign = "=" if separator[0] < separator[1] else blank
        entries.append(KeyLine(0, key, value, sign, start, value_start, value_end, end))
        position = end
    if position < length:
        reject(text, position, "a line begins with its separator: the key is missing", "write `key=value`")
    return entries


def _unescaped(raw: str, text: str, offset: int) -> str:
    """The raw key or value without its escapes and line breaks."""
    if "\\" not in raw:
        return raw

    def plain(match: re.Match[str]) -> str:
        code, continued, letter = match.groups()
        if code:
            return chr(int(code, 16))
        if continued:
            return ""
        if letter == "u":
            reject(
                text,
                offset + match.start(),
                "a `\\u` escape needs four hexadecimal digits",
                "write `\\u4e2d`, or `\\\\u` for a backslash",
            )
        return _LETTERS.get(letter, letter)

    value = _ESCAPE.sub(plain, raw)
    if _HALF.search(value):
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


PROPERTIES: Final = Dialect(scan=_scan, comments="#!", last_wins=True, indents=False)
"""How `.properties` are read and written."""
