"""The rule `hpa-target-missing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule
from envcompile.check.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.model import ResourceId


def _target_missing(inputs: CheckInput) -> Iterator[Hit]:
    by_kind: dict[tuple[str, str], list[ResourceId]] = {}
    for pods in inputs.pods:
        by_kind.setdefault((pods.namespace, pods.kind), []).append(pods.resource.id)
    for scaler in inputs.scalers:
        group, kind, namespace, name = scaler.target
        if not name or inputs.named(group, kind, namespace, name) is not None:
            continue
        others = by_kind.get((namespace, kind), [])
        same = next((other for other in others if other.name == name), None)
        if same is not None:
            what = f"the target {kind}/{name} is looked for in API group `{group}`, but it is of `{same.group}`"
            fix = f"write `apiVersion: {same.group}/v1`"
        else:
            what = f"the target {kind}/{name} is not in its namespace: nothing is scaled"
            fix = f"{suggestion(name, [other.name for other in others])}add the {kind}, or leave the {scaler.kind} out"
        yield Hit(scaler.resource.id, (*scaler.target_pointer, "name"), what, fix, value=name)


RULE: Final = Rule(
    "hpa-target-missing",
    "error",
    "The workload that an autoscaler means is in the environment, or nothing is scaled.",
    "kube-linter dangling-horizontalpodautoscaler, kube-score horizontalpodautoscaler-has-target, Popeye POP-600",
    _target_missing,
    why="An autoscaler whose target is not there does nothing, and nobody is told.",
    fix="Write kind, apiVersion and name of a workload of the environment.",
    links=("https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/",),
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
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: apis}
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
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  maxReplicas: 10
""",
)
