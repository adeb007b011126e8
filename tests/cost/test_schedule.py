"""How often schedules come round: in a year of 365 days, by twelve."""

from __future__ import annotations

from fractions import Fraction

import pytest

from envcompile.cost.schedule import runs_a_month


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("0 * * * *", Fraction(730)),
        ("*/15 * * * *", Fraction(2920)),
        ("0 3 * * *", Fraction(365, 12)),
        ("0 0 1 * *", Fraction(1)),
        ("0 0 31 * *", Fraction(7, 12)),
        ("0 0 * * 1", Fraction(365, 84)),
        ("0 0 * * 1-5", Fraction(365 * 5, 84)),
        ("0 0 * * MON,wed", Fraction(365 * 2, 84)),
        ("0 0 * * 0,7", Fraction(365, 84)),
        ("0 0 * * */2", Fraction(365 * 4, 84)),  # Sunday, Tuesday, Thursday, Saturday
        ("0 0 1 jan *", Fraction(1, 12)),
        ("0 0 29 2 *", Fraction(0)),
        ("0 0 1 * 1", 1 + Fraction(353, 84)),  # the first, and the Mondays that are none
        ("0 0 */2 * 1", Fraction(186, 84)),  # a step does not narrow by itself: both must hold
        ("5,10 8-17 * * *", Fraction(20 * 365, 12)),
        ("0 8-17/3 * * *", Fraction(4 * 365, 12)),
        ("0 5/6 * * *", Fraction(4 * 365, 12)),
        ("@hourly", Fraction(730)),
        ("@weekly", Fraction(365, 84)),
        ("@every 90m", Fraction(730 * 2, 3)),
        ("@every 1h30m", Fraction(730 * 2, 3)),
    ],
)
def test_it_runs_so_often(schedule: str, expected: Fraction) -> None:
    """Counted by hand."""
    assert runs_a_month(schedule) == expected


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "daily",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "*/0 * * * *",
        "5-1 * * * *",
        "@every",
        "@every 0s",
        "a b c d e",
    ],
)
def test_what_is_no_schedule(schedule: str) -> None:
    """It is not guessed at."""
    assert runs_a_month(schedule) is None
