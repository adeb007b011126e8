"""The directives of Redis and its relatives, in a `.conf`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.compose.configtext.format import lines

if TYPE_CHECKING:
    from envcompile.compose.configtext.lines import Dialect


def _dialect() -> Dialect:
    from envcompile.compose.configtext.words import WORDS

    return WORDS


FORMAT = lines("Redis", (), _dialect)
