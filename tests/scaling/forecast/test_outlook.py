"""A forecast is chosen by what came, never worse than last week, and knows what was announced."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from envcompile.errors import EnvcError
from envcompile.scaling.forecast.backtest import backtest, table
from envcompile.scaling.forecast.calendar import Event, wall_clock
from envcompile.scaling.forecast.grid import DAY, grid_of
from envcompile.scaling.forecast.models import LAST_WEEK, candidates
from envcompile.scaling.forecast.outlook import outlook, without_events
from tests.scaling.forecast.loads import MONDAY, STEP, grid, weekly

if TYPE_CHECKING:
    from envcompile.scaling.forecast.grid import Grid

_WEEK = 7 * DAY // STEP


def _temperatures(name: str) -> Grid:
    """A year of hourly temperatures that ships with vega_datasets."""
    from vega_datasets import local_data

    data = getattr(local_data, name)()
    times = np.array([wall_clock(moment.to_pydatetime(), "UTC") for moment in data["date"]], dtype=np.float64)
    return grid_of(times, data["temp"].to_numpy(dtype=np.float64), 3600, peaks=False)


@pytest.mark.parametrize("name", ["seattle_temps", "sf_temps"])
@pytest.mark.parametrize("with_library", [False, True])
def test_public_series_are_said_better_than_by_last_week(name: str, *, with_library: bool) -> None:
    """By far: temperatures follow the day before."""
    tried = backtest(_temperatures(name), with_library=with_library)
    assert tried.holds
    assert tried.score.held_back < 0.75 * tried.naive.held_back


def test_the_error_stands_beside_that_of_last_week() -> None:
    """All models are shown, the best first; last week is one."""
    tried = backtest(grid(weekly(12)), with_library=False)
    rows = table(tried)
    assert [row[0] for row in rows].count(LAST_WEEK) == 1
    assert next(row for row in rows if row[0] == LAST_WEEK)[1:] == (1.0, 1.0, 0)
    assert rows[0][1] == min(row[1] for row in rows)
    assert tried.holds
    assert (tried.choosing_weeks, tried.held_back_weeks) == (4, 4)


def test_a_choice_that_held_back_weeks_refute_does_not_hold() -> None:
    """The level jumps after the weeks that chose: what the last four had in common is worse than the last one."""
    values = weekly(16, noise=0.02)
    values[-3 * _WEEK :] *= 4
    tried = backtest(grid(values), with_library=False)
    mean = next(one for one in candidates(with_library=False) if one.name == "mean of 4 weeks")
    assert not replace(tried, chosen=mean).holds
    assert replace(tried, chosen=candidates(with_library=False)[0]).holds


@pytest.mark.parametrize("weeks", [0, 1, 5])
def test_too_little_load_is_refused(weeks: int) -> None:
    """With how much it was and how much it takes."""
    with pytest.raises(EnvcError, match=f"{weeks * 7} whole days of load are too little for a forecast: it takes 42"):
        backtest(grid(weekly(weeks)), with_library=False)


def test_load_with_more_holes_than_values_is_refused() -> None:
    """Filling them would be making it up."""
    values = weekly(12)
    values[::3] = np.nan
    values[1::3] = np.nan
    with pytest.raises(EnvcError, match="only 33% of the load is known"):
        backtest(grid(values), with_library=False)


def test_most_of_what_comes_lies_in_the_interval() -> None:
    """Nine tenths are promised; of weeks that the interval has not seen."""
    values = weekly(16, noise=0.1)
    said = outlook(grid(values[: -4 * _WEEK]), [], 4 * _WEEK, with_library=False)
    came = values[-4 * _WEEK :]
    inside = (came >= said.lower) & (came <= said.upper)
    assert 0.84 < inside.mean() < 0.96
    assert 0.84 < said.covered < 0.96


def _at(week: int, weekday: int, hour: int) -> int:
    return MONDAY + (week * 7 + weekday) * DAY + hour * 3600


def test_an_announced_event_does_what_those_of_its_name_did() -> None:
    """And they are taken out of the load, so that nobody expects them every week."""
    values = weekly(13, noise=0.01)
    events = [Event("sale", _at(week, 2, 10), _at(week, 2, 12)) for week in (3, 7, 11, 12)]
    for event in events[:3]:
        first = (event.start - MONDAY) // STEP
        values[first : first + 4] += 2000
    known = grid(values[: 12 * _WEEK])
    said = outlook(known, events, _WEEK, with_library=False)
    first = (events[3].start - said.start) // STEP
    assert said.middle[first : first + 4] == pytest.approx(2100, rel=0.1)
    assert said.middle[first - 4] < 200
    without = outlook(known, events[:3], _WEEK, with_library=False)
    assert without.middle[first] < 200
    assert np.isnan(without_events(known, events).values[(events[0].start - MONDAY) // STEP])


def test_an_event_without_a_past_says_itself_what_it_adds() -> None:
    """In times the usual load; one that does not is named."""
    start = _at(12, 2, 10)
    events = [Event("launch", start, start + 3600, adds=20.0), Event("rumour", start + DAY, start + DAY + 3600)]
    said = outlook(grid(weekly(12, noise=0.01)), events, _WEEK, with_library=False)
    assert [event.name for event in said.events] == ["launch"]
    assert [event.name for event in said.unsized] == ["rumour"]
    first = (start - said.start) // STEP
    usual = float(np.median(weekly(1, noise=0.0)))
    assert said.upper[first] == pytest.approx(20 * usual + 110, rel=0.1)


def test_a_holiday_has_the_load_of_a_sunday() -> None:
    """Of the same forecast."""
    day = _at(12, 2, 0)
    said = outlook(grid(weekly(12, noise=0.0)), [Event("holiday", day, day + DAY, like=6)], _WEEK, with_library=False)
    slots = DAY // STEP
    wednesday, sunday = said.middle[2 * slots : 3 * slots], said.middle[6 * slots : 7 * slots]
    assert wednesday.tolist() == sunday.tolist()
    assert said.middle[slots : 2 * slots].tolist() != sunday.tolist()


def test_a_slot_in_summer_is_the_same_slot_in_winter() -> None:
    """Times are those of the wall clock."""
    summer = dt.datetime(2026, 7, 1, 18, tzinfo=dt.UTC)
    winter = dt.datetime(2026, 12, 1, 19, tzinfo=dt.UTC)
    assert wall_clock(summer, "Europe/Berlin") % DAY == wall_clock(winter, "Europe/Berlin") % DAY == 20 * 3600
