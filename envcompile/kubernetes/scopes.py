"""Scopes of custom kinds that neither the repository nor `envcompile.kubernetes.shipped` defines."""

from __future__ import annotations

from typing import Final

CLUSTER_SCOPED_GROUPS: Final[frozenset[str]] = frozenset({
    # open-policy-agent/gatekeeper makes a cluster-scoped kind of every ConstraintTemplate
    "constraints.gatekeeper.sh",
})
"""API groups all of whose kinds live outside of namespaces."""

NAMESPACED_IN_SPITE_OF_THE_NAME: Final[frozenset[tuple[str, str]]] = frozenset({
    # openshift/hive config/crds
    ("hive.openshift.io", "ClusterClaim"),
    ("hive.openshift.io", "ClusterDeployment"),
    ("hive.openshift.io", "ClusterDeprovision"),
    ("hive.openshift.io", "ClusterPool"),
    ("hive.openshift.io", "ClusterProvision"),
    # openshift/cluster-logging-operator
    ("logging.openshift.io", "ClusterLogForwarder"),
    ("logging.openshift.io", "ClusterLogging"),
    ("observability.openshift.io", "ClusterLogForwarder"),
    # rancher/fleet charts/fleet-crd
    ("fleet.cattle.io", "ClusterGroup"),
    ("fleet.cattle.io", "ClusterRegistration"),
    ("fleet.cattle.io", "ClusterRegistrationToken"),
})
"""Kinds whose name begins with `Cluster` although they live in namespaces."""


def guess(group: str, kind: str) -> bool | None:
    """Tell whether a custom kind without a schema is namespaced; None when nothing is known.

    By convention a kind named `Cluster` and another capital letter (ClusterIssuer, ClusterSecretStore, ClusterPolicy)
    is the cluster-scoped twin of a namespaced one. Kinds that break the convention are listed by name.
    """
    if group in CLUSTER_SCOPED_GROUPS:
        return False
    if (group, kind) in NAMESPACED_IN_SPITE_OF_THE_NAME:
        return True
    twin = kind.removeprefix("Cluster")
    return False if twin != kind and twin[:1].isupper() else None
