"""The strategic-merge patches that lead from a base object to an environment's, and what applying them gives."""

from __future__ import annotations

from typing import Any, Final

Object = dict[str, Any]

_MERGED_BY_NAME: Final = frozenset({"containers", "initContainers", "env", "volumes"})
"""The lists of the generated objects that Kubernetes merges by `name`; every other one is replaced whole."""


class GeneratorError(Exception):
    """The generator contradicts itself."""


def patches(base: list[Object], wanted: list[Object]) -> list[Object]:
    """The patches that turn the base objects into the wanted ones."""
    found = []
    for before, after in zip(base, wanted, strict=True):
        change = _difference(before, after)
        if change:
            metadata = {"name": before["metadata"]["name"], **change.pop("metadata", {})}
            patch = {"apiVersion": before["apiVersion"], "kind": before["kind"], "metadata": metadata, **change}
            if _applied(before, patch) != after:
                raise GeneratorError(f"the patch of {before['kind']} {metadata['name']} does not give what it should")
            found.append(patch)
    return found


def _difference(before: Object, after: Object) -> Object:
    if removed := before.keys() - after.keys():
        raise GeneratorError(f"an environment removes {', '.join(sorted(removed))}: the generator has no such patch")
    found: Object = {}
    for key, value in after.items():
        if key not in before:
            found[key] = value
        elif before[key] == value:
            continue
        elif isinstance(value, dict):
            found[key] = _difference(before[key], value)
        elif key in _MERGED_BY_NAME:
            old = {item["name"]: item for item in before[key]}
            found[key] = [
                {"name": item["name"], **_difference(old.get(item["name"], {}), item)}
                for item in value
                if old.get(item["name"]) != item
            ]
        else:
            found[key] = value
    return found


def _applied(before: Object, patch: Object) -> Object:
    result = dict(before)
    for key, value in patch.items():
        current = result.get(key)
        if isinstance(value, dict) and isinstance(current, dict):
            result[key] = _applied(current, value)
        elif key in _MERGED_BY_NAME and isinstance(current, list):
            new = {item["name"]: item for item in value}
            kept = [_applied(item, new.pop(item["name"], {})) for item in current]
            result[key] = [*kept, *new.values()]
        else:
            result[key] = value
    return result
