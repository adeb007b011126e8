"""A difference for programs: JSON values, and unified text that other tools read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.ask.changes import Moved, Order, by_key
from envcompile.ask.redact import Hidden, shown
from envcompile.ask.text import secret_word
from envcompile.kubernetes.sequences import unified as unified_lines
from envcompile.values import ABSENT
from envcompile.yamlio import dump

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.ask.difference import EnvironmentDiff, FieldDiff, ResourceDiff
    from envcompile.model import ResourceId


def as_json(environments: Iterable[EnvironmentDiff]) -> list[dict[str, Any]]:
    """The difference as JSON values: one entry for each environment in which something differs.

    A field that is not there has no `old` or no `new`; a secret has `secret`, the word for what happened to it.
    """
    return [
        {
            "environment": environment.environment,
            "added": environment.count("added"),
            "changed": environment.count("changed", "renamed"),
            "removed": environment.count("removed"),
            "classes": list(environment.facets),
            "owners": list(environment.owners),
            **({"settings": list(environment.settings)} if environment.settings else {}),
            "requests": {"cpu": float(environment.requests.cpu), "memory": int(environment.requests.memory)},
            "resources": [_resource(resource) for resource in environment.resources],
        }
        for environment in environments
        if environment.resources
    ]


def _resource(resource: ResourceDiff) -> dict[str, Any]:
    found: dict[str, Any] = {"change": resource.kind, **_identity(resource.resource), "app": resource.app}
    if resource.was is not None:
        found["was"] = _identity(resource.was)
    found["classes"] = list(resource.facets)
    found["fields"] = [_field(field) for field in resource.fields]
    if resource.kind == "added":
        found["new"] = shown(resource.new)
    if resource.kind == "removed":
        found["old"] = shown(resource.old)
    return found


def _identity(resource: ResourceId) -> dict[str, str]:
    return dict(resource._asdict())


def _field(field: FieldDiff) -> dict[str, Any]:
    found: dict[str, Any] = {"field": field.field}
    word = secret_word(field.path, field.old, field.new)
    if word:
        return {**found, "secret": word}
    if isinstance(field.old, Order) or isinstance(field.new, Order):
        return {**found, "oldOrder": _order(field.old), "newOrder": _order(field.new)}
    if isinstance(field.old, Moved) and isinstance(field.new, Moved):
        return {**found, "oldIndex": field.old.position, "newIndex": field.new.position, "item": _plain(field.new.item)}
    if field.old is not ABSENT:
        found["old"] = _plain(field.old)
    if field.new is not ABSENT:
        found["new"] = _plain(field.new)
    return found


def _order(value: Any) -> list[str]:
    return [str(item) for item in value.items] if isinstance(value, Order) else []


def _plain(value: Any) -> Any:
    """A value that JSON has; the dates of embedded configuration are written as text."""
    value = shown(value)
    if isinstance(value, dict):
        return {str(key): _plain(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_plain(held) for held in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def unified(environments: Iterable[EnvironmentDiff]) -> Iterator[str]:
    """The lines of a unified diff; each resource is a file `<env>/<kind>/<name>`, its keys in the newer order."""
    for environment in environments:
        for resource in environment.resources:
            old = _marked(_ordered_like(resource.old, resource.new), "before", resource.new)
            new = _marked(resource.new, "after", resource.old)
            source = _path(environment.environment, resource.was or resource.resource)
            target = _path(environment.environment, resource.resource)
            left = dump(shown(old)).splitlines() if old is not None else []
            right = dump(shown(new)).splitlines() if new is not None else []
            lines = list(unified_lines(left, right, 3))
            if lines:
                yield f"--- {f'a/{source}' if old is not None else '/dev/null'}"
                yield f"+++ {f'b/{target}' if new is not None else '/dev/null'}"
                yield from lines


def _path(environment: str, resource: ResourceId) -> str:
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    inside = f"{resource.namespace}/" if resource.namespace else ""
    return f"{environment}/{inside}{kind}/{resource.name}"


def _marked(value: Any, side: str, other: Any) -> Any:
    """The value with hidden values that differ told apart, so that a changed secret shows as a changed line."""
    if isinstance(value, Hidden):
        return value if not isinstance(other, Hidden) or value == other else f"<redacted, {side}>"
    if isinstance(value, dict):
        others = other if isinstance(other, dict) else {}
        return {key: _marked(held, side, others.get(key)) for key, held in value.items()}
    return value


def _ordered_like(value: Any, model: Any) -> Any:
    """The value with the keys of its maps in the order of another version, where that has them."""
    if isinstance(value, dict) and isinstance(model, dict):
        keys = [*(key for key in model if key in value), *(key for key in value if key not in model)]
        return {key: _ordered_like(value[key], model.get(key)) for key in keys}
    if isinstance(value, list) and isinstance(model, list):
        named, like = by_key(value, ("name",)), by_key(model, ("name",))
        if named is not None and like is not None:
            return [_ordered_like(item, like.get(key)) for key, item in named.items()]
        return [_ordered_like(item, model[at] if at < len(model) else None) for at, item in enumerate(value)]
    return value
