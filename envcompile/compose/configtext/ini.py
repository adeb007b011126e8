"""Ini as Python's configparser, git and systemd write it, and the stricter reading that a `.conf` must pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from envcompile.compose.configtext.lines import Dialect, KeyLine, Section
from envcompile.compose.configtext.text import MalformedError, reject

if TYPE_CHECKING:
    from typing import NoReturn

_HEADER: Final = re.compile(r"\[((?:[^\]\"\r\n]|\"(?:[^\"\\\r\n]|\\.)*+\")++)\][ \t]*+(?:[#;].*)?")
_KEY_VALUE: Final = re.compile(r"([^=:]*?)[ \t]*([=:])[ \t]*")
_BARE: Final = re.compile(r"[\w.$@/*-]+")
_ASSIGNMENT: Final = re.compile(r"[\w.-]+[ \t]*=")
_CODE: Final = re.compile(r"[{}<>();\"']")
_OPENING: Final = ("{", "[", "(", ";", ",")


class _IniScanner:
    """Reads one text line by line; an open entry may be continued by lines that are indented deeper."""

    def __init__(self, text: str, *, strict: bool) -> None:
        self._text = text
        self._strict = strict
        self.sections = [Section("", 0, 0)]
        self.entries: list[KeyLine] = []
        self._indent = -1  # of the entry that may be continued; -1 when none may be
        self._joined = False
        self._lines: list[str] = []  # of the value of the last entry

    def read(self) -> None:
        """Take in every line."""
        position = 0
        for line in self._text.split("\n")[:-1]:
            end = position + len(line) + 1
            body = line.strip()
            if not body or body[0] in "#;":
                position = end
                continue
            indent = len(line) - len(line.lstrip())
            if self._indent >= 0 and self._continues(body, indent):
                self._continue(body, position + indent, end)
            elif body[0] == "[":
                self._header(body, position, position + indent, end)
            else:
                self._entry(body, position, position + indent, end, indent)
            self._joined = body.endswith("\\") and not body.endswith("\\\\")
            position = end
        self._close()

    def _close(self) -> None:
        """Give the last entry its whole value: lines are put together once, however many there are."""
        if len(self._lines) > 1:
            self.entries[-1] = self.entries[-1]._replace(value="\n".join(self._lines))
        self._lines = []

    def _continues(self, body: str, indent: int) -> bool:
        if indent > self._indent:
            return True
        return self._joined and body[0] != "[" and not _ASSIGNMENT.match(body)

    def _continue(self, body: str, start: int, end: int) -> None:
        last = self.entries[-1]
        if _HEADER.fullmatch(body):
            what = f"`{body}` may begin a section or continue the value of `{last.key}`"
            reject(self._text, start, what, f"indent it like `{last.key}` when it begins a section")
        if self._strict and last.value is None:
            self._fail(start, "a line is indented below a key without a value")
        doubtful = last.doubtful
        plain = last.value and not self._joined and len(self._lines) == 1 and last.value_end < start
        if doubtful < 0 and plain and _ASSIGNMENT.match(body):
            doubtful = start
        self._lines.append(body)
        self.entries[-1] = last._replace(value_end=start + len(body), end=end, doubtful=doubtful)

    def _header(self, body: str, begin: int, start: int, end: int) -> None:
        match = _HEADER.fullmatch(body)
        if not match or (self._strict and body.startswith("[[")):
            self._fail(start, "a section header is not `[name]`")
        self._close()
        self.sections.append(Section(match[1].strip(), begin, end))
        self._indent = -1

    def _entry(self, body: str, begin: int, start: int, end: int, indent: int) -> None:
        self._close()
        match = _KEY_VALUE.match(body)
        number = len(self.sections) - 1
        if not match or (self._strict and match[2] != "="):
            if self._strict or not _BARE.fullmatch(body):
                self._fail(start, "a line is neither `[section]`, a comment nor `key = value`")
            value_start = start + len(body)
            self.entries.append(KeyLine(number, body, None, "", begin, value_start, value_start, end))
        else:
            key, value = match[1], body[match.end() :]
            if not key:
                self._fail(start, "a line begins with its separator: the key is missing")
            if self._strict and (_CODE.search(key) or value.endswith(_OPENING)):
                self._fail(start, "a line is not plain `key = value`")
            value_start = start + match.end()
            self.entries.append(KeyLine(number, key, value, match[2], begin, value_start, start + len(body), end))
        self._lines = [self.entries[-1].value or ""]
        self._indent = indent

    def _fail(self, offset: int, what: str) -> NoReturn:
        reject(self._text, offset, what, "write `key = value`, or indent what continues the line above")


def _scan(text: str) -> tuple[list[Section], list[KeyLine]]:
    reader = _IniScanner(text, strict=False)
    reader.read()
    return reader.sections, reader.entries


def _scan_strictly(text: str) -> tuple[list[Section], list[KeyLine]]:
    reader = _IniScanner(text, strict=True)
    reader.read()
    return reader.sections, reader.entries


INI: Final = Dialect(scan=_scan, comments="#;", last_wins=False, indents=True)
"""How `.ini` files are read and written."""

CONF: Final = Dialect(scan=_scan_strictly, comments="#;", last_wins=False, indents=True)
"""How a `.conf` is read and written that is made of `[section]` and `key = value` lines only."""


def is_conf(text: str) -> bool:
    """Whether a `.conf` text is made of `[section]` and `key = value` lines, one at least; nginx and redis are not."""
    if not text.endswith("\n"):
        text += "\n"
    try:
        sections, entries = _scan_strictly(text)
    except MalformedError:
        return False
    return bool(entries) or len(sections) > 1
