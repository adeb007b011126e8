"""The rule `spread-missing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import list_at, map_at
from envcompile.check.replicas import many
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _spread(inputs: CheckInput) -> Iterator[Hit]:
    for pods, fewest in many(inputs):
        affinity = map_at(pods.spec, "affinity", "podAntiAffinity")
        if fewest >= 2 and not affinity and not list_at(pods.spec, "topologySpreadConstraints"):
            yield Hit(
                pods.resource.id,
                (*pods.spec_pointer, "topologySpreadConstraints"),
                f"nothing keeps the {fewest} pods apart: they may all run on one node",
                "write a `topologySpreadConstraints` over `kubernetes.io/hostname`, or a `podAntiAffinity`",
                inputs.in_production("warning"),
            )


RULE: Final = Rule(
    "spread-missing",
    "warning",
    "The pods of a workload are kept apart in production, so that a node takes only one of them along.",
    "kubernetes.io, Pod Topology Spread Constraints; kube-linter, Polaris topologySpreadConstraint",
    _spread,
    why="The scheduler may put all pods on one node, and the node takes all of them along.",
    fix="Write a `topologySpreadConstraints` over `kubernetes.io/hostname`, or a `podAntiAffinity`.",
    links=("https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/",),
    fires="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - {name: api, image: 'shop/api:v1.4.2'}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  minReplicas: 3
  maxReplicas: 10
""",
    silent="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: kubernetes.io/hostname
        whenUnsatisfiable: ScheduleAnyway
      containers:
      - {name: api, image: 'shop/api:v1.4.2'}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  minReplicas: 3
  maxReplicas: 10
""",
)
