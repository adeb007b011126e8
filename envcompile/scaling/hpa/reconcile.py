"""One whole reconciliation of a HorizontalPodAutoscaler.

Source: `reconcileAutoscaler` of k8s.io/kubernetes pkg/controller/podautoscaler/horizontal.go.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from envcompile.scaling.hpa.limits import Events, Recommendation, limit, stabilise, with_event
from envcompile.scaling.hpa.proposal import UNKNOWN, propose, tolerances_of
from envcompile.scaling.hpa.spec import MetricKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.scaling.hpa.proposal import Current, Proposal, Reading, View
    from envcompile.scaling.hpa.spec import Autoscaler, ControllerFlags

SCALED_TO_ZERO: Final = "True ScaledToZero"
NOT_SCALED_TO_ZERO: Final = "False NotScaledToZero"
_FAILED: Final = {
    MetricKind.RESOURCE: "False FailedGetResourceMetric",
    MetricKind.CONTAINER_RESOURCE: "False FailedGetContainerResourceMetric",
    MetricKind.PODS: "False FailedGetPodsMetric",
    MetricKind.OBJECT: "False FailedGetObjectMetric",
    MetricKind.EXTERNAL: "False FailedGetExternalMetric",
}


@dataclass(frozen=True, slots=True)
class Conditions:
    """The four conditions of the status as "Status Reason"; empty: not there."""

    able: str = ""
    active: str = ""
    limited: str = ""
    zero: str = ""


NO_CONDITIONS: Final = Conditions()
NO_EVENTS: Final = Events()


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered between two reconciliations: by the controller in its process, and in the status.

    `recommendations` is None before the first one, as after a restart of the controller.
    """

    recommendations: tuple[Recommendation, ...] | None = None
    events: Events = NO_EVENTS
    conditions: Conditions = NO_CONDITIONS


@dataclass(frozen=True, slots=True)
class Decision:
    """What one reconciliation decided, and everything it told; `proposed` is None where no metric gave a number."""

    desired: int
    reason: str
    conditions: Conditions
    current: tuple[Current, ...] | None
    proposed: int | None
    metric: str
    ended: int
    """The instant in ms after the last metric was read."""
    memory: Memory


@dataclass(frozen=True, slots=True)
class _Shortcut:
    """A size that needs no metric; without a reason nothing changes."""

    desired: int
    reason: str


def reads_metrics(autoscaler: Autoscaler, memory: Memory, spec: int) -> bool:
    """Whether a reconciliation at this size asks for metrics at all."""
    return _shortcut(autoscaler, memory, spec) is None


def reconcile(
    autoscaler: Autoscaler,
    flags: ControllerFlags,
    memory: Memory,
    view: View,
    readings: Sequence[Reading],
    started: int,
    fetch_ms: int = 0,
) -> Decision:
    """Decide one reconciliation that starts at an instant in ms.

    `readings` holds one for each metric in the order of the spec (none are looked at if `reads_metrics` says so); each
    takes `fetch_ms`. The same arguments give the same decision.
    """
    first = (Recommendation(view.spec, started),)
    memory = memory if memory.recommendations is not None else replace(memory, recommendations=first)
    memory = replace(memory, conditions=replace(memory.conditions, able="True SucceededGetScale"))
    shortcut = _shortcut(autoscaler, memory, view.spec)
    if shortcut is not None:
        if not shortcut.reason:
            conditions = replace(memory.conditions, active="False ScalingDisabled")
            memory = replace(memory, conditions=conditions)
            return Decision(view.spec, "", conditions, None, None, "", started, memory)
        memory = _rescaled(autoscaler, memory, view.spec, shortcut.desired, started)
        return Decision(shortcut.desired, shortcut.reason, memory.conditions, None, None, "", started, memory)
    return _by_metrics(autoscaler, flags, memory, view, readings, started, fetch_ms)


