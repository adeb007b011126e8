"""What a resource lacks to be complete: missing fields, wrong types, fields its kind does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.errors import nearest
from envcompile.kubernetes.demands import demands
from envcompile.kubernetes.schema import Shortcoming, json_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.kubernetes.api import KubeApi
    from envcompile.kubernetes.schema import Node
    from envcompile.model import Pointer


# What each schema type may be in JSON, and how a message calls it. A number without a fraction is an integer to Go.
_ACCEPTED: Final = {
    "map": ("map",),
    "list": ("list",),
    "string": ("string",),
    "integer": ("integer",),
    "number": ("integer", "number"),
    "boolean": ("boolean",),
    "quantity": ("string", "integer", "number"),
    "int-or-string": ("integer", "string"),
}

_CALLED: Final = {
    "integer": "an integer",
    "quantity": "a quantity",
    "int-or-string": "an integer or a string",
}


def find_shortcomings(api: KubeApi, value: Any) -> list[Shortcoming]:
    """List what a resource lacks, in the order of its fields; `envcompile.kubernetes.shortcomings` says more."""
    if not isinstance(value, dict):
        return [Shortcoming((), f"a resource is a map, not {_called(json_type(value))}")]
    found = list(_identity(value))
    if found:
        return found
    group, _, version = value["apiVersion"].rpartition("/")
    kind = value["kind"]
    if not api.knows(group, kind):
        return []
    served = api.versions(group, kind)
    if version not in served:
        shown = " and ".join(f"{group}/{name}".removeprefix("/") for name in served)
        what = f"{kind} is not served as `{value['apiVersion']}` (Kubernetes {api.version} serves {shown})"
        return [Shortcoming(("apiVersion",), what)]
    node = api.node(group, version, kind)
    if node is not None:
        found += _judge(value, node, ())
    known = {shortcoming.pointer for shortcoming in found}
    found += (
        Shortcoming(pointer, what) for pointer, what in demands(group, kind, value) if not _covered(pointer, known)
    )
    return found


def _identity(value: dict[str, Any]) -> Iterator[Shortcoming]:
    """Every object says its version, its kind and its name.

    Source: staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go, ValidateObjectMetaAccessor.
    """
    for key in ("apiVersion", "kind"):
        if not isinstance(value.get(key), str) or not value[key]:
            yield Shortcoming((key,), f"`{key}` is missing")
    metadata = value.get("metadata") or {}
    if isinstance(metadata, dict) and not metadata.get("name") and not metadata.get("generateName"):
        yield Shortcoming(("metadata", "name"), "`metadata.name` is missing")


def _covered(pointer: Pointer, known: set[Pointer]) -> bool:
    """Tell whether the field, or one around it, has been complained about."""
    return any(pointer[:length] in known for length in range(len(pointer) + 1))


def _judge(value: Any, node: Node, pointer: Pointer) -> Iterator[Shortcoming]:
    """Walk a value with its schema; an absent value has been dealt with by the map around it."""
    if node.type == "any":
        return
    found = json_type(value)
    if found not in _ACCEPTED[node.type] and not _is_whole(value, node):
        if value is not None or not node.is_nullable:
            wanted = _CALLED.get(node.type) or _called(node.type)
            yield Shortcoming(pointer, f"{_name(pointer)} is {_called(found)} where {wanted} belongs")
        return
    if node.type == "map":
        yield from _judge_map(value, node, pointer)
    elif node.type == "list" and node.items is not None:
        for index, item in enumerate(value):
            yield from _judge(item, node.items, (*pointer, index))


def _judge_map(value: dict[str, Any], node: Node, pointer: Pointer) -> Iterator[Shortcoming]:
    for key, inner in value.items():
        child = node.child(key)
        if child is None:
            if not node.is_open:
                yield Shortcoming((*pointer, key), f"`{key}` is not a field of {node.name}{_suggestion(key, node)}")
        elif inner is not None or key not in node.fields:
            # Go reads an explicit null of a field as an absent one, but not as an item of a free map.
            yield from _judge(inner, child, (*pointer, key))
    for key in node.required:
        child = node.child(key)
        if value.get(key) is None and not (key in value and child is not None and child.is_nullable):
            yield Shortcoming((*pointer, key), f"`{key}` is missing in {node.name}")


def _is_whole(value: Any, node: Node) -> bool:
    return node.type == "integer" and isinstance(value, float) and value.is_integer()


def _suggestion(key: str, node: Node) -> str:
    near = nearest(key, node.fields, limit=1)
    return f": did you mean `{near[0]}`?" if near else ""


def _called(type_: str) -> str:
    if type_ == "null":
        return "null"
    return f"{'an' if type_[0] in 'aeio' else 'a'} {type_}"


def _name(pointer: Pointer) -> str:
    """Name a field by its last key, and an item of a list by its list and position."""
    if not pointer:
        return "the resource"
    last = pointer[-1]
    if isinstance(last, str):
        return f"`{last}`"
    return f"item {last} of {_name(pointer[:-1])}"
