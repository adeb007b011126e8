"""Stabilisation windows and policies: what becomes of a proposal.

Source: k8s.io/kubernetes pkg/controller/podautoscaler/horizontal.go.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from envcompile.scaling.hpa.spec import Select

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.scaling.hpa.spec import Autoscaler, Behavior, ControllerFlags, Rules

_LIMIT_FACTOR: Final = 2
_LIMIT_AT_LEAST: Final = 4
WITHIN: Final = "DesiredWithinRange"
STEADY: Final = "ReadyForNewScale"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A proposal as it was before windows and limits, and its instant in ms."""

    replicas: int
    at: int


@dataclass(frozen=True, slots=True)
class ScaleEvent:
    """A change of size by the controller itself, its instant in ms, and whether its place may be taken by another."""

    change: int
    at: int
    is_outdated: bool = False


@dataclass(frozen=True, slots=True)
class Events:
    """The changes of both directions."""

    up: tuple[ScaleEvent, ...] = ()
    down: tuple[ScaleEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Stabilised:
    """A proposal after the windows, the recommendations as they are afterwards, and the reason for AbleToScale."""

    replicas: int
    recommendations: tuple[Recommendation, ...]
    reason: str


def stabilise(
    autoscaler: Autoscaler,
    flags: ControllerFlags,
    recommendations: tuple[Recommendation, ...],
    spec: int,
    proposed: int,
    now: int,
) -> Stabilised:
    """Hold a proposal against recent ones; the proposal joins them."""
    if autoscaler.behavior is None:
        return _without_behavior(flags, recommendations, proposed, now)
    return _with_behavior(autoscaler.behavior, flags, recommendations, spec, proposed, now)


def _without_behavior(
    flags: ControllerFlags, recommendations: tuple[Recommendation, ...], proposed: int, now: int
) -> Stabilised:
    """The largest of the window, whose border is inside."""
    cutoff = now - flags.downscale_stabilization_seconds * 1000
    old = None
    largest = proposed
    for position, one in enumerate(recommendations):
        if one.at < cutoff:
            old = position
        else:
            largest = max(largest, one.replicas)
    kept = _stored(recommendations, Recommendation(proposed, now), old)
    return Stabilised(largest, kept, STEADY if largest == proposed else "ScaleDownStabilized")


def _with_behavior(
    behavior: Behavior,
    flags: ControllerFlags,
    recommendations: tuple[Recommendation, ...],
    spec: int,
    proposed: int,
    now: int,
) -> Stabilised:
    """Up to the smallest of one window, down to the largest of the other; their borders are outside."""
    up_cutoff = now - (behavior.up.window_seconds or 0) * 1000
    down_window = behavior.down.window_seconds
    down_cutoff = now - (flags.downscale_stabilization_seconds if down_window is None else down_window) * 1000
    old = None
    up = down = proposed
    for position, one in enumerate(recommendations):
        if one.at > up_cutoff:
            up = min(up, one.replicas)
        if one.at > down_cutoff:
            down = max(down, one.replicas)
        if one.at < up_cutoff and one.at < down_cutoff:
            old = position
    replicas = min(max(spec, up), down)
    kept = _stored(recommendations, Recommendation(proposed, now), old)
    if replicas == proposed:
        return Stabilised(replicas, kept, STEADY)
    return Stabilised(replicas, kept, "ScaleUpStabilized" if proposed >= spec else "ScaleDownStabilized")


def _stored(
    recommendations: tuple[Recommendation, ...], new: Recommendation, old: int | None
) -> tuple[Recommendation, ...]:
    """The new one takes the place of the last that is too old; others that are too old stay where they are."""
    if old is None:
        return (*recommendations, new)
    return (*recommendations[:old], new, *recommendations[old + 1 :])


def limit(autoscaler: Autoscaler, events: Events, spec: int, wanted: int, now: int) -> tuple[int, str]:
    """What bounds and policies leave of a stabilised size, and the reason for ScalingLimited."""
    if autoscaler.behavior is None:
        return _limit_without_behavior(autoscaler, spec, wanted)
    behavior = autoscaler.behavior
    if wanted > spec:
        most = max(up_limit(behavior.up, events, spec, now), spec)
        reason = "ScaleUpLimit" if autoscaler.max_replicas > most else "TooManyReplicas"
        allowed = min(autoscaler.max_replicas, most)
        return (allowed, reason) if wanted > allowed else (wanted, WITHIN)
    if wanted < spec:
        least = min(down_limit(behavior.down, events, spec, now), spec)
        reason = "ScaleDownLimit" if autoscaler.min_replicas < least else "TooFewReplicas"
        allowed = max(autoscaler.min_replicas, least)
        return (allowed, reason) if wanted < allowed else (wanted, WITHIN)
    return wanted, WITHIN


def _limit_without_behavior(autoscaler: Autoscaler, spec: int, wanted: int) -> tuple[int, str]:
    most = max(_LIMIT_FACTOR * spec, _LIMIT_AT_LEAST)
    if wanted < autoscaler.min_replicas:
        return autoscaler.min_replicas, "TooFewReplicas"
    if autoscaler.max_replicas > most:
        return (most, "ScaleUpLimit") if wanted > most else (wanted, WITHIN)
    return (autoscaler.max_replicas, "TooManyReplicas") if wanted > autoscaler.max_replicas else (wanted, WITHIN)


def up_limit(rules: Rules, events: Events, spec: int, now: int) -> int:
    """The most pods that the policies of scaleUp allow."""
    if rules.select is Select.DISABLED:
        return spec
    allowed = []
    for policy in rules.policies:
        start = _at_start_of_period(policy.period_seconds, events, spec, now)
        if policy.is_percent:
            allowed.append(math.ceil(start * (1 + policy.value / 100)))
        else:
            allowed.append(start + policy.value)
    return min(allowed) if rules.select is Select.MIN else max(allowed)


def down_limit(rules: Rules, events: Events, spec: int, now: int) -> int:
    """The least pods that the policies of scaleDown allow."""
    if rules.select is Select.DISABLED:
        return spec
    allowed = []
    for policy in rules.policies:
        start = _at_start_of_period(policy.period_seconds, events, spec, now)
        if policy.is_percent:
            allowed.append(int(start * (1 - policy.value / 100)))
        else:
            allowed.append(start - policy.value)
    return max(allowed) if rules.select is Select.MIN else min(allowed)


def _at_start_of_period(period_seconds: int, events: Events, spec: int, now: int) -> int:
    cutoff = now - period_seconds * 1000
    added = sum(event.change for event in events.up if event.at > cutoff)
    removed = sum(event.change for event in events.down if event.at > cutoff)
    return spec - added + removed


def with_event(behavior: Behavior | None, events: Events, before: int, after: int, now: int) -> Events:
    """The changes after one more; without `behavior` none is kept."""
    if behavior is None:
        return events
    if after > before:
        return replace(events, up=_with(events.up, behavior.up, ScaleEvent(after - before, now)))
    return replace(events, down=_with(events.down, behavior.down, ScaleEvent(before - after, now)))


def _with(events: Sequence[ScaleEvent], rules: Rules, new: ScaleEvent) -> tuple[ScaleEvent, ...]:
    """The new one takes the place of the last that is older than every period of its own direction.

    The other direction's policies may have longer periods; they lose what was overwritten, as in the controller.
    """
    cutoff = new.at - rules.longest_period_seconds * 1000
    kept = [replace(event, is_outdated=True) if event.at < cutoff else event for event in events]
    outdated = [position for position, event in enumerate(kept) if event.is_outdated]
    if outdated:
        kept[outdated[-1]] = new
    else:
        kept.append(new)
    return tuple(kept)
