"""The rule `spread-selector`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import maps_at
from envcompile.check.rule import Rule
from envcompile.check.selectors import matches, spell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _spread(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        for position, constraint in maps_at(pods.spec, "topologySpreadConstraints"):
            selector = constraint.get("labelSelector")
            if not matches(selector, pods.labels):
                said = f"the selector `{spell(selector)}`" if selector else "a topology spread without selector"
                yield Hit(
                    pods.resource.id,
                    (*pods.spec_pointer, "topologySpreadConstraints", position, "labelSelector"),
                    f"{said} does not match the pods themselves, so they are not spread",
                    "write labels of the pod template",
                )


RULE: Final = Rule(
    "spread-selector",
    "warning",
    "A topology spread constraint selects the pods that bear it, or it spreads nothing.",
    "kubernetes.io, Pod Topology Spread Constraints; kube-score host-podantiaffinity",
    _spread,
    alone=True,
    why="A constraint that does not select the pods that bear it counts others, and spreads nothing.",
    fix="Write the labels of the pod template into `labelSelector`.",
    links=("https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/",),
    fires="""\
apiVersion: v1
kind: Pod
metadata: {name: api, labels: {app: api}}
spec:
  topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector: {matchLabels: {app: web}}
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
""",
    silent="""\
apiVersion: v1
kind: Pod
metadata: {name: api, labels: {app: api}}
spec:
  topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector: {matchLabels: {app: api}}
  containers:
  - {name: api, image: 'shop/api:v1.4.2'}
""",
)
