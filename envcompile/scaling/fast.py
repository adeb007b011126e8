"""The fast replay: the sizes that the exact one gives, for searches over a year of load.

Time is cut into lanes that are replayed side by side, each from a guess of the state it starts in. Then every lane
whose guess was wrong is replayed from the state in which the lane before it ended, until it meets its former course;
a replay in which all lanes start where the ones before them ended is the replay of the whole.

`not_covered` says what only the exact replay can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from envcompile.scaling.eventlanes import EventLanes
from envcompile.scaling.hpa.spec import DEFAULT_FLAGS, MetricKind, Select, TargetKind
from envcompile.scaling.lanes import NOTHING, MetricLane, Minima, limit_lanes, pace_of, rows_within
from envcompile.scaling.podworld import SAMPLE_MS

if TYPE_CHECKING:
    import numpy.typing as npt

    from envcompile.scaling.columns import Columns
    from envcompile.scaling.hpa.spec import Autoscaler, ControllerFlags
    from envcompile.scaling.podworld import Workload

    Whole = npt.NDArray[np.int64]

_STEPS_OF_A_LANE: Final = 360
_CHECKED_EACH: Final = 24
"""Steps between two looks whether lanes have met their former course."""


def not_covered(
    workload: Workload, autoscaler: Autoscaler, columns: Columns, flags: ControllerFlags = DEFAULT_FLAGS
) -> str:
    """Why the fast replay cannot answer, in words; empty: it can.

    Beyond this, only the exact replay knows spells of broken pods, pods of unequal load, edits, and metrics that take
    their time.
    """
    period = flags.sync_period_seconds
    if period % (SAMPLE_MS // 1000):
        return "reconciliations are not on the grid of the load"
    if not (workload.replicas == 0 or autoscaler.min_replicas <= workload.replicas <= autoscaler.max_replicas):
        return "the first size is outside of the autoscaler's bounds"
    by_value = any(metric.target_kind is TargetKind.VALUE for metric in autoscaler.metrics)
    if by_value and workload.startup.terminate > period:
        return "pods that end still count for a target of type Value"
    if any(metric.kind is MetricKind.RESOURCE and not workload.containers for metric in autoscaler.metrics):
        return "the workload has no containers"
    for group in (columns.resources, columns.pods, columns.objects, columns.external):
        if any(len(one.values) and int(one.values.min()) < 0 for one in group.values()):
            return "a load is below zero"
    return ""


def fast_replay(
    workload: Workload, autoscaler: Autoscaler, columns: Columns, flags: ControllerFlags = DEFAULT_FLAGS
) -> Whole:
    """The size after each reconciliation, from 0 on, one each sync period; see `not_covered`."""
    return _Run(workload, autoscaler, columns, flags).sizes()


@dataclass(slots=True)
class _Course:
    """What some lanes went through: rows are reconciliations, the first ones are those before the lanes' start."""

    sizes: Whole
    highs: Whole
    """Recommendations, with NOTHING where there was none."""
    zeros: npt.NDArray[np.bool_]
    events: list[list[EventLanes]]
    """The events of those directions that lose some, at each look."""

    def picked(self, lanes: Whole) -> _Course:
        """Some of the lanes."""
        return _Course(
            self.sizes[:, lanes],
            self.highs[:, lanes],
            self.zeros[:, lanes],
            [[side.picked(lanes) for side in look] for look in self.events],
        )

    def put(self, lanes: Whole, other: _Course, rows: int, looks: int) -> None:
        """Take over what some lanes went through up to a row."""
        self.sizes[:rows, lanes] = other.sizes[:rows]
        self.highs[:rows, lanes] = other.highs[:rows]
        self.zeros[:rows, lanes] = other.zeros[:rows]
        for mine, others in zip(self.events[:looks], other.events[:looks], strict=False):
            for side, other_side in zip(mine, others, strict=True):
                side.put(lanes, other_side)


class _Windows(NamedTuple):
    """Reconciliations before this one that count for each window; `at_once`: whether one at the same instant does."""

    up: int
    down: int
    at_once_up: bool
    at_once_down: bool


