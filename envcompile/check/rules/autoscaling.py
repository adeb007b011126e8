"""Autoscalers: their targets, their bounds, and two that pull at one workload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, maps_at, strings_at, text_at, texts_at
from envcompile.check.rule import Rule
from envcompile.check.rules.containers import asks, is_filled_in
from envcompile.check.rules.references import suggestion
from envcompile.check.scalers import AUTOSCALER, KEDA, VERTICAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene
    from envcompile.check.scalers import Scaler
    from envcompile.model import Pointer

_TRANSFER: Final = "scaledobject.keda.sh/transfer-hpa-ownership"
_PAUSED: Final = "Off"


def _and_replicas(scene: Scene) -> Iterator[Hit]:
    for pods in scene.pods:
        replicas = map_at(pods.resource.value, "spec").get("replicas")
        if replicas is None:
            continue
        for scaler in scene.scalers_of(pods.resource.id):
            if scaler.changes_number:
                yield Hit(
                    pods.resource.id,
                    ("spec", "replicas"),
                    f"`replicas` is set although {scaler.resource.id.short} scales the workload: every apply undoes"
                    " the scaling",
                    "take `replicas` out (`replicas: null` in an overlay, and no entry under `replicas:` of"
                    " environment.yaml)",
                )


def _target_missing(scene: Scene) -> Iterator[Hit]:
    for scaler in scene.scalers:
        group, kind, namespace, name = scaler.target
        if not name or scene.named(group, kind, namespace, name) is not None:
            continue
        others = [pods.resource.id for pods in scene.pods if pods.namespace == namespace and pods.kind == kind]
        same = next((other for other in others if other.name == name), None)
        if same is not None:
            what = f"the target {kind}/{name} is looked for in API group `{group}`, but it is of `{same.group}`"
            fix = f"write `apiVersion: {same.group}/v1`"
        else:
            what = f"the target {kind}/{name} is not in its namespace: nothing is scaled"
            fix = f"{suggestion(name, [other.name for other in others])}add the {kind}, or leave the {scaler.kind} out"
        yield Hit(scaler.resource.id, (*scaler.target_pointer, "name"), what, fix, value=name)


def _min_max(scene: Scene) -> Iterator[Hit]:
    for scaler in scene.scalers:
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


def _resource_metrics(scaler: Scaler) -> Iterator[tuple[Pointer, str, str, bool]]:
    """Pointer, resource, container (empty for all) and whether it is a share of the request, of each metric."""
    if scaler.kind == KEDA:
        for position, trigger in maps_at(scaler.resource.value, "spec", "triggers"):
            if text_at(trigger, "type") in {"cpu", "memory"}:
                kind = text_at(trigger, "metricType") or text_at(trigger, "metadata", "type") or "Utilization"
                container = text_at(trigger, "metadata", "containerName")
                yield ("spec", "triggers", position), text_at(trigger, "type"), container, kind == "Utilization"
        return
    spec = map_at(scaler.resource.value, "spec")
    if spec.get("targetCPUUtilizationPercentage") is not None:  # autoscaling/v1
        yield ("spec", "targetCPUUtilizationPercentage"), "cpu", "", True
    for position, metric in maps_at(spec, "metrics"):
        for field in ("resource", "containerResource"):
            source = map_at(metric, field)
            if source:
                is_share = text_at(source, "target", "type") == "Utilization"
                pointer = ("spec", "metrics", position, field)
                yield pointer, text_at(source, "name"), text_at(source, "container"), is_share


def _no_requests(scene: Scene) -> Iterator[Hit]:
    for scaler in scene.scalers:
        pods = next((pods for pods in scene.pods if pods.resource.id == scaler.target), None)
        if pods is None or not scaler.changes_number:
            continue
        for pointer, resource, wanted, is_share in _resource_metrics(scaler):
            if not is_share or is_filled_in(scene, pods, resource, "requests"):
                continue
            for container in pods.running:
                if (not wanted or container.name == wanted) and not asks(container, resource):
                    yield Hit(
                        scaler.resource.id,
                        pointer,
                        f"the metric is a share of the {resource} request, and container `{container.name}` of"
                        f" {pods.name} requests none: the autoscaler cannot tell how busy the pods are",
                        f"write `resources.requests.{resource}` for the container",
                        value=container.name,
                    )


def _duplicate(scene: Scene) -> Iterator[Hit]:
    first: dict[tuple[str, tuple[str, str, str, str]], Scaler] = {}
    for scaler in scene.scalers:
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


def _keda_and_hpa(scene: Scene) -> Iterator[Hit]:
    for scaler in scene.scalers:
        if scaler.kind != KEDA:
            continue
        annotations = strings_at(scaler.resource.value, "metadata", "annotations")
        taken = text_at(scaler.resource.value, "spec", "advanced", "horizontalPodAutoscalerConfig", "name")
        for other in scene.scalers:
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


def _vertical(scene: Scene) -> Iterator[Hit]:
    for vertical in scene.scalers:
        if vertical.kind != VERTICAL:
            continue
        changed = _changed_by(vertical.resource.value)
        if not changed:
            continue
        for other in scene.scalers:
            if not other.changes_number or other.target != vertical.target:
                continue
            shared = sorted({resource for _, resource, _, _ in _resource_metrics(other)} & changed)
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


RULES: Final = (
    Rule(
        "hpa-and-replicas",
        "error",
        "A workload that an autoscaler scales does not state `replicas`, or every apply undoes the scaling.",
        "kubernetes.io, Horizontal Pod Autoscaling: Migrating Deployments and StatefulSets; kube-score #286",
        _and_replicas,
    ),
    Rule(
        "hpa-target-missing",
        "error",
        "The workload that an autoscaler means is in the environment, or nothing is scaled.",
        "kube-linter dangling-horizontalpodautoscaler, kube-score horizontalpodautoscaler-has-target, Popeye POP-600",
        _target_missing,
    ),
    Rule(
        "hpa-min-max",
        "warning",
        "An autoscaler's upper bound is above its lower one, or it never scales.",
        "autoscaling/v2 API; kube-score horizontalpodautoscaler-replicas, Polaris hpaMaxAvailability",
        _min_max,
    ),
    Rule(
        "hpa-no-requests",
        "error",
        "Every container of a workload that is scaled by its use of a resource requests that resource.",
        "kubernetes.io, Horizontal Pod Autoscaling: Algorithm details",
        _no_requests,
    ),
    Rule(
        "hpa-duplicate",
        "error",
        "One workload has one autoscaler of a kind; two undo each other's work.",
        "kubernetes.io, Horizontal Pod Autoscaling (AmbiguousSelector); Kyverno prevent-duplicate-hpa",
        _duplicate,
    ),
    Rule(
        "keda-and-hpa",
        "error",
        "A workload of a ScaledObject has no HorizontalPodAutoscaler of its own, for KEDA makes one.",
        "keda.sh, Admission Webhooks; KEDA scaledobject_webhook.go",
        _keda_and_hpa,
    ),
    Rule(
        "hpa-vpa-conflict",
        "error",
        "A VerticalPodAutoscaler does not change the requests that an autoscaler measures the same pods by.",
        "kubernetes/autoscaler, Vertical Pod Autoscaler: Known limitations",
        _vertical,
    ),
)
