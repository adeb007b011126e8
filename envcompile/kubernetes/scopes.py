"""Scopes of popular custom kinds, for repositories that use a kind without holding its CustomResourceDefinition."""

from __future__ import annotations

from typing import Final

CLUSTER_SCOPED: Final[frozenset[tuple[str, str]]] = frozenset({
    # kubernetes-sigs/gateway-api config/crd
    ("gateway.networking.k8s.io", "GatewayClass"),
    # kubernetes-sigs/karpenter pkg/apis/crds, aws/karpenter-provider-aws pkg/apis/crds
    ("karpenter.sh", "NodePool"),
    ("karpenter.sh", "NodeClaim"),
    ("karpenter.k8s.aws", "EC2NodeClass"),
    # kubernetes-sigs/kueue config/components/crd
    ("kueue.x-k8s.io", "ResourceFlavor"),
    ("kueue.x-k8s.io", "AdmissionCheck"),
    ("kueue.x-k8s.io", "WorkloadPriorityClass"),
    # kubernetes-csi/external-snapshotter client/config/crd
    ("snapshot.storage.k8s.io", "VolumeSnapshotClass"),
    ("snapshot.storage.k8s.io", "VolumeSnapshotContent"),
    ("groupsnapshot.storage.k8s.io", "VolumeGroupSnapshotClass"),
    ("groupsnapshot.storage.k8s.io", "VolumeGroupSnapshotContent"),
    # open-policy-agent/gatekeeper config/crd
    ("templates.gatekeeper.sh", "ConstraintTemplate"),
    # projectcalico/calico libcalico-go/config/crd
    ("crd.projectcalico.org", "GlobalNetworkPolicy"),
    ("crd.projectcalico.org", "GlobalNetworkSet"),
    ("crd.projectcalico.org", "IPPool"),
    ("crd.projectcalico.org", "FelixConfiguration"),
    ("operator.tigera.io", "Installation"),
    # cilium/cilium pkg/k8s/apis/cilium.io/client/crds
    ("cilium.io", "CiliumClusterwideNetworkPolicy"),
    ("cilium.io", "CiliumLoadBalancerIPPool"),
    # openshift/api security/v1
    ("security.openshift.io", "SecurityContextConstraints"),
    # tektoncd/operator config/crd
    ("operator.tekton.dev", "TektonConfig"),
    # crossplane/crossplane cluster/crds
    ("apiextensions.crossplane.io", "CompositeResourceDefinition"),
    ("apiextensions.crossplane.io", "Composition"),
    ("pkg.crossplane.io", "Provider"),
    ("pkg.crossplane.io", "Configuration"),
    ("pkg.crossplane.io", "Function"),
})
"""Kinds that live outside of namespaces, each with the project whose CustomResourceDefinitions say so."""

CLUSTER_SCOPED_GROUPS: Final[frozenset[str]] = frozenset({
    # open-policy-agent/gatekeeper makes a cluster-scoped kind of every ConstraintTemplate
    "constraints.gatekeeper.sh",
})
"""API groups all of whose kinds live outside of namespaces."""

NAMESPACED_IN_SPITE_OF_THE_NAME: Final[frozenset[tuple[str, str]]] = frozenset({
    # operator-framework/api crds
    ("operators.coreos.com", "ClusterServiceVersion"),
    # kubernetes-sigs/cluster-api config/crd
    ("cluster.x-k8s.io", "ClusterClass"),
    ("addons.cluster.x-k8s.io", "ClusterResourceSet"),
    ("addons.cluster.x-k8s.io", "ClusterResourceSetBinding"),
    # openshift/hive config/crds
    ("hive.openshift.io", "ClusterClaim"),
    ("hive.openshift.io", "ClusterDeployment"),
    ("hive.openshift.io", "ClusterDeprovision"),
    ("hive.openshift.io", "ClusterPool"),
    ("hive.openshift.io", "ClusterProvision"),
    # kube-logging/logging-operator config/crd
    ("logging.banzaicloud.io", "ClusterFlow"),
    ("logging.banzaicloud.io", "ClusterOutput"),
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
    if group in CLUSTER_SCOPED_GROUPS or (group, kind) in CLUSTER_SCOPED:
        return False
    if (group, kind) in NAMESPACED_IN_SPITE_OF_THE_NAME:
        return True
    twin = kind.removeprefix("Cluster")
    return False if twin != kind and twin[:1].isupper() else None
