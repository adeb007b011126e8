"""Where the pods are inside the kinds that make pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envcompile.model import Pointer, ResourceId

WORKLOADS: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("", "ReplicationController"): ("spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("", "PodTemplate"): ("template",),
}
"""Kind -> the way to its pod template; a Pod is its own."""

CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


def template_path(resource: ResourceId) -> Pointer | None:
    """The way to the pod template of a built-in workload; the root for a Pod; None for every other kind."""
    if resource.kind == "Pod" and not resource.group:
        return ()
    return WORKLOADS.get((resource.group, resource.kind))


def pod_template(resource: ResourceId, value: dict[str, Any]) -> dict[str, Any] | None:
    """The pod template of a workload (a Pod itself), when there is one."""
    path = template_path(resource)
    if path is None:
        return None
    found: Any = value
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None


def map_pod_template(
    resource: ResourceId, value: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """The workload with its pod template changed; the workload itself when nothing changed."""
    path = template_path(resource)
    if path is None:
        return value

    def descend(at: dict[str, Any], way: Pointer) -> dict[str, Any]:
        if not way:
            return change(at)
        child = at.get(str(way[0]))
        if not isinstance(child, dict):
            return at
        after = descend(child, way[1:])
        return at if after is child else {**at, str(way[0]): after}

    return descend(value, path)


def containers(resource: ResourceId, value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The containers of a built-in workload, init containers first."""
    template = pod_template(resource, value)
    for field in CONTAINER_LISTS:
        yield from maps_in(template, "spec", field)


def maps_in(value: Any, *path: str) -> Iterator[dict[str, Any]]:
    """The maps in the list at the end of a path; nothing where the value has another shape: checks say so, later."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
