"""Each model's error on weeks that it has not seen, and the choice among them.

Rolling origin: the model gets all before a week and says that week. The older weeks choose, the newest ones are held
back: they tell whether the choice was any good, and "same time last week" is what it is held against (Tashman,
"Out-of-sample tests of forecasting accuracy", 2000). Some weeks tell little: of the models that err nearly as little as
the best one, the one is taken whose worst week is the least bad.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import starmap
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from envcompile.errors import EnvcError, Problem
from envcompile.scaling.forecast.grid import filled
from envcompile.scaling.forecast.models import LAST_WEEK, candidates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.scaling.forecast.grid import Floats, Grid
    from envcompile.scaling.forecast.models import Candidate

CHOOSING_WEEKS: Final = 8
HELD_BACK_WEEKS: Final = 4
_NEARLY: Final = 1.1
"""An error up to a tenth larger than the least one is as good: chance makes no less of a difference in two months."""
LEAST_WEEKS: Final = 6
"""Below this nothing is said: four weeks to look at, one to choose by, one held back."""


class Score(NamedTuple):
    """One model's mean absolute errors, in the unit of the load."""

    model: str
    choosing: float
    """On the weeks that chose."""
    worst: float
    """On the worst of these, as a part of the error of "same time last week"."""
    held_back: float
    """On the weeks that were held back."""
    better_weeks: int
    """Of those held back, how many it said better than "same time last week"."""


@dataclass(frozen=True)
class Backtest:
    """All scores, and which model was chosen."""

    scores: tuple[Score, ...]
    chosen: Candidate
    choosing_weeks: int
    held_back_weeks: int
    said: Floats
    """The chosen model's forecasts of all those weeks, one after the other."""
    came: Floats
    """What came instead; NaN where nothing is known."""

    @property
    def score(self) -> Score:
        """That of the chosen model."""
        return next(score for score in self.scores if score.model == self.chosen.name)

    @property
    def naive(self) -> Score:
        """That of "same time last week"."""
        return self.scores[0]

    @property
    def holds(self) -> bool:
        """True where the chosen model was no worse than "same time last week" on the weeks held back."""
        return self.score.held_back <= self.naive.held_back


def backtest(grid: Grid, *, with_library: bool, held_back: int = HELD_BACK_WEEKS) -> Backtest:
    """Try all models on the past.

    Args:
        grid: the load, without announced events.
        with_library: try the library's model, too.
        held_back: how many weeks are held back at most.

    Raises:
        EnvcError: there is too little load.
    """
    week = grid.week
    known = np.flatnonzero(np.isfinite(grid.values))
    have = (int(known[-1]) + 1 - int(known[0])) // week if len(known) else 0
    if have < LEAST_WEEKS or grid.known() < 0.5:
        what = f"{have * 7} whole days of load are too little for a forecast: it takes {LEAST_WEEKS * 7}"
        if have >= LEAST_WEEKS:
            what = f"only {grid.known():.0%} of the load is known, which is too little for a forecast"
        raise EnvcError([Problem(what, "record longer, or give a file with more of it by --load")])
    held = max(1, min(held_back, (have - 4) // 2))
    choosing = max(1, min(CHOOSING_WEEKS, have - 4 - held))
    tried = [_tried(grid, candidate, choosing + held) for candidate in candidates(with_library=with_library)]
    came = tried[0][1]
    scores = [_score(candidate, said, came, choosing, week, tried[0][0]) for said, _, candidate in tried]
    least = min(score.choosing for score in scores)
    near = [place for place, score in enumerate(scores) if score.choosing <= least * _NEARLY]
    best = min(near, key=lambda place: (scores[place].worst, scores[place].choosing))
    return Backtest(tuple(scores), tried[best][2], choosing, held, tried[best][0], came)


def _tried(grid: Grid, candidate: Candidate, weeks: int) -> tuple[Floats, Floats, Candidate]:
    """A model's forecasts of the last weeks, and what came."""
    week, values = grid.week, grid.values
    said = []
    for back in range(weeks, 0, -1):
        past = filled(values[: len(values) - back * week], week)
        said.append(candidate.model(past, grid.day, week))
    return np.concatenate(said), values[len(values) - weeks * week :], candidate


def _score(candidate: Candidate, said: Floats, came: Floats, choosing: int, week: int, naive: Floats) -> Score:
    errors, plain = _weekly(np.abs(said - came), week), _weekly(np.abs(naive - came), week)
    worst = max(starmap(_part, zip(errors[:choosing], plain[:choosing], strict=True)))
    better = sum(mine < other for mine, other in zip(errors[choosing:], plain[choosing:], strict=True))
    return Score(candidate.name, float(np.mean(errors[:choosing])), worst, float(np.mean(errors[choosing:])), better)


def _weekly(errors: Floats, week: int) -> list[float]:
    """The mean of each week, without what is not known; a week of which nothing is known has no error."""
    means = []
    for start in range(0, len(errors), week):
        known = errors[start : start + week]
        known = known[np.isfinite(known)]
        means.append(float(known.mean()) if len(known) else 0.0)
    return means


def table(backtest: Backtest) -> Sequence[tuple[str, float, float, int]]:
    """Each model with its two errors as parts of those of "same time last week", the best first."""
    naive = backtest.naive
    rows = [
        (
            score.model,
            _part(score.choosing, naive.choosing),
            _part(score.held_back, naive.held_back),
            score.better_weeks,
        )
        for score in backtest.scores
    ]
    return sorted(rows, key=lambda row: (row[1], row[0] != LAST_WEEK))


def _part(error: float, of: float) -> float:
    return error / of if of else (1.0 if not error else float("inf"))
