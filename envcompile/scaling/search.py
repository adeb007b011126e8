"""The cheapest setting of an autoscaler that is not short of pods for longer, nor by more, than the one there is.

Every setting is replayed on the whole load (`fast.py`). One field after the other is moved while all others stand
still, until nothing gets cheaper: the fields hardly act on each other, and a person can follow it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.scaling.columns import Column
from envcompile.scaling.effect import NOTICED, effect_of
from envcompile.scaling.fast import fast_replay
from envcompile.scaling.hpa.spec import SCALE_DOWN, SCALE_UP, Behavior, Metric, MetricKind, TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.scaling.columns import Columns
    from envcompile.scaling.effect import Effect, Floats
    from envcompile.scaling.hpa.spec import Autoscaler
    from envcompile.scaling.podworld import Workload

TARGETS: Final = (50, 55, 60, 65, 70, 75, 80, 85, 90, 95)
"""Percent of the requests that are tried as a target."""
_STEPS: Final = (-2, -1, 1, 2)
"""Percent beside a target that are tried once the rest is found."""
DOWN_WINDOWS: Final = (60, 120, 300, 600)
"""Seconds. None is shorter than a minute: a target that is held by a moment's dip swings."""
TOLERANCES: Final = (0.05, 0.02)
"""Parts by which a metric may be off its target before anything happens, beside the controller's own 0.1."""
_ROUNDS: Final = 3
_SPARE: Final = 1.25
"""The maximum is so many times the largest size of the replay: what comes may be larger than what was recorded."""
FLOOR: Final = "schedule"
"""The name of the metric that holds a floor."""


class Bounds(NamedTuple):
    """What the search may not leave."""

    least: int
    """The fewest replicas: what availability and disruption budgets need."""
    most: int
    """The most replicas: what quota leaves."""
    with_tolerance: bool = False
    """Whether the field `tolerance` may be set (autoscaling/v2 of Kubernetes 1.37 on)."""


class Case(NamedTuple):
    """A workload with its load."""

    workload: Workload
    columns: Columns
    demand: Floats
    """What all pods together have to serve, one value for each 15 s."""
    per_pod: float
    """What one pod serves of it."""
    start_seconds: int

    def effect(self, autoscaler: Autoscaler) -> Effect:
        """What a setting does to it."""
        sizes = fast_replay(self.first(autoscaler), autoscaler, self.columns)
        return effect_of(sizes, self.demand, self.per_pod, self.start_seconds, NOTICED)

    def first(self, autoscaler: Autoscaler) -> Workload:
        """The workload with the size that serves the first of the load, as far as the autoscaler allows it.

        The load was served when it began: a start from too small a size would be counted as a shortage.
        """
        needed = math.ceil(float(self.demand[0]) / self.per_pod) if len(self.demand) else 1
        return replace(self.workload, replicas=min(max(needed, autoscaler.min_replicas), autoscaler.max_replicas))

    def with_floor(self, floor: Floats) -> Case:
        """The same with a floor under the number of replicas, which `floored` autoscalers hold.

        Args:
            floor: replicas, one value for each 15 s.
        """
        import numpy as np

        column = Column((floor * 1000).astype(np.int64))
        return self._replace(columns=replace(self.columns, external={**self.columns.external, FLOOR: column}))


class Found(NamedTuple):
    """The best setting, and how many were tried."""

    autoscaler: Autoscaler
    effect: Effect
    tried: int


def floored(autoscaler: Autoscaler) -> Autoscaler:
    """The autoscaler with the metric that holds a floor: KEDA's `cron` is an external metric with the target 1."""
    metric = Metric(MetricKind.EXTERNAL, FLOOR, TargetKind.AVERAGE_VALUE, 1000)
    return replace(autoscaler, metrics=(*autoscaler.metrics, metric))


def search(case: Case, autoscaler: Autoscaler, bounds: Bounds, limit: Effect) -> Found:
    """The cheapest setting with no more shortage than a limit; the one with the least, where none has so little.

    Args:
        case: the workload and its load.
        autoscaler: where to begin.
        bounds: of the number of replicas.
        limit: the shortage that is allowed.
    """
    known: dict[Autoscaler, Effect] = {}

    def rank(setting: Autoscaler) -> tuple[float, ...]:
        effect = known.get(setting)
        if effect is None:
            effect = known[setting] = case.effect(setting)
        if effect.no_worse_than(limit):
            return (0.0, effect.pod_hours, effect.shortage)
        return (1.0, effect.shortage / max(limit.shortage, 1e-9) + effect.shortage_minutes, effect.pod_hours)

    best = _bounded(autoscaler, bounds)
    rank(best)
    for _ in range(_ROUNDS):
        before = best
        for field in (_targets, _minima, _maxima, _downs, _ups, _tolerances, _near_targets):
            best = min((best, *field(best, bounds)), key=rank)
        if best == before:
            break
    best = _tightened(best, known[best], bounds, autoscaler.max_replicas)
    return Found(best, case.effect(best), len(known))


