"""Colours of what people read in a terminal."""

from __future__ import annotations

import os
import sys

from envcompile.text import one_line

TYPE_CHECKING = False
"""Type checkers take it for true; a build with nothing to do has no use for `typing`."""

if TYPE_CHECKING:
    from typing import TextIO

_COLORS = {"+": "\x1b[32m", "-": "\x1b[31m", "!": "\x1b[33m", "~": "\x1b[36m", "@": "\x1b[36m"}
_GRADES = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "info": "\x1b[1;34m",
    "hint": "\x1b[1;36m",
    "note": "\x1b[1;36m",
}
_PLACE = "\x1b[36m"
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def is_colored(stream: TextIO | None = None) -> bool:
    """Colours go to a terminal that has them; NO_COLOR refuses them (no-color.org), FORCE_COLOR wants them anywhere.

    Args:
        stream: where the text goes; stdout when left out.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") != "0":
        return True
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


def highlighted(text: str) -> str:
    """Text for people with the grade at the beginning of a line, places, and the layer that wins in colour.

    Args:
        text: lines that are visible already: nothing in them acts on a terminal.
    """
    import re

    # The places first: the colours themselves have no `:` and no `/`.
    text = re.sub(r"(?<![\w./-])[\w.-]+(?:/[\w.-]+)+:\d+(?::\d+)?", lambda found: f"{_PLACE}{found[0]}{PLAIN}", text)
    text = re.sub(r"^(  \* )(\S+)", lambda found: f"{found[1]}{BOLD}{found[2]}{PLAIN}", text, flags=re.MULTILINE)
    return re.sub(
        r"^(\s*(?:\S+: )?)(error|warning|info|hint|note)\b(?=[:\[ ])",
        lambda found: f"{found[1]}{_GRADES[found[2]]}{found[2]}{PLAIN}",
        text,
        flags=re.MULTILINE,
    )


def paint(sign: str, text: str, *, colored: bool) -> str:
    """One line of text in the colour of its sign."""
    color = _COLORS.get(sign) if colored else None
    shown = one_line(text)
    return f"{color}{shown}{PLAIN}" if color else shown
