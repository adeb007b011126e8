"""The replay of a load under KEDA: polls that wake and put to sleep, and the autoscaler between 1 and N.

Source: kedacore/keda v2.20, pkg/scaling/scale_handler.go, pkg/scaling/executor/scale_scaledobjects.go and
pkg/fallback/fallback.go; nothing of it was run here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from envcompile.scaling.hpa.pods import RUNNING
from envcompile.scaling.hpa.reconcile import Memory, reads_metrics, reconcile
from envcompile.scaling.hpa.spec import DEFAULT_FLAGS, MetricKind
from envcompile.scaling.podworld import SAMPLE_MS, first_fleet, look, read, resized

if TYPE_CHECKING:
    from envcompile.scaling.hpa.proposal import Reading, View
    from envcompile.scaling.hpa.spec import ControllerFlags
    from envcompile.scaling.keda import ScaledObject, Trigger
    from envcompile.scaling.podworld import Fleet, ReplayInput


@dataclass(slots=True)
class _Operator:
    """What KEDA remembers: when a trigger last was active, in ms, and how often each failed one after the other."""

    last_active: int | None = None
    failures: dict[str, int] = field(default_factory=dict)


def replay_scaled_object(given: ReplayInput, scaled: ScaledObject, flags: ControllerFlags = DEFAULT_FLAGS) -> list[int]:
    """The size after each reconciliation of the autoscaler, from 0 on, one each sync period.

    A poll at the same instant comes first. Triggers are read anew for the autoscaler, as without cached metrics.
    """
    period, polling = flags.sync_period_seconds * 1000, scaled.polling_seconds * 1000
    fleet, memory, operator = first_fleet(given.workload), Memory(), _Operator()
    sizes = []
    next_poll = 0
    for now in range(0, given.samples * SAMPLE_MS, period):
        while next_poll <= now:
            wanted = _polled(given, scaled, fleet, operator, next_poll)
            if wanted != fleet.spec:
                fleet = resized(fleet, wanted, next_poll, given.workload.startup)
            next_poll += polling
        if scaled.is_paused:
            sizes.append(fleet.spec)
            continue
        view, ordinals = look(given, fleet, now)
        readings: list[Reading] = []
        if reads_metrics(scaled.autoscaler, memory, fleet.spec):
            for metric in scaled.autoscaler.metrics:
                reading = read(given, fleet, view, ordinals, metric, now)
                if metric.kind is MetricKind.EXTERNAL:
                    reading = _with_fallback(scaled, operator, metric.name, reading, view)
                readings.append(reading)
        decision = reconcile(scaled.autoscaler, flags, memory, view, readings, now)
        memory = decision.memory
        if decision.desired != fleet.spec:
            fleet = resized(fleet, decision.desired, now, given.workload.startup)
        sizes.append(fleet.spec)
    return sizes


def _polled(given: ReplayInput, scaled: ScaledObject, fleet: Fleet, operator: _Operator, now: int) -> int:
    """The size after a poll at an instant in ms."""
    if scaled.is_paused:
        return fleet.spec if scaled.paused_replicas is None else scaled.paused_replicas
    current, least, idle = fleet.spec, scaled.min_replicas, scaled.idle_replicas
    values = [_value(given, trigger, now) for trigger in scaled.triggers]
    for trigger, value in zip(scaled.triggers, values, strict=True):
        operator.failures[trigger.metric] = operator.failures.get(trigger.metric, 0) + 1 if value is None else 0
    has_failed = any(value is None for value in values)
    active = scaled.is_forced or not scaled.triggers
    active |= any(
        value is not None and value > trigger.activation for trigger, value in zip(scaled.triggers, values, strict=True)
    )
    fallback = scaled.fallback
    if fallback is not None and fallback.replicas:
        active |= any(operator.failures[trigger.metric] > fallback.after for trigger in scaled.triggers)
    if active:
        if current == 0 or (idle is not None and current < least):
            operator.last_active = now
            return max(1, least)
        if not has_failed:
            operator.last_active = now
        return current
    if has_failed and (fallback is None or fallback.replicas):
        return current
    if (least == 0 and current > 0 and idle is None) or (idle is not None and current > idle):
        asleep = least if idle is None else idle
        return asleep if _cooled(scaled, operator, now) else current
    return least if idle is None and current < least else current


def _cooled(scaled: ScaledObject, operator: _Operator, now: int) -> bool:
    """Whether the time without activity is over; an object that never was active counts from its creation."""
    if operator.last_active is None:
        return scaled.initial_cooldown_seconds * 1000 < now
    return operator.last_active + scaled.cooldown_seconds * 1000 < now


def _value(given: ReplayInput, trigger: Trigger, now: int) -> int | None:
    series = given.demand.external.get(trigger.metric, ())
    position = given.sample_at(now)
    found = series[position] if position < len(series) else None
    return sum(found) if found else None


def _with_fallback(scaled: ScaledObject, operator: _Operator, name: str, reading: Reading, view: View) -> Reading:
    """What the autoscaler is told of a trigger: its value, or so much that the fallback's size comes of it."""
    if reading is not None:
        operator.failures[name] = 0
        return reading
    operator.failures[name] = operator.failures.get(name, 0) + 1
    fallback = scaled.fallback
    if fallback is None or operator.failures[name] <= fallback.after:
        return None
    replicas = {
        "static": fallback.replicas,
        "currentReplicas": view.spec,
        "currentReplicasIfHigher": max(view.spec, fallback.replicas),
        "currentReplicasIfLower": min(view.spec, fallback.replicas),
    }[fallback.behavior]
    trigger = next(one for one in scaled.triggers if one.metric == name)
    if not trigger.is_value:
        return [trigger.target * replicas]
    ready = sum(pod.phase == RUNNING and pod.is_ready for pod in view.pods)
    return [trigger.target * replicas // ready] if ready else None
