"""The controller's algorithm for many stretches of time at once: one lane of an array is one stretch.

Pods are never looked at one by one. The newest go first, so of the pods that were asked for at least j
reconciliations ago as many live as the smallest size of the last j reconciliations; every number of pods that the
algorithm wants (those that serve, that have no metrics yet, ...) is a difference of two such minima.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from envcompile.scaling.hpa.pods import MissingRequestError, Pod, ReadyCondition, Sample, group, request_of
from envcompile.scaling.hpa.proposal import tolerances_of
from envcompile.scaling.hpa.spec import CPU, MetricKind, Select, TargetKind
from envcompile.scaling.podworld import SAMPLE_MS, as_milli
from envcompile.scaling.quantities import LARGEST_INT32

if TYPE_CHECKING:
    import numpy.typing as npt

    from envcompile.scaling.columns import Column, Columns
    from envcompile.scaling.hpa.spec import Autoscaler, ControllerFlags, Metric, Rules
    from envcompile.scaling.podworld import Workload

    Whole = npt.NDArray[np.int64]

NOTHING: Final = -(2**40)
"""Stands for a recommendation that was not made."""


class Ages(NamedTuple):
    """How pods count by their age in reconciliations: for one metric, each a list of (from, below) of ages."""

    serving: tuple[tuple[int, int], ...]
    """Counted as they are, with a share of the load."""
    idle: tuple[tuple[int, int], ...]
    """Counted as they are, without one."""
    unready: tuple[tuple[int, int], ...]
    missing: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """The pods' lives on the grid of reconciliations."""

    period: int
    """Of reconciliations, in ms."""
    exists: int
    """The age in reconciliations at which the object is there."""
    ready: int
    """The age at which it serves."""
    grown: int
    """The age from which nothing changes any more."""


