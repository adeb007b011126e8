"""The order in which resources are printed in one stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.model import Resource

APPLY_ORDER = (
    "Namespace",
    "CustomResourceDefinition",
    "ResourceQuota",
    "LimitRange",
    "StorageClass",
    "PriorityClass",
    "ServiceAccount",
    "SealedSecret",
    "ExternalSecret",
    "Secret",
    "ConfigMap",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "NetworkPolicy",
    "Service",
)
"""What others need comes first; the idea is Helm's InstallOrder (pkg/release/v1/util/kind_sorter.go)."""


_RANK = {kind.lower(): position for position, kind in enumerate(APPLY_ORDER)}


def rank(kind: str) -> int:
    """How early resources of a kind are applied, from 0.

    Args:
        kind: in whatever case.
    """
    return _RANK.get(kind.lower(), len(_RANK))


def in_apply_order(resources: Iterable[Resource]) -> list[Resource]:
    """The resources as `kubectl apply -f -` wants them: what others need first, then by kind, namespace and name."""

    def key(resource: Resource) -> tuple[int, str, str, str, str]:
        group, kind, namespace, name = resource.id
        return (rank(kind), kind, namespace, name, group)

    return sorted(resources, key=key)
