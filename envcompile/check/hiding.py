"""What stands for the values of a Secret in clear: rules never see them, and still find what the API server refuses."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Final

NOT_SHOWN: Final = "bm90IHNob3du"
"""Stands for a value; `secretBackend: plaintext` and values that are declared harmless may stand in clear."""
_NO_BASE64: Final = "-"
_EMPTY_OBJECT: Final = "{}"
_JSON_KEYS: Final = frozenset({".dockercfg", ".dockerconfigjson"})
"""Keys whose text the API server reads."""


def hidden(field: str, key: str, value: Any) -> Any:
    """A value that says nothing and is refused for the same reasons, if it is.

    Args:
        field: `data` or `stringData`.
        key: the key of the value.
        value: what is to be hidden.
    """
    if value is None or value == "":
        return value
    if not isinstance(value, str):
        return type(value)() if isinstance(value, bool | int | float | list | dict) else NOT_SHOWN
    text = value
    if field == "data":
        try:
            text = base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True).decode(errors="replace")
        except (ValueError, binascii.Error):
            return _NO_BASE64
    if key not in _JSON_KEYS or not _is_object(text):
        return NOT_SHOWN
    return base64.b64encode(_EMPTY_OBJECT.encode()).decode() if field == "data" else _EMPTY_OBJECT


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
