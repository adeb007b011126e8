"""The pods that the resources of an environment make, with the place of everything in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.check.reading import list_at, map_at, maps_at, strings_at, text_at
from envcompile.kubernetes.podspecs import CONTAINER_LISTS, template_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.model import Pointer, Resource

SERVING = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Rollout"})
"""Kinds whose pods run until they are told to stop; a Job's end by themselves."""

SCALED = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"})
"""Kinds of which the number of pods is given by `replicas`."""

GIVEN_LABELS = frozenset({
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "job-name",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
})
"""Labels that controllers give pods, so that no template has them (kubernetes.io, Well-Known Labels)."""


class Container(NamedTuple):
    """One container of a pod template with its place in the resource."""

    value: dict[str, Any]
    pointer: Pointer
    field: str
    """The list it stands in: `containers`, `initContainers` or `ephemeralContainers`."""

    @property
    def name(self) -> str:
        """Its name; its place in the list when it has none."""
        return text_at(self.value, "name") or str(self.pointer[-1])

    @property
    def is_sidecar(self) -> bool:
        """True for an init container that runs as long as the pod (KEP-753)."""
        return self.field == "initContainers" and self.value.get("restartPolicy") == "Always"

    @property
    def runs_on(self) -> bool:
        """True for what runs as long as the pod does."""
        return self.field == "containers" or self.is_sidecar


class Pods(NamedTuple):
    """The pods of one workload: the template, and where it stands in the workload."""

    resource: Resource
    pointer: Pointer
    template: dict[str, Any]
    labels: dict[str, str]
    annotations: dict[str, str]
    containers: tuple[Container, ...]

    @property
    def spec(self) -> dict[str, Any]:
        """The pod spec."""
        return map_at(self.template, "spec")

    @property
    def spec_pointer(self) -> Pointer:
        """Where the pod spec stands."""
        return (*self.pointer, "spec")

    @property
    def namespace(self) -> str:
        """The namespace the pods run in."""
        return self.resource.id.namespace

    @property
    def kind(self) -> str:
        """The workload's kind."""
        return self.resource.id.kind

    @property
    def name(self) -> str:
        """The workload as KIND/NAME."""
        return self.resource.id.short

    @property
    def serves(self) -> bool:
        """True for pods that run until they are told to stop."""
        return self.kind in SERVING or (self.kind == "Pod" and self.spec.get("restartPolicy", "Always") == "Always")

    @property
    def is_windows(self) -> bool:
        """True for pods that say they run on Windows, where Linux' security fields mean nothing."""
        return text_at(self.spec, "os", "name") == "windows"

    @property
    def running(self) -> Iterator[Container]:
        """The containers that run as long as the pod does."""
        return (container for container in self.containers if container.runs_on)

    def ports(self) -> Iterator[tuple[Container, int, dict[str, Any]]]:
        """The ports that the running containers name."""
        for container in self.running:
            for position, port in maps_at(container.value, "ports"):
                yield container, position, port


def pods_of(resource: Resource) -> Pods | None:
    """The pods that a resource makes; None when it makes none that can be seen.

    A custom resource makes pods when it has a pod template where a Deployment has one (Argo Rollouts, Knative).
    """
    path = template_path(resource.id)
    if path is None:
        if not resource.id.group or not list_at(resource.value, "spec", "template", "spec", "containers"):
            return None
        path = ("spec", "template")
    template = map_at(resource.value, *path)
    if not template:
        return None
    containers = tuple(
        Container(container, (*path, "spec", field, position), field)
        for field in CONTAINER_LISTS
        for position, container in maps_at(template, "spec", field)
    )
    labels, annotations = strings_at(template, "metadata", "labels"), strings_at(template, "metadata", "annotations")
    return Pods(resource, path, template, labels, annotations, containers)
