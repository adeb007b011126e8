"""The rule `hpa-and-replicas`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _and_replicas(inputs: CheckInput) -> Iterator[Hit]:
    for pods in inputs.pods:
        replicas = map_at(pods.resource.value, "spec").get("replicas")
        if replicas is None:
            continue
        for scaler in inputs.scalers_of(pods.resource.id):
            if scaler.changes_number:
                yield Hit(
                    pods.resource.id,
                    ("spec", "replicas"),
                    f"`replicas` is set although {scaler.resource.id.short} scales the workload: every apply undoes"
                    " the scaling",
                    "take `replicas` out (`replicas: null` in an overlay, and no entry under `replicas:` of"
                    " environment.yaml)",
                )


RULE: Final = Rule(
    "hpa-and-replicas",
    "error",
    "A workload that an autoscaler scales does not state `replicas`, or every apply undoes the scaling.",
    "kubernetes.io, Horizontal Pod Autoscaling: Migrating Deployments and StatefulSets; kube-score #286",
    _and_replicas,
    why=(
        "Each apply sets the number back to what is written, and the autoscaler starts again: pods are killed "
        "under load."
    ),
    fix="Take `replicas` out of the workload.",
    links=(
        "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling",
    ),
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
  replicas: 3
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
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
