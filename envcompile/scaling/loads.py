"""A recorded load, whatever it came from: cleaned, and laid on the grid of 15 s that replays use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from envcompile.errors import EnvcError, Problem, UsageError, did_you_mean
from envcompile.scaling.columns import Column
from envcompile.scaling.ordering import counted, ordered
from envcompile.scaling.podworld import SAMPLE_MS
from envcompile.scaling.quantities import amount_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

MOST_SAMPLES: Final = 20_000_000
"""A load may be this long at 15 s, nine years: times that are wrong by units are told instead of computed."""
_SHORTEST_GAP_MS: Final = 60_000
_MOST: Final = float(1 << 62)
"""The largest whole number that is computed with: half of what 64 bits hold, so that rounding stays inside."""
_COUNTER: Final = "_total"
"""How Prometheus names what only grows."""


class LoadSource(Protocol):
    """Something a load can be read from."""

    def load(self) -> Load:
        """Read it.

        Raises:
            EnvcError: it cannot be read, or holds no load.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """Samples at instants, by name.

    `cpu` is in cores and `memory` in bytes, of all pods together; any other is the metric of that name.
    """

    source: str
    times: npt.NDArray[np.int64]
    """Milliseconds since 1970, rising."""
    values: Mapping[str, Floats]
    """NaN is unknown."""
    notes: tuple[str, ...] = ()
    """What was left out of it, and why."""

    @property
    def start(self) -> datetime:
        """The first instant, on the grid."""
        return datetime.fromtimestamp(self.origin / 1000, UTC)

    @property
    def origin(self) -> int:
        """The first instant on the grid, in ms since 1970."""
        return int(self.times[0]) // SAMPLE_MS * SAMPLE_MS

    @property
    def step(self) -> int:
        """How far two samples are apart as a rule, in ms."""
        return int(np.median(np.diff(self.times))) if len(self.times) > 1 else SAMPLE_MS

    @property
    def samples(self) -> int:
        """How many 15 s it lasts."""
        return max(1, -(-(int(self.times[-1]) + self.step - self.origin) // SAMPLE_MS))


def cleaned(source: str, times: npt.NDArray[np.int64], values: Mapping[str, Floats]) -> Load:
    """Bring what was recorded into order: what cannot be is unknown, and it is told how much that was.

    Samples whose clock jumped are left out, numbers below zero and infinities are unknown, and what only grows
    (`*_total`) becomes its growth in a second, where a fall is a counter that began anew.

    Raises:
        UsageError: there is nothing left, rows share their instants, or it lasts longer than any load does.
    """
    if len(times) == 0:
        raise UsageError([Problem(f"{source} holds no samples", "name a load with rows of time and numbers")])
    places, said = ordered(source, times)
    notes = list(said)
    times = times[places]
    kept = {}
    for name, given in values.items():
        column = given[places].astype(np.float64)
        lost = int(np.isnan(column).sum())
        if lost:
            notes.append(f"{counted(lost, 'sample')} of {name} missing")
        wrong = ~np.isnan(column) & ((column < 0) | np.isinf(column))
        if wrong.any():
            notes.append(f"{counted(int(wrong.sum()), 'sample')} of {name} unknown: below zero or infinite")
            column[wrong] = np.nan
        if name.endswith(_COUNTER):
            column, resets = _growth(times, column)
            if resets:
                notes.append(f"{name} began anew {counted(resets, 'time')}")
        kept[name] = column
    load = Load(source, times, kept, tuple(notes))
    if load.samples > MOST_SAMPLES:
        years = load.samples / 2_102_400
        raise UsageError([
            Problem(f"{source} lasts {years:.0f} years", "write times as ISO 8601, or as seconds since 1970")
        ])
    gaps = int((np.diff(times) > _gap(load)).sum())
    return load if not gaps else Load(source, times, kept, (*notes, f"{counted(gaps, 'gap')} in time"))


def _growth(times: npt.NDArray[np.int64], column: Floats) -> tuple[Floats, int]:
    """The growth in a second up to each sample, and how often the counter began anew."""
    grown = np.diff(column)
    resets = grown < 0
    grown = np.where(resets, column[1:], grown)
    rates = np.full(len(column), np.nan)
    rates[1:] = grown / (np.diff(times) / 1000)
    return rates, int(resets.sum())


def _gap(load: Load) -> int:
    """How long a sample holds when none follows, in ms."""
    return max(3 * load.step, _SHORTEST_GAP_MS)


OOM_KILLS: Final = "oom_kills"
"""The column of how many containers of the workload were killed for memory since the row before."""
THROTTLED: Final = "cpu_throttled"
"""The column of the part of the scheduler's periods in which the workload's pods had used up their limit of CPU."""


def kills(load: Load) -> Floats:
    """How many containers were killed for memory, by row; a counter (`*_total`) is told as its growth in a second."""
    counted = load.values.get(f"{OOM_KILLS}{_COUNTER}")
    if counted is not None:
        seconds = np.diff(load.times, prepend=load.times[:1]) / 1000
        return np.round(np.nan_to_num(counted) * seconds)
    return np.nan_to_num(load.values.get(OOM_KILLS, np.zeros(len(load.times))))


_TERM: Final = re.compile(r"\s*\*\s*")


def per_second(load: Load, expression: str) -> Floats:
    """A column, or a product of columns and numbers, for each 15 s; a sample holds until the next, or a gap.

    Raises:
        UsageError: the load has no such column.
    """
    factors: list[Floats] = []
    scale = 1.0
    for term in _TERM.split(expression.strip()):
        if term in load.values:
            factors.append(load.values[term])
            continue
        try:
            scale *= float(amount_of(term))
        except EnvcError:
            hint = did_you_mean(term, load.values, f"it has {', '.join(load.values)}")
            raise UsageError([Problem(f"{load.source} has no column {term}", hint)]) from None
    column = np.prod(factors, axis=0) * scale if factors else np.full(len(load.times), scale)
    instants = load.origin + SAMPLE_MS * np.arange(load.samples, dtype=np.int64)
    # A sample between two instants of the grid holds from the later one on; the first one holds from the start.
    places = np.maximum(np.searchsorted(load.times, instants, side="right") - 1, 0)
    found: Floats = column[places]
    found[instants - load.times[places] >= _gap(load)] = np.nan
    return found


def whole_column(values: Floats, scale: float, idle: int = 0) -> Column:
    """A column of whole numbers of `1 / scale`; NaN is unknown.

    Raises:
        UsageError: a number is beyond what whole numbers of 64 bits hold.
    """
    known = ~np.isnan(values)
    with np.errstate(over="ignore"):
        scaled = np.where(known, values, 0) * scale
    if scaled.size and np.abs(scaled).max() > _MOST:
        raise UsageError([Problem("a number of the load is too large", "write cores, bytes, or a larger unit")])
    whole = np.floor(scaled + 0.5).astype(np.int64)
    return Column(whole, None if known.all() else known, idle)
