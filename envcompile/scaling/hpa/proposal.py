"""One metric -> a number of replicas, as the replica calculator has it.

Source: k8s.io/kubernetes pkg/controller/podautoscaler/replica_calculator.go and metrics/utilization.go.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envcompile.scaling.hpa.pods import RUNNING, MissingRequestError, Sample, group, request_of
from envcompile.scaling.hpa.spec import MetricKind, TargetKind
from envcompile.scaling.quantities import (
    LARGEST_INT32,
    LARGEST_INT64,
    ceil_int32,
    ceil_int64,
    int32,
    int64,
    quotient,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.scaling.hpa.pods import Pod
    from envcompile.scaling.hpa.spec import Autoscaler, ControllerFlags, Metric

Reading = Mapping[str, Sample] | int | Sequence[int] | None
"""What a metrics API answers: samples by pod, an object's value, an external metric's series; None: an error."""
Current = tuple[int | None, int | None, int | None]
"""What the status tells of a metric: utilisation in percent, average in milli-units, value in milli-units."""

UNKNOWN: Current = (None, None, None)


@dataclass(frozen=True, slots=True)
class Tolerances:
    """How far a ratio may be from 1 without a change."""

    down: float
    up: float

    def within(self, ratio: float) -> bool:
        """Whether a ratio changes nothing; the borders are inside."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True, slots=True)
