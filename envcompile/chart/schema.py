"""Writes values.schema.json, with which both Helms refuse a key or a type that the chart does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from envcompile.chart.shapes import DROPPED, Style, Unset
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from envcompile.chart.shapes import ChartFacts
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
    if value.unset is not Unset.NEVER or value.is_quiet:
        kinds = found["type"] if isinstance(found["type"], list) else [found["type"]]
        found["type"] = [*kinds, "null"]
    return found


def schema_of(values: Iterable[Value], *, is_subchart: bool, is_global: bool) -> str:
    """The schema of the map below one key at the root of the values.

    Args:
        values: what the map holds.
        is_subchart: Helm hands `global` to the map, too.
        is_global: the map is `global`, into which a parent chart puts what it likes.
    """
    root: dict[str, Any] = _map(is_open=is_global)
    for value in sorted(values, key=lambda value: value.is_quiet):
        node = root
        for key in value.path[1:-1]:
            node = node["properties"].setdefault(key, _map(is_dropped=key in DROPPED))
        if value.is_quiet and value.style is Style.RANGE:
            _open(node["properties"].setdefault(value.path[-1], _map()), value.refused)
        else:
            node["properties"][value.path[-1]] = _leaf(value)
    if is_subchart:
        root["properties"]["global"] = {"type": "object"}
    return _indented(root, "    ")


def _open(schema: dict[str, Any], refused: tuple[str, ...]) -> None:
    """Let a map have texts of any name but those that the template itself sets."""
    if not schema["properties"]:  # else null would take away what the template asks for
        schema["type"] = ["object", "null"]
    schema["additionalProperties"] = dict(_TEXT)
    # Draft 7 knows no `enum` of nothing: a chart with one renders nowhere.
    if names := sorted({*refused} - {*schema["properties"]}):
        schema["propertyNames"] = {"not": {"enum": names}}


def _map(*, is_open: bool = False, is_dropped: bool = False) -> dict[str, Any]:
    return {"type": ["object", "null"] if is_dropped else "object", "additionalProperties": is_open, "properties": {}}


def _indented(value: Any, margin: str) -> str:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return text.replace("\n", f"\n{margin}")


def schema_around(keys: Collection[str], chart: ChartFacts, library: str | None) -> tuple[list[str], str]:
    """What stands around the schemas of keys at the root of the values: before each of them, and at the end.

    A chart that depends on this one adds its own globals, and switches it with `condition: NAME.enabled` or by tags:
    https://helm.sh/docs/chart_template_guide/subcharts_and_globals/,
    https://helm.sh/docs/topics/charts/#tags-and-condition-fields-in-dependencies

    Args:
        keys: those that have a schema.
        chart: how the chart is made.
        library: the chart inside that the others include from; Helm gives it values as it does every chart.
    """
    further = {"global": _indented(_map(is_open=True), "    ")}
    others = chart.options.details.get("dependencies", ())
    imports = [item for other in others for item in other.get("import-values", ())]
    anything = _indented({"type": "object"}, "    ")
    for other in others:
        further.setdefault(other.get("alias", other["name"]), anything)
    if library is not None:
        further[library] = anything
    for item in imports:
        if isinstance(item, dict):
            further.setdefault(str(item.get("parent", "")).partition(".")[0], "{}")
    further.setdefault("enabled", _indented({"type": "boolean"}, "    "))
    further.setdefault("tags", _indented({"type": "object"}, "    "))
    # What a chart `exports` comes to the root under names that only that chart knows.
    root = _map(is_open=any(isinstance(item, str) for item in imports))
    head = _indented({"$schema": "http://json-schema.org/draft-07/schema#", "title": chart.name, **root}, "")
    before = [f",\n    {_indented(key, '')}: " for key in keys]
    listed = [f",\n    {_indented(key, '')}: {text}" for key, text in further.items() if key not in keys]
    opened = f"{head.removesuffix('{}' + chr(10) + '}')}{{\n"
    end = f"{''.join(listed)}\n  }}\n}}\n"
    if before:
        before[0] = opened + before[0].removeprefix(",\n")
        return before, end
    return [], opened + end.removeprefix(",\n")
