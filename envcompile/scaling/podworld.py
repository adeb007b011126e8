"""Pods that start, serve a load and end: what a controller looks at, at any instant.

The pods share the load evenly, except for what `skew` says. A pod uses its share only while it serves; it always uses
`idle`, and `burn` while it is not ready: what a start costs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from envcompile.scaling.hpa.pods import FAILED, PENDING, RUNNING, SUCCEEDED, Pod, ReadyCondition, Sample
from envcompile.scaling.hpa.proposal import View
from envcompile.scaling.hpa.spec import MetricKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.scaling.hpa.pods import Container
    from envcompile.scaling.hpa.proposal import Reading
    from envcompile.scaling.hpa.spec import Metric

SAMPLE_MS: Final = 15_000
"""The distance of two samples of a load, in ms."""
_LONG_AGO: Final = -7_200_000
_CUSTOM_WINDOW_MS: Final = 60_000
_NANO: Final = 1_000_000
"""Nanocores in a millicore."""


@dataclass(frozen=True, slots=True)
class Share:
    """A container of the workload, and its part of the pod's usage in percent, by resource."""

    container: Container
    percent: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Startup:
    """How long the steps of a pod's life take, in seconds."""

    create: int = 0
    """From a scale-up to the pod object."""
    pending: int = 0
    """From the object to Running: scheduling, a new node, pulling the image."""
    ready: int = 0
    """From Running to Ready."""
    metrics: int = 0
    """From Running to the first metrics."""
    terminate: int = 0
    """From deletion to its end."""
    metric_lag: int = 0
    window: int = 30
    """Of a sample of a resource metric."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What runs: its size at the start, its containers and its pace."""

    replicas: int
    containers: tuple[Share, ...]
    startup: Startup = Startup()
    pod_requests: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """A load that the pods share: nanocores, bytes, or milli-units of a metric; None where it is unknown."""

    total: Sequence[int | None]
    idle: int = 0
    burn: int = 0
    skew: tuple[int, ...] = ()
    """Percent of an even share, by the pod's ordinal, over and over."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Every load of a replay: one value for each 15 s."""

    resources: Mapping[str, Series] = field(default_factory=dict)
    pods: Mapping[str, Series] = field(default_factory=dict)
    objects: Mapping[str, Sequence[int | None]] = field(default_factory=dict)
    external: Mapping[str, Sequence[Sequence[int] | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spell:
    """Some pods are not as they should be, from one sample on and before another.

    `state` is failed, succeeded, terminating, pending, notReady, readyUnknown, noReadyCondition, noStartTime, noMetrics
    or noContainer (the first container's metrics are not there).
    """

    first: int
    end: int
    ordinals: frozenset[int]
    state: str


@dataclass(frozen=True, slots=True)
class Life:
    """One pod: its ordinal, and the instants in ms at which its object was made and deleted."""

    ordinal: int
    created: int
    deleted: int | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """All pods, and the size that the workload should have."""

    spec: int
    lives: tuple[Life, ...]
    next_ordinal: int


@dataclass(frozen=True, slots=True)
class ReplayInput:
    """What does not change while a load is replayed."""

    workload: Workload
    demand: Demand
    samples: int
    spells: tuple[Spell, ...] = ()

    def sample_at(self, now: int) -> int:
        """The position of the sample that holds at an instant in ms."""
        return min(now // SAMPLE_MS, self.samples - 1)


def first_fleet(workload: Workload) -> Fleet:
    """The pods at the start: all of them have run for two hours."""
    lives = tuple(Life(ordinal, _LONG_AGO) for ordinal in range(workload.replicas))
    return Fleet(workload.replicas, lives, workload.replicas)


def resized(fleet: Fleet, spec: int, now: int, startup: Startup) -> Fleet:
    """The pods after a new size was set at an instant in ms: the newest go first."""
    lives = [one for one in fleet.lives if one.deleted is None or now < one.deleted + startup.terminate * 1000]
    alive = [position for position, one in enumerate(lives) if one.deleted is None]
    for position in alive[spec:]:
        lives[position] = replace(lives[position], deleted=now)
    made = max(0, spec - len(alive))
    created = now + startup.create * 1000
    lives += [Life(fleet.next_ordinal + number, created) for number in range(made)]
    return Fleet(spec, tuple(lives), fleet.next_ordinal + made)


def look(given: ReplayInput, fleet: Fleet, now: int) -> tuple[View, tuple[int, ...]]:
    """The scale and the pods at an instant in ms, and the ordinals of the pods."""
    seen = [(life.ordinal, pod) for life in fleet.lives if (pod := _pod(given, life, now)) is not None]
    status = sum(not pod.is_terminating and pod.phase not in {FAILED, SUCCEEDED} for _, pod in seen)
    return View(fleet.spec, status, tuple(pod for _, pod in seen)), tuple(ordinal for ordinal, _ in seen)


def _pod(given: ReplayInput, life: Life, now: int) -> Pod | None:
    startup = given.workload.startup
    deleted = life.deleted
    if now < life.created or (deleted is not None and now >= deleted + startup.terminate * 1000):
        return None
    states = _states(given, life.ordinal, now)
    is_terminating = deleted is not None or "terminating" in states
    name = str(life.ordinal)
    containers = tuple(share.container for share in given.workload.containers)
    start = life.created + startup.pending * 1000
    if now < start or "pending" in states:
        return Pod(name, PENDING, containers, given.workload.pod_requests, is_terminating=is_terminating)
    phase = SUCCEEDED if "succeeded" in states else FAILED if "failed" in states else RUNNING
    ready = None
    if "noReadyCondition" not in states:
        ready = _readiness(given, life.ordinal, start, now)
        if "readyUnknown" in states:
            ready = ReadyCondition("Unknown", ready.since)
    started = None if "noStartTime" in states else _whole_second(start)
    return Pod(name, phase, containers, given.workload.pod_requests, started, ready, is_terminating)


def _readiness(given: ReplayInput, ordinal: int, start: int, now: int) -> ReadyCondition:
    """False until a pod is ready, and again in each spell of unreadiness."""
    ready_at = start + given.workload.startup.ready * 1000
    if now < ready_at:
        return ReadyCondition("False", _whole_second(start))
    condition = ReadyCondition("True", _whole_second(ready_at))
    position = given.sample_at(now)
    for spell in given.spells:
        if spell.state != "notReady" or condition.status != "True" or ordinal not in spell.ordinals:
            continue
        if spell.first <= position < spell.end:
            condition = ReadyCondition("False", spell.first * SAMPLE_MS)
        elif position >= spell.end and spell.end * SAMPLE_MS > ready_at:
            condition = ReadyCondition("True", spell.end * SAMPLE_MS)
    return condition


def _states(given: ReplayInput, ordinal: int, now: int) -> frozenset[str]:
    position = given.sample_at(now)
    return frozenset(
        spell.state for spell in given.spells if spell.first <= position < spell.end and ordinal in spell.ordinals
    )


def _whole_second(instant: int) -> int:
    """An instant as the API has it: whole seconds, cut towards zero."""
    return instant // 1000 * 1000 if instant >= 0 else -(-instant // 1000 * 1000)


def read(given: ReplayInput, fleet: Fleet, view: View, ordinals: Sequence[int], metric: Metric, now: int) -> Reading:
    """What a metrics API answers at an instant in ms; None: an error."""
    position = given.sample_at(now)
    if metric.kind is MetricKind.OBJECT:
        values = given.demand.objects.get(metric.name, ())
        return values[position] if position < len(values) else None
    if metric.kind is MetricKind.EXTERNAL:
        series = given.demand.external.get(metric.name, ())
        return series[position] if position < len(series) else None
    created = {life.ordinal: life.created for life in fleet.lives}
    serving = sum(pod.phase == RUNNING and not pod.is_terminating and pod.is_ready for pod in view.pods)
    startup = given.workload.startup
    found: dict[str, Sample] = {}
    if metric.kind is MetricKind.PODS:
        shared = given.demand.pods.get(metric.name)
        at, window = _floor(now), _CUSTOM_WINDOW_MS
    else:
        shared = given.demand.resources.get(metric.name)
        at, window = _floor(now - startup.metric_lag * 1000), startup.window * 1000
    if shared is None:
        return None
    for ordinal, pod in zip(ordinals, view.pods, strict=True):
        first_metrics = created[ordinal] + (startup.pending + startup.metrics) * 1000
        states = _states(given, ordinal, now)
        if pod.phase != RUNNING or now < first_metrics or "noMetrics" in states:
            continue
        usage = _usage(shared, position, ordinal, pod, serving)
        if usage is None:
            continue
        value = usage
        if metric.kind is not MetricKind.PODS:
            amount = _resource(given.workload, metric, usage, without_first="noContainer" in states)
            if amount is None:
                continue
            value = amount
        found[pod.name] = Sample(value, at, window)
    return found


def _usage(shared: Series, position: int, ordinal: int, pod: Pod, serving: int) -> int | None:
    total = shared.total[position] if position < len(shared.total) else None
    if total is None:
        return None
    usage = shared.idle
    if pod.phase == RUNNING and not pod.is_terminating and pod.is_ready and serving:
        part = total // serving
        usage += part * shared.skew[ordinal % len(shared.skew)] // 100 if shared.skew else part
    return usage if pod.is_ready else usage + shared.burn


def _resource(workload: Workload, metric: Metric, usage: int, *, without_first: bool) -> int | None:
    """The usage of a pod, or of one container, in milli-units; each container's is rounded up alone."""
    even = 100 // len(workload.containers) if workload.containers else 0
    amounts = {
        share.container.name: as_milli(metric.name, usage * share.percent.get(metric.name, even) // 100)
        for share in workload.containers[1 if without_first else 0 :]
    }
    if metric.container:
        return amounts.get(metric.container)
    return sum(amounts.values()) if amounts else None


def as_milli(resource: str, usage: int) -> int:
    """Nanocores or bytes as milli-units, rounded up as a Quantity is."""
    return -(-usage // _NANO) if resource == "cpu" else usage * 1000


def _floor(instant: int) -> int:
    return instant // SAMPLE_MS * SAMPLE_MS
