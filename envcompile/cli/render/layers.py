"""Layers in a terminal: a colour of the person's own sixteen each, and a letter where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.text import one_line

if TYPE_CHECKING:
    from envcompile.actions.origins import LayerKind

DIM, BOLD, STRUCK, WARNING = "2", "1", "2;9", "1;33"
COLORS: Final[dict[LayerKind, str]] = {"base": "2", "shared": "36", "own": "34", "settings": "35", "derived": "2;3"}
LETTERS: Final[dict[LayerKind, str]] = {"base": "b", "shared": "s", "own": "o", "settings": "e", "derived": "d"}
WORDS: Final[dict[LayerKind, str]] = {
    "base": "base",
    "shared": "shared overlay",
    "own": "own file",
    "settings": "environment.yaml",
    "derived": "derived",
}


def styled(text: str, code: str, *, colored: bool) -> str:
    """Text in a style; what others wrote is made inert.

    Args:
        text: one line.
        code: numbers of ECMA-48's SGR; empty for none.
        colored: whether the terminal shows styles.
    """
    shown = one_line(text)
    return f"\x1b[{code}m{shown}\x1b[0m" if colored and code and shown else shown


def fitted(text: str, width: int, *, from_front: bool = False) -> str:
    """Text of at most this many cells, made inert; what is too long is cut, with an ellipsis where it was.

    Args:
        text: one line.
        width: in cells of a terminal, of which wide letters take two.
        from_front: cut the beginning.
    """
    from rich.cells import cell_len, set_cell_size

    shown = one_line(text)
    if cell_len(shown) <= width:
        return shown
    if not from_front:
        return f"{set_cell_size(shown, width - 1).rstrip()}…"
    while cell_len(shown) > width - 1:
        shown = shown[cell_len(shown) - width + 1 :] if shown.isascii() else shown[1:]
    return f"…{shown}"


def filled(text: str, width: int) -> str:
    """Text with blanks up to this many cells."""
    from rich.cells import cell_len

    return text + " " * max(0, width - cell_len(text))
