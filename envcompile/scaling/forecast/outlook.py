"""The forecast of a load: the chosen model, an interval from its own errors, and announced events on top."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from envcompile.scaling.forecast.backtest import backtest
from envcompile.scaling.forecast.grid import DAY, filled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envcompile.scaling.forecast.backtest import Backtest
    from envcompile.scaling.forecast.calendar import Event
    from envcompile.scaling.forecast.grid import Floats, Grid

INTERVAL: Final = 0.9
"""The part of what came that lies between the two ends."""
_AFTERMATH: Final = 2.0
"""An event is looked at for this many times its length: load falls slowly."""
_NEIGHBOURS: Final = 2
"""Slots before and after that tell of a slot's errors, too."""


@dataclass(frozen=True)
class Outlook:
    """What a load will be, slot by slot."""

    start: int
    """Seconds of the wall clock (see `Grid`)."""
    step: int
    middle: Floats
    lower: Floats
    upper: Floats
    backtest: Backtest
    covered: float
    """The part of the weeks held back that lay in the interval."""
    events: tuple[Event, ...]
    """Those on top."""
    unsized: tuple[Event, ...] = ()
    """Events of which nobody knows what they do: none of their name was recorded, and they say nothing themselves."""

    @property
    def end(self) -> int:
        """The time after the last slot."""
        return self.start + len(self.middle) * self.step


def without_events(grid: Grid, events: Iterable[Event]) -> Grid:
    """The load with holes where events were: one promotion is no season."""
    values = grid.values.copy()
    for event in events:
        # A holiday tells nothing of its weekday; it has no aftermath.
        lasts = event.end - event.start
        until = event.start + (int(lasts * _AFTERMATH) if event.like is None else lasts)
        first, last = (event.start - grid.start) // grid.step, -(-(until - grid.start) // grid.step)
        values[max(first, 0) : max(last, 0)] = np.nan
    return replace(grid, values=values)


def outlook(grid: Grid, events: Sequence[Event], slots: int, *, with_library: bool) -> Outlook:
    """The forecast of the slots after the recorded ones.

    Args:
        grid: the load.
        events: those in the past, which are taken out, and those to come.
        slots: how many to forecast.
        with_library: try the library's model, too.

    Raises:
        EnvcError: there is too little load.
    """
    quiet = without_events(grid, events)
    tried = backtest(quiet, with_library=with_library)
    past = filled(quiet.values, quiet.week)
    middle = tried.chosen.model(past, grid.day, slots).astype(np.float64)
    middle = _with_holidays(middle, grid, events)
    is_load = bool(past.min() >= 0)
    lower, upper = _interval(tried, grid, slots, middle, is_load=is_load)
    covered = _covered(tried, grid, is_load=is_load)
    adding = [event for event in events if event.like is None and event.end > grid.end]
    middle, lower, upper = middle.copy(), lower.copy(), upper.copy()
    sized, unsized = [], []
    for event in adding:
        shape = _what_it_adds(event, grid, past, events)
        if shape is None:
            unsized.append(event)
            continue
        first = (event.start - grid.end) // grid.step
        for offset, (typical, least, most) in enumerate(shape):
            if 0 <= first + offset < slots:
                middle[first + offset] += typical
                lower[first + offset] += least
                upper[first + offset] += most
        if first < slots:
            sized.append(event)
    unsized = [event for event in unsized if event.start < grid.end + slots * grid.step]
    return Outlook(grid.end, grid.step, middle, lower, upper, tried, covered, tuple(sized), tuple(unsized))


