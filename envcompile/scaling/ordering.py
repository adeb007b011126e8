"""Rows of a recorded load in the order of time: sorted where they have none, without those of a clock that jumped."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

import numpy as np

from envcompile.errors import Problem, UsageError

if TYPE_CHECKING:
    import numpy.typing as npt

    Instants = npt.NDArray[np.int64]
    Places = npt.NDArray[np.intp]

_UNSORTED_FROM: Final = 0.02
"""A clock goes back now and then; rows of which this share stands before its neighbour were never sorted."""
_SHARED_FROM: Final = 0.1
"""Where so many rows share their instant with another one, they are parts of a load: of pods, or of hosts."""


def ordered(source: str, times: Instants) -> tuple[Places, tuple[str, ...]]:
    """The places of the rows that count, in the order of time, and what is to be said of the others.

    Args:
        source: what the rows are from, for messages.
        times: of each row, in ms since 1970, in the order in which the rows came.

    Raises:
        UsageError: rows share their instants, so that none of them is the load at its time.
    """
    places = np.arange(len(times))
    notes = []
    back = int((np.diff(times) < 0).sum())
    if back > 1 and back > _UNSORTED_FROM * len(times):
        places = np.argsort(times, kind="stable")
        notes.append("the rows stand in no order of time: they were sorted")
    shared = np.concatenate([[False], np.diff(times[places]) == 0])
    if shared.sum() > 1 and shared.sum() > _SHARED_FROM * len(times):
        raise UsageError([
            Problem(
                f"{int(shared.sum()):,} of {len(times):,} rows of {source} have the time of another row",
                "write one row for each instant: the sum of all pods, or hosts",
            )
        ])
    if shared.any():
        notes.append(f"{counted(int(shared.sum()), 'sample')} left out: of the same time as another one")
        places = places[~shared]
    if len(rising := _rising(times[places])) < len(places):
        notes.append(f"{counted(len(places) - len(rising), 'sample')} left out: the clock jumped")
        places = places[rising]
    return places, tuple(notes)


def _rising(times: Instants) -> Places:
    """The places of the longest run of rising times: what is between them is the fewest that a clock got wrong."""
    if (np.diff(times) > 0).all():
        return np.arange(len(times))
    # Patience sorting: the least last time of a run of each length, and the place before each.
    lasts: list[int] = []
    places: list[int] = []
    before: list[int] = []
    for place, time in enumerate(times.tolist()):
        length = bisect_left(lasts, time)
        before.append(places[length - 1] if length else -1)
        lasts[length : length + 1] = [time]
        places[length : length + 1] = [place]
    found = [places[-1]]
    while before[found[-1]] >= 0:
        found.append(before[found[-1]])
    return np.array(found[::-1])


def counted(number: int, what: str) -> str:
    """A number and what it counts, in the plural where it is not one."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
