"""A forecast as a floor under the number of replicas: few windows for people to review and KEDA's `cron` to hold.

An autoscaler follows a load by itself; what it cannot do is to have pods before the load is there. So there is a floor
only where the load is about to rise, until it has risen.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from envcompile.scaling.forecast.calendar import moment_of
from envcompile.scaling.forecast.grid import DAY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from envcompile.scaling.forecast.grid import Floats
    from envcompile.scaling.forecast.outlook import Outlook

    Flags = npt.NDArray[np.bool_]

_CRON_DAYS: Final = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_WINDOWS_A_DAY: Final = 4
_RISE: Final = 1.15
"""A rise by less in two slots is one that an autoscaler follows."""
_FEW: Final = 3
"""So is one by fewer replicas: they start while it lasts."""
_SETTLE: Final = 900
"""Seconds after the start of an event until its load is there, and the autoscaler has seen it."""
_MERGE_DAYS: Final = 0.1
"""Days share their windows if that costs at most this part more."""


class Window(NamedTuple):
    """A floor that comes again every week, or that stands once."""

    days: tuple[int, ...]
    """Weekdays, 0 is Monday; empty for one that stands once."""
    start: int
    """Seconds of the day; of the wall clock for one that stands once."""
    end: int
    replicas: int
    why: str = ""


class Schedule(NamedTuple):
    """All windows, and the wall clock they are of."""

    windows: tuple[Window, ...]
    timezone: str

    def floor(self, start: int, count: int, step: int) -> Floats:
        """The floor at so many times, 0 where there is none.

        Args:
            start: seconds of the wall clock.
            count: how many times.
            step: seconds between them.
        """
        times = start + step * np.arange(count)
        weekdays, seconds = (times // DAY + 3) % 7, times % DAY
        out = np.zeros(count)
        for window in self.windows:
            if window.days:
                inside = np.isin(weekdays, window.days) & (seconds >= window.start) & (seconds < window.end)
            else:
                inside = (times >= window.start) & (times < window.end)
            out[inside] = np.maximum(out[inside], window.replicas)
        return out


def schedule_of(
    outlook: Outlook, per_pod: float, *, lead: int, least: int, most: int, timezone: str, share: float = 1.0
) -> Schedule:
    """The floor that serves the upper end of the forecast where it rises.

    Args:
        outlook: the forecast, of at least a week.
        per_pod: the load that one pod serves.
        lead: seconds that pods and their controller need; windows begin so much earlier.
        least: what runs anyway; windows that ask for no more are left out.
        most: the autoscaler's maximum.
        timezone: of the wall clock of the forecast.
        share: how much of what the rises need the floor holds; the reserve that the autoscaler keeps has the rest.
    """
    quiet = _without_events(outlook) * share
    need = np.clip(np.ceil(quiet / per_pod), 0, most)
    rises = np.logical_and(_rising(quiet), _rising(need, _FEW))
    profiles = _by_weekday(np.where(rises, need, 0), outlook)
    windows = [
        Window(days, start, end, replicas, "forecast")
        for days, profile in _alike(profiles)
        for start, end, replicas in _windows(
            _led(np.where(profile > least, profile, 0), lead, outlook.step), outlook.step
        )
        if replicas > least
    ]
    return Schedule((*windows, *_once(outlook, per_pod, lead, most)), timezone)


def _rising(load: Floats, least: float = 0.0) -> Flags:
    """Where a load grows, by a part and by at least so much: from before it does until it has."""
    before = np.minimum(np.roll(load, 1), np.roll(load, 2))
    rises: Flags = (load > before * _RISE) & (load >= before + least)
    return rises


def _without_events(outlook: Outlook) -> Floats:
    """The upper end without the slots of events, which have windows of their own."""
    upper = outlook.upper.copy()
    for event in outlook.events:
        first, last = _span(outlook, event.start, event.end + (event.end - event.start))
        upper[first:last] = np.nan
    return upper


def _span(outlook: Outlook, start: int, end: int) -> tuple[int, int]:
    first = max(0, (start - outlook.start) // outlook.step)
    return first, max(first, -(-(end - outlook.start) // outlook.step))


def _by_weekday(need: Floats, outlook: Outlook) -> dict[int, Floats]:
    """For each weekday the most that is needed at each time."""
    day = DAY // outlook.step
    out: dict[int, Floats] = {}
    for place, value in enumerate(need):
        if not math.isfinite(value):
            continue
        time = outlook.start + place * outlook.step
        weekday = (time // DAY + 3) % 7
        profile = out.setdefault(weekday, np.zeros(day))
        at = time % DAY // outlook.step
        profile[at] = max(profile[at], value)
    return out


def _alike(profiles: Mapping[int, Floats]) -> list[tuple[tuple[int, ...], Floats]]:
    """Weekdays whose needs are alike share one profile, the larger of both."""
    groups: list[tuple[tuple[int, ...], Floats]] = [((day,), profile) for day, profile in sorted(profiles.items())]
    while len(groups) > 1:
        costs = []
        for left in range(len(groups)):
            for right in range(left + 1, len(groups)):
                (one, first), (other, second) = groups[left], groups[right]
                both = np.maximum(first, second)
                sums = first.sum() * len(one) + second.sum() * len(other)
                more = both.sum() * (len(one) + len(other)) - sums
                costs.append((more / max(sums, 1.0), left, right))
        cost, left, right = min(costs)
        if cost > _MERGE_DAYS:
            break
        (one, first), (other, second) = groups[left], groups[right]
        groups[left] = (tuple(sorted((*one, *other))), np.maximum(first, second))
        del groups[right]
    return groups


def _led(profile: Floats, lead: int, step: int) -> Floats:
    """The profile in which every need begins earlier; what would begin the day before begins at midnight."""
    out = profile.copy()
    for shift in range(1, -(-lead // step) + 1):
        out[:-shift] = np.maximum(out[:-shift], profile[shift:])
    return out


def _windows(profile: Floats, step: int) -> list[tuple[int, int, int]]:
    """Few steps that are nowhere below a profile: neighbours are joined, the cheapest first."""
    parts: list[tuple[int, int, int]] = []
    for place, value in enumerate(profile):
        if parts and parts[-1][2] == value:
            parts[-1] = (parts[-1][0], place + 1, int(value))
        else:
            parts.append((place, place + 1, int(value)))
    while len(parts) > _WINDOWS_A_DAY:
        costs = [
            abs(first[2] - second[2]) * (second[1] - second[0] if first[2] > second[2] else first[1] - first[0])
            for first, second in pairwise(parts)
        ]
        at = costs.index(min(costs))
        parts[at] = (parts[at][0], parts[at + 1][1], max(parts[at][2], parts[at + 1][2]))
        del parts[at + 1]
    return [(start * step, end * step, replicas) for start, end, replicas in parts]


def _once(outlook: Outlook, per_pod: float, lead: int, most: int) -> list[Window]:
    """One window for each announced event, until the autoscaler has taken over."""
    out = []
    for event in outlook.events:
        end = min(event.end, event.start + _SETTLE)
        first, last = _span(outlook, event.start, end)
        part = outlook.upper[first:last]
        if len(part):
            replicas = int(min(most, math.ceil(float(part.max()) / per_pod)))
            out.append(Window((), event.start - lead, end, replicas, event.name))
    return out


def cron_triggers(schedule: Schedule) -> list[dict[str, Any]]:
    """The windows as triggers of a KEDA ScaledObject.

    A `cron` trigger is a metric with the target 1, on which the autoscaler's tolerance acts: 11 asked for on 10 running
    replicas change nothing, which the interval of the forecast makes good.
    """
    return [
        {
            "type": "cron",
            "metadata": {
                "timezone": schedule.timezone,
                "start": _cron(window, window.start),
                "end": _cron(window, window.end),
                "desiredReplicas": str(window.replicas),
            },
        }
        for window in schedule.windows
    ]


class MinimumChange(NamedTuple):
    """When a minimum of replicas becomes another."""

    cron: str
    """Five fields, of the schedule's wall clock."""
    replicas: int


