"""Merges line-oriented texts: the base's lines stay as they are, only values and new lines are put in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.compose.configtext.lines import (
    gap_lines,
    gap_start,
    header_gap_start,
    indentation,
    lead,
    region_end,
    reindented,
    section_end,
)
from envcompile.compose.configtext.marks import marks_of, refuse_contradictions
from envcompile.compose.configtext.text import (
    MARKER,
    REPLACE_HINT,
    KeySpan,
    UnmergeableError,
    line_break,
    not_below,
    place,
    splice,
    with_breaks,
)

if TYPE_CHECKING:
    from collections.abc import Container

    from envcompile.compose.configtext.lines import Dialect, KeyLine, Scan
    from envcompile.compose.configtext.text import Edit


def merge(dialect: Dialect, base: str, overlay: str) -> str:
    """The base's text with the overlay's keys in it.

    Raises:
        ConfigTextError: when a text does not parse, or the overlay contradicts itself.
    """
    breaks = line_break(base, overlay)
    below = dialect.read(base, "base", breaks)
    marks_of(dialect, below, "base")
    above = dialect.read(overlay, "overlay")
    if base == overlay:
        return base
    marks = marks_of(dialect, above, "overlay")
    if dialect.last_wins and len(above.places) < len(above.entries):
        refuse_contradictions(above)
    _refuse_items(below, above, marks.sections)
    edits: list[Edit] = []
    if marks.sections:
        edits += [
            (section.start, region_end(dialect, below, number), "")
            for number, section in enumerate(below.sections)
            if section.name in marks.sections
        ]
    fresh: dict[str, list[KeyLine]] = {}
    places = below.places
    for identity, wanted in above.places.items():
        known = places.get(identity)
        new = wanted[-1]
        if new.start in marks.entries:
            edits += [_removal(dialect, below, entry) for entry in known or ()]
        elif known is None:
            fresh.setdefault(identity[0], []).extend(wanted[-1:] if dialect.last_wins else wanted)
        elif dialect.last_wins:
            if known[-1].value != new.value:
                edits += [_override(dialect, below, entry, above, new, breaks) for entry in known]
        elif [entry.value for entry in known] != [entry.value for entry in wanted]:
            edits += _override_all(dialect, below, known, above, wanted, breaks)
    for name in above.numbers:
        if name not in below.numbers and name not in marks.sections:
            fresh.setdefault(name, [])
    insertion = _Insertion(dialect, below, above, breaks)
    for name in sorted(fresh, key=lambda name: name not in below.numbers):  # what is behind the end comes last
        edits.append(insertion.of(name, sorted(fresh[name], key=_start)))
    if not edits:
        return base
    result = splice(below.text, edits)
    return result if (base or overlay).endswith("\n") else result.rstrip("\r\n")


def _refuse_items(below: Scan, above: Scan, removed: Container[str]) -> None:
    """Refuse sections that are items of a list, such as the peers of WireGuard: of two with one name, both have a key.

    Raises:
        UnmergeableError: the overlay speaks of one, and nothing says which.
    """
    for scan, side in ((below, "below"), (above, "in the overlay")):
        if len(scan.numbers) == len(scan.sections):
            continue
        keys: dict[str, list[set[str]]] = {}
        held: dict[int, set[str]] = {}
        for entry in scan.entries:
            held.setdefault(entry.section, set()).add(entry.key)
        for number, section in enumerate(scan.sections):
            keys.setdefault(section.name, []).append(held.get(number, set()))
        for name, every in keys.items():
            if len(every) > 1 and name in above.numbers and name not in removed and set.intersection(*every):
                line, column = place(above.text, above.sections[above.numbers[name]].start)
                what = (
                    f"`[{name}]` stands {len(every)} times {side} with the same keys: nothing says which one is meant"
                )
                raise UnmergeableError("overlay", line, column, what, REPLACE_HINT)


def _start(entry: KeyLine) -> int:
    return entry.start


def _override(dialect: Dialect, below: Scan, old: KeyLine, above: Scan, new: KeyLine, breaks: str) -> Edit:
    """Put the new value behind the key as the base writes it."""
    if old.doubtful >= 0:
        line, column = place(below.text, old.doubtful)
        what = f"`{old.key}` is overridden, and this line may continue its value or be a key of its own"
        raise UnmergeableError("base", line, column, what, f"indent it like `{old.key}` when it is a key")
    raw = above.text[new.value_start : new.value_end]
    if old.separator and (new.separator or new.value is not None) and not _runs_together(dialect, below, old, raw):
        if dialect.indents and "\n" in raw:
            raw = reindented(raw, indentation(above.text, new.start), indentation(below.text, old.start), first=False)
        comments = _comments_within(dialect, below, old)
        if comments:
            return old.value_start, old.end, with_breaks(f"{raw}\n", breaks) + comments
        return old.value_start, old.value_end, with_breaks(raw, breaks)
    lines = _moved(above, new, indentation(below.text, old.start), breaks)
    return old.start, old.end, lines + _comments_within(dialect, below, old)


def _removal(dialect: Dialect, below: Scan, old: KeyLine) -> Edit:
    return old.start, old.end, _comments_within(dialect, below, old)


def _comments_within(dialect: Dialect, below: Scan, old: KeyLine) -> str:
    """The comment lines between the lines of a continued value, which are no part of it."""
    if not dialect.indents or "\n" not in (old.value or ""):
        return ""
    lines = gap_lines(below.text[old.start : old.end])[1:]
    return "".join(line for line in lines if line.lstrip()[:1] in dialect.comments and line.strip())


def _runs_together(dialect: Dialect, below: Scan, old: KeyLine, raw: str) -> bool:
    """Whether the value as written would read as a separator or a comment behind the base's key."""
    if old.separator == " ":
        return raw.lstrip("\\\r\n \t\f")[:1] in "=:"
    return dialect.comments == "#" and raw.startswith("#") and below.text[old.value_start - 1] in " \t"


