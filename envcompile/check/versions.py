"""Until when Kubernetes and operators serve which apiVersion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.mend import Mend
from envcompile.check.reading import map_at, maps_at, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.finding import Hit
    from envcompile.model import Pointer, Resource


class Passing(NamedTuple):
    """Until when Kubernetes serves a version, and what to write instead."""

    deprecated: int
    removed: int | None
    instead: str


WORKLOADS: Final = ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet", "ControllerRevision")


RBAC_KINDS: Final = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")


FLOWS: Final = ("FlowSchema", "PriorityLevelConfiguration")


PASSING: Final[Mapping[tuple[str, str], Passing]] = {
    **{("extensions/v1beta1", kind): Passing(9, 16, "apps/v1") for kind in WORKLOADS},
    **{
        (f"apps/{version}", kind): Passing(9, 16, "apps/v1") for version in ("v1beta1", "v1beta2") for kind in WORKLOADS
    },
    ("extensions/v1beta1", "NetworkPolicy"): Passing(9, 16, "networking.k8s.io/v1"),
    ("extensions/v1beta1", "PodSecurityPolicy"): Passing(11, 16, ""),
    ("extensions/v1beta1", "Ingress"): Passing(14, 22, "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "Ingress"): Passing(19, 22, "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "IngressClass"): Passing(19, 22, "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "IPAddress"): Passing(34, 37, "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "ServiceCIDR"): Passing(34, 37, "networking.k8s.io/v1"),
    **{
        ("rbac.authorization.k8s.io/v1alpha1", kind): Passing(17, 22, "rbac.authorization.k8s.io/v1")
        for kind in RBAC_KINDS
    },
    **{
        ("rbac.authorization.k8s.io/v1beta1", kind): Passing(17, 22, "rbac.authorization.k8s.io/v1")
        for kind in RBAC_KINDS
    },
    ("admissionregistration.k8s.io/v1beta1", "MutatingWebhookConfiguration"): Passing(
        16, 22, "admissionregistration.k8s.io/v1"
    ),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration"): Passing(
        16, 22, "admissionregistration.k8s.io/v1"
    ),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicy"): Passing(
        30, 34, "admissionregistration.k8s.io/v1"
    ),
    ("admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicyBinding"): Passing(
        30, 34, "admissionregistration.k8s.io/v1"
    ),
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"): Passing(16, 22, "apiextensions.k8s.io/v1"),
    ("apiregistration.k8s.io/v1beta1", "APIService"): Passing(19, 22, "apiregistration.k8s.io/v1"),
    ("certificates.k8s.io/v1beta1", "CertificateSigningRequest"): Passing(19, 22, "certificates.k8s.io/v1"),
    ("coordination.k8s.io/v1beta1", "Lease"): Passing(19, 22, "coordination.k8s.io/v1"),
    ("scheduling.k8s.io/v1beta1", "PriorityClass"): Passing(14, 22, "scheduling.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "CSIDriver"): Passing(19, 22, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "CSINode"): Passing(17, 22, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "StorageClass"): Passing(19, 22, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "VolumeAttachment"): Passing(19, 22, "storage.k8s.io/v1"),
    ("storage.k8s.io/v1beta1", "CSIStorageCapacity"): Passing(24, 27, "storage.k8s.io/v1"),
    ("batch/v1beta1", "CronJob"): Passing(21, 25, "batch/v1"),
    ("discovery.k8s.io/v1beta1", "EndpointSlice"): Passing(21, 25, "discovery.k8s.io/v1"),
    ("events.k8s.io/v1beta1", "Event"): Passing(19, 25, "events.k8s.io/v1"),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"): Passing(22, 25, "autoscaling/v2"),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"): Passing(23, 26, "autoscaling/v2"),
    ("policy/v1beta1", "PodDisruptionBudget"): Passing(21, 25, "policy/v1"),
    ("policy/v1beta1", "PodSecurityPolicy"): Passing(21, 25, ""),
    ("node.k8s.io/v1beta1", "RuntimeClass"): Passing(22, 25, "node.k8s.io/v1"),
    **{
        ("flowcontrol.apiserver.k8s.io/v1beta1", kind): Passing(23, 26, "flowcontrol.apiserver.k8s.io/v1")
        for kind in FLOWS
    },
    **{
        ("flowcontrol.apiserver.k8s.io/v1beta2", kind): Passing(26, 29, "flowcontrol.apiserver.k8s.io/v1")
        for kind in FLOWS
    },
    **{
        ("flowcontrol.apiserver.k8s.io/v1beta3", kind): Passing(29, 32, "flowcontrol.apiserver.k8s.io/v1")
        for kind in FLOWS
    },
    ("v1", "ComponentStatus"): Passing(19, None, ""),
    ("v1", "Endpoints"): Passing(33, None, "discovery.k8s.io/v1, kind EndpointSlice"),
}
"""Source: kubernetes.io, Deprecated API Migration Guide; for 1.33 and later the release notes."""

_SAME: Final[Mapping[str, tuple[str, ...]]] = {
    "apps/v1beta1": WORKLOADS,
    "apps/v1beta2": WORKLOADS,
    "autoscaling/v2beta2": ("HorizontalPodAutoscaler",),
    "batch/v1beta1": ("CronJob",),
    "coordination.k8s.io/v1beta1": ("Lease",),
    "extensions/v1beta1": ("DaemonSet", "Deployment", "NetworkPolicy", "ReplicaSet"),
    "external-secrets.io/v1beta1": ("ClusterExternalSecret", "ClusterSecretStore", "ExternalSecret", "SecretStore"),
    "flowcontrol.apiserver.k8s.io/v1beta3": FLOWS,
    "networking.k8s.io/v1beta1": ("IPAddress", "IngressClass", "ServiceCIDR"),
    "node.k8s.io/v1beta1": ("RuntimeClass",),
    "policy/v1beta1": ("PodDisruptionBudget",),
    "rbac.authorization.k8s.io/v1alpha1": RBAC_KINDS,
    "rbac.authorization.k8s.io/v1beta1": RBAC_KINDS,
    "scheduling.k8s.io/v1beta1": ("PriorityClass",),
    "storage.k8s.io/v1beta1": ("CSIDriver", "CSIStorageCapacity", "StorageClass", "VolumeAttachment"),
}
"""Kinds of which the next version has the same fields; of any other one, more than the apiVersion changes.

