"""Scopes of custom kinds that have no definition at hand."""

import pytest

from envcompile.kubernetes import load
from envcompile.kubernetes.scopes import NAMESPACED_IN_SPITE_OF_THE_NAME
from envcompile.kubernetes.shipped import shipped


@pytest.mark.parametrize(
    ("group", "kind", "expected"),
    [
        ("cert-manager.io", "ClusterIssuer", False),
        ("external-secrets.io", "ClusterSecretStore", False),
        ("kyverno.io", "ClusterPolicy", False),
        ("gateway.networking.k8s.io", "GatewayClass", False),
        ("constraints.gatekeeper.sh", "K8sRequiredLabels", False),
        ("extensions", "Ingress", True),
        ("operators.coreos.com", "ClusterServiceVersion", True),
        ("cluster.x-k8s.io", "Cluster", True),
        ("hive.openshift.io", "ClusterPool", True),
        ("example.com", "ClusterThing", False),
        ("example.com", "Clustering", None),
        ("cert-manager.io", "Issuer", True),
    ],
)
def test_a_name_that_begins_with_cluster_is_cluster_scoped(group: str, kind: str, expected: object) -> None:
    """Unless the kind is known to break the convention; other kinds are unknown."""
    assert load("1.35").is_namespaced(group, kind) is expected


def test_the_list_holds_what_nothing_else_tells() -> None:
    """A kind that the convention covers, or whose definition is known, needs no entry."""
    assert all(kind.startswith("Cluster") for _, kind in NAMESPACED_IN_SPITE_OF_THE_NAME)
    assert not [key for key in NAMESPACED_IN_SPITE_OF_THE_NAME if shipped(*key) is not None]
