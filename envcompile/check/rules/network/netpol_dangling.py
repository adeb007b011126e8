"""The rule `netpol-dangling`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.netpolicies import policies_of
from envcompile.check.reading import map_at, maps_at
from envcompile.check.rule import Rule
from envcompile.check.selectors import is_empty, spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _dangling(inputs: CheckInput) -> Iterator[Hit]:
    for policy in policies_of(inputs):
        selector = map_at(policy.value, "spec").get("podSelector")
        if selector and not is_empty(selector) and not inputs.selected(policy.id.namespace, selector):
            what = f"the selector `{spell(selector)}` matches no pods of the environment: the policy does nothing"
            severity = inputs.unless_operated(policy.id.namespace, "warning")
            yield Hit(policy.id, ("spec", "podSelector"), what, "write labels of the pod template", severity)
        for field, side in (("ingress", "from"), ("egress", "to")):
            for position, rule in maps_at(policy.value, "spec", field):
                for place, peer in maps_at(rule, side):
                    other = peer.get("podSelector")
                    if not other or is_empty(other) or peer.get("namespaceSelector") is not None:
                        continue
                    if not inputs.selected(policy.id.namespace, other):
                        yield Hit(
                            policy.id,
                            ("spec", field, position, side, place, "podSelector"),
                            f"the selector `{spell(other)}` matches no pods of its namespace: nobody is let through",
                            "write labels of the pods that are meant, with a namespaceSelector if they are elsewhere",
                            inputs.unless_operated(policy.id.namespace, "warning"),
                        )


RULE: Final = Rule(
    "netpol-dangling",
    "warning",
    "The selectors of a NetworkPolicy match pods of the environment.",
    "kube-linter dangling-networkpolicy, kube-score networkpolicy-targets-pod, Popeye POP-1200",
    _dangling,
    why="A policy that selects nobody protects nobody; whoever wrote it believes that it does.",
    fix="Write labels that the pods have, or leave the policy out.",
    links=("https://kubernetes.io/docs/concepts/services-networking/network-policies/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api, labels: {app: api}}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api}
spec:
  podSelector: {matchLabels: {app: apis}}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api, labels: {app: api}}
spec:
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api}
spec:
  podSelector: {matchLabels: {app: api}}
""",
)
