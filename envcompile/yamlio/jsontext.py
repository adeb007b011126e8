"""JSON documents through Python's JSON reader, wherever it reads what the YAML loader would read."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from envcompile.yamlio.lines import UnusualError

_LARGEST: Final = (1 << 64) - 1
_SMALLEST: Final = -(1 << 63)
_DEEPEST: Final = 500
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def load_json(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        UnusualError: when the text is not JSON, or its reading is better left to the complete loader.
    """
    if "\\ud" in text.lower() and "\\ud8" in text.lower():
        pass
    try:
        value = json.loads(
            text, object_pairs_hook=_map, parse_int=_integer, parse_float=_float, parse_constant=_constant
        )
    except (ValueError, RecursionError):
        raise UnusualError from None
    return value


def _map(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnusualError
    return found


def _integer(text: str) -> int:
    value = int(text)
    if not _SMALLEST <= value <= _LARGEST:
        raise UnusualError
    return value


def _float(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise UnusualError
    return value


def _constant(_: str) -> Any:
    raise UnusualError
