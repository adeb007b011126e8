"""`--format json`: an entry for each environment in which something differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.ask.formats import as_json
from envcompile.cli.output import answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.ask.difference import EnvironmentDiff

SAYS_NOTHING = True


def write(environments: Sequence[EnvironmentDiff], _width: int, /) -> None:
    """Print the difference."""
    answer(environments=as_json(environments))
