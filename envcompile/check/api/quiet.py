"""Where the validators of the usual types surely say nothing: the quick answer about what nearly everybody writes.

Each function looks at a map that is right by the tables, and knows fewer fields than the validators of its type do:
what it does not know, or finds unusual, is left to them. None depends on the version of Kubernetes, nor on the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.book import full_name
from envcompile.check.api.meta import are_labels, are_notes
from envcompile.check.api.podnotes import means_nothing
from envcompile.check.api.resources import is_usual, is_within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envcompile.model import Pointer

    Quiet = Callable[[dict[str, Any], Pointer], bool]

_POD: Final = frozenset({
    "affinity", "automountServiceAccountToken", "containers", "enableServiceLinks", "imagePullSecrets",
    "initContainers", "nodeSelector", "preemptionPolicy", "priorityClassName", "restartPolicy", "runtimeClassName",
    "schedulerName", "securityContext", "serviceAccount", "serviceAccountName",
    "terminationGracePeriodSeconds", "tolerations", "topologySpreadConstraints", "volumes",
})  # fmt: skip
_POD_CONTEXT: Final = frozenset({
    "fsGroup", "fsGroupChangePolicy", "runAsGroup", "runAsNonRoot", "runAsUser", "seLinuxOptions", "seccompProfile",
    "supplementalGroups",
})  # fmt: skip
_CONTAINER: Final = frozenset({
    "args", "command", "env", "envFrom", "image", "imagePullPolicy", "lifecycle", "livenessProbe", "name", "ports",
    "readinessProbe", "resources", "securityContext", "startupProbe", "stdin", "stdinOnce", "terminationMessagePath",
    "terminationMessagePolicy", "tty", "volumeMounts", "workingDir",
})  # fmt: skip
_CONTEXT: Final = frozenset({
    "allowPrivilegeEscalation", "capabilities", "privileged", "readOnlyRootFilesystem", "runAsGroup", "runAsNonRoot",
    "runAsUser", "seccompProfile",
})  # fmt: skip
_UNUSUAL_VOLUMES: Final = frozenset({"ephemeral", "iscsi"})
_AMOUNTS: Final = frozenset({"limits", "requests"})
_BACKEND: Final = frozenset({"service"})
_TRIGGER_LETTERS: Final = ("//", "/.", "%2")


def _pod(spec: dict[str, Any], _: Pointer) -> bool:
    """Of `pods.pod_spec`, `resources.pod_resources` and `volumes.volumes`."""
    if not spec.keys() <= _POD or len(spec.get("topologySpreadConstraints") or ()) > 1:
        return False
    context, volumes = spec.get("securityContext"), set[Any]()
    if context is not None and not context.keys() <= _POD_CONTEXT:
        return False
    listed = spec.get("volumes") or ()
    for volume in listed:
        if not _UNUSUAL_VOLUMES.isdisjoint(volume):
            return False
        volumes.add(volume["name"])
    if len(volumes) != len(listed):
        return False
    containers = spec["containers"]
    if "initContainers" in spec:
        containers = [*containers, *(spec["initContainers"] or ())]
    return len({container["name"] for container in containers}) == len(containers) and all(
        _is_usual_container(container, volumes) for container in containers
    )


def _is_usual_container(value: dict[str, Any], volumes: set[Any]) -> bool:
    if not value.keys() <= _CONTAINER:
        return False
    context, amounts = value.get("securityContext"), value.get("resources")
    if (context is not None and not context.keys() <= _CONTEXT) or (amounts is not None and "claims" in amounts):
        return False
    if "lifecycle" in value and any(
        "sleep" in event for event in (value["lifecycle"] or {}).values() if type(event) is dict
    ):
        return False
    for mount in value.get("volumeMounts") or ():
        if mount["name"] not in volumes:
            return False
    for port in value.get("ports") or ():
        if "hostPort" in port:
            return False
    return all(
        "valueFrom" not in variable or _is_usual_source(variable["valueFrom"]) for variable in value.get("env") or ()
    )


def _is_usual_source(source: Any) -> bool:
    return source is None or "fileKeyRef" not in source


def _container(value: dict[str, Any], pointer: Pointer) -> bool:
    """Of `containers.container`."""
    if not value.keys() <= _CONTAINER:
        return False
    ports, mounts = value.get("ports") or (), value.get("volumeMounts") or ()
    names = [port["name"] for port in ports if port.get("name")]
    if len({*names}) != len(names) or any("hostPort" in port for port in ports):
        return False
    if len({mount["mountPath"] for mount in mounts}) != len(mounts):
        return False
    image = value.get("image")
    if image is not None and image != image.strip():
        return False
    ends = [value[name] for name in _ENDING if name in value]
    return not ends or (pointer[-2] == "containers" and all(map(_is_usual_probe, ends)))


_ENDING: Final = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
"""What most init containers cannot have."""


def _is_usual_probe(probe: Any) -> bool:
    return probe is None or not ("terminationGracePeriodSeconds" in probe or "successThreshold" in probe)


def _template(value: dict[str, Any], _: Pointer) -> bool:
    """Of `scheduling.template` and `podnotes.pod_notes`."""
    meta = value.get("metadata") or {}
    labels, notes = meta.get("labels"), meta.get("annotations")
    return (not labels or are_labels(tuple(labels.items()))) and (
        not notes or (are_notes(notes) and means_nothing(notes))
    )


def _deployment(spec: dict[str, Any], _: Pointer) -> bool:
    """Of `workloads.deployment`."""
    template, selector, strategy = spec.get("template"), spec.get("selector"), spec.get("strategy")
    if not template or not selector or "progressDeadlineSeconds" in spec or "minReadySeconds" in spec:
        return False
    wanted, meta, pods = selector.get("matchLabels"), template.get("metadata") or {}, template.get("spec") or {}
    labels = meta.get("labels")
    if len(selector) > 1 or not wanted or not labels or not wanted.items() <= labels.items():
        return False
    if pods.get("restartPolicy", "Always") != "Always" or "activeDeadlineSeconds" in pods or None in wanted.values():
        return False
    if strategy is None or "rollingUpdate" not in strategy:
        return True
    rolling = strategy["rollingUpdate"]
    return strategy.get("type") != "Recreate" and rolling is not None and rolling.get("maxSurge") in _SOME


_SOME: Final = frozenset({1, "25%", "50%", "100%"})


def _requirements(value: dict[str, Any], _: Pointer) -> bool:
    """Of `resources.requirements`."""
    if not value.keys() <= _AMOUNTS:
        return False
    limits, requests = value.get("limits") or {}, value.get("requests") or {}
    for name, given in limits.items():
        if type(given) is not str or not is_usual(name, given):
            return False
    for name, given in requests.items():
        if type(given) is not str or not is_usual(name, given):
            return False
        if name in limits and not is_within(name, given, limits[name]):
            return False
    return True


def _affinity_term(value: dict[str, Any], _: Pointer) -> bool:
    """Of `scheduling.affinity_term`."""
    return "matchLabelKeys" not in value and "mismatchLabelKeys" not in value


def _spread(value: dict[str, Any], _: Pointer) -> bool:
    """Of `scheduling.spread`."""
    return "minDomains" not in value and "matchLabelKeys" not in value


def _path(value: dict[str, Any], _: Pointer) -> bool:
    """Of `networking.http_path`."""
    path = value.get("path")
    return type(path) is str and path.startswith("/") and not any(part in path for part in _TRIGGER_LETTERS)


def _backend(value: dict[str, Any], _: Pointer) -> bool:
    """Of `networking.backend`."""
    service = value.get("service")
    port = service.get("port") if service is not None and value.keys() <= _BACKEND else None
    if not port or len(port) > 1:
        return False
    return bool(port.get("name")) or (type(port.get("number")) is int and 0 < port["number"] < _PORTS)


_PORTS: Final = 1 << 16


def _ingress(value: dict[str, Any], _: Pointer) -> bool:
    """Of `networking.ingress`, which looks at one annotation."""
    return "kubernetes.io/ingress.class" not in (value["metadata"].get("annotations") or {})


def _service_object(value: dict[str, Any], _: Pointer) -> bool:
    """Of `services.service_object`, which looks at annotations."""
    return not value["metadata"].get("annotations")


def _autoscaler(value: dict[str, Any], _: Pointer) -> bool:
    """Of `scaling.autoscaler`."""
    least, most = value.get("minReplicas"), value.get("maxReplicas")
    return type(least) is int and type(most) is int and 0 < least <= most


QUIET: Final[Mapping[str, Quiet]] = {
    full_name(name): quiet
    for name, quiet in (
        ("apps.v1.DeploymentSpec", _deployment),
        ("autoscaling.v2.HorizontalPodAutoscalerSpec", _autoscaler),
        ("core.v1.Container", _container),
        ("core.v1.PodAffinityTerm", _affinity_term),
        ("core.v1.PodSpec", _pod),
        ("core.v1.PodTemplateSpec", _template),
        ("core.v1.ResourceRequirements", _requirements),
        ("core.v1.Service", _service_object),
        ("core.v1.TopologySpreadConstraint", _spread),
        ("networking.v1.HTTPIngressPath", _path),
        ("networking.v1.Ingress", _ingress),
        ("networking.v1.IngressBackend", _backend),
    )
}
"""Full name of a type -> what tells that its validators say nothing of a map."""
