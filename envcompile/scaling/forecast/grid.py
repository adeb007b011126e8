"""Samples as they were recorded -> one value for each slot of time, in wall-clock time; what is missing stays known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

DAY: Final = 86_400
"""Seconds."""


class Oddities(NamedTuple):
    """What was wrong with the samples; each was left out and counted."""

    not_numbers: int = 0
    negative: int = 0
    out_of_order: int = 0
    """The clock went back, or stood."""
    missing_slots: int = 0


@dataclass(frozen=True)
class Grid:
    """One value for each slot; NaN where nothing is known.

    Times are seconds of the wall clock since 1970-01-01 00:00 of the same wall clock, so that a day starts at a
    multiple of 86,400 and the evening of summer and winter is the same slot.
    """

    start: int
    """The first slot's time, a multiple of `step`."""
    step: int
    """Seconds of a slot; a whole number of them makes a day."""
    values: Floats
    oddities: Oddities = field(default_factory=Oddities)

    @property
    def day(self) -> int:
        """Slots in a day."""
        return DAY // self.step

    @property
    def week(self) -> int:
        """Slots in a week."""
        return 7 * self.day

    @property
    def end(self) -> int:
        """The time after the last slot."""
        return self.start + len(self.values) * self.step

    def before(self, time: int) -> Grid:
        """The part before a time."""
        return replace(self, values=self.values[: max(0, (time - self.start) // self.step)])

    def between(self, start: int, end: int) -> Floats:
        """The values of a stretch; NaN beyond what is known."""
        first, last = (start - self.start) // self.step, (end - self.start) // self.step
        out = np.full(max(0, last - first), np.nan)
        low, high = max(first, 0), min(last, len(self.values))
        if high > low:
            out[low - first : high - first] = self.values[low:high]
        return out

    def known(self) -> float:
        """The part of the slots of which something is known."""
        return float(np.isfinite(self.values).mean()) if len(self.values) else 0.0


def grid_of(times: Floats, values: Floats, step: int, *, peaks: bool = True) -> Grid:
    """Samples in slots: the largest of each slot, or the mean.

    Args:
        times: seconds, in the order of recording.
        values: as many.
        step: seconds of a slot.
        peaks: the largest value; capacity is for that.
    """
    times, values = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if not len(times):
        return Grid(0, step, np.zeros(0))
    finite = np.isfinite(values) & np.isfinite(times)
    negative = finite & (values < 0)
    latest = np.maximum.accumulate(np.where(finite, times, -np.inf))
    earlier = np.concatenate(([-np.inf], latest[:-1]))
    backward = finite & ~negative & (times <= earlier)
    good = finite & ~negative & ~backward
    if not good.any():
        return Grid(0, step, np.zeros(0), Oddities(int((~finite).sum()), int(negative.sum()), int(backward.sum())))
    slots = (times[good] // step).astype(np.int64)
    first = int(slots[0])
    places, chosen = slots - first, values[good]
    count = int(places[-1]) + 1
    out = np.full(count, np.nan)
    edges = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))
    if peaks:
        out[places[edges]] = np.maximum.reduceat(chosen, edges)
    else:
        lengths = np.diff(np.concatenate((edges, [len(places)])))
        out[places[edges]] = np.add.reduceat(chosen, edges) / lengths
    odd = Oddities(int((~finite).sum()), int(negative.sum()), int(backward.sum()), int(np.isnan(out).sum()))
    return Grid(first * step, step, out, odd)


def filled(values: Floats, week: int) -> Floats:
    """Values without holes: what is missing becomes the median of the same time in the other weeks.

    A time that no week knows is drawn as a line between its neighbours.

    Args:
        values: NaN where nothing is known.
        week: slots in a week.
    """
    holes = ~np.isfinite(values)
    if not holes.any():
        return values
    if holes.all():
        return np.zeros(len(values))
    weeks = -(-len(values) // week)
    table = np.full(weeks * week, np.nan)
    table[: len(values)] = np.where(holes, np.nan, values)
    typical = _median_known(table.reshape(weeks, week))
    out = np.where(holes, np.tile(typical, weeks)[: len(values)], values)
    left = ~np.isfinite(out)
    if left.any():
        places = np.arange(len(out))
        out[left] = np.interp(places[left], places[~left], out[~left])
    return out


def _median_known(table: Floats) -> Floats:
    """The median of each column without its holes; NaN for a column of holes."""
    ordered = np.sort(table, axis=0)  # NaN goes last
    counts = np.isfinite(table).sum(axis=0)
    columns = np.arange(table.shape[1])
    low, high = np.maximum(counts - 1, 0) // 2, counts // 2
    high = np.minimum(high, table.shape[0] - 1)
    both: Floats = (ordered[low, columns] + ordered[np.where(counts > 0, high, 0), columns]) / 2
    return both
