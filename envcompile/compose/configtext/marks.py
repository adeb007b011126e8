"""The mark `# envc:remove`: which entries and sections of a line-oriented text it takes away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.compose.configtext.lines import comment_block, gap_lines, gap_start, header_gap_start, item_end
from envcompile.compose.configtext.text import MARKER, MalformedError, UnmergeableError, place, reject

if TYPE_CHECKING:
    from envcompile.compose.configtext.lines import Dialect, Scan
    from envcompile.compose.configtext.text import Side

_COMMENT: Final = re.compile(rf"[ \t]*[#;!][ \t]*{MARKER}(?=[\s,.:(]|$)[^\r\n]*")
_TRAILING: Final = re.compile(rf"[ \t][#;!][ \t]*{MARKER}(?=[\s,.:(]|$)")


class Marks(NamedTuple):
    """What a text removes: offsets of entries, names of sections."""

    entries: frozenset[int]
    sections: frozenset[str]


NO_MARKS: Final = Marks(frozenset(), frozenset())


def is_mark(comment: str) -> bool:
    """Whether a comment is the mark; words may follow it."""
    return _COMMENT.match(comment) is not None


def marks_of(dialect: Dialect, scan: Scan, side: Side) -> Marks:
    """What the text marks for removal.

    Raises:
        ConfigTextError: for a mark above nothing, on what has a value, or in a base.
    """
    if MARKER not in scan.text:
        return NO_MARKS
    try:
        marks = _read(dialect, scan)
        if side == "base" and (marks.entries or marks.sections):
            offset = scan.text.find(MARKER)
            what = f"`# {MARKER}` stands in the base, which has nothing below it to remove"
            reject(scan.text, offset, what, "delete the mark with its key, or move both to an overlay")
    except MalformedError as error:
        raise error.on(side) from None
    return marks


def _read(dialect: Dialect, scan: Scan) -> Marks:
    text = scan.text
    entries: set[int] = set()
    sections: set[str] = set()
    for number, section in enumerate(scan.sections):
        if not number:
            continue
        above = _above(dialect, text, header_gap_start(scan, number), section.start)
        if above or _TRAILING.search(text, section.start, section.end):
            sections.add(section.name)
    for entry in scan.entries:
        above = _above(dialect, text, gap_start(scan, entry), entry.start)
        raw = text[entry.value_start : entry.end].rstrip("\r\n")
        if entry.value and _COMMENT.fullmatch(raw):
            entries.add(entry.start)
        elif above or _TRAILING.search(raw):
            if entry.value:
                what = f"`{entry.key}` is marked `# {MARKER}` but has a value"
                reject(text, entry.start, what, "leave the value empty to remove the key, or drop the mark")
            entries.add(entry.start)
    end = item_end(scan, len(scan.sections) - 1)
    for position, line in _numbered(text, end, len(text)):
        if is_mark(line):
            _reject_stray(text, position)
    for entry in scan.entries:
        name = scan.sections[entry.section].name
        if name in sections:
            what = f"section `{name}` is marked `# {MARKER}` but has keys"
            reject(text, entry.start, what, "leave the section empty to remove it whole, or mark single keys")
    return Marks(frozenset(entries), frozenset(sections))


def _above(dialect: Dialect, text: str, begin: int, end: int) -> bool:
    """Whether the comment lines directly above an item hold the mark; a mark further up belongs to nothing."""
    gap = text[begin:end]
    if MARKER not in gap:
        return False
    near = end - len(comment_block(dialect, gap))
    found = False
    for position, line in _numbered(text, begin, end):
        if is_mark(line):
            if position < near:
                _reject_stray(text, position)
            found = True
    return found


def _numbered(text: str, begin: int, end: int) -> list[tuple[int, str]]:
    """The lines between two offsets with the offset of each."""
    found = []
    for line in gap_lines(text[begin:end]):
        found.append((begin, line))
        begin += len(line)
    return found


def _reject_stray(text: str, offset: int) -> None:
    reject(text, offset, f"`# {MARKER}` stands above no key", "put it on the line directly above an empty key")


def refuse_contradictions(scan: Scan) -> None:
    """Refuse an overlay that gives one key two values where only the last can win.

    Raises:
        ConfigTextError: at the last line, naming the other.
    """
    for entries in scan.places.values():
        last = entries[-1]
        other = next((entry for entry in entries if entry.value != last.value), None)
        if other:
            line, column = place(scan.text, last.start)
            what = (
                f"`{last.key}` is set twice, to different values: here and on line {place(scan.text, other.start)[0]}"
            )
            raise UnmergeableError("overlay", line, column, what, "keep one of the two lines")
