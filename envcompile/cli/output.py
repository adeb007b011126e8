"""Where words go: data to stdout, everything for people to stderr; what others wrote passes `envcompile.text`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from envcompile.log import hide_progress
from envcompile.text import in_json, one_line, visible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO


FORMAT_VERSION: Final = 1
"""Of the documents of `--format json`: fields may come while it stays; see `cli/shapes/catalogue.py`."""
_NARROW: Final = 40
"""Characters that fit into every terminal."""
_GRAVE = ("error:", "warning:")
"""What `-q` does not silence."""


def data(line: str) -> None:
    """Print one line of data that people read, too: names, places, figures; a terminal gets lines that fit."""
    hide_progress()
    for part in _fitting(one_line(line), sys.stdout):
        sys.stdout.write(f"{_in_color(part, sys.stdout)}\n")


def table(lines: Iterable[str]) -> None:
    """Print several lines of data."""
    for line in lines:
        data(line)


def raw(text: str) -> None:
    """Print data in a format of its own that brings its line ends, to the byte: manifests, reports, pages."""
    hide_progress()
    sys.stdout.write(text)


def text(block: str) -> None:
    """Print data of several lines that people read; it brings its line ends."""
    hide_progress()
    sys.stdout.write(_in_color(visible(block), sys.stdout))


def document(value: Any) -> None:
    """Print a value as JSON."""
    import json

    hide_progress()
    sys.stdout.write(f"{in_json(json.dumps(value, indent=2, ensure_ascii=False))}\n")


def answer(**parts: Any) -> None:
    """Print the document of a command, of a shape in `cli/shapes`, with the version of all shapes."""
    document({"formatVersion": FORMAT_VERSION, **parts})


def tell(words: str) -> None:
    """Tell people something; scripts that read stdout do not see it, and where both are one screen the order holds."""
    if os.environ.get("ENVC_QUIET") and not words.startswith(_GRAVE):
        return
    hide_progress()
    sys.stdout.flush()
    shown = "\n".join(part for line in visible(words).split("\n") for part in _fitting(line, sys.stderr))
    sys.stderr.write(f"{_in_color(shown, sys.stderr)}\n")


def _fitting(line: str, stream: TextIO) -> list[str]:
    """The line, broken at blanks where a terminal is narrower; a program gets it as it is."""
    if len(line) <= _NARROW or not stream.isatty():
        return [line]
    from envcompile.cli.render.columns import hanging

    return hanging(line)


def _in_color(shown: str, stream: TextIO) -> str:
    """What people read, with colours where the stream has them."""
    if not stream.isatty() and "FORCE_COLOR" not in os.environ:
        return shown
    from envcompile.cli.render.colors import highlighted, is_colored

    return highlighted(shown) if is_colored(stream) else shown
