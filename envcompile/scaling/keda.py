"""A ScaledObject of KEDA as a value: the HorizontalPodAutoscaler it becomes, and what wakes and puts to sleep.

Source: kedacore/keda v2.20, controllers/keda/hpa.go, apis/keda/v1alpha1/scaledobject_types.go and pkg/scalers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from envcompile.errors import EnvcError, Problems, fail
from envcompile.scaling.hpa.spec import Autoscaler, Metric, MetricKind, TargetKind, autoscaler_of
from envcompile.scaling.quantities import milli

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_REPLICAS: Final = 100
_RESOURCES: Final = ("cpu", "memory")
_THRESHOLDS: Final = (
    "threshold",
    "lagThreshold",
    "value",
    "listLength",
    "queueLength",
    "targetValue",
    "targetQueryValue",
    "targetMetricValue",
    "messageCount",
    "eventCount",
    "queueSize",
    "pendingEntriesCount",
    "targetPipelinesQueueLength",
    "activeMessageCount",
)
"""How scalers call their target."""
FALLBACKS: Final = ("static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower")


@dataclass(frozen=True, slots=True)
class CronWindow:
    """A cron trigger: so many replicas between two schedules."""

    start: str
    end: str
    zone: str
    replicas: int


@dataclass(frozen=True, slots=True)
class Trigger:
    """One external trigger; amounts in milli-units."""

    metric: str
    """The name of the metric that the autoscaler reads."""
    target: int
    is_value: bool
    activation: int = 0
    """It is active above this."""
    cron: CronWindow | None = None


@dataclass(frozen=True, slots=True)
class Fallback:
    """What a trigger that cannot be read counts as."""

    after: int
    replicas: int
    behavior: str = FALLBACKS[0]


@dataclass(frozen=True, slots=True)
class ScaledObject:
    """`spec` of a ScaledObject after defaulting; durations in seconds."""

    autoscaler: Autoscaler
    min_replicas: int
    triggers: tuple[Trigger, ...]
    idle_replicas: int | None = None
    polling_seconds: int = 30
    cooldown_seconds: int = 300
    initial_cooldown_seconds: int = 0
    fallback: Fallback | None = None
    paused_replicas: int | None = None
    is_paused: bool = False
    is_forced: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the autoscaler alone decides: nothing ever goes to zero, sleeps or falls back."""
        acts = self.idle_replicas is not None or self.fallback is not None or self.is_paused
        return self.min_replicas > 0 and not acts


def scaled_object_of(spec: Mapping[str, Any], annotations: Mapping[str, str] | None = None) -> ScaledObject:
    """Read the `spec` of a keda.sh/v1alpha1 ScaledObject, and its annotations.

    Raises:
        EnvcError: KEDA would refuse it, or it has a formula, which is not simulated.
    """
    said = annotations or {}
    least, most = spec.get("minReplicaCount") or 0, spec.get("maxReplicaCount") or MOST_REPLICAS
    idle = spec.get("idleReplicaCount")
    advanced = spec.get("advanced") or {}
    problems = Problems()
    if (advanced.get("scalingModifiers") or {}).get("formula"):
        problems.add("a formula of scalingModifiers is not simulated", "simulate a plain HorizontalPodAutoscaler of it")
    if idle is not None and idle >= least:
        problems.add(f"idleReplicaCount {idle} is not below minReplicaCount {least}", "write a smaller one")
    metrics: list[dict[str, Any]] = []
    triggers: list[Trigger] = []
    for position, given in enumerate(spec.get("triggers") or ()):
        try:
            if given.get("type") in _RESOURCES:
                metrics.append(_resource(given))
            else:
                triggers.append(_trigger(position, given))
        except EnvcError as error:
            for found in error.problems:
                problems.add(f"triggers[{position}]: {found.what}", found.fix)
    problems.raise_any()
    if not metrics and not triggers:
        raise fail("the ScaledObject has no triggers", "write at least one")
    external = tuple(
        Metric(
            MetricKind.EXTERNAL,
            trigger.metric,
            TargetKind.VALUE if trigger.is_value else TargetKind.AVERAGE_VALUE,
            trigger.target,
        )
        for trigger in triggers
    )
    behavior = _paused_sides((advanced.get("horizontalPodAutoscalerConfig") or {}).get("behavior"), said)
    body = {"minReplicas": max(1, least), "maxReplicas": most, "metrics": metrics, "behavior": behavior}
    read = autoscaler_of(body)
    autoscaler = Autoscaler(
        read.max_replicas, read.min_replicas, (read.metrics if metrics else ()) + external, read.behavior
    )
    pinned = said.get("autoscaling.keda.sh/paused-replicas")
    is_paused = pinned is not None or said.get("autoscaling.keda.sh/paused") == "true"
    return ScaledObject(
        autoscaler,
        least,
        tuple(triggers),
        idle,
        spec.get("pollingInterval") or 30,
        300 if spec.get("cooldownPeriod") is None else spec["cooldownPeriod"],
        spec.get("initialCooldownPeriod") or 0,
        _fallback(spec.get("fallback")),
        int(pinned) if pinned is not None and pinned.isdecimal() else None,
        is_paused,
        said.get("autoscaling.keda.sh/force-activation") == "true",
    )