def _moved(above: Scan, new: KeyLine, indent: str, breaks: str) -> str:
    """The lines of an entry for a place of another indentation."""
    lines = above.text[new.start : new.end]
    return with_breaks(reindented(lines, indentation(above.text, new.start), indent), breaks)


def _override_all(
    dialect: Dialect, below: Scan, known: list[KeyLine], above: Scan, wanted: list[KeyLine], breaks: str
) -> list[Edit]:
    """Give a key that may repeat exactly the overlay's values, on the base's lines as far as they go."""
    edits = [
        _override(dialect, below, old, above, new, breaks)
        for old, new in zip(known, wanted, strict=False)
        if old.value != new.value
    ]
    edits += [_removal(dialect, below, old) for old in known[len(wanted) :]]
    last = known[-1]
    indent = indentation(below.text, last.start)
    edits += [(last.end, last.end, _moved(above, new, indent, breaks)) for new in wanted[len(known) :]]
    return edits


class _Insertion:
    """Writes new entries at the end of their section, new sections at the end of the text."""

    __slots__ = ("_above", "_apart", "_below", "_breaks", "_dialect", "_ends", "_firsts")

    def __init__(self, dialect: Dialect, below: Scan, above: Scan, breaks: str) -> None:
        self._dialect = dialect
        self._below = below
        self._above = above
        self._breaks = breaks
        self._ends: dict[int, int] = {}
        self._apart: bool | None = None
        self._firsts: dict[str, int] = {}
        for number, section in enumerate(above.sections):
            self._firsts.setdefault(section.name, number)

    def of(self, name: str, entries: list[KeyLine]) -> Edit:
        """The new entries of one section in the order of the overlay."""
        dialect, below, above = self._dialect, self._below, self._above
        chunks: list[str] = []
        indent = None
        number = below.numbers.get(name)
        if number is None:
            chunks.append(self._header(name))
            number = len(below.sections) - 1
            indent = indentation(above.text, entries[0].start) if dialect.indents and entries else None
        elif dialect.indents and number in below.last:
            indent = indentation(below.text, below.last[number].start)
        elif dialect.indents and number + 1 < len(below.sections):
            indent = indentation(below.text, below.sections[number + 1].start)
        elif dialect.indents and entries:
            indent = indentation(above.text, entries[0].start)
        for entry in entries:
            text = lead(dialect, above, gap_start(above, entry), entry.start) + above.text[entry.start : entry.end]
            if indent is not None:
                text = reindented(text, indentation(above.text, entry.start), indent)
            chunks.append(text)
        position = self._end(number)
        chunk = "".join(chunks)
        if not position or below.text.endswith(("\n\n", "\n\r\n"), max(0, position - 3), position):
            chunk = chunk.lstrip("\r\n")
        return position, position, with_breaks(chunk, self._breaks)

    def _end(self, number: int) -> int:
        if number not in self._ends:
            self._ends[number] = section_end(self._dialect, self._below, number)
        return self._ends[number]

    def _header(self, name: str) -> str:
        """The header of a new section with its comment, set off by a blank line where the base does so."""
        number = self._firsts[name]
        section = self._above.sections[number]
        comment = lead(self._dialect, self._above, header_gap_start(self._above, number), section.start)
        if not comment.startswith(("\n", "\r")) and self._sets_apart():
            comment = f"\n{comment}"
        return comment + self._above.text[section.start : section.end].lstrip(" \t")

    def _sets_apart(self) -> bool:
        """Whether blank lines stand between the sections; also so when there are no two parts to see it by."""
        if self._apart is None:
            self._apart = _sets_apart(self._dialect, self._below)
        return self._apart


