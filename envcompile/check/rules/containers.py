"""What a container asks of its node, and what it says twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import list_at, map_at, maps_at, quantity, scalar_at, text_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene
    from envcompile.check.pods import Container, Pods


def is_filled_in(scene: Scene, pods: Pods, resource: str, side: str) -> bool:
    """Tell whether a LimitRange, or the pod's own `resources` (KEP-2837), say what a container leaves out."""
    whole = map_at(pods.spec, "resources")
    if resource in map_at(whole, side) or resource in map_at(whole, "limits"):
        return True
    fields = ("default", "defaultRequest") if side == "requests" else ("default",)
    for limits in scene.of_kind("", "LimitRange"):
        if limits.id.namespace == pods.namespace:
            for _, limit in maps_at(limits.value, "spec", "limits"):
                if text_at(limit, "type") == "Container" and any(resource in map_at(limit, key) for key in fields):
                    return True
    return False


def asks(container: Container, resource: str) -> bool:
    """Tell whether a container requests a resource; a limit counts, because the request defaults to it."""
    resources = map_at(container.value, "resources")
    return resource in map_at(resources, "requests") or resource in map_at(resources, "limits")


def _requests_missing(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        for container in pods.running:
            missing = [
                resource
                for resource in ("cpu", "memory")
                if not asks(container, resource) and not is_filled_in(scene, pods, resource, "requests")
            ]
            if missing:
                words = " and ".join(missing)
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "resources", "requests"),
                    f"container `{container.name}` requests no {words}: it is put on any node and thrown off first",
                    f"write `resources.requests` for {words}: what the container uses on an ordinary day",
                    value=missing,
                )


def _memory_limit(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        for container in pods.running:
            limited = "memory" in map_at(container.value, "resources", "limits")
            if not limited and not is_filled_in(scene, pods, "memory", "limits"):
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "resources", "limits", "memory"),
                    f"container `{container.name}` has no memory limit: a leak takes the memory of other pods",
                    "write `resources.limits.memory`",
                )


def _over_limits(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        for container in pods.containers:
            resources = map_at(container.value, "resources")
            limits = map_at(resources, "limits")
            for resource, asked in map_at(resources, "requests").items():
                request, limit = quantity(asked), quantity(limits.get(resource))
                if request is not None and limit is not None and request > limit:
                    yield Hit(
                        pods.resource.id,
                        (*container.pointer, "resources", "requests", resource),
                        f"container `{container.name}` requests {asked} of {resource} and is limited to"
                        f" {limits[resource]}: the API server refuses it",
                        f"raise the limit to {asked} or more, or lower the request",
                    )


def _limits_alone(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        for container in pods.running:
            resources = map_at(container.value, "resources")
            alone = [name for name in map_at(resources, "limits") if name not in map_at(resources, "requests")]
            alone = [name for name in alone if name in {"cpu", "memory"}]
            if alone:
                words = " and ".join(alone)
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "resources", "requests"),
                    f"container `{container.name}` limits {words} and requests none: the request becomes the limit",
                    "write the request as well, even if it is the same",
                    value=alone,
                )