class _Run:
    """One replay of all lanes."""

    def __init__(self, workload: Workload, autoscaler: Autoscaler, columns: Columns, flags: ControllerFlags) -> None:
        self._workload, self._autoscaler, self._flags = workload, autoscaler, flags
        self._pace = pace_of(workload, flags)
        self._metrics = [MetricLane(one, workload, autoscaler, flags, columns) for one in autoscaler.metrics]
        stride = self._pace.period // SAMPLE_MS
        self._count = -(-columns.samples // stride)
        self._steps = min(_STEPS_OF_A_LANE, max(1, self._count))
        self._lanes = -(-self._count // self._steps)
        self._loads = [self._laid(one.column.values[::stride]) if one.column else None for one in self._metrics]
        self._known = [
            self._laid(one.column.known[::stride]) if one.column and one.column.known is not None else None
            for one in self._metrics
        ]
        self._windows = self._window_rows()
        behavior = autoscaler.behavior
        sides = (behavior.up, behavior.down) if behavior else ()
        periods = {policy.period_seconds for rules in sides for policy in rules.policies}
        self._depths = {seconds: rows_within(seconds, self._pace, inclusive=False) for seconds in periods}
        deepest = max(self._depths.values(), default=0)
        longest = [rules.longest_period_seconds * 1000 // self._pace.period for rules in sides]
        # A list as short as this gives events away that a policy still looks at.
        self._lists = [
            EventLanes.empty(self._lanes, one, deepest, is_up=is_up)
            for is_up, one in zip((True, False), longest, strict=False)
            if deepest > one
        ]
        self._history = max(self._pace.grown, deepest + 1, self._windows.up, self._windows.down, 1)
        self._can_be_zero = workload.replicas == 0 or autoscaler.min_replicas == 0

    def _laid(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Values as rows of reconciliations, one column a lane; the end is filled up."""
        lacking = self._steps * self._lanes - len(values)
        padded = np.concatenate([values, np.repeat(values[-1:], lacking)])
        return np.ascontiguousarray(padded.reshape(self._lanes, self._steps).T)

    def _window_rows(self) -> _Windows:
        behavior = self._autoscaler.behavior
        own = self._flags.downscale_stabilization_seconds
        if behavior is None:
            return _Windows(0, rows_within(own, self._pace, inclusive=True), False, True)
        up = behavior.up.window_seconds or 0
        down = own if behavior.down.window_seconds is None else behavior.down.window_seconds
        return _Windows(
            rows_within(up, self._pace, inclusive=False),
            rows_within(down, self._pace, inclusive=False),
            up > 0,
            down > 0,
        )

    def sizes(self) -> Whole:
        """Replay until every lane starts where the one before it ended."""
        course = self._guess()
        self._advance(course, None, np.arange(self._lanes))
        while True:
            true = self._true_starts(course)
            wrong = np.flatnonzero(~self._same(true, course, self._history, 0))
            if not len(wrong):
                break
            self._rerun(course, true.picked(wrong), wrong)
        found: Whole = course.sizes[self._history :].T.reshape(-1)[: self._count]
        return found

    def _rerun(self, course: _Course, starts: _Course, lanes: Whole) -> None:
        """Replay lanes from other starts."""
        rows, history = self._history + self._steps, self._history

        def grown(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
            filled: npt.NDArray[Any] = np.concatenate([
                values,
                np.zeros((rows - history, values.shape[1]), dtype=values.dtype),
            ])
            return filled

        looks = [[side.copy() for side in starts.events[0]] for _ in course.events]
        again = _Course(grown(starts.sizes), grown(starts.highs), grown(starts.zeros), looks)
        self._advance(again, course, lanes)

    def _guess(self) -> _Course:
        """All lanes start with the first size and remember nothing of use; this is true of the first lane alone."""
        shape = (self._history + self._steps, self._lanes)
        looks = self._steps // _CHECKED_EACH + 2
        events = [[side.copy() for side in self._lists] for _ in range(looks)]
        for side in events[0]:
            side.fill(first=1)
        return _Course(
            np.full(shape, self._workload.replicas, dtype=np.int64),
            np.full(shape, NOTHING, dtype=np.int64),
            np.zeros(shape, dtype=bool),
            events,
        )

    def _true_starts(self, course: _Course) -> _Course:
        """The states in which lanes should start: the first in its own, each other in which the one before it ended."""
        rows = self._history

        def shifted(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
            moved: npt.NDArray[Any] = np.concatenate([values[:rows, :1], values[-rows:, :-1]], axis=1)
            return moved

        sizes = shifted(course.sizes)
        behavior = self._autoscaler.behavior
        if behavior is not None and behavior.down.select is Select.DISABLED:
            # Sizes that never fall would be handed on by one lane in each attempt.
            sizes[:, 1:] = np.maximum(sizes[:, 1:], np.maximum.accumulate(sizes[-1])[:-1])
        whole = course.sizes[rows:].T.reshape(-1)
        events = [side.started_by(whole, self._workload.replicas, self._steps) for side in self._lists]
        return _Course(sizes, shifted(course.highs), shifted(course.zeros), [events])

    def _same(
        self, one: _Course, other: _Course, row: int, look: int, lanes: Whole | None = None
    ) -> npt.NDArray[np.bool_]:
        """In which lanes two courses are in the same state before a row; of the other one only some lanes."""
        rows = slice(row - self._history, row)
        chosen = slice(None) if lanes is None else lanes
        same: npt.NDArray[np.bool_] = (one.sizes[rows] == other.sizes[rows, chosen]).all(axis=0)
        same &= (one.highs[rows] == other.highs[rows, chosen]).all(axis=0)
        if self._can_be_zero:
            same &= one.zeros[row - 1] == other.zeros[row - 1, chosen]
        for mine, others in zip(one.events[look], other.events[look], strict=True):
            same &= mine.same(others if lanes is None else others.picked(lanes), row - self._history)
        return same

    def _advance(self, course: _Course, whole: _Course | None, lanes: Whole) -> None:
        """Replay lanes to their ends, or until they meet the course of the whole, and write them into it."""
        everything = whole is None
        events = [side.copy() for side in course.events[0]]
        look = 0
        for step in range(self._steps):
            row = self._history + step
            if step and step % _CHECKED_EACH == 0:
                look += 1
                course.events[look] = [side.copy() for side in events]
                if whole is not None:
                    met = self._same(course, whole, row, look, lanes)
                    if 2 * met.sum() >= len(lanes):
                        done, left = np.flatnonzero(met), np.flatnonzero(~met)
                        whole.put(lanes[done], course.picked(done), row, look + 1)
                        if not len(left):
                            return
                        lanes, course = lanes[left], course.picked(left)
                        events = [side.picked(left) for side in events]
            chosen = slice(None) if everything else lanes
            loads = [None if one is None else one[step][chosen] for one in self._loads]
            known = [None if one is None else one[step][chosen] for one in self._known]
            self._step(course, row, step, loads, known, events, lanes * self._steps)
        if whole is not None:
            whole.put(lanes, course, self._history + self._steps, look + 1)

    def _step(
        self,
        course: _Course,
        row: int,
        step: int,
        loads: list[Whole | None],
        known: list[npt.NDArray[np.bool_] | None],
        events: list[EventLanes],
        origins: Whole,
    ) -> None:
        """One reconciliation of all lanes, which start at so many reconciliations after the very first."""
        autoscaler = self._autoscaler
        sizes = course.sizes
        spec = sizes[row - 1]
        minima = Minima(sizes, row, self._pace.grown)
        best: Whole | None = None
        broken: npt.NDArray[np.bool_] | None = None
        for metric, load, there in zip(self._metrics, loads, known, strict=True):
            if metric.always_fails or load is None:
                broken = np.ones(spec.shape, dtype=bool)
                continue
            wanted, failed = metric.propose(load, spec, minima)
            if there is not None and not there.all():
                failed = ~there if failed is None else failed | ~there
            if failed is not None:
                wanted = np.where(failed, NOTHING, wanted)
                broken = failed if broken is None else broken | failed
            best = wanted if best is None else np.maximum(best, wanted)
        if best is None:
            best = np.full(spec.shape, NOTHING, dtype=np.int64)
        idle: npt.NDArray[np.bool_] | None = None
        if broken is not None:
            idle = broken & (best < spec) | (best == NOTHING)
        if self._can_be_zero:
            wakes = autoscaler.min_replicas != 0 or autoscaler.has_object_or_external
            asleep = (spec == 0) & ~course.zeros[row - 1] if wakes else spec == 0
            idle = asleep if idle is None else idle | asleep
        proposed = np.maximum(best, 0)
        stable = self._stable(course, row, spec, proposed, origins + step)
        course.highs[row] = proposed if idle is None else np.where(idle, NOTHING, proposed)
        desired = self._limited(course, row, step, spec, stable, events)
        if idle is not None:
            desired = np.where(idle, spec, desired)
        sizes[row] = desired
        if self._can_be_zero:
            went = (spec > 0) & (desired == 0)
            course.zeros[row] = np.where(desired != spec, went, course.zeros[row - 1])
        for side in events:
            side.store(spec, desired, step)

    def _stable(self, course: _Course, row: int, spec: Whole, proposed: Whole, ages: Whole) -> Whole:
        """The proposal after the windows; so many reconciliations were before it.

        The size at the very first one is a recommendation, too.
        """
        windows, highs, own = self._windows, course.highs, self._workload.replicas
        down = proposed
        if windows.down:
            down = np.maximum(proposed, highs[row - windows.down : row].max(axis=0))
        if ages[0] <= windows.down:
            remembered = (ages <= windows.down) & (windows.at_once_down | (ages > 0))
            down = np.where(remembered, np.maximum(down, own), down)
        if self._autoscaler.behavior is None:
            return down
        up = proposed
        if windows.up:
            part = highs[row - windows.up : row]
            up = np.minimum(proposed, np.where(part == NOTHING, -NOTHING, part).min(axis=0))
        if ages[0] <= windows.up:
            remembered = (ages <= windows.up) & (windows.at_once_up | (ages > 0))
            up = np.where(remembered, np.minimum(up, own), up)
        within: Whole = np.minimum(np.maximum(spec, up), down)
        return within

    def _limited(
        self, course: _Course, row: int, step: int, spec: Whole, stable: Whole, events: list[EventLanes]
    ) -> Whole:
        """The stabilised size after bounds and policies."""
        autoscaler, behavior = self._autoscaler, self._autoscaler.behavior
        if behavior is None:
            most = np.minimum(np.maximum(2 * spec, 4), autoscaler.max_replicas)
            bounded: Whole = np.maximum(np.minimum(stable, most), autoscaler.min_replicas)
            return bounded
        desired = stable.copy()
        for is_up, rules in ((True, behavior.up), (False, behavior.down)):
            lanes = np.flatnonzero(stable > spec if is_up else stable < spec)
            if not len(lanes):
                continue
            before = spec[lanes]
            starts = []
            for policy in rules.policies:
                depth = self._depths[policy.period_seconds]
                lost = sum(_lost(course, row, step, lanes, side, depth) for side in events)
                starts.append(course.sizes[row - 1 - depth, lanes] + lost)
            allowed = limit_lanes(rules, starts, before, up=is_up)
            if is_up:
                most = np.minimum(np.maximum(allowed, before), autoscaler.max_replicas)
                desired[lanes] = np.minimum(stable[lanes], most)
            else:
                least = np.maximum(np.minimum(allowed, before), autoscaler.min_replicas)
                desired[lanes] = np.maximum(stable[lanes], least)
        if self._can_be_zero:
            desired = np.where(spec == 0, np.maximum(desired, autoscaler.min_replicas), desired)
        return desired


def _lost(course: _Course, row: int, step: int, lanes: Whole, side: EventLanes, depth: int) -> Whole | int:
    """What a policy takes the size at the start of its period to be too much: changes that the list has lost."""
    if not depth:
        return 0
    changes = np.diff(course.sizes[row - 1 - depth : row, lanes], axis=0)
    made = np.maximum(changes if side.is_up else -changes, 0).sum(axis=0)
    missing: Whole = made - side.recent(lanes, step, depth)
    return missing if side.is_up else -missing
