"""What the server takes a schema for when it estimates costs: how many items, letters or bytes a value may have.

Sources: pkg/cel/common/schemas.go (SchemaDeclType), pkg/cel/types.go and pkg/cel/limits.go of k8s.io/apiserver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.cel.tree import DYN, CelType
from envcompile.check.reading import map_at, text_at, texts_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REQUEST: Final = 3 * 1024 * 1024
"""The most bytes of a request."""
_QUOTES: Final = 2
_KEY_AND_COMMA: Final = 6
_BYTES_PER_LETTER: Final = 4
_FORMATS: Final[Mapping[str, tuple[str, int, int]]] = {
    "duration": ("duration", 32, 3),
    "date": ("timestamp", 12, 12),
    "date-time": ("timestamp", 32, 21),
}
"""Format of a text -> its type in expressions, the most letters, the least bytes."""
_SCALARS: Final = {"boolean": ("bool", 4), "number": ("double", 1), "integer": ("int", 1)}


class Shape(NamedTuple):
    """What a schema allows of a value."""

    type: CelType
    most: int = 0
    """Items, entries or bytes at most; 0 where the server does not count."""
    least: int = 2
    """Bytes as JSON at least."""
    items: Shape | None = None
    """What is in a list or a map."""
    fields: Mapping[str, Shape] = {}
    """Those of an object, as expressions spell them."""
    keys: Shape | None = None
    """Those of a map, where the server counts them."""
    others: Shape | None = None
    """What a key of a map is that is written as a field, where the server counts it."""

    @property
    def cardinality(self) -> int:
        """How often such a value may stand in one request."""
        return REQUEST // (self.least + 1)


TEXT: Final = Shape(CelType("string"), REQUEST - _QUOTES)
_METADATA: Final = Shape(CelType("object"), fields={"name": TEXT, "generateName": TEXT})


def shape_of(schema: Mapping[str, Any], spell: Callable[[str], str | None], *, is_whole: bool) -> Shape | None:
    """The shape of what a schema describes; None for what expressions do not see.

    Args:
        schema: the structural schema.
        spell: a field's name as expressions write it; None for one that they cannot.
        is_whole: True for the schema of a whole object.
    """
    if schema.get("x-kubernetes-int-or-string"):
        longest = _number(schema, "maxLength", _BYTES_PER_LETTER)
        return Shape(DYN, REQUEST - _QUOTES if longest is None else longest, 1)
    match text_at(schema, "type"):
        case "array":
            return _list(schema, spell)
        case "object":
            others = schema.get("additionalProperties")
            if isinstance(others, dict) and not is_whole:
                return _map(schema, others, spell)
            return _object(schema, spell, is_whole=is_whole)
        case "string":
            return _text(schema)
        case kind:
            name, least = _SCALARS.get(kind, ("", 0))
            return Shape(CelType(name), 0, least) if name else None


def _inner(schema: Mapping[str, Any], spell: Callable[[str], str | None]) -> Shape | None:
    return shape_of(schema, spell, is_whole=schema.get("x-kubernetes-embedded-resource") is True)


def _number(schema: Mapping[str, Any], name: str, factor: int = 1) -> int | None:
    found = schema.get(name)
    return max(0, found) * factor if isinstance(found, int) and not isinstance(found, bool) else None


def _list(schema: Mapping[str, Any], spell: Callable[[str], str | None]) -> Shape | None:
    items = _inner(map_at(schema, "items"), spell)
    if items is None:
        return None
    most = _number(schema, "maxItems")
    most = (REQUEST - 2) // (items.least + 1) if most is None else most
    return Shape(CelType("list", (items.type,)), most, items=items)


def _map(schema: Mapping[str, Any], others: Mapping[str, Any], spell: Callable[[str], str | None]) -> Shape | None:
    values = _inner(others, spell)
    if values is None:
        return None
    most = _number(schema, "maxProperties")
    most = (REQUEST - 2) // (values.least + _KEY_AND_COMMA) if most is None else most
    return Shape(CelType("map", (CelType("string"), values.type)), most, items=values)


def _object(schema: Mapping[str, Any], spell: Callable[[str], str | None], *, is_whole: bool) -> Shape:
    required, least = set(texts_at(schema, "required")), 2
    fields = {}
    for name, sub in map_at(schema, "properties").items():
        found = _inner(sub, spell) if isinstance(sub, dict) else None
        if found is None:
            continue
        spelled = spell(name)
        if spelled is not None:
            fields[spelled] = found
        if name in required and sub.get("default") is None:
            least += len(name.encode()) + found.least + 4
    if is_whole:
        fields |= {"apiVersion": TEXT, "kind": TEXT, "metadata": _METADATA}
    return Shape(CelType("object"), least=least, fields=fields)


def _text(schema: Mapping[str, Any]) -> Shape:
    form = text_at(schema, "format")
    if form in _FORMATS:
        name, most, least = _FORMATS[form]
        return Shape(CelType(name), most, least)
    if form == "byte":
        bytes_ = _number(schema, "maxLength")
        return Shape(CelType("bytes"), REQUEST - _QUOTES if bytes_ is None else bytes_)
    longest = _number(schema, "maxLength", _BYTES_PER_LETTER)
    if longest is None and (known := texts_at(schema, "enum")):
        longest = max(len(one.encode()) for one in known)
    return Shape(CelType("string"), REQUEST - _QUOTES if longest is None else longest)


def list_of(items: Shape) -> Shape:
    """A list of which nothing but its items is known."""
    return Shape(CelType("list", (items.type,)), items=items)


def of_type(kind: CelType) -> Shape:
    """A value of which nothing but its type is known."""
    if kind.name in {"list", "map"} and kind.parameters:
        return Shape(kind, items=of_type(kind.parameters[-1]))
    return Shape(kind)
