"""`.env`: `KEY=value` lines, as dotenv and Docker read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.compose.configtext.format import lines

if TYPE_CHECKING:
    from envcompile.compose.configtext.lines import Dialect


def _dialect() -> Dialect:
    from envcompile.compose.configtext.dotenv import DOTENV

    return DOTENV


FORMAT = lines("env", ("env",), _dialect)
