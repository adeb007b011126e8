"""The rule `hpa-duplicate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.scalers import Scaler


def _duplicate(inputs: CheckInput) -> Iterator[Hit]:
    first: dict[tuple[str, tuple[str, str, str, str]], Scaler] = {}
    for scaler in inputs.scalers:
        if not scaler.target[3]:
            continue
        other = first.setdefault((scaler.kind, scaler.target), scaler)
        if other is not scaler:
            yield Hit(
                scaler.resource.id,
                scaler.target_pointer,
                f"{other.resource.id.short} scales {scaler.target[1]}/{scaler.target[3]}, too: the two undo each"
                " other's work",
                f"put the metrics of both into one {scaler.kind}",
                value=other.resource.id.name,
            )


RULE: Final = Rule(
    "hpa-duplicate",
    "error",
    "One workload has one autoscaler of a kind; two undo each other's work.",
    "kubernetes.io, Horizontal Pod Autoscaling (AmbiguousSelector); Kyverno prevent-duplicate-hpa",
    _duplicate,
    why="Two autoscalers of one workload compute different numbers and undo each other's work.",
    fix="Leave one out; one HorizontalPodAutoscaler may have several metrics.",
    links=("https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/",),
    fires="""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  maxReplicas: 10
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api-custom}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  maxReplicas: 9
""",
    silent="""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  maxReplicas: 10
""",
)
