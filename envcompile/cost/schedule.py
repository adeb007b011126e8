"""How often a CronJob runs in a month."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.cost.prices import HOURS_A_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping

_MACROS: Final[Mapping[str, str]] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DURATION: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_PART: Final = re.compile(r"(?P<range>\*|\?|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")


class _Field(NamedTuple):
    values: frozenset[int]
    is_open: bool
    """True for `*`, `?` and their steps: it does not narrow the days by itself."""


def runs_a_month(schedule: str) -> Fraction | None:
    """How many times a schedule comes round in 730 hours; None for what is no schedule.

    Runs are counted in a year of 365 days, averaged over the seven weekdays that it can begin with, and divided by
    twelve. Where both the day of the month and the weekday are narrowed, either is enough.

    Source: github.com/robfig/cron/v3, ParseStandard, which Kubernetes reads schedules with.

    Args:
        schedule: five fields, or a word such as `@daily` or `@every 90m`.
    """
    text = " ".join(schedule.split())
    if text.startswith("@every "):
        return _every(text.removeprefix("@every "))
    fields = _MACROS.get(text, text).split(" ")
    if len(fields) != 5:
        return None
    minutes, hours = _field(fields[0], 0, 59), _field(fields[1], 0, 23)
    days, months = _field(fields[2], 1, 31), _field(fields[3], 1, 12, _MONTHS, 1)
    weekdays = _field(fields[4], 0, 7, _WEEKDAYS)
    if minutes is None or hours is None or days is None or months is None or weekdays is None:
        return None
    chance = Fraction(len({day % 7 for day in weekdays.values}), 7)
    found = Fraction()
    for month in months.values:
        for day in range(1, _LENGTHS[month - 1] + 1):
            is_named = Fraction(day in days.values)
            if days.is_open or weekdays.is_open:
                found += is_named * chance
            else:
                found += is_named + chance - is_named * chance
    return found * len(minutes.values) * len(hours.values) / 12


def _every(text: str) -> Fraction | None:
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    hours, minutes, seconds = (int(group or 0) for group in match.groups())
    length = hours * 3600 + minutes * 60 + seconds
    return Fraction(HOURS_A_MONTH * 3600, length) if length else None


def _field(text: str, least: int, most: int, names: tuple[str, ...] = (), offset: int = 0) -> _Field | None:
    values: set[int] = set()
    is_open = False
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            return None
        step = int(match["step"] or 1)
        if match["first"] is None:
            first, last, is_open = least, min(most, 6) if most == 7 else most, True
        else:
            start = _number(match["first"], names, offset)
            end = _number(match["last"], names, offset) if match["last"] else most if match["step"] else start
            if start is None or end is None:
                return None
            first, last = start, end
        if step < 1 or first < least or last > most or first > last:
            return None
        values.update(range(first, last + 1, step))
    return _Field(frozenset(values), is_open)


def _number(text: str, names: tuple[str, ...], offset: int) -> int | None:
    if text.isdecimal() and len(text) < 4:
        return int(text)
    word = text.lower()
    return names.index(word) + offset if word in names else None