def _with_holidays(middle: Floats, grid: Grid, events: Iterable[Event]) -> Floats:
    """The forecast in which days have the load of another weekday."""
    day, out = grid.day, middle.copy()
    midnight = -(-grid.end // DAY) * DAY
    for event in events:
        if event.like is None or event.end <= grid.end:
            continue
        for start in range(event.start // DAY * DAY, event.end, DAY):
            first = (start - grid.end) // grid.step
            like = next(midnight + n * DAY for n in range(7) if (midnight // DAY + n + 3) % 7 == event.like)
            source = (like - grid.end) // grid.step
            for offset in range(day):
                if 0 <= first + offset < len(out) and 0 <= source + offset < len(middle):
                    out[first + offset] = middle[source + offset]
    return out


def _interval(tried: Backtest, grid: Grid, slots: int, middle: Floats, *, is_load: bool) -> tuple[Floats, Floats]:
    """The ends of the interval: the same parts of the errors that the model made at that time of day before.

    Source: split conformal prediction (Lei et al., "Distribution-Free Predictive Inference for Regression", 2018), with
    the errors of loads as factors, for they grow with the load.
    """
    low, high = _errors(tried.said, tried.came, grid, is_load=is_load)
    first = grid.end % DAY // grid.step
    places = (first + np.arange(slots)) % grid.day
    if is_load:
        return np.maximum(middle * low[places], 0.0), middle * high[places]
    return middle + low[places], middle + high[places]


def _errors(said: Floats, came: Floats, grid: Grid, *, is_load: bool) -> tuple[Floats, Floats]:
    """For each slot of a day, the ends of what errors were between: factors or differences.

    The forecasts end where the load ends, so the last slot's place in the day is known.
    """
    day = grid.day
    if is_load:
        floor = max(float(np.median(said)) * 0.01, 1e-9)
        errors = (came + floor) / (said + floor)
    else:
        errors = came - said
    whole = len(errors) // day * day
    table = errors[-whole:].reshape(-1, day)
    table = np.roll(table, grid.end % DAY // grid.step, axis=1)
    wide = np.concatenate([np.roll(table, shift, axis=1) for shift in range(-_NEIGHBOURS, _NEIGHBOURS + 1)])
    neutral = 1.0 if is_load else 0.0
    wide = np.where(np.isfinite(wide), wide, neutral)
    outside = (1 - INTERVAL) / 2
    low, high = np.quantile(wide, (outside, 1 - outside), axis=0)
    return low, high


def _covered(tried: Backtest, grid: Grid, *, is_load: bool) -> float:
    """The part of the weeks held back within an interval that only the weeks before them made."""
    border = tried.choosing_weeks * grid.week
    low, high = _errors(tried.said[:border], tried.came[:border], grid, is_load=is_load)
    said, came = tried.said[border:], tried.came[border:]
    places = (grid.end % DAY // grid.step + np.arange(len(said))) % grid.day
    if is_load:
        inside = (came >= said * low[places]) & (came <= said * high[places])
    else:
        inside = (came >= said + low[places]) & (came <= said + high[places])
    known = np.isfinite(came)
    return float(inside[known].mean()) if known.any() else 0.0


def _what_it_adds(
    event: Event, grid: Grid, past: Floats, events: Iterable[Event]
) -> list[tuple[float, float, float]] | None:
    """What an event adds in each slot from its start on: typical, least, most; None where nobody knows.

    What the events of its name added before is measured in the usual load of their weeks, so that a load that has grown
    since has grown here, too.
    """
    length = -(-int((event.end - event.start) * _AFTERMATH) // grid.step)
    usual = _usual(past, len(past), grid)
    shapes = []
    for other in events:
        if other.name == event.name and other.like is None and other.end <= grid.end and other.start >= grid.start:
            first = (other.start - grid.start) // grid.step
            came = grid.between(other.start // grid.step * grid.step, (other.start // grid.step + length) * grid.step)
            without = np.full(length, np.nan)
            known = past[first : first + length]
            without[: len(known)] = known
            level = _usual(past, first, grid)
            if level > 0 and np.isfinite(came).any():
                shapes.append(np.maximum(np.nan_to_num((came - without) / level), 0.0))
    if shapes:
        table = np.array(shapes) * usual
        return list(zip(np.median(table, axis=0), table.min(axis=0), table.max(axis=0), strict=True))
    if event.adds is None:
        return None
    lasts = -(-(event.end - event.start) // grid.step)
    full = event.adds * usual
    return [(full, 0.0, full) if at < lasts else (full / 2, 0.0, full / 2) for at in range(length)]


def _usual(past: Floats, until: int, grid: Grid) -> float:
    """The usual load of a week: its median."""
    week = past[max(0, until - grid.week) : until]
    return float(np.median(week)) if len(week) else 0.0
