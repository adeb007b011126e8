"""The controller's lists of scale events, for many lanes at once.

An event that is older than every period of its own direction gives its place to the next one; policies of the other
direction may have longer periods, and lose it. Only for such a direction a list is kept: else the sizes say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Whole = npt.NDArray[np.int64]

_EMPTY: Final = -(2**40)
_JUNK: Final = -(2**39)
"""The step of an event that no policy looks at any more: its place counts, nothing else."""


@dataclass(slots=True)
class EventLanes:
    """The list of one direction; rows are places, and steps count from the start of each lane."""

    steps: Whole
    changes: Whole
    longest: int
    """Steps after which an event may give its place away."""
    relevant: int
    """Steps after which no policy looks at an event."""
    is_up: bool

    @staticmethod
    def empty(lanes: int, longest: int, relevant: int, *, is_up: bool) -> EventLanes:
        """A list without events; there are as many places as can ever be taken."""
        shape = (longest + 2, lanes)
        steps, changes = np.full(shape, _EMPTY, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        return EventLanes(steps, changes, longest, relevant, is_up)

    def fill(self, first: int) -> None:
        """Let lanes from one on start with lists that once were as long as they can get, which most are after days."""
        self.steps[: self.longest + 1, first:] = _JUNK

    def copy(self) -> EventLanes:
        """The same, to go on from."""
        return EventLanes(self.steps.copy(), self.changes.copy(), self.longest, self.relevant, self.is_up)

    def picked(self, lanes: Whole) -> EventLanes:
        """Some of the lanes."""
        return EventLanes(self.steps[:, lanes], self.changes[:, lanes], self.longest, self.relevant, self.is_up)

    def put(self, lanes: Whole, other: EventLanes) -> None:
        """Take over some lanes."""
        self.steps[:, lanes] = other.steps
        self.changes[:, lanes] = other.changes

    def settled(self, step: int) -> EventLanes:
        """The same without what no policy looks at from a step on."""
        is_old = (self.steps > _JUNK) & (self.steps < step - self.relevant)
        steps = np.where(is_old, _JUNK, self.steps)
        changes = np.where(is_old, 0, self.changes)
        return EventLanes(steps, changes, self.longest, self.relevant, self.is_up)

    def same(self, other: EventLanes, step: int) -> npt.NDArray[np.bool_]:
        """In which lanes both go on alike from a step on."""
        mine, others = self.settled(step), other.settled(step)
        alike: npt.NDArray[np.bool_] = ((mine.steps == others.steps) & (mine.changes == others.changes)).all(axis=0)
        return alike

    def recent(self, lanes: Whole, step: int, depth: int) -> Whole:
        """What the events of the last reconciliations before a step changed, as far as it is known."""
        counted = self.steps[:, lanes] >= step - depth
        total: Whole = np.where(counted, self.changes[:, lanes], 0).sum(axis=0)
        return total

    def store(self, before: Whole, after: Whole, step: int) -> None:
        """Put the changes of a step into the lists."""
        lanes = np.flatnonzero(after > before if self.is_up else after < before)
        if not len(lanes):
            return
        steps = self.steps[:, lanes]
        outdated = (steps != _EMPTY) & (steps < step - self.longest)
        last = len(steps) - 1 - np.argmax(outdated[::-1], axis=0)
        free = np.argmax(steps == _EMPTY, axis=0)
        places = np.where(outdated.any(axis=0), last, free)
        self.steps[places, lanes] = step
        self.changes[places, lanes] = np.abs(after[lanes] - before[lanes])

    def started_by(self, sizes: Whole, first: int, lane_steps: int) -> EventLanes:
        """The lists at the start of every lane, if these are the sizes after each step, and `first` the one before.

        One list goes through all events in their order, so that it is right wherever the sizes are.
        """
        changes = np.diff(sizes, prepend=first) * (1 if self.is_up else -1)
        found = np.flatnonzero(changes > 0)
        starts = EventLanes.empty(self.steps.shape[1], self.longest, self.relevant, is_up=self.is_up)
        own: list[tuple[int, int]] = []
        lane = 1
        for step, change in zip(found.tolist(), changes[found].tolist(), strict=True):
            while lane < starts.steps.shape[1] and lane * lane_steps <= step:
                starts.take(lane, own, lane * lane_steps)
                lane += 1
            outdated = [place for place, (at, _) in enumerate(own) if at < step - self.longest]
            if outdated:
                own[outdated[-1]] = (step, change)
            else:
                own.append((step, change))
        for rest in range(lane, starts.steps.shape[1]):
            starts.take(rest, own, rest * lane_steps)
        return starts

    def take(self, lane: int, own: list[tuple[int, int]], start: int) -> None:
        """Write a list into a lane that starts at a step of the whole."""
        for place, (at, change) in enumerate(own):
            is_old = at - start < -self.relevant
            self.steps[place, lane] = _JUNK if is_old else at - start
            self.changes[place, lane] = 0 if is_old else change
