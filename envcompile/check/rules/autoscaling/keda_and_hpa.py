"""The rule `keda-and-hpa`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import strings_at, text_at
from envcompile.check.rule import Rule
from envcompile.check.scalers import AUTOSCALER, KEDA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


_TRANSFER: Final = "scaledobject.keda.sh/transfer-hpa-ownership"


def _keda_and_hpa(inputs: CheckInput) -> Iterator[Hit]:
    for scaler in inputs.scalers:
        if scaler.kind != KEDA:
            continue
        annotations = strings_at(scaler.resource.value, "metadata", "annotations")
        taken = text_at(scaler.resource.value, "spec", "advanced", "horizontalPodAutoscalerConfig", "name")
        for other in inputs.scalers:
            if other.kind != AUTOSCALER or other.target != scaler.target:
                continue
            if annotations.get(_TRANSFER) == "true" and taken == other.resource.id.name:
                continue
            yield Hit(
                scaler.resource.id,
                scaler.target_pointer,
                f"{other.resource.id.short} scales {scaler.target[1]}/{scaler.target[3]}, too, and KEDA makes an"
                " autoscaler of its own: its webhook refuses the ScaledObject",
                f'leave {other.resource.id.short} out, or let KEDA take it over (`{_TRANSFER}: "true"` and its name)',
                value=other.resource.id.name,
            )


RULE: Final = Rule(
    "keda-and-hpa",
    "error",
    "A workload of a ScaledObject has no HorizontalPodAutoscaler of its own, for KEDA makes one.",
    "keda.sh, Admission Webhooks; KEDA scaledobject_webhook.go",
    _keda_and_hpa,
    why="KEDA makes a HorizontalPodAutoscaler of its own; its webhook refuses a ScaledObject beside another one.",
    fix="Leave the HorizontalPodAutoscaler out, and write its metrics as triggers.",
    links=("https://keda.sh/docs/latest/concepts/admission-webhooks/",),
    fires="""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 10
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: worker}
spec: {scaleTargetRef: {name: worker}}
""",
    silent="""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  maxReplicas: 10
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: worker}
spec: {scaleTargetRef: {name: worker}}
""",
)
