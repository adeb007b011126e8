"""Tables for a terminal: every column as wide as its widest cell, and the whole no wider than the terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_GAP: Final = "  "
_HINT: Final = "hint: "
"""What follows stands below its first word, as in hints of several lines."""
_NARROWEST: Final = 10
"""Characters below which no column goes to make room: words would fall to pieces."""


def columns(rows: Sequence[Sequence[str]], indent: str = "") -> list[str]:
    """The lines of a table; the last column is not filled up.

    On a terminal that is too narrow the widest cells go on in the next line, below where they began; a program that
    reads gets one line a row.

    Args:
        rows: the cells, as many in every row.
        indent: what every line begins with.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if widths and sys.stdout.isatty():
        words = [max(map(_longest_word, column)) for column in zip(*rows, strict=True)]
        widths = _narrowed(widths, words, shutil.get_terminal_size().columns - len(indent))
    return [
        indent + _GAP.join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for row in rows
        for line in _lines(row, widths)
    ]


def with_last_below(rows: Sequence[Sequence[str]], indent: str = "") -> list[str]:
    """The lines of a table whose last cells go below the others where a terminal has no room for both.

    Args:
        rows: the cells, as many in every row.
        indent: what every line begins with.
    """
    lines = columns(rows, indent)
    room = shutil.get_terminal_size().columns
    heads = columns([row[:-1] for row in rows], indent)
    if not sys.stdout.isatty() or len(lines) == len(rows) or len(heads) != len(rows):
        return lines
    below = indent + " " * 4
    return [
        line
        for head, row in zip(heads, rows, strict=True)
        for line in (
            head,
            *textwrap.wrap(row[-1], room, initial_indent=below, subsequent_indent=f"{below}  ", break_on_hyphens=False),
        )
    ]


def hanging(line: str) -> list[str]:
    """A line as lines of the terminal's width, broken at blanks; what follows is indented below the first.

    Args:
        line: what is printed.
    """
    room = shutil.get_terminal_size().columns
    if len(line) <= room or "\t" in line:
        return [line]
    text = line.lstrip(" ")
    lead = " " * (len(line) - len(text))
    below = lead + " " * (len(_HINT) if text.startswith(_HINT) else 4)
    return textwrap.wrap(
        text,
        room,
        initial_indent=lead,
        subsequent_indent=below if len(below) <= room // 2 else "",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _longest_word(cell: str) -> int:
    return max(map(len, cell.split()), default=0)


def _narrowed(widths: Sequence[int], words: Sequence[int], room: int) -> list[int]:
    """The same, the widest ones smaller, so that all fit into the room where they can; words stay whole if they do."""
    gaps = len(_GAP) * (len(widths) - 1)
    sizes = range(min(max(widths), room), _NARROWEST, -1)
    for least in (words, [0] * len(widths)):
        for size in sizes:
            found = [min(width, max(size, word)) for width, word in zip(widths, least, strict=True)]
            if sum(found) + gaps <= room:
                return found
    return [min(width, _NARROWEST) for width in widths]


def _lines(row: Sequence[str], widths: Sequence[int]) -> Iterator[Sequence[str]]:
    """The lines that a row takes."""
    if all(len(cell) <= width for cell, width in zip(row, widths, strict=True)):
        yield row
        return
    folded = [
        # A name is broken at a hyphen where it has to be, a sentence and a date are not.
        textwrap.wrap(cell, width, break_on_hyphens=" " not in cell) if len(cell) > width else [cell]
        for cell, width in zip(row, widths, strict=True)
    ]
    yield from zip_longest(*folded, fillvalue="")
