"""Configuration files inside of ConfigMaps: merged key by key in the text, comments and order of the base kept.

`properties`, `env` and `ini` are made of lines, `conf` is what its text is made of; `toml`, `yaml` and `json` are
nested, and replace lists whole.
"""

from envcompile.compose.configtext.questions import (
    derive_text,
    format_of,
    how_merged,
    keys,
    merge_text,
    replaced_lists,
    value_of,
)
from envcompile.compose.configtext.text import ConfigTextError, KeySpan

__all__ = [
    "ConfigTextError",
    "KeySpan",
    "derive_text",
    "format_of",
    "how_merged",
    "keys",
    "merge_text",
    "replaced_lists",
    "value_of",
]
