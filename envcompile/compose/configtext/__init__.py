"""Configuration files inside of ConfigMaps: merged key by key in the text, comments and order of the base kept.

`properties`, `env` and `ini` are made of lines, `conf` is the plain part of `ini`; `toml`, `yaml` and `json` are
nested, and replace lists whole.
"""

from envcompile.compose.configtext.formats import derive_text, format_of, keys, merge_text
from envcompile.compose.configtext.text import ConfigTextError, KeySpan

__all__ = ["ConfigTextError", "KeySpan", "derive_text", "format_of", "keys", "merge_text"]
