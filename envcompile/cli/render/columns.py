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
    if sys.stdout.isatty():
        widths = _narrowed(widths, shutil.get_terminal_size().columns - len(indent))
    return [
        indent + _GAP.join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for row in rows
        for line in _lines(row, widths)
    ]


def _narrowed(widths: Sequence[int], room: int) -> list[int]:
    """The same, the widest ones smaller, so that all fit into the room where they can."""
    gaps = len(_GAP) * (len(widths) - 1)
    sizes = range(min(max(widths), room), _NARROWEST, -1)
    most = next((size for size in sizes if sum(min(width, size) for width in widths) + gaps <= room), _NARROWEST)
    return [min(width, most) for width in widths]


def _lines(row: Sequence[str], widths: Sequence[int]) -> Iterator[Sequence[str]]:
    """The lines that a row takes."""
    if all(len(cell) <= width for cell, width in zip(row, widths, strict=True)):
        yield row
        return
    folded = [
        textwrap.wrap(cell, width, break_on_hyphens=False) if len(cell) > width else [cell]
        for cell, width in zip(row, widths, strict=True)
    ]
    yield from zip_longest(*folded, fillvalue="")
