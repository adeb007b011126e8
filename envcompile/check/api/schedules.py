"""Schedules of CronJobs and their time zones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHORTHANDS: Final = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: Final[tuple[tuple[str, int, int, Mapping[str, int]], ...]] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of the week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_DURATION: Final = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|[+-]?0")


def is_schedule(text: str) -> str | None:
    """Say what is wrong with a schedule; None for one that the controller can read.

    Source: pkg/apis/batch/validation/validation.go, validateScheduleFormat, and the parser github.com/robfig/cron/v3.
    """
    if "TZ" in text:
        return "names a time zone: write `timeZone` instead"
    if text.startswith("@"):
        if text in _SHORTHANDS:
            return None
        duration = text.removeprefix("@every ")
        if duration != text and _DURATION.fullmatch(duration):
            return None
        return "is no schedule: @yearly, @monthly, @weekly, @daily, @hourly or @every DURATION"
    parts = text.split()
    if len(parts) != len(_FIELDS):
        return f"has {len(parts)} fields where minute, hour, day, month and day of the week belong"
    for part, (called, low, high, names) in zip(parts, _FIELDS, strict=True):
        if not all(_is_range(item, low, high, names) for item in part.split(",")):
            return (
                f"has a {called} that is none: numbers from {low} to {high}, `*`, `A-B`, `/STEP`, separated by commas"
            )
    return None


def _is_range(text: str, low: int, high: int, names: Mapping[str, int]) -> bool:
    span, slash, step = text.partition("/")
    if slash and not (_is_number(step) and int(step) > 0):
        return False
    if span in {"*", "?"}:
        return True
    first, dash, last = span.partition("-")
    start = _number(first, names)
    end = _number(last, names) if dash else (high if slash else start)
    return start is not None and end is not None and low <= start <= end <= high


def _number(text: str, names: Mapping[str, int]) -> int | None:
    return int(text) if _is_number(text) else names.get(text.lower())


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def is_time_zone(text: str) -> str | None:
    """Say what is wrong with a time zone; None for one of the IANA database.

    Source: pkg/apis/batch/validation/validation.go, validateTimeZone.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if not text:
        return "is empty: leave it out, or name a zone such as `Etc/UTC`"
    if text.lower() == "local":
        return "is Local, which would be the controller's own zone: name one such as `Europe/Berlin`"
    try:
        ZoneInfo(text)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return "is no time zone of the IANA database, such as `Europe/Berlin`" if _has_zones() else None
    return None


def _has_zones() -> bool:
    """Tell whether there is a database here at all; without one no zone can be called wrong."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo("Etc/UTC")
    except ZoneInfoNotFoundError:
        return False
    return True
