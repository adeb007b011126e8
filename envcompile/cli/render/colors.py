"""Colours of what people read in a terminal."""

from __future__ import annotations

import os
import sys

from envcompile.text import one_line

_COLORS = {"+": "\x1b[32m", "-": "\x1b[31m", "!": "\x1b[33m", "~": "\x1b[36m", "@": "\x1b[36m"}
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def is_colored() -> bool:
    """Colours go to a terminal that has them, and to nobody who said NO_COLOR (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(sign: str, text: str, *, colored: bool) -> str:
    """One line of text in the colour of its sign."""
    color = _COLORS.get(sign) if colored else None
    shown = one_line(text)
    return f"{color}{shown}{PLAIN}" if color else shown