def pace_of(workload: Workload, flags: ControllerFlags) -> Pace:
    """The pods' lives on the grid of reconciliations."""
    startup, period = workload.startup, flags.sync_period_seconds
    running = startup.create + startup.pending
    lag = -(-startup.metric_lag // 15) * 15
    settled = max(
        running + startup.ready + startup.window + lag,
        running + startup.metrics,
        running + flags.cpu_initialization_period_seconds,
    )
    if running + startup.ready + startup.window + lag <= running + flags.cpu_initialization_period_seconds:
        settled = max(running + startup.ready + startup.window + lag, running + startup.metrics)
    return Pace(
        period * 1000,
        max(1, _steps(startup.create, period)),
        max(1, _steps(running + startup.ready, period)),
        max(1, _steps(settled, period)),
    )


def _steps(seconds: int, period: int) -> int:
    return -(-seconds // period)


def ages_of(metric: Metric, workload: Workload, flags: ControllerFlags, pace: Pace) -> Ages:
    """How pods of each age count for a metric: asked of the exact functions, one pod of each age."""
    startup = workload.startup
    kinds: dict[str, list[tuple[int, int]]] = {"serving": [], "idle": [], "unready": [], "missing": []}
    resource = metric.name if metric.kind in {MetricKind.RESOURCE, MetricKind.CONTAINER_RESOURCE} else ""
    for age in range(1, pace.grown + 1):
        now = age * pace.period
        if now < startup.create * 1000:
            continue
        started = (startup.create + startup.pending) * 1000
        is_pending = now < started
        is_ready = now >= started + startup.ready * 1000
        condition = (
            ReadyCondition("True", started + startup.ready * 1000) if is_ready else ReadyCondition("False", started)
        )
        pod = Pod("0", "Pending" if is_pending else "Running", started=started, ready=condition)
        sample = Sample(0, (now - startup.metric_lag * 1000) // SAMPLE_MS * SAMPLE_MS, startup.window * 1000)
        samples = {"0": sample} if not is_pending and now >= started + startup.metrics * 1000 else {}
        grouped = group([pod], samples, resource, flags, now)
        kind = "unready" if grouped.unready else "missing" if grouped.missing else "serving" if is_ready else "idle"
        spans = kinds[kind]
        below = age + 1 if age < pace.grown else 0
        if spans and spans[-1][1] == age:
            spans[-1] = (spans[-1][0], below)
        else:
            spans.append((age, below))
    return Ages(*(tuple(kinds[name]) for name in Ages._fields))


class Minima:
    """The smallest sizes of the last reconciliations, computed once a step."""

    def __init__(self, sizes: Whole, row: int, deepest: int) -> None:
        self._rows = [sizes[row - 1]]
        for depth in range(2, deepest + 1):
            self._rows.append(np.minimum(self._rows[-1], sizes[row - depth]))

    def at_least(self, age: int) -> Whole:
        """The number of pods of at least this age."""
        row: Whole = self._rows[age - 1]
        return row

    def count(self, spans: tuple[tuple[int, int], ...]) -> Whole | int:
        """The number of pods whose ages are in spans."""
        total: Whole | int = 0
        for first, below in spans:
            part = self._rows[first - 1] - self._rows[below - 1] if below else self._rows[first - 1]
            total = part if isinstance(total, int) else total + part
        return total


class MetricLane:
    """One metric, for all lanes."""

    def __init__(
        self, metric: Metric, workload: Workload, autoscaler: Autoscaler, flags: ControllerFlags, columns: Columns
    ) -> None:
        self.metric = metric
        self._tolerances = tolerances_of(autoscaler, flags)
        self._pace = pace_of(workload, flags)
        self._ages = ages_of(metric, workload, flags, self._pace)
        self._workload = workload
        self.column = _column(metric, columns)
        self._request = _request(metric, workload)
        self._is_utilisation = metric.target_kind is TargetKind.UTILIZATION
        if self.column is not None and metric.kind not in {MetricKind.OBJECT, MetricKind.EXTERNAL}:
            self._idle_value = self._milli(self.column.idle + self.column.burn)

    @property
    def always_fails(self) -> bool:
        """Whether it can never be read."""
        return self.column is None or (self._is_utilisation and not self._request)

    def _milli(self, usage: int) -> int:
        if self.metric.kind is MetricKind.PODS:
            return usage
        even = 100 // len(self._workload.containers)
        return sum(
            as_milli(self.metric.name, usage * share.percent.get(self.metric.name, even) // 100)
            for share in self._workload.containers
            if self.metric.container in {"", share.container.name}
        )

    def _milli_lanes(self, usage: Whole) -> Whole:
        if self.metric.kind is MetricKind.PODS:
            return usage
        even = 100 // len(self._workload.containers)
        total: Whole | None = None
        for share in self._workload.containers:
            if self.metric.container not in {"", share.container.name}:
                continue
            percent = share.percent.get(self.metric.name, even)
            part = usage if percent == 100 else usage * percent // 100
            part = -(-part // 1_000_000) if self.metric.name == CPU else part * 1000
            total = part if total is None else total + part
        return usage * 0 if total is None else total

    def propose(self, load: Whole, spec: Whole, minima: Minima) -> tuple[Whole, npt.NDArray[np.bool_] | None]:
        """What it proposes in each lane, and where it failed (None: nowhere)."""
        if self.metric.kind in {MetricKind.OBJECT, MetricKind.EXTERNAL}:
            return self._whole(load, spec, minima), None
        return self._per_pod(load, spec, minima)

    def _per_pod(self, load: Whole, spec: Whole, minima: Minima) -> tuple[Whole, npt.NDArray[np.bool_] | None]:
        serving = minima.at_least(self._pace.ready)
        share = load // np.maximum(serving, 1)
        if self.column is not None:
            share += self.column.idle
        counted = minima.count(self._ages.serving)
        used = self._milli_lanes(share) * counted
        if self._ages.idle:
            resting = minima.count(self._ages.idle)
            used += self._idle_value * resting
            counted = counted + resting  # ruff: ignore[non-augmented-assignment] - it may be a row of the minima
        counted = np.asarray(counted)
        failed = counted == 0
        safe = np.maximum(counted, 1)
        ratio = self._ratio(used, safe)
        wanted = np.ceil(ratio * counted).astype(np.int64)
        tolerances = self._tolerances
        wanted = np.where((ratio >= 1.0 - tolerances.down) & (ratio <= 1.0 + tolerances.up), spec, wanted)
        missing, unready = minima.count(self._ages.missing), minima.count(self._ages.unready)
        other = (np.asarray(missing) > 0) | ((np.asarray(unready) > 0) & (ratio > 1.0))
        lanes = np.flatnonzero(np.broadcast_to(other, ratio.shape) & ~failed)
        if len(lanes):
            lacking = missing[lanes] if isinstance(missing, np.ndarray) else np.int64(0)
            starting = unready[lanes] if isinstance(unready, np.ndarray) else np.int64(0)
            wanted[lanes] = self._again(used[lanes], safe[lanes], ratio[lanes], spec[lanes], lacking, starting)
        return wanted, failed if failed.any() else None

    def _ratio(self, used: Whole, counted: Whole) -> npt.NDArray[np.float64]:
        """Usage by target, by way of whole percent or the whole average."""
        usage = used * 100 // (counted * (self._request or 1)) if self._is_utilisation else used // counted
        ratio: npt.NDArray[np.float64] = usage / self.metric.target
        return ratio

    def _again(
        self,
        used: Whole,
        counted: Whole,
        ratio: npt.NDArray[np.float64],
        spec: Whole,
        missing: Whole | np.int64,
        unready: Whole | np.int64,
    ) -> Whole:
        """The second measurement, with missing and unready pods back in."""
        target = self.metric.target
        assumed = (self._request or 0) * max(100, target) // 100 if self._is_utilisation else target
        is_up = ratio > 1.0
        is_down = ratio < 1.0
        used = np.where(is_down, used + missing * assumed, used)
        counted = np.where(is_down | is_up, counted + missing, counted) + np.where(is_up, unready, 0)
        again = self._ratio(used, counted)
        tolerances = self._tolerances
        wanted = np.ceil(again * counted).astype(np.int64)
        kept = (again >= 1.0 - tolerances.down) & (again <= 1.0 + tolerances.up)
        kept |= (is_down & (again > 1.0)) | (is_up & (again < 1.0))
        kept |= ((again < 1.0) & (wanted > spec)) | ((again > 1.0) & (wanted < spec))
        return np.where(kept, spec, wanted)

    def _whole(self, load: Whole, spec: Whole, minima: Minima) -> Whole:
        target, tolerances = self.metric.target, self._tolerances
        low, high = 1.0 - tolerances.down, 1.0 + tolerances.up
        if self.metric.target_kind is TargetKind.VALUE:
            ratio = load / target
            wanted = np.where(spec == 0, np.ceil(ratio), np.ceil(ratio * minima.at_least(self._pace.ready)))
            kept = (spec != 0) & (ratio >= low) & (ratio <= high)
            return np.where(kept, spec, np.minimum(wanted, LARGEST_INT32)).astype(np.int64)
        status = minima.at_least(self._pace.exists)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = load / (float(target) * status)
        wanted = np.minimum(np.ceil(load / target), LARGEST_INT32).astype(np.int64)
        return np.where((ratio >= low) & (ratio <= high), status, wanted)


def _column(metric: Metric, columns: Columns) -> Column | None:
    places = {
        MetricKind.RESOURCE: columns.resources,
        MetricKind.CONTAINER_RESOURCE: columns.resources,
        MetricKind.PODS: columns.pods,
        MetricKind.OBJECT: columns.objects,
        MetricKind.EXTERNAL: columns.external,
    }
    return places[metric.kind].get(metric.name)


def _request(metric: Metric, workload: Workload) -> int | None:
    """What a pod requests of the metric's resource, in milli-units; None: it has no request."""
    pod = Pod("0", "Running", tuple(share.container for share in workload.containers), workload.pod_requests)
    try:
        return request_of(pod, metric.container, metric.name)
    except MissingRequestError:
        return None


def rows_within(seconds: int, pace: Pace, *, inclusive: bool) -> int:
    """How many reconciliations before this one are in a window."""
    window = seconds * 1000
    return window // pace.period if inclusive else max(0, -(-window // pace.period) - 1)


def limit_lanes(rules: Rules, starts: list[Whole], spec: Whole, *, up: bool) -> Whole:
    """What the policies of a direction allow, from the sizes at the starts of their periods."""
    if rules.select is Select.DISABLED:
        return spec
    allowed: Whole | None = None
    for policy, start in zip(rules.policies, starts, strict=True):
        if not policy.is_percent:
            one = start + policy.value if up else start - policy.value
        elif up:
            one = np.ceil(start * (1 + policy.value / 100)).astype(np.int64)
        else:
            one = (start * (1 - policy.value / 100)).astype(np.int64)
        most = up is (rules.select is Select.MAX)
        allowed = one if allowed is None else np.maximum(allowed, one) if most else np.minimum(allowed, one)
    return spec if allowed is None else allowed
