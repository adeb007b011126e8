"""Labels and annotations that environment.yaml gives every resource: told once, where two environments are compared."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.compose.selectorlabels import without_selector_labels
from envcompile.kubernetes.podspecs import map_pod_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.model import Resource
    from envcompile.settings import Environment

_SETTINGS = (("labels", "labels", False), ("selectorLabels", "labels", False), ("annotations", "annotations", False))
_POD_SETTINGS = (("podLabels", "labels", True), ("podAnnotations", "annotations", True))


class OwnValue(NamedTuple):
    """One label or annotation that two environments' settings differ in."""

    setting: str
    """The setting as people write it, such as `labels`."""
    field: str
    on_pods: bool
    key: str
    left: str | None
    right: str | None

    def __str__(self) -> str:
        old, new = (text if text is not None else "(not set)" for text in (self.left, self.right))
        return f"{self.setting}.{self.key} {old} -> {new}"


def own_values(left: Environment, right: Environment) -> tuple[OwnValue, ...]:
    """What the two environments' settings put on every resource in different ways."""
    return tuple(_own_values(left, right))


def _own_values(left: Environment, right: Environment) -> Iterator[OwnValue]:
    sides = [
        {
            "labels": side.labels,
            "annotations": side.annotations,
            "selectorLabels": side.selector_labels,
            "podLabels": side.pod_labels,
            "podAnnotations": side.pod_annotations,
        }
        for side in (left, right)
    ]
    for setting, field, on_pods in (*_SETTINGS, *_POD_SETTINGS):
        old, new = (side[setting] for side in sides)
        for key in [*old, *(key for key in new if key not in old)]:
            if old.get(key) != new.get(key):
                yield OwnValue(setting, field, on_pods, key, old.get(key), new.get(key))


def without_own_values(resource: Resource, own: tuple[OwnValue, ...], *, is_left: bool) -> Resource:
    """The resource without what its environment's settings put on it; a value that another layer set stays.

    Args:
        resource: a resource of one of the two environments.
        own: what the two differ in.
        is_left: whether it is the first environment's.
    """
    value = resource.value
    for each in own:
        said = each.left if is_left else each.right
        if each.setting == "selectorLabels":
            value = value if said is None else without_selector_labels(resource.id, value, {each.key: said})
        elif each.on_pods:
            value = map_pod_template(resource.id, value, partial(_without, own=each, said=said))
        else:
            value = _without(value, each, said)
    return resource if value is resource.value else resource._replace(value=value)


def _without(value: dict[str, Any], own: OwnValue, said: str | None) -> dict[str, Any]:
    metadata = value.get("metadata")
    held = metadata.get(own.field) if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(held, dict) or said is None or held.get(own.key) != said:
        return value
    rest = {key: text for key, text in held.items() if key != own.key}
    others = {key: item for key, item in metadata.items() if key != own.field}
    return {**value, "metadata": {**others, own.field: rest} if rest else others}
