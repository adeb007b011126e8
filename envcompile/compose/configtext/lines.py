"""Line-oriented texts as entries and sections by offset, so that edits can be spliced into what people wrote."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.compose.configtext.text import MalformedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.compose.configtext.text import Side

_LINE: Final = re.compile(r"[^\n]*\n")
_CACHED_LENGTH: Final = 1 << 16


class KeyLine(NamedTuple):
    """One key with its value; offsets into the text.

    `value` is None for a key that is written without a separator. `value_start:value_end` is the value as written,
    `start:end` are the whole lines of the entry.
    """

    section: int
    key: str
    value: str | None
    separator: str
    start: int
    value_start: int
    value_end: int
    end: int
    doubtful: int = -1
    """Offset of an indented line that other readers take for a key of its own; -1 when there is none."""


class Section(NamedTuple):
    """A section and the line of its header; the part before the first header has no name and no header."""

    name: str
    start: int
    end: int


class Scan(NamedTuple):
    """What a text holds, in its order.

    `places` has the entries by names of section and key, `numbers` the last section of each name, `last` the last
    entry of each section by its number.
    """

    text: str
    sections: tuple[Section, ...]
    entries: tuple[KeyLine, ...]
    places: dict[tuple[str, str], list[KeyLine]]
    numbers: dict[str, int]
    last: dict[int, KeyLine]


class Dialect(NamedTuple):
    """How one line-oriented format is read and written.

    `scan` reads a text that is empty or ends in a line break and raises MalformedError. `comments` are the characters
    that begin a comment line. With `last_wins` a repeated key has one value, the last; without, all its values count
    together. With `indents` the indentation of a line means something, so that a line that moves takes that of its
    new place. `empty` is what follows the name of a key that is written without a value.
    """

    scan: Callable[[str], tuple[list[Section], list[KeyLine]]]
    comments: str
    last_wins: bool
    indents: bool
    empty: str = "="

    def read(self, text: str, side: Side, breaks: str = "\n") -> Scan:
        """Scan a text, which gets a final line break when it has none.

        Raises:
            ConfigTextError: when it does not parse.
        """
        if text and not text.endswith("\n"):
            text += breaks
        try:
            return _cached_scan(self, text) if len(text) <= _CACHED_LENGTH else _scan(self, text)
        except MalformedError as error:
            raise error.on(side) from None


def _scan(dialect: Dialect, text: str) -> Scan:
    sections, entries = dialect.scan(text)
    places: dict[tuple[str, str], list[KeyLine]] = {}
    numbers = {section.name: number for number, section in enumerate(sections)}
    if len(sections) == 1:
        for entry in entries:
            places.setdefault(("", entry[1]), []).append(entry)
        last = {0: entries[-1]} if entries else {}
    else:
        for entry in entries:
            places.setdefault((sections[entry[0]].name, entry[1]), []).append(entry)
        last = {entry[0]: entry for entry in entries}
    return Scan(text, tuple(sections), tuple(entries), places, numbers, last)


# A pure function of its arguments: one base text is merged with the text of every environment.
_cached_scan = lru_cache(maxsize=512)(_scan)


def item_end(scan: Scan, section: int) -> int:
    """Where the last line of a section ends that is neither comment nor blank."""
    last = scan.last.get(section)
    return last.end if last else scan.sections[section].end


def section_end(dialect: Dialect, scan: Scan, section: int) -> int:
    """Where a new line of the section belongs: before trailing blank lines and the comment of the next header."""
    begin = item_end(scan, section)
    lines = _LINE.findall(scan.text[begin : _next_start(dialect, scan, section, begin)])
    while lines and not lines[-1].strip():
        lines.pop()
    return begin + sum(map(len, lines))


def region_end(dialect: Dialect, scan: Scan, section: int) -> int:
    """Where the section ends with its blank lines and comments: before the comment of the next header."""
    return _next_start(dialect, scan, section, item_end(scan, section))


def _next_start(dialect: Dialect, scan: Scan, section: int, begin: int) -> int:
    if section + 1 == len(scan.sections):
        return len(scan.text)
    end = scan.sections[section + 1].start
    return end - len(comment_block(dialect, scan.text[begin:end]))


def gap_start(scan: Scan, entry: KeyLine) -> int:
    """Where the comments and blank lines before an entry begin."""
    low, high = 0, len(scan.entries)
    while low < high:
        middle = (low + high) // 2
        if scan.entries[middle].start < entry.start:
            low = middle + 1
        else:
            high = middle
    header = scan.sections[entry.section].end
    return max(header, scan.entries[low - 1].end) if low else header


def header_gap_start(scan: Scan, section: int) -> int:
    """Where the comments and blank lines before the header of a section begin."""
    return item_end(scan, section - 1)


def comment_block(dialect: Dialect, gap: str) -> str:
    """The comment lines at the end of a gap."""
    lines = _LINE.findall(gap)
    first = len(lines)
    while first and lines[first - 1].strip() and lines[first - 1].lstrip(" \t\f")[0] in dialect.comments:
        first -= 1
    return "".join(lines[first:])


def lead(dialect: Dialect, scan: Scan, begin: int, end: int) -> str:
    """The comment lines directly above an item that a gap leads to, and the blank lines above those."""
    gap = scan.text[begin:end]
    if not gap:
        return ""
    block = comment_block(dialect, gap)
    lines = _LINE.findall(gap[: len(gap) - len(block)])
    first = len(lines)
    while first and not lines[first - 1].strip():
        first -= 1
    return "".join(lines[first:]) + block


def gap_lines(gap: str) -> list[str]:
    """The lines of a gap with their line breaks."""
    return _LINE.findall(gap)


def indentation(text: str, start: int) -> str:
    """The blanks at the start of a line."""
    end = start
    while text[end] in " \t\f":
        end += 1
    return text[start:end]


def reindented(text: str, old: str, new: str, *, first: bool = True) -> str:
    """The lines with one indentation taken for another; blank lines stay, without `first` the first line too."""
    if old == new:
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if (number or first) and line.strip():
            lines[number] = new + line.removeprefix(old)
    return "\n".join(lines)
