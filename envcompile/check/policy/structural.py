"""The structural schema of a custom kind: the defaults it writes into an object.

Source: pkg/apiserver/schema/defaulting and pkg/apiserver/schema/pruning of k8s.io/apiextensions-apiserver.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def defaulted(schema: Mapping[str, Any], value: Any) -> Any:
    """Write the defaults of a schema into a value, and take out what its kind does not have.

    The value itself is changed. A null where none may be makes room for the default.
    """
    if isinstance(value, dict):
        _fields(schema, value)
    elif isinstance(value, list):
        items = _below(schema.get("items"))
        for item in value:
            defaulted(items, item)
    return value


def _fields(schema: Mapping[str, Any], value: dict[str, Any]) -> None:
    fields = _below(schema.get("properties"))
    others = schema.get("additionalProperties")
    for name, below in fields.items():
        sub = _below(below)
        if name in value and value[name] is None and not sub.get("nullable"):
            del value[name]
        if name not in value and "default" in sub:
            value[name] = copy.deepcopy(sub["default"])
        if name in value:
            defaulted(sub, value[name])
    for name in list(value):
        if name in fields:
            continue
        if isinstance(others, dict):
            defaulted(others, value[name])


def _below(schema: Any) -> dict[str, Any]:
    return schema if isinstance(schema, dict) else {}
