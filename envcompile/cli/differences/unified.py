"""`--format unified`: as `diff -u` writes it, for other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.ask.formats import unified
from envcompile.cli.output import raw
from envcompile.cli.render.colors import is_colored, paint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.ask.difference import EnvironmentDiff


def write(environments: Sequence[EnvironmentDiff], _width: int, /) -> None:
    """Print the difference."""
    colored = is_colored()
    for line in unified(environments):
        raw(f"{paint(line[:1], line, colored=colored and not line.startswith(('+++', '---')))}\n")
