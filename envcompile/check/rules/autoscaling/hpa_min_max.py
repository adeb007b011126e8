"""The rule `hpa-min-max`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule
from envcompile.check.scalers import KEDA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _min_max(inputs: CheckInput) -> Iterator[Hit]:
    for scaler in inputs.scalers:
        if not scaler.changes_number or scaler.most is None:
            continue
        low, high = ("minReplicaCount", "maxReplicaCount") if scaler.kind == KEDA else ("minReplicas", "maxReplicas")
        if scaler.most < scaler.least:
            yield Hit(
                scaler.resource.id,
                ("spec", high),
                f"`{high}` {scaler.most} is less than `{low}` {scaler.least}: the API server refuses it",
                f"write `{high}: {scaler.least}` or more",
                "error",
            )
        elif scaler.most == scaler.least:
            yield Hit(
                scaler.resource.id,
                ("spec", high),
                f"`{low}` and `{high}` are both {scaler.most}: nothing is ever scaled",
                f"raise `{high}`, or leave the {scaler.kind} out and write `replicas`",
            )


RULE: Final = Rule(
    "hpa-min-max",
    "warning",
    "An autoscaler's upper bound is above its lower one, or it never scales.",
    "autoscaling/v2 API; kube-score horizontalpodautoscaler-replicas, Polaris hpaMaxAvailability",
    _min_max,
    why=(
        "With both bounds alike nothing is ever scaled; with the lower one above the upper one the API server "
        "refuses it."
    ),
    fix="Raise the upper bound, or leave the autoscaler out and write `replicas`.",
    links=("https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/",),
    fires="""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  minReplicas: 10
  maxReplicas: 10
""",
    silent="""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  minReplicas: 3
  maxReplicas: 10
""",
)