def _paused_sides(behavior: Mapping[str, Any] | None, said: Mapping[str, str]) -> Mapping[str, Any] | None:
    """The behavior with those directions disabled that annotations pause."""
    for annotation, side in (("paused-scale-in", "scaleDown"), ("paused-scale-out", "scaleUp")):
        if said.get(f"autoscaling.keda.sh/{annotation}") == "true":
            rules = (behavior or {}).get(side) or {}
            behavior = {**(behavior or {}), side: {**rules, "selectPolicy": "Disabled"}}
    return behavior


def _resource(given: Mapping[str, Any]) -> dict[str, Any]:
    """A cpu or memory trigger as a metric of an autoscaler."""
    metadata = given.get("metadata") or {}
    kind = given.get("metricType") or metadata.get("type") or "Utilization"
    value = metadata.get("value")
    if kind == "Utilization":
        if not str(value).isdecimal():
            raise fail(f"value is {value!r}", "write whole percent of the requests")
        target: dict[str, Any] = {"type": kind, "averageUtilization": int(str(value))}
    else:
        target = {"type": "AverageValue", "averageValue": value}
    container = metadata.get("containerName")
    body = {"name": given["type"], "target": target}
    if container:
        return {"type": "ContainerResource", "containerResource": {**body, "container": container}}
    return {"type": "Resource", "resource": body}


def _trigger(position: int, given: Mapping[str, Any]) -> Trigger:
    kind, metadata = str(given.get("type")), given.get("metadata") or {}
    name = str(given.get("name") or f"s{position}-{kind}")
    if kind == "cron":
        return _cron(name, metadata)
    key = next((one for one in _THRESHOLDS if metadata.get(one) is not None), None)
    if key is None:
        raise fail(f"a trigger of type {kind} names no target", f"write one of {', '.join(_THRESHOLDS[:5])}")
    target = milli(metadata[key], key)
    if target <= 0:
        raise fail(f"{key} is {metadata[key]!r}", "write a number above 0")
    if given.get("metricType") == "Utilization":
        raise fail("metricType Utilization is for cpu and memory alone", "write AverageValue or Value")
    activation = metadata.get(f"activation{key[0].upper()}{key[1:]}", metadata.get("activationThreshold", 0))
    return Trigger(name, target, given.get("metricType") == "Value", milli(activation, "the activation threshold"))


def _cron(name: str, metadata: Mapping[str, Any]) -> Trigger:
    start, end = str(metadata.get("start") or ""), str(metadata.get("end") or "")
    replicas = str(metadata.get("desiredReplicas") or "")
    if not replicas.isdecimal() or int(replicas) < 1:
        raise fail(f"desiredReplicas is {metadata.get('desiredReplicas')!r}", "write a whole number of at least 1")
    if start == end:
        raise fail("start and end are the same", "write two schedules")
    window = CronWindow(start, end, str(metadata.get("timezone") or ""), int(replicas))
    return Trigger(name, 1000, False, 0, window)


def _fallback(given: Mapping[str, Any] | None) -> Fallback | None:
    if not given:
        return None
    behavior = given.get("behavior") or FALLBACKS[0]
    if behavior not in FALLBACKS:
        raise fail(f"a fallback of behavior {behavior} is not simulated", f"it can be {', '.join(FALLBACKS)}")
    return Fallback(int(given.get("failureThreshold") or 0), int(given.get("replicas") or 0), behavior)
