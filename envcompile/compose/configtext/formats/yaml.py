"""`.yaml`: nested, lists whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.compose.configtext.format import Format

if TYPE_CHECKING:
    from envcompile.compose.configtext.format import TextReader


def _reader() -> TextReader:
    from envcompile.compose.configtext import yamltext

    return yamltext


FORMAT = Format("yaml", ("yaml", "yml"), _reader)