def _shortcut(autoscaler: Autoscaler, memory: Memory, spec: int) -> _Shortcut | None:
    if spec == 0:
        wakes = autoscaler.min_replicas != 0 or autoscaler.has_object_or_external
        return None if memory.conditions.zero == SCALED_TO_ZERO and wakes else _Shortcut(0, "")
    if spec > autoscaler.max_replicas:
        return _Shortcut(autoscaler.max_replicas, "Current number of replicas above Spec.MaxReplicas")
    if spec < autoscaler.min_replicas:
        return _Shortcut(autoscaler.min_replicas, "Current number of replicas below Spec.MinReplicas")
    return None


def _by_metrics(
    autoscaler: Autoscaler,
    flags: ControllerFlags,
    memory: Memory,
    view: View,
    readings: Sequence[Reading],
    started: int,
    fetch_ms: int,
) -> Decision:
    proposals, now = _proposals(autoscaler, flags, view, readings, started, fetch_ms)
    current = tuple(one.current if one else UNKNOWN for one in proposals)
    best = _largest(proposals)
    failed = [metric for metric, one in zip(autoscaler.metrics, proposals, strict=True) if one is None]
    if best is None or (failed and best.replicas < view.spec):
        conditions = replace(memory.conditions, active=_FAILED[failed[0].kind])
        memory = replace(memory, conditions=conditions)
        return Decision(view.spec, "", conditions, current, None, "", now, memory)
    wanted = max(best.replicas, 0)
    reason = ""
    if wanted > view.spec:
        reason = f"{best.text} above target"
    elif wanted < view.spec:
        reason = "All metrics below target"
    stable = stabilise(autoscaler, flags, memory.recommendations or (), view.spec, wanted, now)
    desired, why = limit(autoscaler, memory.events, view.spec, stable.replicas, now)
    conditions = replace(
        memory.conditions,
        able=f"True {stable.reason}",
        active="True ValidMetricFound",
        limited=f"{desired != stable.replicas} {why}",
    )
    memory = replace(memory, recommendations=stable.recommendations, conditions=conditions)
    if view.spec == 0 and desired < autoscaler.min_replicas:
        desired = autoscaler.min_replicas
        reason = reason or "Current number of replicas below Spec.MinReplicas"
    if desired == view.spec:
        reason = ""
    else:
        memory = _rescaled(autoscaler, memory, view.spec, desired, now)
    return Decision(desired, reason, memory.conditions, current, best.replicas, best.text, now, memory)


def _proposals(
    autoscaler: Autoscaler,
    flags: ControllerFlags,
    view: View,
    readings: Sequence[Reading],
    started: int,
    fetch_ms: int,
) -> tuple[list[Proposal | None], int]:
    """What each metric proposes, and the instant after the last was read."""
    tolerances = tolerances_of(autoscaler, flags)
    now = started
    proposals = []
    for metric, reading in zip(autoscaler.metrics, readings, strict=True):
        now += fetch_ms
        proposals.append(propose(metric, reading, view, tolerances, flags, now))
    return proposals, now


def _largest(proposals: Sequence[Proposal | None]) -> Proposal | None:
    """The largest proposal, the first of equals; one of 0 gives way to any other, as in the controller."""
    best: Proposal | None = None
    for one in proposals:
        if one is not None and (best is None or best.replicas == 0 or one.replicas > best.replicas):
            best = one
    return best


def _rescaled(autoscaler: Autoscaler, memory: Memory, before: int, after: int, now: int) -> Memory:
    went_to_zero = before > 0 and after == 0 and autoscaler.min_replicas == 0 and autoscaler.has_object_or_external
    conditions = replace(
        memory.conditions, able="True SucceededRescale", zero=SCALED_TO_ZERO if went_to_zero else NOT_SCALED_TO_ZERO
    )
    events = with_event(autoscaler.behavior, memory.events, before, after, now)
    return replace(memory, conditions=conditions, events=events)
