"""Dotenv: `export KEY=value`, single, double and back quotes over several lines, comments after values."""

from __future__ import annotations

import re
from typing import Final

from envcompile.compose.configtext.lines import Dialect, KeyLine, Section
from envcompile.compose.configtext.text import reject

_BLANK: Final = re.compile(r"(?:[ \t]*+(?:#[^\r\n]*+)?+(?:\r\n|\n|\r))*+")
_KEY: Final = re.compile(r"[ \t]*+(?:export[ \t]++)?+([^\s=#'\"`]++)[ \t]*+(?:=[ \t]*+)?+")
_QUOTED: Final = re.compile(r"'[^']*+'|\"(?:[^\"\\]|\\[\s\S])*+\"|`[^`]*+`")
_BARE: Final = re.compile(r"[^\r\n]*")
_COMMENT: Final = re.compile(r"[ \t]+#")
_END: Final = re.compile(r"[ \t]*+(?:#[^\r\n]*+)?+(?:\r\n|\n|\r)")
_ESCAPE: Final = re.compile(r"\\([nrt\"\\$`])")
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t"}


def _scan(text: str) -> tuple[list[Section], list[KeyLine]]:
    entries: list[KeyLine] = []
    position = _end_of(_BLANK.match(text))
    while position < len(text):
        match = _KEY.match(text, position)
        if not match:
            reject(text, position, "a line is neither a comment nor `KEY=value`", "write `KEY=value`")
        key, value_start = match[1], match.end()
        value: str | None
        if "=" not in match[0]:
            value, value_start, value_end = None, match.end(1), match.end(1)
        elif text[value_start] in "'\"`":
            value_end = _closed(text, value_start, key)
            value = _unquoted(text[value_start:value_end])
        else:
            raw = _BARE.match(text, value_start)
            line = raw[0] if raw else ""
            comment = _COMMENT.search(line)
            line = line[: comment.start()] if comment else line
            if line.startswith("#") and text[value_start - 1] != "=":
                line = ""
            value = line.rstrip()
            value_end = value_start + len(value)
            if not value:  # what follows the separator is a comment: it stays where it is
                value_start = value_end = position + len(match[0].rstrip())
        end = _END.match(text, value_end)
        if not end:
            what = (
                f"`{key}` has text after its closing quote" if value is not None else "a line has no `=` after its key"
            )
            reject(text, value_end, what, "quote the whole value" if value is not None else "write `KEY=value`")
        entries.append(
            KeyLine(0, key, value, "" if value is None else "=", position, value_start, value_end, end.end())
        )
        position = _end_of(_BLANK.match(text, end.end()))
    return [Section("", 0, 0)], entries


def _end_of(match: re.Match[str] | None) -> int:
    return match.end() if match else 0


def _closed(text: str, start: int, key: str) -> int:
    """Where the quoted value that begins at an offset ends."""
    quoted = _QUOTED.match(text, start)
    if not quoted:
        reject(text, start, f"the quote that begins the value of `{key}` is never closed", "close it, or escape it")
    return quoted.end()


def _unquoted(raw: str) -> str:
    """What a quoted value stands for; only double quotes know escapes."""
    value = raw[1:-1]
    if "\r" in value:
        value = value.replace("\r\n", "\n")
    if raw[0] == '"' and "\\" in value:
        value = _ESCAPE.sub(lambda match: _LETTERS.get(match[1], match[1]), value)
    return value


DOTENV: Final = Dialect(scan=_scan, comments="#", last_wins=True, indents=False)
"""How `.env` files are read and written."""
