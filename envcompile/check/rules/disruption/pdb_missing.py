"""The rule `pdb-missing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.replicas import many
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


_BUDGET: Final = "PodDisruptionBudget"


def _missing(inputs: CheckInput) -> Iterator[Hit]:
    for pods, fewest in many(inputs):
        if fewest >= 2 and not inputs.budgets_of(pods):
            yield Hit(
                pods.resource.id,
                (),
                f"no PodDisruptionBudget selects the {fewest} pods: a drain may take them all at once",
                f"add a {_BUDGET} with `maxUnavailable: 1` and the workload's selector",
                inputs.in_production("warning"),
            )


RULE: Final = Rule(
    "pdb-missing",
    "warning",
    "A workload of several pods has a PodDisruptionBudget in production.",
    "kubernetes.io, Disruptions; kube-score deployment-has-poddisruptionbudget, Polaris missingPodDisruptionBudget",
    _missing,
    why="A drain of several nodes may take all pods at once, although there are enough of them.",
    fix="Add a PodDisruptionBudget with `maxUnavailable: 1` and the workload's selector.",
    links=("https://kubernetes.io/docs/concepts/workloads/pods/disruptions/",),
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
      containers:
      - {name: api, image: 'shop/api:v1.4.2'}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: api}}}
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
