"""`.toml`: nested, lists whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.compose.configtext.format import Format

if TYPE_CHECKING:
    from envcompile.compose.configtext.format import Reader


def _reader() -> Reader:
    from envcompile.compose.configtext import tomltext

    return tomltext


FORMAT = Format("toml", ("toml",), _reader)
