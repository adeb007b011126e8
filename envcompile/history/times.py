"""Times of commits as people and programs read them: git takes dates that no calendar of this machine has."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from envcompile.errors import Problem, UsageError
from envcompile.history.livetimes import SECOND

_CYCLE = 400
"""Years after which the Gregorian calendar repeats itself, with the days of the week."""
_SECONDS_OF_CYCLE = 12_622_780_800
_LAST = 253_402_300_799 - 2 * 86_400
"""Seconds since 1970 of the last days that Python's calendar has in every time zone."""
_LAST_OF_GIT = 67_767_976_233_532_799
"""Seconds since 1970 of the last year that C's calendar has; git shows what is later as 1970, where time begins."""
_MOST_MILLISECONDS = 2**63 - 1
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
"""Seconds of the units of ages."""


def day(seconds: int) -> str:
    """A time in the local time zone, to the minute: `2026-11-23 14:30`."""
    year, moment = _calendar(seconds)
    return f"{year:04d}-{moment:%m-%d %H:%M}"


def stamp(seconds: int, *, utc: bool = False) -> str:
    """A time as ISO 8601 has it, in the local time zone or in UTC; years beyond 9999 have more digits."""
    year, moment = _calendar(seconds, utc=utc)
    return f"{year:04d}{moment.isoformat()[4:]}"


def milliseconds(text: str) -> int:
    """A time that `stamp` wrote in UTC, in milliseconds since 1970, as far as 64 bits go."""
    year, _, rest = text.partition("-")
    cycles = max(0, -(-(int(year) - 9999) // _CYCLE))
    moment = datetime.fromisoformat(f"{int(year) - cycles * _CYCLE:04d}-{rest}")
    return min((int(moment.timestamp()) + cycles * _SECONDS_OF_CYCLE) * 1000, _MOST_MILLISECONDS)


def time_of(text: str) -> datetime:
    """The day or time that people mean by 2026-11-23 or 2026-11-23T14:30: local, unless it says another time zone.

    Raises:
        UsageError: the text is no time, or one that the calendar does not have everywhere.
    """
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError) as error:
        fix = "write 2026-11-23, or 2026-11-23T14:30 with +01:00 or Z for a time zone"
        raise UsageError([Problem(f"`{text}` is no time", fix)]) from error


def microseconds_of(text: str, now: int) -> int:
    """The time that people mean by `30d`, by `12h`, or by a day or time such as 2026-11-23T14:30.

    Args:
        text: what they wrote; local time unless it says another time zone.
        now: from when ages count, in microseconds since 1970.

    Returns:
        Microseconds since 1970.

    Raises:
        UsageError: the text is neither.
    """
    number, unit = text[:-1], text[-1:]
    if unit in _UNITS and number.isdecimal() and len(number) < 7:
        return now - int(number) * _UNITS[unit] * SECOND
    try:
        return int(time_of(text).timestamp() * SECOND)
    except UsageError as error:
        fix = "write an age such as 30d or 90m, or 2026-11-23, or 2026-11-23T14:30 with +01:00 or Z for a time zone"
        raise UsageError([error.problems[0]._replace(fix=fix)]) from error


def moment_of(text: str, now: int) -> int:
    """The time that people mean by a text, as `microseconds_of` reads it, in seconds since 1970.

    Args:
        text: what they wrote.
        now: from when ages count, in seconds since 1970.
    """
    return microseconds_of(text, now * SECOND) // SECOND


def _calendar(seconds: int, *, utc: bool = False) -> tuple[int, datetime]:
    """The year of a time, and the rest of it in a year that Python's calendar has."""
    shown = seconds if 0 <= seconds <= _LAST_OF_GIT else 0
    cycles = max(0, -(-(shown - _LAST) // _SECONDS_OF_CYCLE))
    moment = datetime.fromtimestamp(shown - cycles * _SECONDS_OF_CYCLE, UTC)
    if not utc:
        with suppress(ValueError, OverflowError, OSError):  # a time zone that is more than a day away
            moment = moment.astimezone()
    return moment.year + cycles * _CYCLE, moment
