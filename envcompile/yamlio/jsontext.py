"""JSON documents through Python's JSON reader, wherever it reads what the YAML loader would read."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from envcompile.yamlio.lines import UnusualError

_LARGEST: Final = (1 << 64) - 1
_SMALLEST: Final = -(1 << 63)
_DEEPEST: Final = 500
_PAIR: Final = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")


def load_json(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        UnusualError: when the text is not JSON, or its reading is better left to the complete loader.
    """
    if "\t" in text[len(text.rstrip()) :]:
        raise UnusualError  # a tab begins no line of YAML
    if _HALF.search(text) and _HALF.search(_PAIR.sub("", text)):
        raise UnusualError
    try:
        value = json.loads(
            text, object_pairs_hook=_map, parse_int=_integer, parse_float=_float, parse_constant=_constant
        )
    except (ValueError, RecursionError):
        raise UnusualError from None
    if _too_deep(value):
        raise UnusualError
    return value


def _too_deep(value: Any) -> bool:
    """Whether maps and lists nest deeper than the complete loader allows."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            item
            for each in level
            if type(each) in {dict, list}
            for item in (each.values() if type(each) is dict else each)
        ]
        if not level:
            return False
    return True


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
