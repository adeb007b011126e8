"""Windows between two five-field cron schedules, as KEDA's cron trigger has them.

Source: kedacore/keda pkg/scalers/cron_scaler.go; fields as in robfig/cron/v3.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from envcompile.errors import fail
from envcompile.scaling.podworld import SAMPLE_MS

if TYPE_CHECKING:
    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]

_RANGES: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_NAMES: Final[tuple[dict[str, int], ...]] = (
    {},
    {},
    {},
    {
        name: at
        for at, name in enumerate(
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
        )
    },
    {name: at for at, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])},
)
_MINUTE_MS: Final = 60_000
_BEYOND_MINUTES: Final = 32 * 1440
"""How far behind the end a schedule is looked at: what fires later than that is as good as never."""


class Cron(NamedTuple):
    """The minutes, hours, days of the month, months and weekdays (0 is Sunday) at which it fires."""

    fields: tuple[frozenset[int], ...]
    any_day: bool
    any_weekday: bool


def cron_of(text: str) -> Cron:
    """Read a schedule of five fields.

    Raises:
        EnvcError: it is none.
    """
    parts = text.split()
    if len(parts) != len(_RANGES):
        raise fail(f"{text!r} is no cron schedule", "write five fields: minute, hour, day, month, weekday")
    fields = tuple(
        _field(part, low, high, names, text) for part, (low, high), names in zip(parts, _RANGES, _NAMES, strict=True)
    )
    weekdays = frozenset(day % 7 for day in fields[4])
    return Cron((*fields[:4], weekdays), parts[2][0] in "*?", parts[4][0] in "*?")


def _field(part: str, low: int, high: int, names: dict[str, int], text: str) -> frozenset[int]:
    found: set[int] = set()
    for item in part.lower().split(","):
        span, _, step = item.partition("/")
        first, dash, last = span.partition("-")
        try:
            if span in {"*", "?"}:
                start, end = low, high
            else:
                start = _number(first, names)
                end = _number(last, names) if dash else high if step else start
            stride = int(step) if step else 1
        except ValueError:
            start, end, stride = 0, -1, 0
        if stride < 1 or not low <= start <= end <= high:
            raise fail(f"{item!r} is no field of the cron schedule {text!r}", f"write numbers from {low} to {high}")
        found.update(range(start, end + 1, stride))
    return frozenset(found)


def _number(text: str, names: dict[str, int]) -> int:
    return names[text] if text in names else int(text)


def inside(start: str, end: str, zone: str, origin: int, samples: int) -> Flags:
    """For each 15 s from an instant in ms since 1970, whether it is in the window: its end comes before its next start.

    Raises:
        EnvcError: a schedule or the zone is none.
    """
    try:
        where = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise fail(f"{zone!r} is no time zone", "write one of the IANA database, such as Europe/Berlin") from None
    first = origin // _MINUTE_MS
    count = (samples * SAMPLE_MS) // _MINUTE_MS + 2
    local = _local(first, count + _BEYOND_MINUTES, where)
    next_start, next_end = (_next(_fires(cron_of(text), local)) for text in (start, end))
    is_in = next_end <= next_start
    minutes = (origin + SAMPLE_MS * np.arange(samples, dtype=np.int64)) // _MINUTE_MS - first
    found: Flags = is_in[minutes]
    return found


def _local(first: int, count: int, zone: ZoneInfo) -> npt.NDArray[np.int64]:
    """Minutes of the wall clock; offsets change at most once a quarter of an hour."""
    minutes = np.arange(first, first + count, dtype=np.int64)
    quarters = np.arange(first // 15, (first + count) // 15 + 1)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    offsets = np.empty(len(quarters), dtype=np.int64)
    # Most quarters have the offset of the one before: only days at whose ends it differs are looked at closely.
    for begin in range(0, len(quarters), 96):
        last = min(begin + 96, len(quarters)) - 1
        ends = [_offset(epoch, int(quarters[at]), zone) for at in (begin, last)]
        if ends[0] == ends[1]:
            offsets[begin : last + 1] = ends[0]
        else:
            offsets[begin : last + 1] = [_offset(epoch, int(one), zone) for one in quarters[begin : last + 1]]
    found: npt.NDArray[np.int64] = minutes + offsets[minutes // 15 - quarters[0]]
    return found


def _offset(epoch: datetime, quarter: int, zone: ZoneInfo) -> int:
    shift = (epoch + timedelta(minutes=15 * quarter)).astimezone(zone).utcoffset()
    return int(shift.total_seconds()) // 60 if shift is not None else 0


def _fires(cron: Cron, local: npt.NDArray[np.int64]) -> Flags:
    days = local // 1440
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    values = (
        local % 60,
        local // 60 % 24,
        (dates - months).astype(np.int64) + 1,
        months.astype(np.int64) % 12 + 1,
        (days + 4) % 7,
    )
    minute, hour, day, month, weekday = (
        np.isin(value, list(field)) for value, field in zip(values, cron.fields, strict=True)
    )
    # Either day is enough where both are restricted.
    on_day = day & weekday if cron.any_day or cron.any_weekday else day | weekday
    found: Flags = minute & hour & month & on_day
    return found


def _next(fires: Flags) -> npt.NDArray[np.int64]:
    """For each minute the next one, behind it, at which a schedule fires."""
    never = len(fires) * 2
    places = np.where(fires, np.arange(len(fires)), never)
    behind = np.append(places[1:], never)
    found: npt.NDArray[np.int64] = np.minimum.accumulate(behind[::-1])[::-1]
    return found