class View:
    """The scale and the pods at the start of a reconciliation."""

    spec: int
    status: int
    pods: Sequence[Pod]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one metric proposes, with its text in reasons and its row in the status."""

    replicas: int
    text: str
    current: Current


def tolerances_of(autoscaler: Autoscaler, flags: ControllerFlags) -> Tolerances:
    """The tolerances of both directions: an autoscaler's own, else the controller's."""
    behavior = autoscaler.behavior
    down = behavior.down.tolerance if behavior else None
    up = behavior.up.tolerance if behavior else None
    return Tolerances(flags.tolerance if down is None else down, flags.tolerance if up is None else up)


def propose(
    metric: Metric, reading: Reading, view: View, tolerances: Tolerances, flags: ControllerFlags, now: int
) -> Proposal | None:
    """What a metric proposes; None: it failed. `now` is the instant after its fetch, in ms."""
    if metric.kind in {MetricKind.OBJECT, MetricKind.EXTERNAL}:
        return _of_whole(metric, reading, view, tolerances)
    samples = reading if isinstance(reading, Mapping) else None
    if not samples or not view.pods:
        return None
    if metric.target_kind is TargetKind.UTILIZATION:
        return _of_utilisation(metric, samples, view, tolerances, flags, now)
    resource = "" if metric.kind is MetricKind.PODS else metric.name

    def average(values: Mapping[str, int]) -> tuple[float, int, int]:
        usage = quotient(sum(values.values()), len(values))
        return usage / metric.target, usage, usage

    counted = _of_pods(samples, view, tolerances, resource, flags, now, average, lambda _: metric.target)
    if counted is None:
        return None
    replicas, _, usage = counted
    text = f"pods metric {metric.name}" if metric.kind is MetricKind.PODS else f"{metric.name} resource"
    return Proposal(replicas, text, (None, usage, None))


def _of_utilisation(
    metric: Metric,
    samples: Mapping[str, Sample],
    view: View,
    tolerances: Tolerances,
    flags: ControllerFlags,
    now: int,
) -> Proposal | None:
    """`GetResourceReplicas`: usage in whole percent of the requests."""
    try:
        requests = {pod.name: request_of(pod, metric.container, metric.name) for pod in view.pods}
    except MissingRequestError:
        return None
    assumed_percent = max(100, metric.target)

    def utilisation(values: Mapping[str, int]) -> tuple[float, int, int] | None:
        known = [name for name in values if name in requests]
        asked = sum(requests[name] for name in known)
        if asked == 0:
            return None
        used = sum(values[name] for name in known)
        percent = int32(quotient(used * 100, asked))
        return percent / metric.target, percent, quotient(used, len(known))

    counted = _of_pods(
        samples,
        view,
        tolerances,
        metric.name,
        flags,
        now,
        utilisation,
        lambda name: quotient(requests[name] * assumed_percent, 100),
    )
    if counted is None:
        return None
    replicas, percent, average = counted
    of = "container resource" if metric.kind is MetricKind.CONTAINER_RESOURCE else "resource"
    return Proposal(replicas, f"{metric.name} {of} utilization (percentage of request)", (percent, average, None))


def _of_pods(
    samples: Mapping[str, Sample],
    view: View,
    tolerances: Tolerances,
    resource: str,
    flags: ControllerFlags,
    now: int,
    measure: Callable[[Mapping[str, int]], tuple[float, int, int] | None],
    assumed: Callable[[str], int],
) -> tuple[int, int, int] | None:
    """What per-pod metrics propose, with the two numbers that the first measurement gave; None: nothing to measure."""
    grouped = group(view.pods, samples, resource, flags, now)
    left_out = grouped.ignored | grouped.unready
    values = {name: sample.value for name, sample in samples.items() if name not in left_out}
    first = measure(values) if values else None
    if first is None:
        return None
    ratio, *shown = first
    unready_count = bool(grouped.unready) and ratio > 1.0
    if not unready_count and not grouped.missing:
        kept = tolerances.within(ratio)
        return view.spec if kept else ceil_int32(ratio * grouped.ready), shown[0], shown[1]
    if ratio < 1.0:
        values |= {name: assumed(name) for name in grouped.missing}
    elif ratio > 1.0:
        values |= dict.fromkeys(grouped.missing, 0)
    if unready_count:
        values |= dict.fromkeys(grouped.unready, 0)
    second = measure(values)
    if second is None:
        return None
    again = second[0]
    turns = (ratio < 1.0 < again) or (again < 1.0 < ratio)
    replicas = ceil_int32(again * len(values))
    against = (again < 1.0 and replicas > view.spec) or (again > 1.0 and replicas < view.spec)
    kept = tolerances.within(again) or turns or against
    return view.spec if kept else replicas, shown[0], shown[1]


def _of_whole(metric: Metric, reading: Reading, view: View, tolerances: Tolerances) -> Proposal | None:
    """Object and External metrics: one value for the whole workload."""
    is_value = metric.target_kind is TargetKind.VALUE
    if metric.kind is MetricKind.OBJECT:
        if not isinstance(reading, int):
            return None
        usage = reading
    else:
        if not isinstance(reading, Sequence) or not reading:
            return None
        usage = _capped_sum(reading) if is_value else _unsigned_sum(reading)
    if is_value:
        replicas = _by_ratio(usage / metric.target, view, tolerances)
        if replicas is None:
            return None
        text = f"{metric.described_kind} metric {metric.name}"
        if metric.kind is MetricKind.EXTERNAL:
            text = f"external metric {metric.name}({metric.selector})"
        return Proposal(replicas, text, (None, None, usage))
    replicas = view.status
    if not tolerances.within(_ratio(usage, float(metric.target) * view.status)):
        wanted = math.ceil(usage / metric.target)
        is_external = metric.kind is MetricKind.EXTERNAL
        replicas = LARGEST_INT32 if is_external and wanted > LARGEST_INT32 else ceil_int32(wanted)
    if metric.kind is MetricKind.EXTERNAL and float(usage) >= float(LARGEST_INT64):
        average = LARGEST_INT64
    else:
        average = ceil_int64(_ratio(usage, float(view.status)))
    # The controller calls an Object's average an external metric, too.
    return Proposal(replicas, f"external metric {metric.name}({metric.selector})", (None, average, None))


def _by_ratio(ratio: float, view: View, tolerances: Tolerances) -> int | None:
    if view.spec == 0:
        return ceil_int32(ratio)
    if tolerances.within(ratio):
        return view.spec
    if not view.pods:
        return None
    ready = sum(pod.phase == RUNNING and pod.is_ready for pod in view.pods)
    wanted = ratio * ready
    return LARGEST_INT32 if wanted > LARGEST_INT32 else ceil_int32(wanted)


def _ratio(dividend: float, divisor: float) -> float:
    """Division of doubles as the processor has it: by zero it gives an infinity or no number."""
    if divisor:
        return dividend / divisor
    return math.copysign(math.inf, dividend) if dividend else math.nan


def _capped_sum(values: Sequence[int]) -> int:
    total = 0
    for value in values:
        if value > 0 and total > LARGEST_INT64 - value:
            return LARGEST_INT64
        total = int64(total + value)
    return total


def _unsigned_sum(values: Sequence[int]) -> int:
    """The sum of an AverageValue target: anything below zero on the way is taken for an overflow."""
    total = 0
    for value in values:
        total = int64(total + value)
        if total < 0:
            return LARGEST_INT64
    return total
