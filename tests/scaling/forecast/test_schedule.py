"""A forecast becomes few windows that are nowhere below what it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcompile.scaling.forecast.calendar import Event
from envcompile.scaling.forecast.grid import DAY
from envcompile.scaling.forecast.outlook import outlook
from envcompile.scaling.forecast.schedule import (
    MinimumChange,
    Schedule,
    Window,
    cron_triggers,
    described,
    minimum_changes,
    schedule_of,
)
from tests.scaling.forecast.loads import MONDAY, STEP, grid, weekly

_WEEK = 7 * DAY // STEP


def _plan(**wanted: int) -> Schedule:
    said = outlook(grid(weekly(12, noise=0.05)), [], _WEEK, with_library=False)
    return schedule_of(said, 50, **{"lead": 0, "least": 0, "most": 100, **wanted}, timezone="Europe/Berlin")


@pytest.mark.parametrize("lead", [0, 1800, 5000])
def test_the_floor_is_there_where_the_load_rises_and_earlier_by_its_lead(lead: int) -> None:
    """Until it has risen, not while it falls or stands; with at most four windows a day."""
    said = outlook(grid(weekly(12, noise=0.05)), [], _WEEK, with_library=False)
    schedule = schedule_of(said, 50, lead=lead, least=0, most=100, timezone="UTC")
    floor = schedule.floor(said.start, _WEEK, STEP).reshape(7, -1)
    need = np.ceil(said.upper / 50).reshape(7, -1)
    rise = slice(39, 42)  # from 19:30 to 21:00
    assert (floor[:, rise] >= need[:, rise]).all()
    ahead = -(-lead // STEP)
    early = slice(rise.start - ahead, rise.stop - ahead)
    assert (floor[:, early] >= need[:, rise]).all()
    assert (floor[:, 2 : 12 * 2] == 0).all()
    assert (floor[:, 22 * 2 :] == 0).all()
    for day in range(7):
        assert sum(day in window.days for window in schedule.windows) <= 4


def test_a_share_of_the_floor_leaves_the_rest_to_the_autoscaler() -> None:
    """Four fifths of the need, rounded up, at the same times; windows of events hold all of it."""
    event = Event("sale", MONDAY + 15 * 7 * DAY, MONDAY + 15 * 7 * DAY + 7200)
    said = outlook(grid(weekly(12, noise=0.05)), [event], _WEEK, with_library=False)
    whole, part = (
        schedule_of(said, 1, lead=0, least=0, most=10_000, timezone="UTC", share=share) for share in (1.0, 0.8)
    )
    first, second = (one.floor(said.start, _WEEK, STEP) for one in (whole, part))
    assert (second[first == 0] == 0).all()
    assert (second <= first).all()
    assert second.sum() == pytest.approx(0.8 * first.sum(), rel=0.02)
    assert [one for one in whole.windows if not one.days] == [one for one in part.windows if not one.days]


def test_days_that_are_alike_share_their_windows() -> None:
    """Workdays and weekends here."""
    assert {window.days for window in _plan().windows} == {(0, 1, 2, 3, 4), (5, 6)}


def test_no_window_asks_for_what_runs_anyway_or_for_more_than_the_maximum() -> None:
    """The autoscaler's own bounds stay."""
    replicas = [window.replicas for window in _plan(least=5, most=15).windows]
    assert replicas
    assert all(5 < count <= 15 for count in replicas)


def test_windows_are_cron_triggers() -> None:
    """Start and end in the zone's wall clock, the day's end as its last minute; events on their date."""
    schedule = Schedule(
        (
            Window((0, 1, 2, 3, 4), 19 * 3600, 23 * 3600 + 1800, 12, "forecast"),
            Window((5, 6), 18 * 3600, DAY, 20, "forecast"),
            Window((), MONDAY + DAY + 600, MONDAY + DAY + 7200, 40, "sale"),
        ),
        "Europe/Berlin",
    )
    assert [
        (one["metadata"]["start"], one["metadata"]["end"], one["metadata"]["desiredReplicas"])
        for one in cron_triggers(schedule)
    ] == [
        ("0 19 * * MON,TUE,WED,THU,FRI", "30 23 * * MON,TUE,WED,THU,FRI", "12"),
        ("0 18 * * SAT,SUN", "59 23 * * SAT,SUN", "20"),
        ("10 0 2 6 *", "0 2 2 6 *", "40"),
    ]
    assert described(schedule) == [
        ("mon-fri", "19:00", "23:30", 12, "forecast"),
        ("sat,sun", "18:00", "24:00", 20, "forecast"),
        ("2026-06-02", "00:10", "02:00", 40, "sale"),
    ]


def test_an_event_has_a_window_of_its_own() -> None:
    """From its lead on, until the autoscaler has seen it."""
    start = MONDAY + 12 * 7 * DAY + 2 * DAY + 10 * 3600
    launch = Event("launch", start, start + 3600, 20.0)
    said = outlook(grid(weekly(12, noise=0.01)), [launch], _WEEK, with_library=False)
    schedule = schedule_of(said, 50, lead=600, least=0, most=1000, timezone="UTC")
    (event,) = (window for window in schedule.windows if not window.days)
    assert (event.start, event.end, event.why) == (start - 600, start + 900, "launch")
    assert event.replicas == np.ceil(said.upper[(start - said.start) // STEP] / 50)


_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def _played(changes: list[MinimumChange], least: int) -> list[int]:
    """The minimum in each minute of a week, once the changes of a week went by."""
    at: dict[int, int] = {}
    for change in changes:
        minute, hour, _, _, days = change.cron.split()
        for day in range(7) if days == "*" else [_DAYS.index(name) for name in days.split(",")]:
            assert at.setdefault(day * 1440 + int(hour) * 60 + int(minute), change.replicas) == change.replicas
    now = at[max(at)] if at else least
    out = []
    for moment in range(7 * 1440):
        now = at.get(moment, now)
        out.append(now)
    return out


_WINDOWS = st.builds(
    Window,
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    start=st.integers(0, DAY // 60 - 1).map(lambda minute: minute * 60),
    end=st.integers(1, DAY // 60).map(lambda minute: minute * 60),
    replicas=st.integers(3, 9),
).filter(lambda window: window.start < window.end)


@given(st.lists(_WINDOWS, max_size=6), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_changes_of_the_minimum_are_the_same_floor(windows: list[Window], least: int) -> None:
    """Minute by minute, whatever overlaps and whatever ends at midnight."""
    schedule = Schedule(tuple(windows), "UTC")
    floor = np.maximum(schedule.floor(MONDAY, 7 * 1440, 60), least)
    assert _played(minimum_changes(schedule, least), least) == floor.astype(int).tolist()


def test_a_change_within_a_minute_is_early_where_it_rises_and_late_where_it_falls() -> None:
    """The minimum is nowhere below the windows; events end where the week goes on."""
    windows = (
        Window(tuple(range(7)), 19 * 3600 - 122, 23 * 3600 + 1, 12, "forecast"),
        Window((), MONDAY + DAY + 20 * 3600, MONDAY + DAY + 21 * 3600, 40, "sale"),
    )
    assert minimum_changes(Schedule(windows, "UTC"), 2) == [
        MinimumChange("57 18 * * *", 12),
        MinimumChange("1 23 * * *", 2),
        MinimumChange("0 20 2 6 *", 40),
        MinimumChange("0 21 2 6 *", 12),
    ]
