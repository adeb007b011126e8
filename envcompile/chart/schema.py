"""Writes values.schema.json, with which both Helms refuse a key or a type that the chart does not know."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from envcompile.chart.shapes import Style, Unset
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def schema_text(values: Iterable[Value], title: str, *, split: tuple[str, ...] = ()) -> str:
    """The schema of the values; `split` names the services that have a subchart, which Helm hands `global`."""
    root: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
    for value in values:
        node = root
        for key in value.path[:-1]:
            node = node["properties"].setdefault(
                key, {"type": "object", "additionalProperties": False, "properties": {}}
            )
        node["properties"][value.path[-1]] = _leaf(value)
    root["properties"].setdefault("global", {"type": "object", "additionalProperties": False, "properties": {}})
    for service in split:
        root["properties"][service]["properties"]["global"] = {"type": "object"}
    document = {"$schema": "http://json-schema.org/draft-07/schema#", "title": title, **root}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
