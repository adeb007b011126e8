"""`.conf`: the ending says nothing, so the text does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.compose.configtext.format import Format, lines

if TYPE_CHECKING:
    from envcompile.compose.configtext.format import TextReader
    from envcompile.compose.configtext.lines import Dialect


def _dialect() -> Dialect:
    from envcompile.compose.configtext.ini import CONF

    return CONF


_SECTIONS = lines("conf", (), _dialect)


def _reading(base: str, overlay: str) -> Format | None:
    """As what two texts can be merged; None where the overlay can only replace the base whole."""
    from envcompile.compose.configtext.formats import redis, toml
    from envcompile.compose.configtext.ini import is_conf
    from envcompile.compose.configtext.tomlscan import is_toml
    from envcompile.compose.configtext.words import is_words

    below = base if base.strip() else overlay
    if is_conf(below):
        return _SECTIONS
    if is_toml(below):
        return toml.FORMAT._replace(name="TOML") if not overlay.strip() or is_toml(overlay) else None
    return redis.FORMAT if is_words(below) and (not overlay.strip() or is_words(overlay, partial=True)) else None


def _reader() -> TextReader:
    return _SECTIONS.reader()


FORMAT = Format(
    "conf",
    ("conf",),
    _reader,
    read_as=_reading,
    # nginx, httpd, squid, HAProxy, Fluent Bit and HOCON have syntaxes of their own.
    opaque="it is neither `[section]` and `key = value` lines nor TOML nor the directives of Redis",
)
