"""The rule `netpol-missing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.netpolicies import has_other_policies, policies_of
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _missing(inputs: CheckInput) -> Iterator[Hit]:
    if has_other_policies(inputs):
        return
    covered = {
        pods.resource.id
        for policy in policies_of(inputs)
        for pods in inputs.selected(policy.id.namespace, map_at(policy.value, "spec").get("podSelector"))
    }
    for pods in inputs.pods:
        if pods.resource.id not in covered and pods.spec.get("hostNetwork") is not True:
            yield Hit(
                pods.resource.id,
                (),
                "no NetworkPolicy selects the pods: everything in the cluster may talk to them",
                "add a NetworkPolicy with the workload's selector",
                inputs.in_production("warning"),
            )


RULE: Final = Rule(
    "netpol-missing",
    "warning",
    "Every pod of production is selected by a NetworkPolicy.",
    "kubernetes.io, Network Policies; kube-linter non-isolated-pod, kube-score pod-networkpolicy",
    _missing,
    why="A pod that no policy selects takes traffic from every pod of the cluster.",
    fix="Add a NetworkPolicy for the pods, or one that denies by default in the namespace.",
    links=("https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-policies",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: worker}
spec:
  containers:
  - {name: worker, image: 'shop/worker:v1'}
""",
    silent="""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny}
spec: {podSelector: {}}
---
apiVersion: v1
kind: Pod
metadata: {name: worker}
spec:
  containers:
  - {name: worker, image: 'shop/worker:v1'}
""",
)