def _duplicate_env(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        for container in pods.containers:
            seen: dict[str, int] = {}
            for position, variable in maps_at(container.value, "env"):
                name = text_at(variable, "name")
                if name in seen:
                    yield Hit(
                        pods.resource.id,
                        (*container.pointer, "env", position),
                        f"container `{container.name}` sets the env var {name} twice: the last one wins, and"
                        " server-side apply refuses it",
                        "leave one of the two",
                        value=name,
                    )
                seen.setdefault(name, position)


def _duplicate_ports(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        numbers: dict[tuple[Any, str], str] = {}
        for container, position, port in pods.ports():
            number, protocol = scalar_at(port, "containerPort"), text_at(port, "protocol") or "TCP"
            other = numbers.setdefault((number, protocol), container.name)
            names = [text_at(each, "name") for each in list_at(container.value, "ports")[:position]]
            pointer = (*container.pointer, "ports", position)
            if other != container.name:
                what = (
                    f"containers `{other}` and `{container.name}` both listen on port {number}/{protocol} of the pod:"
                    " only one of them can"
                )
                yield Hit(pods.resource.id, (*pointer, "containerPort"), what, "give one of them another port")
            elif text_at(port, "name") and text_at(port, "name") in names:
                what = f"container `{container.name}` has two ports called `{text_at(port, 'name')}`"
                yield Hit(pods.resource.id, (*pointer, "name"), what, "give one of them another name")
    for service in scene.of_kind("", "Service"):
        seen: set[tuple[str, object]] = set()
        for position, port in maps_at(service.value, "spec", "ports"):
            protocol = text_at(port, "protocol") or "TCP"
            keys = {("name", text_at(port, "name")), (protocol, scalar_at(port, "port"))}
            if keys & seen:
                what = f"the Service has two ports of the name `{text_at(port, 'name')}` or number {port.get('port')}"
                yield Hit(service.id, ("spec", "ports", position), what, "give one of them another name and number")
            seen |= keys


def _volume_missing(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        known = {text_at(volume, "name") for _, volume in maps_at(pods.spec, "volumes")}
        known |= {
            text_at(claim, "metadata", "name")
            for _, claim in maps_at(pods.resource.value, "spec", "volumeClaimTemplates")
        }
        for container in pods.containers:
            for position, mount in maps_at(container.value, "volumeMounts"):
                name = text_at(mount, "name")
                if name and name not in known:
                    yield Hit(
                        pods.resource.id,
                        (*container.pointer, "volumeMounts", position, "name"),
                        f"container `{container.name}` mounts the volume `{name}`, which the pod does not have",
                        f"add `{name}` to `volumes`, or take the mount out",
                        value=name,
                    )


def _unbounded(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        for position, volume in maps_at(pods.spec, "volumes"):
            directory = volume.get("emptyDir")
            if isinstance(directory, dict) and "sizeLimit" not in directory:
                in_memory = directory.get("medium") == "Memory"
                takes = "memory" if in_memory else "disk"
                yield Hit(
                    pods.resource.id,
                    (*pods.spec_pointer, "volumes", position, "emptyDir", "sizeLimit"),
                    f"the emptyDir `{text_at(volume, 'name')}` may take all {takes} of its node",
                    "write `sizeLimit`",
                    "warning" if in_memory else None,
                )


def _writable_root(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        for container in pods.containers:
            context = map_at(container.value, "securityContext")
            if context.get("readOnlyRootFilesystem") is not True and not pods.is_windows:
                yield Hit(
                    pods.resource.id,
                    (*container.pointer, "securityContext", "readOnlyRootFilesystem"),
                    f"container `{container.name}` may write to its image: whoever breaks in can bring tools along",
                    "write `readOnlyRootFilesystem: true`, and mount an emptyDir where it writes",
                )


RULES: Final = (
    Rule(
        "requests-missing",
        "warning",
        "Every container requests CPU and memory, so that the scheduler knows which node has room.",
        "kubernetes.io, Resource Management; kube-linter unset-cpu-requirements, Polaris cpuRequestsMissing",
        _requests_missing,
    ),
    Rule(
        "memory-limit-missing",
        "warning",
        "Every container has a memory limit, so that a leak ends one pod and not a node.",
        "kubernetes.io, Resource Management; Polaris memoryLimitsMissing, Checkov CKV_K8S_13",
        _memory_limit,
        alone=True,
    ),
    Rule(
        "requests-over-limits",
        "error",
        "No request is above its limit; the API server refuses it.",
        "kubernetes/kubernetes, pkg/apis/core/validation: ValidateContainerResourceRequirements",
        _over_limits,
        alone=True,
    ),
    Rule(
        "limits-without-requests",
        "info",
        "A limit has its request beside it: left out, the request silently becomes the limit.",
        "kubernetes.io, Resource Management: Resource requests and limits",
        _limits_alone,
        alone=True,
    ),
    Rule(
        "duplicate-env",
        "error",
        "No container sets an env var twice.",
        "kubernetes.io, Server-Side Apply: Merge strategy (env is keyed by name); kube-linter duplicate-env-var",
        _duplicate_env,
        alone=True,
    ),
    Rule(
        "duplicate-ports",
        "error",
        "No two containers of a pod listen on one port, and no Service has a port twice.",
        "kubernetes/kubernetes, pkg/apis/core/validation: validateContainerPorts; kube-score container-ports-check",
        _duplicate_ports,
        alone=True,
    ),
    Rule(
        "volume-missing",
        "error",
        "Every volume that a container mounts is a volume of its pod; the API server refuses anything else.",
        "kubernetes/kubernetes, pkg/apis/core/validation: ValidateVolumeMounts",
        _volume_missing,
        alone=True,
    ),
    Rule(
        "emptydir-unbounded",
        "info",
        "An emptyDir has a size limit, above all one in memory.",
        "kubernetes.io, Volumes: emptyDir; Kyverno add-emptydir-sizelimit",
        _unbounded,
        alone=True,
    ),
    Rule(
        "rootfs-writable",
        "info",
        "The root file system of a container is read-only.",
        "kube-linter no-read-only-root-fs, Polaris notReadOnlyRootFilesystem",
        _writable_root,
        alone=True,
    ),
)