def _sets_apart(dialect: Dialect, scan: Scan) -> bool:
    first = next((at for at, letter in enumerate(scan.text) if not letter.isspace()), len(scan.text))
    inner = [number for number, section in enumerate(scan.sections) if number and first < section.start]
    return not inner or any(
        not lead(dialect, scan, header_gap_start(scan, number), scan.sections[number].start).partition("\n")[0].strip()
        and scan.text[header_gap_start(scan, number) : scan.sections[number].start]
        for number in inner
    )


def keys(dialect: Dialect, text: str) -> dict[str, KeySpan]:
    """Every key of the text, `section.key` where there are sections; of a repeated key the last.

    Raises:
        ConfigTextError: when the text does not parse.
    """
    scan = dialect.read(text, "base")
    spans: dict[str, KeySpan] = {}
    line, counted = 1, 0
    for entry in scan.entries:
        line += scan.text.count("\n", counted, entry.start)
        counted = entry.start
        name = scan.sections[entry.section].name
        last = line + scan.text.count("\n", entry.start, entry.value_end)
        spans[f"{name}.{entry.key}" if name else entry.key] = KeySpan(entry.value, line, last)
    return spans


def overlay_between(dialect: Dialect, base: str, target: str) -> str:
    """The text of an overlay that should lead from the base to the target.

    Raises:
        ConfigTextError: when a text does not parse.
    """
    below, above = dialect.read(base, "base"), dialect.read(target, "overlay")
    lines: dict[str, list[str]] = {name: [] for name in above.numbers}
    for number, section in enumerate(above.sections):
        if number and section.name not in below.numbers and not lines[section.name]:
            comment = lead(dialect, above, header_gap_start(above, number), section.start)
            lines[section.name].append(not_below(comment, base) + above.text[section.start : section.end])
    for identity, entries in above.places.items():
        known = below.places.get(identity)
        if known is None or [entry.value for entry in known] != [entry.value for entry in entries]:
            number = below.numbers.get(identity[0], -1)
            end = section_end(dialect, below, number) if number >= 0 else 0
            for entry in entries[-1:] if dialect.last_wins else entries:
                begin = gap_start(above, entry) if known is None else entry.start
                comment = not_below(lead(dialect, above, begin, entry.start), below.text[:end])
                lines[identity[0]].append(comment + above.text[entry.start : entry.end])
    for identity, entries in below.places.items():
        if identity not in above.places and identity[0] in above.numbers:
            entry = entries[-1]
            head = below.text[entry.start : entry.value_start].strip()
            lines[identity[0]].append(f"# {MARKER}\n{head}{'' if entry.separator in {'=', ':'} else dialect.empty}\n")
    parts = []
    for name, found in lines.items():
        if found and name and name in below.numbers:
            header = above.sections[above.numbers[name]]
            parts.append(above.text[header.start : header.end].lstrip(" \t"))
        parts += found
    for name, number in below.numbers.items():
        if name not in above.numbers:
            header = below.sections[number]
            parts += [f"# {MARKER}\n", below.text[header.start : header.end].lstrip(" \t")]
    return "".join(parts)
