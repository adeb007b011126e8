"""`--format markdown`: as a pull request shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.ask.markdown import page
from envcompile.cli.output import raw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.ask.difference import EnvironmentDiff


def write(environments: Sequence[EnvironmentDiff], _width: int, /) -> None:
    """Print the difference."""
    raw(f"{page(environments).rstrip(chr(10))}\n")
