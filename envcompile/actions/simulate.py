"""What an autoscaler would have done with a recorded load: sizes, capacity, shortage and cost over time."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from envcompile.actions.prices import prices_of
from envcompile.actions.scaled_workload import scaling_of, subject_of, with_fields
from envcompile.errors import EnvcError, Problem, UsageError
from envcompile.scaling.columns import Column, Columns
from envcompile.scaling.cron import inside
from envcompile.scaling.effect import effect_of, lacking
from envcompile.scaling.fast import fast_replay, not_covered
from envcompile.scaling.hpa.spec import MetricKind, TargetKind
from envcompile.scaling.kedareplay import replay_scaled_object
from envcompile.scaling.loads import per_second, whole_column
from envcompile.scaling.podworld import SAMPLE_MS, ReplayInput
from envcompile.scaling.quantities import amount_of
from envcompile.scaling.replay import replay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime
    from pathlib import Path

    import numpy.typing as npt

    from envcompile.actions.scaled_workload import Scaling, Subject
    from envcompile.cost.prices import PriceList, Rates
    from envcompile.model import ResourceId
    from envcompile.scaling.effect import Effect
    from envcompile.scaling.hpa.spec import Autoscaler, Metric
    from envcompile.scaling.keda import ScaledObject
    from envcompile.scaling.loads import Load, LoadSource
    from envcompile.units.project import Project

    Floats = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.int64]

_LEAST_SAMPLES: Final = 8
"""Of 15 s each; what is shorter is a mistake in the file, not a load."""
AS_CONFIGURED: Final = "as configured"
_SCALES: Final = {"cpu": 1e9, "memory": 1.0}
"""Nanocores and bytes; every other metric is in milli-units."""
SEEN_AFTER_SECONDS: Final = 30
"""How old a metric is when the controller reads it: what kubelet, metrics-server or a scrape take."""
_PER_POD: Final = re.compile(r"(.+)/pod")
_GIB: Final = 1024**3


class Capacity(NamedTuple):
    """What pods serve: the column of the load, and how much of it one pod can take."""

    column: str
    per_pod: float


class Course(NamedTuple):
    """What one setting did."""

    label: str
    effect: Effect
    mean: float
    smallest: int
    rescales: int
    minutes_at_most: float
    """For how long it stood at the maximum."""
    worst: float
    """The most of the load that could not be served at a time."""
    cost: float | None
    """For the whole of the load; None: what pods request has no price."""
    cost_a_month: float | None
    is_exact: bool
    """Whether it is the replay of single pods; else that of all at once, with the same sizes."""
    sizes: Whole
    """One each 15 s."""
    lacking: Floats


class Simulation(NamedTuple):
    """The answer of `envc simulate`."""

    environment: str
    workload: ResourceId
    scaler: ResourceId | None
    source: str
    notes: tuple[str, ...]
    start: datetime
    samples: int
    capacity: Capacity
    demand: Floats
    """One each 15 s."""
    prices: PriceList
    courses: tuple[Course, ...]


class Asked(NamedTuple):
    """What is asked beside the environment and the workload."""

    columns: Mapping[str, str]
    """Metric -> a column of the load, a product of columns and numbers, or an amount for each pod (`300Mi/pod`)."""
    sets: Sequence[str] = ()
    against: Sequence[str] = ()
    capacity: str = ""
    """COLUMN=AMOUNT; the CPU that a pod may use when empty."""
    start_seconds: int | None = None
    prices: Path | None = None


def simulate(
    project: Project, environment: str, named: str, source: Callable[[ResourceId], LoadSource], asked: Asked, day: date
) -> Simulation:
    """Replay a load for a workload as it is configured, and as it would be with other fields.

    Args:
        project: the repository.
        environment: the environment as the user named it.
        named: the workload as KIND/NAME.
        source: where the load of a workload is.
        asked: everything else.
        day: the day of which the prices are.

    Raises:
        UsageError: no such environment, workload, field or column; the load cannot be read.
        UnavailableError: what holds the load does not answer.
        EnvcError: the environment does not compile, or the autoscaler is wrong.
    """
    (name,) = project.choose([environment])
    subject = subject_of(project.link(name), named)
    load = source(subject.workload).load()
    settings = [(_label(asked.against), with_fields(subject, asked.against))]
    if asked.sets:
        settings.append((_label(asked.sets), with_fields(subject, asked.sets)))
    listed = prices_of(project.tree, asked.prices)
    sheet = listed.sheet_of(name)
    rates = sheet.at(day)
    try:
        scalings = [scaling_of(one, asked.start_seconds) for _, one in settings]
    except EnvcError as error:
        if not (asked.sets or asked.against):
            raise
        raise UsageError(error.problems) from error  # what was written on the command line made it wrong
    first = scalings[0]
    capacity = _capacity(subject, first, load, asked)
    demand = _column_values(load, asked.columns, capacity.column)
    _require_length(load, capacity.column, demand)
    demand = np.nan_to_num(demand)
    courses = tuple(
        _course(label, scaling, load, asked, capacity, demand, rates, sheet.factor)
        for (label, _), scaling in zip(settings, scalings, strict=True)
    )
    project.save_memo()
    return Simulation(
        name,
        subject.workload,
        subject.scaler,
        load.source,
        load.notes,
        load.start,
        load.samples,
        capacity,
        demand,
        listed,
        courses,
    )


def _require_length(load: Load, column: str, demand: Floats) -> None:
    """Refuse a load from which nothing follows: a figure a month would be made of next to nothing."""
    known = int(np.count_nonzero(~np.isnan(demand)))
    if known < _LEAST_SAMPLES:
        minutes = known * SAMPLE_MS / 60_000
        what = f"{load.source} has {minutes:g} minutes of known {column}, too little to replay"
        fix = f"take {_LEAST_SAMPLES * SAMPLE_MS // 60_000} minutes at least; a week has every hour and every day once"
        raise UsageError([Problem(what, fix)])


def _label(fields: Sequence[str]) -> str:
    return ", ".join(fields) or AS_CONFIGURED


def _column_values(load: Load, columns: Mapping[str, str], metric: str) -> Floats:
    return per_second(load, columns.get(metric, metric))


def _capacity(subject: Subject, scaling: Scaling, load: Load, asked: Asked) -> Capacity:
    """What a pod can take: as asked, its CPU, or what the first other target wants of it."""
    if asked.capacity:
        column, equals, amount = asked.capacity.partition("=")
        try:
            served = float(amount_of(amount, "the capacity")) if equals else 0
        except EnvcError as error:  # of the command line, not of a manifest
            raise UsageError(error.problems) from None
        if served <= 0:
            raise UsageError([Problem(f"{asked.capacity} is no capacity", "write COLUMN=AMOUNT, such as cpu=500m")])
        return Capacity(column, served)
    metrics = scaling.autoscaler.metrics if scaling.autoscaler else ()
    if ("cpu" in asked.columns or "cpu" in load.values) and scaling.cores:
        return Capacity("cpu", scaling.cores)
    for metric in metrics:
        known = metric.name in asked.columns or metric.name in load.values
        if known and metric.target_kind is TargetKind.AVERAGE_VALUE and metric.name not in _SCALES:
            return Capacity(metric.name, metric.target / 1000)
    raise UsageError([
        Problem(
            f"what a pod of {subject.workload.short} can serve is not known",
            "write --capacity COLUMN=AMOUNT, such as --capacity requests_per_second=150",
        )
    ])


def _columns(scaling: Scaling, load: Load, asked: Asked) -> Columns:
    """The loads that the metrics of an autoscaler read; all that is not there is told at once."""
    groups: dict[MetricKind, dict[str, Column]] = {kind: {} for kind in MetricKind}
    crons = {one.metric: one for one in (scaling.scaled.triggers if scaling.scaled else ()) if one.cron}
    problems = []
    for metric in scaling.autoscaler.metrics if scaling.autoscaler else ():
        if metric.name in crons:
            groups[metric.kind][metric.name] = _cron_column(crons[metric.name].cron, load)
            continue
        text = asked.columns.get(metric.name, metric.name)
        if text == metric.name and metric.name not in load.values:
            hint = f"--column {metric.name}=COLUMN, a product as a*b, or an amount as 300Mi/pod"
            problems.append(
                Problem(f"the autoscaler reads {metric.name}, which {load.source} has not", f"write {hint}")
            )
            continue
        groups[metric.kind][metric.name] = _column(metric, text, load)
    if problems:
        raise UsageError(problems)
    resources = groups[MetricKind.RESOURCE] | groups[MetricKind.CONTAINER_RESOURCE]
    return Columns(
        load.samples, resources, groups[MetricKind.PODS], groups[MetricKind.OBJECT], groups[MetricKind.EXTERNAL]
    )


def _column(metric: Metric, text: str, load: Load) -> Column:
    scale = _SCALES.get(metric.name, 1000.0)
    if metric.kind not in {MetricKind.RESOURCE, MetricKind.CONTAINER_RESOURCE}:
        scale = 1000.0
    each = _PER_POD.fullmatch(text)
    if each is not None:
        idle = math.floor(float(amount_of(each[1], f"the column of {metric.name}")) * scale)
        return Column(np.zeros(load.samples, dtype=np.int64), idle=idle)
    return whole_column(_seen(per_second(load, text)), scale)


def _seen(values: Floats) -> Floats:
    """What the controller reads at each instant: samples that are some time old."""
    old = min(SEEN_AFTER_SECONDS * 1000 // SAMPLE_MS, len(values) - 1)
    return np.concatenate([np.repeat(values[:1], old), values[: len(values) - old]])


def _cron_column(window: Any, load: Load) -> Column:
    is_in = inside(window.start, window.end, window.zone, load.origin, load.samples)
    return Column(np.where(is_in, window.replicas * 1000, 0).astype(np.int64))


def _course(
    label: str,
    scaling: Scaling,
    load: Load,
    asked: Asked,
    capacity: Capacity,
    demand: Floats,
    rates: Rates,
    factor: Fraction,
) -> Course:
    columns = _columns(scaling, load, asked)
    # The load was served when it began: a start from too small a size would be counted as a shortage.
    needed = math.ceil(float(demand[0]) / capacity.per_pod)
    sizes, is_exact = _sizes(scaling, columns, needed, load.samples)
    startup = scaling.workload.startup
    start_seconds = startup.create + startup.pending + startup.ready
    effect = effect_of(sizes, demand, capacity.per_pod, start_seconds)
    lack = lacking(sizes, demand, capacity.per_pod, start_seconds)
    hour = _hour(scaling, rates, factor)
    cost = None if hour is None else float(hour) * effect.pod_hours
    hours = load.samples * SAMPLE_MS / 3_600_000
    most = scaling.autoscaler.max_replicas if scaling.autoscaler else None
    return Course(
        label,
        effect,
        float(sizes.mean()),
        int(sizes.min()),
        int((np.diff(sizes) != 0).sum()),
        float((sizes == most).sum()) * SAMPLE_MS / 60_000,
        float(lack.max()),
        cost,
        None if cost is None else cost / hours * 730,
        is_exact,
        sizes,
        lack,
    )


def _sizes(scaling: Scaling, columns: Columns, needed: int, samples: int) -> tuple[Whole, bool]:
    """The size at each 15 s, and whether single pods were replayed for it."""
    autoscaler, workload = scaling.autoscaler, scaling.workload
    if autoscaler is None:
        return np.full(samples, workload.replicas, dtype=np.int64), False
    first = min(max(needed, autoscaler.min_replicas), autoscaler.max_replicas)
    workload = replace(workload, replicas=first)
    scaled: ScaledObject | None = scaling.scaled
    if scaled is not None and not scaled.is_plain:
        given = ReplayInput(workload, columns.demand(), samples)
        return np.array(replay_scaled_object(given, scaled), dtype=np.int64), True
    if not not_covered(workload, autoscaler, columns):
        return fast_replay(workload, autoscaler, columns), False
    return _exact(workload, autoscaler, columns), True


def _exact(workload: Any, autoscaler: Autoscaler, columns: Columns) -> Whole:
    given = ReplayInput(workload, columns.demand(), columns.samples)
    return np.array([step.decision.desired for step in replay(given, autoscaler)], dtype=np.int64)


def _hour(scaling: Scaling, rates: Rates, factor: Fraction) -> Fraction | None:
    """What one pod costs an hour, by what it requests."""
    if rates.cpu is None or rates.memory is None or not (scaling.cores or scaling.memory_bytes):
        return None
    memory = Fraction(scaling.memory_bytes) / _GIB
    return (Fraction(scaling.cores) * rates.cpu + memory * rates.memory) * factor
