"""What an autoscaler would have done with a recorded load: sizes, capacity, shortage and cost over time."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from envcompile.actions.prices import prices_of
from envcompile.actions.scaled_workload import scaling_of, subject_of, with_fields
from envcompile.actions.scaling_cases import capacity_of, columns_of, hour_of
from envcompile.errors import EnvcError, Problem, UsageError
from envcompile.scaling.effect import effect_of, lacking
from envcompile.scaling.fast import fast_replay, not_covered
from envcompile.scaling.kedareplay import replay_scaled_object
from envcompile.scaling.loads import per_second
from envcompile.scaling.podworld import SAMPLE_MS, ReplayInput
from envcompile.scaling.replay import replay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime
    from fractions import Fraction
    from pathlib import Path

    import numpy.typing as npt

    from envcompile.actions.scaled_workload import Scaling, Subject
    from envcompile.actions.scaling_cases import Capacity
    from envcompile.cost.prices import PriceList, Rates
    from envcompile.model import ResourceId
    from envcompile.scaling.columns import Columns
    from envcompile.scaling.effect import Effect
    from envcompile.scaling.hpa.spec import Autoscaler
    from envcompile.scaling.keda import ScaledObject
    from envcompile.scaling.loads import Load, LoadSource
    from envcompile.units.project import Project

    Floats = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.int64]

_LEAST_SAMPLES: Final = 8
"""Of 15 s each; what is shorter is a mistake in the file, not a load."""
AS_CONFIGURED: Final = "as configured"


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
        replayed = replayed_settings(settings, load, asked, rates, sheet.factor)
    except EnvcError as error:
        if isinstance(error, UsageError) or not (asked.sets or asked.against):
            raise
        raise UsageError(error.problems) from error  # what was written on the command line made it wrong
    project.save_memo()
    return Simulation(
        name,
        subject.workload,
        subject.scaler,
        load.source,
        load.notes,
        load.start,
        load.samples,
        replayed.capacity,
        replayed.demand,
        listed,
        replayed.courses,
    )


class Replayed(NamedTuple):
    """Settings of one workload under one load."""

    capacity: Capacity
    demand: Floats
    """One each 15 s."""
    courses: tuple[Course, ...]


def replayed_settings(
    settings: Sequence[tuple[str, Subject]], load: Load, asked: Asked, rates: Rates, factor: Fraction
) -> Replayed:
    """Replay a load for a workload in several settings; a pod serves what it does in the first.

    Args:
        settings: each with its label.
        load: what was recorded.
        asked: how the load is read.
        rates: what units cost.
        factor: of an environment's costs.

    Raises:
        UsageError: the load has not what is needed, or is too short.
        EnvcError: an autoscaler is wrong.
    """
    scalings = [scaling_of(one, asked.start_seconds) for _, one in settings]
    capacity = capacity_of(settings[0][1], scalings[0], load, asked.columns, asked.capacity)
    demand = per_second(load, asked.columns.get(capacity.column, capacity.column))
    _require_length(load, capacity.column, demand)
    demand = np.nan_to_num(demand)
    courses = tuple(
        _course(label, scaling, load, asked, capacity, demand, rates, factor)
        for (label, _), scaling in zip(settings, scalings, strict=True)
    )
    return Replayed(capacity, demand, courses)


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
    columns = columns_of(scaling, load, asked.columns)
    # The load was served when it began: a start from too small a size would be counted as a shortage.
    needed = math.ceil(float(demand[0]) / capacity.per_pod)
    sizes, is_exact = _sizes(scaling, columns, needed, load.samples)
    startup = scaling.workload.startup
    start_seconds = startup.create + startup.pending + startup.ready
    effect = effect_of(sizes, demand, capacity.per_pod, start_seconds)
    lack = lacking(sizes, demand, capacity.per_pod, start_seconds)
    hour = hour_of(scaling, rates, factor)
    cost = None if hour is None else hour * effect.pod_hours
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
