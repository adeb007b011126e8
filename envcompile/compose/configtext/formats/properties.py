"""`.properties`, as Java reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.compose.configtext.format import lines

if TYPE_CHECKING:
    from envcompile.compose.configtext.lines import Dialect


def _dialect() -> Dialect:
    from envcompile.compose.configtext.properties import PROPERTIES

    return PROPERTIES


FORMAT = lines("properties", ("properties",), _dialect)
