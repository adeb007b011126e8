"""An object as Go has it after decoding, so that validators need not ask for types."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from envcompile.kubernetes import Node

_DROP: Final = object()
_ZERO: Final = {"map": {}, "list": [], "integer": 0, "number": 0, "boolean": False, "quantity": 0, "int-or-string": 0}
_STRUCTS: Final = ("jobTemplate", "spec", "template")
"""Fields that are there, empty, when nothing is said of them: Go has them as values, not as pointers."""


_POINTERS: Final = frozenset({("io.k8s.api.core.v1.ReplicationControllerSpec", "template")})
"""Fields of that kind which are pointers, and so can be absent."""


def decoded(value: dict[str, Any], node: Node) -> dict[str, Any]:
    """Give a copy of an object in which everything has its type.

    Values of other types and unknown fields are left out (`shortcomings` says so), nulls are absent or, as items,
    empty, and maps that the API always has are there. What the schema does not look into stays as it is.
    """
    found: dict[str, Any] = _map(value, node)
    return found


def _value(value: Any, node: Node) -> Any:
    match node.type:
        case "map":
            return _map(value, node) if isinstance(value, dict) else _DROP
        case "list":
            return [_item(item, node.items) for item in value] if isinstance(value, list) else _DROP
        case "string":
            return value if isinstance(value, str) else _DROP
        case "boolean":
            return value if isinstance(value, bool) else _DROP
        case "any":
            return value
        case _:
            return _number(value, node)


def _number(value: Any, node: Node) -> Any:
    if isinstance(value, bool):
        return _DROP
    if isinstance(value, str):
        if node.type == "quantity":
            return value.strip(" ")
        return value if node.type in {"quantity", "int-or-string"} else _DROP
    if isinstance(value, float) and node.type in {"integer", "int-or-string"}:
        return int(value) if value.is_integer() else _DROP
    return value if isinstance(value, int | float) else _DROP


def _item(value: Any, node: Node | None) -> Any:
    if node is None:
        return value
    made = _DROP if value is None else _value(value, node)
    return _map({}, node) if made is _DROP and node.type == "map" else _zero(node) if made is _DROP else made


def _zero(node: Node) -> Any:
    zero = _ZERO.get(node.type, "")
    return zero.copy() if isinstance(zero, dict | list) else zero


@cache
def always(node: Node) -> tuple[tuple[str, Node], ...]:
    """The fields that Go always has, with their nodes."""
    names = dict.fromkeys((*node.required, *(key for key in _STRUCTS if key in node.fields)))
    found = [(key, node.child(key)) for key in names if (node.name, key) not in _POINTERS]
    return tuple((key, child) for key, child in found if child is not None and child.fields)


def _map(value: dict[str, Any], node: Node) -> dict[str, Any]:
    made: dict[str, Any] = {}
    is_struct = bool(node.fields)
    for key, inner in value.items():
        child = node.child(key)
        if child is None:
            continue
        if type(inner) is str and child.type == "string":
            made[key] = inner
            continue
        if inner is None:
            if not is_struct and child.type != "any":
                made[key] = _item(None, child)
            continue
        given = _value(inner, child)
        if given is not _DROP:
            made[key] = given
    if is_struct:
        for key, child in always(node):
            if key not in made:
                made[key] = _map({}, child)
    return made
