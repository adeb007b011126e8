"""Writes values.schema.json, with which both Helms refuse a key or a type that the chart does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from envcompile.chart.shapes import Style, Unset
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.chart.values import Value

_LARGEST_PRINTED: Final = 999_999
"""Above, Helm prints a number as 1e+06 where a template expects text."""

_TEXT: Final = {
    "type": ["string", "integer", "boolean"],
    "minimum": -_LARGEST_PRINTED,
    "maximum": _LARGEST_PRINTED,
}
_IMAGE: Final = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "repository": {"type": "string"},
        "tag": {"type": ["string", "integer"]},
        "digest": {"type": "string"},
    },
}


def _leaf(value: Value) -> dict[str, Any]:
    found: dict[str, Any]
    match value.style:
        case Style.STRING | Style.TEXT:
            found = dict(_TEXT)
        case Style.INTEGER:
            found = {"type": "integer"}
        case Style.BOOLEAN | Style.FLAG:
            found = {"type": "boolean"}
        case Style.JSON:
            found = {"type": ["string", "number", "boolean"]}
        case Style.IMAGE:
            return dict(_IMAGE)
        case Style.RANGE:
            return {"type": "object", "additionalProperties": dict(_TEXT)}
        case Style.CHOICE:
            return {"type": "string", "enum": list(value.choices)}
        case Style.YAML:
            lists = any(isinstance(item, list) for item in value.by_environment if item is not ABSENT)
            found = {"type": "array" if lists else "object"}
    if value.unset is Unset.NULL:
        kinds = found["type"] if isinstance(found["type"], list) else [found["type"]]
        found["type"] = [*kinds, "null"]
    return found


def schema_of(values: Iterable[Value], *, is_subchart: bool) -> str:
    """The schema of the map below one key at the root of the values; Helm hands `global` to a subchart's, too."""
    root: dict[str, Any] = _map()
    for value in values:
        node = root
        for key in value.path[1:-1]:
            node = node["properties"].setdefault(key, _map())
        node["properties"][value.path[-1]] = _leaf(value)
    if is_subchart:
        root["properties"]["global"] = {"type": "object"}
    return _indented(root, "    ")


def _map() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def _indented(value: Any, margin: str) -> str:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return text.replace("\n", f"\n{margin}")


def schema_text(properties: Mapping[str, str], title: str) -> str:
    """The schema of all values, made of the schema of each key at their root."""
    known = {**properties}
    known.setdefault("global", _indented(_map(), "    "))
    head = _indented({"$schema": "http://json-schema.org/draft-07/schema#", "title": title, **_map()}, "")
    listed = ",\n".join([f"    {_indented(key, '')}: {text}" for key, text in known.items()])
    return f"{head.removesuffix('{}' + chr(10) + '}')}{{\n{listed}\n  }}\n}}\n"
