"""The rule `replicas-min`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.replicas import many
from envcompile.check.rule import Rule
from envcompile.check.singleclaims import single_claim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.pods import Pods


def _replicas(inputs: CheckInput) -> Iterator[Hit]:
    for pods, fewest in many(inputs):
        if fewest < 2 and not _is_asleep(pods):
            scalers = [scaler for scaler in inputs.scalers_of(pods.resource.id) if scaler.changes_number]
            by = f" ({scalers[0].resource.id.short} goes down to {fewest})" if scalers else ""
            what = f"it runs as one pod{by}: every drain of its node is an outage"
            fix = f"raise the minimum of {scalers[0].resource.id.short}" if scalers else "write `replicas: 2` or more"
            severity = inputs.in_production("warning")
            if claim := single_claim(inputs, pods) if pods.kind == "Deployment" else "":
                # A second pod could not start, or would write to the same files.
                fix = f"give each pod a volume of its own (the claim `{claim}` is for one), or leave it at one pod"
                severity = "info"
            yield Hit(pods.resource.id, ("spec", "replicas"), what, fix, severity)


def _is_asleep(pods: Pods) -> bool:
    """Tell whether a workload is switched off on purpose."""
    return map_at(pods.resource.value, "spec").get("replicas") == 0


RULE: Final = Rule(
    "replicas-min",
    "warning",
    "A workload runs as two pods or more in production, so that one may go.",
    "kube-linter minimum-three-replicas, Polaris deploymentMissingReplicas",
    _replicas,
    why="With one pod every drain, crash and rollout is an outage.",
    fix="Write `replicas: 2` or more, or raise the autoscaler's minimum.",
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
  minReplicas: 1
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
  minReplicas: 3
  maxReplicas: 10
""",
)
