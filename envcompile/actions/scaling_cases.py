"""A workload with its recorded load: what its autoscaler reads of it, what a pod serves, and what one costs."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from envcompile.errors import EnvcError, Problem, UsageError
from envcompile.scaling.columns import Column, Columns
from envcompile.scaling.cron import inside
from envcompile.scaling.fast import not_covered
from envcompile.scaling.hpa.spec import MetricKind, TargetKind
from envcompile.scaling.loads import per_second, whole_column
from envcompile.scaling.podworld import SAMPLE_MS
from envcompile.scaling.quantities import amount_of
from envcompile.scaling.search import Case

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from envcompile.actions.scaled_workload import Scaling, Subject
    from envcompile.cost.prices import Rates
    from envcompile.scaling.hpa.spec import Metric
    from envcompile.scaling.keda import CronWindow
    from envcompile.scaling.loads import Load

    Floats = npt.NDArray[np.float64]

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


def case_of(subject: Subject, scaling: Scaling, load: Load, columns: Mapping[str, str], capacity: str) -> Case:
    """The loads that an autoscaler reads, and the one that pods have to serve.

    Args:
        subject: the workload and its autoscaler.
        scaling: the same as simulations take it.
        load: what was recorded.
        columns: metric -> a column of the load, a product of columns and numbers, or an amount for each pod.
        capacity: COLUMN=AMOUNT that a pod serves; the CPU that it requests when empty.

    Raises:
        UsageError: the load has not what a metric reads, or a search cannot replay it.
    """
    laid = columns_of(scaling, load, columns)
    serves = capacity_of(subject, scaling, load, columns, capacity)
    demand = np.nan_to_num(per_second(load, columns.get(serves.column, serves.column)))
    startup = scaling.workload.startup
    case = Case(scaling.workload, laid, demand, serves.per_pod, startup.create + startup.pending + startup.ready)
    if scaling.autoscaler is not None:
        why = not_covered(case.first(scaling.autoscaler), scaling.autoscaler, laid)
        if why:
            raise UsageError([
                Problem(f"settings cannot be searched: {why}", "`envc simulate` can replay them one by one")
            ])
    return case


def columns_of(scaling: Scaling, load: Load, columns: Mapping[str, str]) -> Columns:
    """The loads that the metrics of an autoscaler read; all that is not there is told at once.

    Args:
        scaling: the workload as simulations take it.
        load: what was recorded.
        columns: metric -> a column of the load, a product of columns and numbers, or an amount for each pod.

    Raises:
        UsageError: the load has not what a metric reads.
    """
    groups: dict[MetricKind, dict[str, Column]] = {kind: {} for kind in MetricKind}
    crons = {one.metric: one.cron for one in (scaling.scaled.triggers if scaling.scaled else ()) if one.cron}
    problems = []
    for metric in scaling.autoscaler.metrics if scaling.autoscaler else ():
        window = crons.get(metric.name)
        if window is not None:
            groups[metric.kind][metric.name] = _cron_column(window, load)
            continue
        text = columns.get(metric.name, metric.name)
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
    is_resource = metric.kind in {MetricKind.RESOURCE, MetricKind.CONTAINER_RESOURCE}
    scale = _SCALES.get(metric.name, 1000.0) if is_resource else 1000.0
    each = _PER_POD.fullmatch(text)
    if each is not None:
        idle = math.floor(float(amount_of(each[1], f"the column of {metric.name}")) * scale)
        return Column(np.zeros(load.samples, dtype=np.int64), idle=idle)
    return whole_column(_seen(per_second(load, text)), scale)


def _seen(values: Floats) -> Floats:
    """What the controller reads at each instant: samples that are some time old."""
    old = min(SEEN_AFTER_SECONDS * 1000 // SAMPLE_MS, len(values) - 1)
    return np.concatenate([np.repeat(values[:1], old), values[: len(values) - old]])


def _cron_column(window: CronWindow, load: Load) -> Column:
    is_in = inside(window.start, window.end, window.zone, load.origin, load.samples)
    return Column(np.where(is_in, window.replicas * 1000, 0).astype(np.int64))


def capacity_of(subject: Subject, scaling: Scaling, load: Load, columns: Mapping[str, str], capacity: str) -> Capacity:
    """What a pod can take: as asked, its CPU, or what the first other target wants of it.

    Args:
        subject: the workload and its autoscaler.
        scaling: the same as simulations take it.
        load: what was recorded.
        columns: metric -> where it is in the load.
        capacity: COLUMN=AMOUNT, or empty.

    Raises:
        UsageError: it is no amount, or nothing tells it.
    """
    if capacity:
        column, equals, amount = capacity.partition("=")
        try:
            served = float(amount_of(amount, "the capacity")) if equals else 0
        except EnvcError as error:  # of the command line, not of a manifest
            raise UsageError(error.problems) from None
        if served <= 0:
            raise UsageError([Problem(f"{capacity} is no capacity", "write COLUMN=AMOUNT, such as cpu=500m")])
        return Capacity(column, served)
    if ("cpu" in columns or "cpu" in load.values) and scaling.cores:
        return Capacity("cpu", scaling.cores)
    for metric in scaling.autoscaler.metrics if scaling.autoscaler else ():
        known = metric.name in columns or metric.name in load.values
        if known and metric.target_kind is TargetKind.AVERAGE_VALUE and metric.name not in _SCALES:
            return Capacity(metric.name, metric.target / 1000)
    raise UsageError([
        Problem(
            f"what a pod of {subject.workload.short} can serve is not known",
            "write --capacity COLUMN=AMOUNT, such as --capacity requests_per_second=150",
        )
    ])


def hour_of(scaling: Scaling, rates: Rates, factor: Fraction) -> float | None:
    """What one pod costs an hour, by what it requests; None where that has no price."""
    if rates.cpu is None or rates.memory is None or not (scaling.cores or scaling.memory_bytes):
        return None
    memory = Fraction(scaling.memory_bytes) / _GIB
    return float((Fraction(scaling.cores) * rates.cpu + memory * rates.memory) * factor)
