"""The rule `hpa-vpa-conflict`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, maps_at, texts_at
from envcompile.check.rule import Rule
from envcompile.check.scalermetrics import resource_metrics
from envcompile.check.scalers import VERTICAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


_PAUSED: Final = "Off"


def _vertical(inputs: CheckInput) -> Iterator[Hit]:
    for vertical in inputs.scalers:
        if vertical.kind != VERTICAL:
            continue
        changed = _changed_by(vertical.resource.value)
        if not changed:
            continue
        for other in inputs.scalers:
            if not other.changes_number or other.target != vertical.target:
                continue
            shared = sorted({resource for _, resource, _, _ in resource_metrics(other)} & changed)
            if shared:
                yield Hit(
                    vertical.resource.id,
                    ("spec", "updatePolicy", "updateMode"),
                    f"it changes the {' and '.join(shared)} requests that {other.resource.id.short} measures the same"
                    " pods by: the two chase each other",
                    'write `updateMode: "Off"` for recommendations only, or scale the number of pods by another'
                    " metric, or leave these resources out of `controlledResources`",
                    value=other.resource.id.name,
                )


def _changed_by(value: dict[str, Any]) -> set[str]:
    """The resources whose requests a VerticalPodAutoscaler changes."""
    if map_at(value, "spec", "updatePolicy").get("updateMode", "Auto") == _PAUSED:
        return set()
    policies = [policy for _, policy in maps_at(value, "spec", "resourcePolicy", "containerPolicies")]
    if not policies:
        return {"cpu", "memory"}
    found: set[str] = set()
    for policy in policies:
        if policy.get("mode") != _PAUSED:
            found |= (
                set(texts_at(policy, "controlledResources")) if "controlledResources" in policy else {"cpu", "memory"}
            )
    return found


RULE: Final = Rule(
    "hpa-vpa-conflict",
    "error",
    "A VerticalPodAutoscaler does not change the requests that an autoscaler measures the same pods by.",
    "kubernetes/autoscaler, Vertical Pod Autoscaler: Known limitations",
    _vertical,
    why="One adds pods because each uses much of its request, the other raises the request: both chase each other.",
    fix="Set `updateMode: Off` in the VerticalPodAutoscaler, or scale by another metric.",
    links=("https://github.com/kubernetes/autoscaler/blob/master/vertical-pod-autoscaler/docs/known-limitations.md",),
    fires="""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  maxReplicas: 10
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}
---
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: api}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  updatePolicy: {updateMode: Auto}
""",
    silent="""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  maxReplicas: 10
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}
---
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: api}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  updatePolicy: {updateMode: 'Off'}
""",
)
