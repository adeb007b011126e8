"""Windows of cron triggers begin when `start` fires and end when `end` fires, on the wall clock of their zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from envcompile.errors import EnvcError
from envcompile.scaling.cron import inside


def spans(start: str, end: str, zone: str, first: datetime, days: int) -> list[tuple[str, str]]:
    """The windows in a stretch of time, as UTC."""
    samples = days * 5_760
    found = inside(start, end, zone, int(first.timestamp() * 1000), samples)
    edges = np.flatnonzero(np.diff(found.astype(int), prepend=0, append=0))
    stamps = [f"{first + timedelta(seconds=15 * int(edge)):%a %d %H:%M:%S}" for edge in edges]
    return list(zip(stamps[::2], stamps[1::2], strict=True))


def test_evenings_of_workdays() -> None:
    """Names of days, and ranges of them."""
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    assert spans("30 19 * * mon-fri", "0 23 * * mon-fri", "UTC", monday, 7) == [
        (f"{day} {number:02} 19:30:00", f"{day} {number:02} 23:00:00")
        for number, day in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri"), 2)
    ]


def test_the_wall_clock_changes_in_march() -> None:
    """20:00 in Berlin is 19:00 UTC before the change and 18:00 after it."""
    saturday = datetime(2026, 3, 28, tzinfo=UTC)
    assert spans("0 20 * * *", "0 22 * * *", "Europe/Berlin", saturday, 2) == [
        ("Sat 28 19:00:00", "Sat 28 21:00:00"),
        ("Sun 29 18:00:00", "Sun 29 20:00:00"),
    ]


def test_a_stretch_may_begin_inside() -> None:
    """The end comes before the next start."""
    night = datetime(2026, 3, 3, 1, tzinfo=UTC)
    assert spans("0 22 * * *", "0 4 * * *", "UTC", night, 1) == [
        ("Tue 03 01:00:00", "Tue 03 04:00:00"),
        ("Tue 03 22:00:00", "Wed 04 01:00:00"),
    ]


def test_either_day_is_enough_where_both_are_restricted() -> None:
    """As in every cron: the 15th, and Mondays."""
    first = datetime(2026, 3, 9, tzinfo=UTC)
    assert [begin for begin, _ in spans("0 0 15 * 1", "0 1 * * *", "UTC", first, 8)] == [
        "Mon 09 00:00:00",
        "Sun 15 00:00:00",
        "Mon 16 00:00:00",
    ]


def test_an_end_that_fires_more_often_ends_late() -> None:
    """Whether it is inside asks what fires next: only from the last end before a start on it is outside."""
    first = datetime(2026, 3, 9, tzinfo=UTC)
    found = spans("0 */6 * * *", "5,50 * * * *", "UTC", first, 1)
    assert [begin for begin, _ in found] == [f"Mon 09 {hour:02}:00:00" for hour in (0, 6, 12, 18)]
    assert [end for _, end in found][:2] == ["Mon 09 05:50:00", "Mon 09 11:50:00"]


@pytest.mark.parametrize(
    ("start", "zone", "told"),
    [
        ("0 20 * *", "UTC", "no cron schedule"),
        ("0 25 * * *", "UTC", "'25' is no field"),
        ("x * * * *", "UTC", "'x' is no field"),
        ("*/0 * * * *", "UTC", r"'\*/0' is no field"),
        ("0 20 * * *", "Mars/Olympus", "no time zone"),
        ("0 20 * * *", "../etc", "no time zone"),
    ],
)
def test_what_is_no_schedule_is_told(start: str, zone: str, told: str) -> None:
    """With what is wrong."""
    with pytest.raises(EnvcError, match=told):
        inside(start, "0 22 * * *", zone, 0, 10)
