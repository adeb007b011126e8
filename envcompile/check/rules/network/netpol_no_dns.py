"""The rule `netpol-no-dns`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.netpolicies import has_other_policies, policies_of
from envcompile.check.reading import list_at, map_at, maps_at, number_at, scalar_at, texts_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.pods import Pods
    from envcompile.model import Resource


def _no_dns(inputs: CheckInput) -> Iterator[Hit]:
    open_to: dict[Any, list[tuple[Resource, bool]]] = {}
    pods_by_id: dict[Any, Pods] = {}
    for policy in policies_of(inputs):
        spec = map_at(policy.value, "spec")
        if "Egress" not in texts_at(spec, "policyTypes") and not list_at(spec, "egress"):
            continue
        if not list_at(spec, "egress"):
            continue  # pods that may call nobody need no names
        rules = [rule for _, rule in maps_at(spec, "egress")]
        allows = any(map(_allows_dns, rules)) or all(map(_is_api_server, rules))
        for pods in inputs.selected(policy.id.namespace, spec.get("podSelector")):
            open_to.setdefault(pods.resource.id, []).append((policy, allows))
            pods_by_id[pods.resource.id] = pods
    told: set[Any] = set()
    for identity, policies in open_to.items():
        if any(allows for _, allows in policies) or policies[0][0].id in told or has_other_policies(inputs):
            continue
        told.add(policies[0][0].id)
        yield Hit(
            policies[0][0].id,
            ("spec", "egress"),
            f"the pods of {pods_by_id[identity].name} may call others but not DNS: they find nobody by name",
            "allow port 53, UDP and TCP, to the pods `k8s-app: kube-dns` of kube-system",
        )


def _allows_dns(rule: dict[str, Any]) -> bool:
    ports = list_at(rule, "ports")
    for port in ports:
        number, last = scalar_at(port, "port"), number_at(port, "endPort")
        if number is None or number in {53, 5353, "dns", "dns-tcp"}:
            return True
        if isinstance(number, int) and last is not None and number <= 53 <= last:
            return True
    return not ports


def _is_api_server(rule: dict[str, Any]) -> bool:
    """Tell whether a rule is about the API server alone, whose address pods are given in their environment.

    Source: kubernetes.io, Accessing the Kubernetes API from a Pod; port 6443 is the one of kube-apiserver.
    """
    return {scalar_at(port, "port") for port in list_at(rule, "ports")} == {6443}


RULE: Final = Rule(
    "netpol-no-dns",
    "warning",
    "Pods that may call others by a NetworkPolicy may also ask DNS for their names.",
    "kubernetes.io, Network Policies; Kyverno add-networkpolicy-dns",
    _no_dns,
    why="As soon as a policy limits egress, DNS is closed too: connections by name fail although their rule is right.",
    fix="Allow UDP and TCP port 53.",
    links=("https://kubernetes.io/docs/concepts/services-networking/network-policies/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api}
spec:
  podSelector: {}
  egress:
  - ports:
    - {port: 443}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api}
spec:
  egress:
  - ports:
    - {port: 53}
""",
)
