"""A workload with its recorded load as searches take it, and what one of its pods costs."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from envcompile.errors import Problem, UsageError
from envcompile.scaling.columns import Column, Columns
from envcompile.scaling.fast import not_covered
from envcompile.scaling.hpa.spec import MetricKind, TargetKind
from envcompile.scaling.loads import per_second, whole_column
from envcompile.scaling.quantities import amount_of
from envcompile.scaling.search import Case

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.actions.scaled_workload import Scaling, Subject
    from envcompile.cost.prices import Rates
    from envcompile.scaling.hpa.spec import Metric
    from envcompile.scaling.loads import Load

_GIB: Final = 1024**3
_NANO: Final = 1e9


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
    autoscaler = scaling.autoscaler
    groups: dict[MetricKind, dict[str, Column]] = {kind: {} for kind in MetricKind}
    problems = []
    for metric in autoscaler.metrics if autoscaler else ():
        text = columns.get(metric.name, metric.name)
        if text == metric.name and metric.name not in load.values:
            what = f"the autoscaler of {subject.workload.short} reads {metric.name}, which {load.source} has not"
            hint = f"--column {metric.name}=COLUMN, a product as a*b, or an amount as 300Mi/pod"
            problems.append(Problem(what, f"write {hint}"))
            continue
        groups[metric.kind][metric.name] = _column(metric, text, load)
    if problems:
        raise UsageError(problems)
    resources = groups[MetricKind.RESOURCE] | groups[MetricKind.CONTAINER_RESOURCE]
    laid = Columns(
        load.samples, resources, groups[MetricKind.PODS], groups[MetricKind.OBJECT], groups[MetricKind.EXTERNAL]
    )
    column, per_pod = _capacity(subject, scaling, load, columns, capacity)
    demand = np.nan_to_num(per_second(load, columns.get(column, column)))
    startup = scaling.workload.startup
    case = Case(scaling.workload, laid, demand, per_pod, startup.create + startup.pending + startup.ready)
    if autoscaler is not None:
        why = not_covered(case.first(autoscaler), autoscaler, laid)
        if why:
            raise UsageError([
                Problem(f"settings cannot be searched: {why}", "`envc simulate` can replay them one by one")
            ])
    return case


def _column(metric: Metric, text: str, load: Load) -> Column:
    is_resource = metric.kind in {MetricKind.RESOURCE, MetricKind.CONTAINER_RESOURCE}
    scale = {"cpu": _NANO, "memory": 1.0}.get(metric.name, 1000.0) if is_resource else 1000.0
    if text.endswith("/pod"):
        idle = int(float(amount_of(text.removesuffix("/pod"), f"the column of {metric.name}")) * scale)
        return Column(np.zeros(load.samples, dtype=np.int64), idle=idle)
    return whole_column(per_second(load, text), scale)


def _capacity(
    subject: Subject, scaling: Scaling, load: Load, columns: Mapping[str, str], capacity: str
) -> tuple[str, float]:
    if capacity:
        column, equals, amount = capacity.partition("=")
        if not equals or amount_of(amount, "the capacity") <= 0:
            raise UsageError([Problem(f"{capacity} is no capacity", "write COLUMN=AMOUNT, such as cpu=500m")])
        return column, float(amount_of(amount))
    if ("cpu" in columns or "cpu" in load.values) and scaling.cores:
        return "cpu", scaling.cores
    for metric in scaling.autoscaler.metrics if scaling.autoscaler else ():
        is_own = metric.kind not in {MetricKind.RESOURCE, MetricKind.CONTAINER_RESOURCE}
        if is_own and metric.target_kind is TargetKind.AVERAGE_VALUE:
            return metric.name, metric.target / 1000
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
