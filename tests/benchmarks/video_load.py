"""A year of load of a video platform, one value a minute, with evening peaks, promotions and sudden news.

The model: night low, a bump at noon, an evening whose height is drawn each day (5-10 times the morning) from about
19:45 to 23:15; weekdays, growth of 35 % a year, winter, Christmas; two autoregressive noises. Promotions (announced)
are 17-22 times the morning within 2-5 minutes, news 3-9 times within 1-3; outages leave 2 %. The same seed gives the
same numbers.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

START: Final = dt.datetime(2026, 1, 1)  # ruff: ignore[call-datetime-without-tzinfo] - wall-clock time
BASE: Final = 120.0
"""Requests a second on an ordinary morning."""


@dataclass(frozen=True)
class Event:
    """Something beside the daily course."""

    kind: str
    """promotion (announced), news (not announced) or outage."""
    start: int
    """Minute of the year."""
    factor: float
    """Of the base load at its height."""
    ramp: int
    """Minutes to its height."""
    half_life: int
    """Minutes to half of it; an outage: its length."""


def curve(hour: float) -> float:
    """Share of the day's base load without the evening: low at night, a bump at noon."""
    night = 0.45 + 0.55 / (1 + math.exp(-(hour - 8.0) * 1.4))
    noon = 0.35 * math.exp(-((hour - 12.7) ** 2) / 2.0)
    return night + noon


def evening(hour: float) -> float:
    """0..1: rises from 18:45, full between 20:00 and 23:00, gone at 00:30."""
    if hour < 6:
        hour += 24
    up = 1 / (1 + math.exp(-(hour - 19.75) * 9))
    down = 1 / (1 + math.exp((hour - 23.25) * 7))
    return up * down


def events(rng: random.Random, minutes: int) -> list[Event]:
    """All events of so many minutes, by start."""
    days = minutes // 1440
    out = []
    promotions = max(1, round(days / 40))
    for n in range(promotions):
        day = min(days - 1, int((n + rng.random()) * days / promotions))
        hour = rng.choice([10, 12, 18, 20, 20])
        height = rng.uniform(17, 22)
        out.append(Event("promotion", day * 1440 + hour * 60, height, rng.randrange(2, 6), rng.randrange(25, 70)))
    for _ in range(max(1, round(days / 28))):
        start = rng.randrange(minutes)
        out.append(Event("news", start, rng.uniform(3, 9), rng.randrange(1, 4), rng.randrange(12, 45)))
    out += [Event("outage", rng.randrange(minutes), 0.0, 1, rng.randrange(4, 40)) for _ in range(round(days / 120))]
    return sorted(out, key=lambda event: event.start)


def boost(found: list[Event], minute: int) -> tuple[float, float, str]:
    """What events add (in base loads), what they multiply by, and the name of the first."""
    add, times, label = 0.0, 1.0, ""
    for event in found:
        age = minute - event.start
        if age < 0:
            break
        if event.kind == "outage":
            if age < event.half_life:
                times, label = 0.02, "outage"
            continue
        if age > 12 * event.half_life:
            continue
        height = min(1.0, (age + 1) / event.ramp) * 0.5 ** (max(0, age - event.ramp) / event.half_life)
        add += event.factor * height
        if height > 0.05:
            label = label or event.kind
    return add, times, label


class Year(NamedTuple):
    """A value for each minute."""

    requests: Floats
    """A second."""
    cpu: Floats
    """Cores that serve them."""
    events: list[Event]


def year(seed: int, days: int = 365) -> Year:
    """The load of a seed."""
    rng = random.Random(f"load/{seed}")
    minutes = days * 1440
    found = events(random.Random(f"events/{seed}"), minutes)
    slow = fast = previous = cold = 0.0
    peak = 7.0
    active: list[Event] = []
    pending = list(found)
    requests, cores = np.zeros(minutes), np.zeros(minutes)
    for minute in range(minutes):
        moment = START + dt.timedelta(minutes=minute)
        if minute % 1440 == 12 * 60 or minute == 0:  # one height of the evening per evening
            weekend = moment.weekday() >= 4 and moment.weekday() != 6
            peak = min(10.0, max(5.0, rng.gauss(8.3 if weekend else 6.8, 0.7)))
        hour = moment.hour + moment.minute / 60
        week = (1.0, 0.97, 0.98, 1.0, 1.06, 1.22, 1.2)[moment.weekday()]
        growth = 1 + 0.35 * minute / 525_600
        season = 1 + 0.12 * math.cos(2 * math.pi * (minute / 1440 - 15) / 365)
        if (moment.month == 12 and moment.day >= 23) or (moment.month == 1 and moment.day <= 2):
            season *= 1.25
        slow = 0.9995 * slow + rng.gauss(0, 0.0018)
        fast = 0.8 * fast + rng.gauss(0, 0.02)
        while pending and pending[0].start <= minute:
            active.append(pending.pop(0))
        if minute % 60 == 0:
            active = [event for event in active if minute - event.start <= 12 * max(event.half_life, 1)]
        add, times, _ = boost(active, minute)
        level = curve(hour) + evening(hour) * (peak - curve(hour))
        # An announced promotion in the evening comes on top of the evening, not times it.
        rate = BASE * week * growth * season * (level + add) * times * math.exp(slow + fast)
        rate = max(0.0, rate + rng.gauss(0, math.sqrt(max(rate, 1.0) / 60)))
        cold = 1.0 if rate > 1.5 * previous and minute > 0 else cold * 0.85
        previous = 0.9 * previous + 0.1 * rate if minute else rate
        each = 0.008 * (1 + 0.15 * evening(hour) + 0.35 * cold) * math.exp(rng.gauss(0, 0.03))
        uploads = BASE / 12 * week * growth * (curve((hour - 1) % 24) + 1.5 * evening(hour) + 0.25 * add) * times
        rng.gauss(0, math.sqrt(max(uploads, 1.0)))  # transcoding jobs, of which nothing here asks
        requests[minute], cores[minute] = rate, rate * each
    return Year(requests, cores, found)
