"""Which objects a cluster makes by itself: nobody applies them, and another cluster makes its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.kubernetes.operatormade import PUBLISHED

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS: Final = frozenset({
    "Event",
    "Node",
    "Lease",
    "ComponentStatus",
    "ControllerRevision",
    "CSINode",
    "CSIStorageCapacity",
    "VolumeAttachment",
    "NodeMetrics",
    "PodMetrics",
    "CiliumEndpoint",
    "CiliumIdentity",
    "CiliumNode",
})
_NAMESPACES: Final = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
_TOKEN: Final = re.compile(r".+-(?:token|dockercfg)-[a-z0-9]{5}")
_SLICES: Final = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")


def made_by_cluster(value: Mapping[str, Any], *, is_live: bool, has_own_endpoints: bool = False) -> bool:
    """Whether the cluster makes the object.

    Args:
        value: the object.
        is_live: whether it is an API server's answer; of others only what no person ever writes is its.
        has_own_endpoints: whether a Service of its name leaves its endpoints to people.
    """
    kind, name = str(value.get("kind")), str(map_at(value, "metadata").get("name") or "")
    labels, annotations = map_at(value, "metadata", "labels"), map_at(value, "metadata", "annotations")
    if kind == "ConfigMap":
        return name in PUBLISHED or (labels.get("OWNER") == "TILLER" or labels.get("owner") == "helm")
    if kind == "Secret":
        return _is_made_secret(value, name, labels, annotations, is_live=is_live)
    if kind == "EndpointSlice":
        return labels.get("endpointslice.kubernetes.io/managed-by") in _SLICES
    if not is_live:
        return False
    if kind == "Endpoints":
        return not has_own_endpoints
    if kind == "Service":
        return name == "kubernetes" and labels.get("provider") == "kubernetes"
    if kind == "Namespace":
        return name in _NAMESPACES
    if kind == "ServiceAccount":
        return name == "default" and not value.get("imagePullSecrets") and not annotations
    return (
        kind in _KINDS
        or labels.get("kubernetes.io/bootstrapping") == "rbac-defaults"
        or labels.get("kube-aggregator.kubernetes.io/automanaged") is not None
        or annotations.get("apf.kubernetes.io/autoupdate-spec") == "true"
        or (kind == "PriorityClass" and name.startswith("system-"))
    )


def _is_made_secret(
    value: Mapping[str, Any], name: str, labels: Mapping[str, Any], annotations: Mapping[str, Any], *, is_live: bool
) -> bool:
    kind = value.get("type")
    if kind == "helm.sh/release.v1" or (name.startswith("sh.helm.release.v1.") and labels.get("owner") == "helm"):
        return True
    if not is_live:
        return False
    if kind == "kubernetes.io/service-account-token":
        return _TOKEN.fullmatch(name) is not None
    return kind == "bootstrap.kubernetes.io/token" or "cert-manager.io/certificate-name" in annotations


def map_at(value: Any, *names: str) -> dict[str, Any]:
    """The map at a way of names; an empty one where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
