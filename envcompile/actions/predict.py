"""What a workload's load will be, and the floor under its replicas that has pods ready before it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from envcompile.actions.prices import prices_of
from envcompile.actions.scaled_workload import scaling_of, subject_of
from envcompile.actions.scaling_cases import case_of, hour_of
from envcompile.errors import EnvcError, Problem, UsageError
from envcompile.scaling.columns import Column
from envcompile.scaling.forecast.backtest import LEAST_WEEKS
from envcompile.scaling.forecast.calendar import read_calendar
from envcompile.scaling.forecast.grid import DAY, grid_of
from envcompile.scaling.forecast.models import library_is_there
from envcompile.scaling.forecast.outlook import outlook
from envcompile.scaling.forecast.schedule import schedule_of
from envcompile.scaling.podworld import SAMPLE_MS
from envcompile.scaling.search import floored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from envcompile.model import ResourceId
    from envcompile.scaling.effect import Effect
    from envcompile.scaling.forecast.calendar import Event
    from envcompile.scaling.forecast.grid import Grid
    from envcompile.scaling.forecast.outlook import Outlook
    from envcompile.scaling.forecast.schedule import Schedule
    from envcompile.scaling.hpa.spec import Autoscaler
    from envcompile.scaling.loads import Load, LoadSource
    from envcompile.scaling.search import Case
    from envcompile.units.project import Project

SLOT: Final = 300
"""Seconds of a slot of the forecast: pods start in less."""
_SYNCS: Final = 60
"""Seconds that the autoscaler takes to reach a floor, which its policies may spread over several reconciliations."""


class Asked(NamedTuple):
    """What is asked beside the environment and the workload."""

    columns: Mapping[str, str]
    capacity: str = ""
    start_seconds: int | None = None
    calendar: Path | None = None
    timezone: str = "UTC"
    days: int = 7
    share: int = 100
    """How much of what the rises need the floor holds, in percent."""
    prices: Path | None = None


class Prediction(NamedTuple):
    """The answer of `envc predict`."""

    environment: str
    workload: ResourceId
    scaler: ResourceId
    source: str
    notes: tuple[str, ...]
    column: str
    outlook: Outlook
    schedule: Schedule
    """Empty where the forecast does not hold."""
    minimum: int
    """Replicas outside of its windows: the autoscaler's own."""
    held_back: int
    """Days that the floor was proved on; each was planned from the load before its week."""
    before: Effect
    """Of the autoscaler alone, on these days."""
    after: Effect
    """With the floor."""
    hour: float | None
    currency: str

    @property
    def holds(self) -> bool:
        """True where the forecast was no worse than last week on the weeks held back."""
        return self.outlook.backtest.holds