def scaled(autoscaler: Autoscaler, percent: int) -> Autoscaler:
    """The autoscaler with another target of CPU, and all other targets per pod moved alike; memory's stays."""
    now = next((metric.target for metric in autoscaler.metrics if _is_cpu(metric)), None)
    return replace(
        autoscaler,
        metrics=tuple(
            replace(metric, target=percent)
            if _is_cpu(metric)
            else replace(metric, target=max(1, _rounded(metric.target * percent / now)))
            if now is not None and _moves(metric)
            else metric
            for metric in autoscaler.metrics
        ),
    )


def _is_cpu(metric: Metric) -> bool:
    is_resource = metric.kind in {MetricKind.RESOURCE, MetricKind.CONTAINER_RESOURCE}
    return is_resource and metric.name == "cpu" and metric.target_kind is TargetKind.UTILIZATION


def _moves(metric: Metric) -> bool:
    return metric.kind not in {MetricKind.RESOURCE, MetricKind.CONTAINER_RESOURCE} and metric.name != FLOOR


def _rounded(amount: float) -> int:
    """Two digits are enough for a target."""
    digits = max(0, math.floor(math.log10(max(amount, 1))) - 1)
    return int(round(amount, -digits))


def _bounded(autoscaler: Autoscaler, bounds: Bounds) -> Autoscaler:
    most = min(autoscaler.max_replicas, bounds.most)
    return replace(autoscaler, max_replicas=most, min_replicas=max(min(autoscaler.min_replicas, most), bounds.least))


def _targets(of: Autoscaler, bounds: Bounds) -> Iterator[Autoscaler]:
    del bounds
    if any(_is_cpu(metric) for metric in of.metrics):
        yield from (scaled(of, percent) for percent in TARGETS)


def _near_targets(of: Autoscaler, bounds: Bounds) -> Iterator[Autoscaler]:
    """Targets beside the one there is: a percent of the target is a percent of the pods."""
    del bounds
    for percent in (metric.target for metric in of.metrics if _is_cpu(metric)):
        yield from (scaled(of, percent + step) for step in _STEPS if 0 < percent + step <= TARGETS[-1])


def _minima(of: Autoscaler, bounds: Bounds) -> Iterator[Autoscaler]:
    """Fewer by half, by one, and the fewest; more by one and by half; each with all targets, which make up for them."""
    now = of.min_replicas
    for count in sorted({bounds.least, now // 2, now - 1, now + 1, now + now // 2}):
        if bounds.least <= count <= of.max_replicas:
            fewer = replace(of, min_replicas=count)
            yield from (fewer, *_targets(fewer, bounds))


def _maxima(of: Autoscaler, bounds: Bounds) -> Iterator[Autoscaler]:
    yield replace(of, max_replicas=max(min(bounds.most, 2 * of.max_replicas), of.min_replicas))


def _downs(of: Autoscaler, bounds: Bounds) -> Iterator[Autoscaler]:
    """Windows, each with the policies there are and with the default ones."""
    del bounds
    behavior = of.behavior or Behavior()
    for rules in {behavior.down, SCALE_DOWN}:
        for window in DOWN_WINDOWS:
            yield replace(of, behavior=replace(behavior, down=replace(rules, window_seconds=window)))


def _ups(of: Autoscaler, bounds: Bounds) -> Iterator[Autoscaler]:
    """The default policies, and ones that hardly limit anything."""
    del bounds
    behavior = of.behavior or Behavior()
    for policies in (SCALE_UP.policies, tuple(replace(one, value=one.value * 9) for one in SCALE_UP.policies)):
        yield replace(of, behavior=replace(behavior, up=replace(SCALE_UP, policies=policies)))


def _tolerances(of: Autoscaler, bounds: Bounds) -> Iterator[Autoscaler]:
    """Smaller ones, with the same targets and with higher ones: the less is tolerated, the nearer a target may be."""
    if not bounds.with_tolerance:
        return
    behavior = of.behavior or Behavior()
    for part in TOLERANCES:
        up, down = (replace(rules, tolerance=part) for rules in (behavior.up, behavior.down))
        for percent in (None, *TARGETS):
            yield replace(of if percent is None else scaled(of, percent), behavior=Behavior(up, down))


def _tightened(of: Autoscaler, effect: Effect, bounds: Bounds, before: int) -> Autoscaler:
    """The maximum with some room above the largest size; never less than before: what comes may be larger."""
    roomy = max(math.ceil(effect.largest * _SPARE), of.min_replicas, before)
    return (
        replace(of, max_replicas=min(of.max_replicas, bounds.most, roomy)) if effect.largest < of.max_replicas else of
    )
