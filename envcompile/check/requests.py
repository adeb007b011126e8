"""What containers request of their node, and what fills it in for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.check.reading import map_at, maps_at, text_at

if TYPE_CHECKING:
    from envcompile.check.check_input import CheckInput
    from envcompile.check.pods import Container, Pods


def is_filled_in(inputs: CheckInput, pods: Pods, resource: str, side: str) -> bool:
    """Tell whether a LimitRange, or the pod's own `resources` (KEP-2837), say what a container leaves out."""
    whole = map_at(pods.spec, "resources")
    if resource in map_at(whole, side) or resource in map_at(whole, "limits"):
        return True
    fields = ("default", "defaultRequest") if side == "requests" else ("default",)
    for limits in inputs.of_kind("", "LimitRange"):
        if limits.id.namespace == pods.namespace:
            for _, limit in maps_at(limits.value, "spec", "limits"):
                if text_at(limit, "type") == "Container" and any(resource in map_at(limit, key) for key in fields):
                    return True
    return False


def asks(container: Container, resource: str) -> bool:
    """Tell whether a container requests a resource; a limit counts, because the request defaults to it."""
    resources = map_at(container.value, "resources")
    return resource in map_at(resources, "requests") or resource in map_at(resources, "limits")
