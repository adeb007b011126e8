"""What sort of change a difference is, as reviewers sort them: image, replicas, resources, config, secret and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import ResourceId

FACETS = ("image", "replicas", "resources", "config", "secret", "network", "RBAC", "workload", "metadata", "other")
"""Every class of change, in the order in which they are listed."""

_WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"})
_KINDS = {
    "ConfigMap": "config",
    **dict.fromkeys(("Secret", "SealedSecret", "ExternalSecret", "ClusterExternalSecret"), "secret"),
    **dict.fromkeys(("SecretStore", "ClusterSecretStore"), "secret"),
    **dict.fromkeys(("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "ServiceAccount"), "RBAC"),
    **dict.fromkeys(("Service", "Ingress", "IngressClass", "NetworkPolicy", "EndpointSlice", "Endpoints"), "network"),
    **dict.fromkeys(("Gateway", "GatewayClass", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"), "network"),
    **dict.fromkeys(("HorizontalPodAutoscaler", "ScaledObject", "PodDisruptionBudget"), "replicas"),
    **dict.fromkeys(("VerticalPodAutoscaler", "ResourceQuota", "LimitRange"), "resources"),
}
_CONFIG = frozenset({"env", "envFrom", "args", "command", "volumes", "volumeMounts"})


def facet_of_resource(resource: ResourceId) -> str:
    """The class of a whole resource that comes or goes."""
    return "workload" if resource.kind in _WORKLOADS else _KINDS.get(resource.kind, "other")


def facet_of_field(resource: ResourceId, path: FieldPath) -> str:
    """The class of a change of one field."""
    if path[:1] == ("metadata",):
        return "metadata"
    of_kind = facet_of_resource(resource)
    if of_kind not in {"workload", "other"}:
        return of_kind
    names = {part for part in path if isinstance(part, str)}
    last = path[-1] if path else ""
    if last == "image":
        return "image"
    if "secretKeyRef" in names or "secretRef" in names:
        return "secret"
    if "replicas" in names:
        return "replicas"
    if of_kind == "workload":
        if "resources" in names:
            return "resources"
        if names & _CONFIG:
            return "config"
        if "ports" in names:
            return "network"
        if last in {"serviceAccountName", "serviceAccount", "automountServiceAccountToken"}:
            return "RBAC"
        if "metadata" in names:
            return "metadata"
        return "workload"
    return "other"


def in_order(facets: set[str]) -> tuple[str, ...]:
    """The classes in the order of `FACETS`."""
    return tuple(facet for facet in FACETS if facet in facets)