Source: kubernetes.io, Deprecated API Migration Guide; external-secrets.io, release notes of 0.17.
"""

_OPERATORS: Final[Mapping[str, str]] = {"external-secrets.io/v1beta1": "external-secrets.io/v1"}


def renamed(resource: Resource, _hit: Hit) -> Iterator[Mend]:
    """The mend of a resource whose next version has the same fields; nothing where people have to think."""
    version, passing = passing_of(resource)
    kind, spec = resource.id.kind, map_at(resource.value, "spec")
    new = passing.instead if passing is not None else _OPERATORS.get(version, "")
    if kind == "Ingress" and passing is not None:
        yield from _ingress(spec)
    elif kind not in _SAME.get(version, ()) or (
        kind in {*WORKLOADS, "PodDisruptionBudget"} and not (map_at(spec, "selector") or kind == "ControllerRevision")
    ):
        return
    yield Mend(("apiVersion",), ("apiVersion",), lambda _: new)


def _ingress(spec: dict[str, Any]) -> Iterator[Mend]:
    """The fields of an Ingress that have other names in networking.k8s.io/v1."""
    if "backend" in spec:
        yield from _backend(("spec", "backend"), map_at(spec, "backend"), ("spec", "defaultBackend"))
    for position, rule in maps_at(spec, "rules"):
        for place, path in maps_at(rule, "http", "paths"):
            pointer: Pointer = ("spec", "rules", position, "http", "paths", place)
            yield from _backend((*pointer, "backend"), map_at(path, "backend"), (*pointer, "backend"))
            if "pathType" not in path:
                yield Mend((*pointer, "pathType"), (*pointer, "pathType"), lambda _: "ImplementationSpecific")


def _backend(old: Pointer, backend: dict[str, Any], new: Pointer) -> Iterator[Mend]:
    if "serviceName" in backend:
        yield Mend((*old, "serviceName"), (*new, "service", "name"))
    if "servicePort" in backend:
        form = "number" if isinstance(backend["servicePort"], int) else "name"
        yield Mend((*old, "servicePort"), (*new, "service", "port", form))


def is_gone(resource: Resource, minor: int) -> bool:
    """Tell whether a minor version of Kubernetes no longer serves the apiVersion of a resource."""
    passing = passing_of(resource)[1]
    return passing is not None and passing.removed is not None and passing.removed <= minor


def passing_of(resource: Resource) -> tuple[str, Passing | None]:
    """The apiVersion of a resource, and until when it is served, if that is known."""
    version = text_at(resource.value, "apiVersion")
    return version, PASSING.get((version, resource.id.kind))