def predict(
    project: Project, environment: str, named: str, source: Callable[[ResourceId], LoadSource], asked: Asked, day: date
) -> Prediction:
    """Forecast a load, plan a floor, and prove it on held-back weeks; nothing is written.

    Args:
        project: the repository.
        environment: the environment as the user named it.
        named: the workload as KIND/NAME.
        source: where the load of a workload is.
        asked: everything else.
        day: the day of which the prices are.

    Raises:
        UsageError: no such environment or workload, nothing scales it, or the load or calendar cannot be read.
        EnvcError: the environment does not compile, or there is too little load.
    """
    (name,) = project.choose([environment])
    subject = subject_of(project.link(name), named)
    scaling = scaling_of(subject, asked.start_seconds)
    autoscaler = scaling.autoscaler
    if autoscaler is None or subject.scaler is None:
        raise UsageError([
            Problem(f"nothing scales {subject.workload.short}", "a floor is for an autoscaler: add one first")
        ])
    load = source(subject.workload).load()
    case = case_of(subject, scaling, load, asked.columns, asked.capacity)
    events = _events(asked)
    grid, shift = _grid(case, load, asked.timezone)
    lead = case.start_seconds + _SYNCS
    with_library = library_is_there()
    slots = max(asked.days, 7) * grid.day
    said = outlook(grid, events, slots, with_library=with_library)

    def planned(of: Outlook) -> Schedule:
        return schedule_of(
            of,
            case.per_pod,
            lead=lead,
            least=autoscaler.min_replicas,
            most=autoscaler.max_replicas,
            timezone=asked.timezone,
            share=asked.share / 100,
        )

    weeks = min(said.backtest.held_back_weeks, len(grid.values) // grid.week - LEAST_WEEKS)
    if weeks < 1:
        what = f"{LEAST_WEEKS * 7} days of load are too little to prove a forecast: one more week is held back"
        raise EnvcError([Problem(what, "record longer, or give a file with more of it by --load")])
    first = load.samples - weeks * 7 * DAY * 1000 // SAMPLE_MS
    floor = np.zeros(load.samples)
    for back in range(weeks, 0, -1):
        known = grid.before(grid.end - back * grid.week * grid.step)
        week = outlook(known, events, grid.week, with_library=False)
        begin = (week.start - shift - load.origin // 1000) * 1000 // SAMPLE_MS
        count = min(7 * DAY * 1000 // SAMPLE_MS, load.samples - begin)
        floor[begin : begin + count] = planned(week).floor(week.start, count, SAMPLE_MS // 1000)
    before, after = _proof(case, autoscaler, floor, first)
    listed = prices_of(project.tree, asked.prices)
    sheet = listed.sheet_of(name)
    schedule = planned(said)
    project.save_memo()
    return Prediction(
        name,
        subject.workload,
        subject.scaler,
        load.source,
        load.notes,
        asked.capacity.partition("=")[0] or "cpu",
        said,
        schedule if said.backtest.holds else schedule._replace(windows=()),
        autoscaler.min_replicas,
        weeks * 7,
        before,
        after,
        hour_of(scaling, sheet.at(day), sheet.factor),
        listed.currency,
    )


def _proof(
    case: Case, autoscaler: Autoscaler, floor: np.ndarray[tuple[int], np.dtype[np.float64]], first: int
) -> tuple[Effect, Effect]:
    """What the autoscaler does from a sample on, without and with a floor."""
    rest = _part(case, first)
    return rest.effect(autoscaler), rest.with_floor(floor[first:]).effect(floored(autoscaler))


def _part(case: Case, first: int) -> Case:
    """The case from a sample on."""
    columns = case.columns

    def cut(group: Mapping[str, Column]) -> dict[str, Column]:
        return {
            name: Column(one.values[first:], None if one.known is None else one.known[first:], one.idle, one.burn)
            for name, one in group.items()
        }

    shorter = type(columns)(
        columns.samples - first,
        cut(columns.resources),
        cut(columns.pods),
        cut(columns.objects),
        cut(columns.external),
    )
    return case._replace(columns=shorter, demand=case.demand[first:])


def _events(asked: Asked) -> Sequence[Event]:
    """The events of the calendar.

    Raises:
        UsageError: the file cannot be read.
        EnvcError: it is no calendar.
    """
    if asked.calendar is None:
        return ()
    try:
        data = asked.calendar.read_bytes()
    except OSError as error:
        what = f"the calendar {asked.calendar} cannot be read: {error.strerror}"
        raise UsageError([Problem(what, "name another file with --calendar")]) from error
    return read_calendar(data, asked.calendar.as_posix(), asked.timezone)


def _grid(case: Case, load: Load, timezone: str) -> tuple[Grid, int]:
    """The load in slots of the zone's wall clock, and by how many seconds that is ahead of UTC at the load's end.

    Raises:
        UsageError: there is no such zone.
    """
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError([Problem(f"there is no time zone {timezone}", "name one as Europe/Berlin or UTC")]) from error
    instants = load.origin / 1000 + np.arange(load.samples) * (SAMPLE_MS / 1000)
    hours = np.unique(instants // 3600).astype(np.int64)
    shifts = np.array([
        datetime.fromtimestamp(int(hour) * 3600, UTC).astimezone(zone).utcoffset().total_seconds()  # type: ignore[union-attr]
        for hour in hours
    ])
    ahead = shifts[np.searchsorted(hours, (instants // 3600).astype(np.int64))]
    grid = grid_of(instants + ahead, case.demand, SLOT)
    return grid, int(shifts[-1])
