"""What a `.conf` is made of: the ending says nothing, so the text does."""

from __future__ import annotations

from typing import Literal

from envcompile.compose.configtext.ini import is_conf
from envcompile.compose.configtext.words import is_words

Reading = Literal["conf", "toml", "words"]
"""`[section]` and `key = value`; TOML, as Telegraf has it; directives of Redis."""

NAMES: dict[str, str] = {"conf": "conf", "toml": "TOML", "words": "Redis"}
"""How people call the readings."""

OPAQUE = "it is neither `[section]` and `key = value` lines nor TOML nor the directives of Redis"
"""Why a `.conf` is replaced whole; nginx, httpd, squid, HAProxy, Fluent Bit and HOCON have syntaxes of their own."""


def reading_of(base: str, overlay: str) -> Reading | None:
    """As what two texts can be merged; None where the overlay can only replace the base whole."""
    below = base if base.strip() else overlay
    if is_conf(below):
        return "conf"
    if _is_toml(below):
        return "toml" if not overlay.strip() or _is_toml(overlay) else None
    return "words" if is_words(below) and (not overlay.strip() or is_words(overlay, partial=True)) else None


def _is_toml(text: str) -> bool:
    """Whether a text is TOML, such as Telegraf's `[[inputs.cpu]]`."""
    if "=" not in text:
        return False
    from envcompile.compose.configtext.text import ConfigTextError
    from envcompile.compose.configtext.tomlscan import load

    try:
        return bool(load(text, "base"))
    except (ConfigTextError, RecursionError):
        return False
