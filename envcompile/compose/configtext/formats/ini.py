"""`.ini`: sections of `key = value` lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.compose.configtext.format import lines

if TYPE_CHECKING:
    from envcompile.compose.configtext.lines import Dialect


def _dialect() -> Dialect:
    from envcompile.compose.configtext.ini import INI

    return INI


FORMAT = lines("ini", ("ini",), _dialect)