def minimum_changes(schedule: Schedule, least: int) -> list[MinimumChange]:
    """The windows as times at which a minimum changes: those that come again by the time of the day, then the others.

    A rise is told to the minute that it is in, a fall to the next: the floor is nowhere below the windows.

    Args:
        schedule: the windows.
        least: the minimum outside of them.
    """
    week = 7 * DAY
    weekly = [window for window in schedule.windows if window.days]
    edges = {(day * DAY + time) % week for window in weekly for day in window.days for time in window[1:3]}
    found: dict[tuple[int, int], list[int]] = {}
    for edge in sorted(edges):
        before, now = (_weekly(weekly, moment % week, least) for moment in (edge - 1, edge))
        if before != now:
            minute = (edge if now > before else edge + 59) // 60 % (week // 60)
            found.setdefault((minute % (DAY // 60), now), []).append(minute // (DAY // 60))
    changes = [
        MinimumChange(f"{minute % 60} {minute // 60} * * {_cron_days(days)}", replicas)
        for (minute, replicas), days in sorted(found.items())
    ]
    once = [window for window in schedule.windows if not window.days]
    for edge in sorted({time for window in once for time in (window.start, window.end)}):
        active = [window.replicas for window in once if window.start <= edge < window.end]
        replicas = max([_weekly(weekly, (edge + 3 * DAY) % week, least), *active])
        moment = moment_of((edge if active else edge + 59) // 60 * 60)
        changes.append(MinimumChange(f"{moment.minute} {moment.hour} {moment.day} {moment.month} *", replicas))
    return changes


def _weekly(windows: Sequence[Window], moment: int, least: int) -> int:
    """The floor at a second of the week that begins on Monday."""
    day, time = divmod(moment, DAY)
    return max([least, *(one.replicas for one in windows if day in one.days and one.start <= time < one.end)])


def _cron(window: Window, time: int) -> str:
    """Five fields: minute, hour, day, month, weekday; the end of a day is 23:59 of it."""
    if window.days:
        seconds = min(time, DAY - 60)
        return f"{seconds // 60 % 60} {seconds // 3600} * * {_cron_days(window.days)}"
    moment = moment_of(time)
    return f"{moment.minute} {moment.hour} {moment.day} {moment.month} *"


def _cron_days(days: Sequence[int]) -> str:
    return ",".join(_CRON_DAYS[day] for day in days) if len(days) < 7 else "*"


def described(schedule: Schedule) -> Sequence[tuple[str, str, str, int, str]]:
    """The windows as rows: days, from, to, replicas, why."""
    rows = []
    for window in schedule.windows:
        if window.days:
            days = _day_names(window.days)
            rows.append((days, _clock(window.start), _clock(window.end), window.replicas, window.why))
        else:
            start, end = moment_of(window.start), moment_of(window.end)
            rows.append((start.date().isoformat(), f"{start:%H:%M}", f"{end:%H:%M}", window.replicas, window.why))
    return rows


def _day_names(days: tuple[int, ...]) -> str:
    if len(days) == 7:
        return "every day"
    if len(days) > 2 and days == tuple(range(days[0], days[-1] + 1)):
        return f"{_CRON_DAYS[days[0]]}-{_CRON_DAYS[days[-1]]}".lower()
    return ",".join(_CRON_DAYS[day] for day in days).lower()


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
