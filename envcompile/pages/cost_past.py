"""What environments cost in the period: a line for each, what was spent, and the commits that made the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.cost.estimate import MICRO
from envcompile.pages.drawings import drawing, lanes
from envcompile.pages.model import Plot
from envcompile.pages.words import listed, moment, money

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.actions.cost_history import CostHistory, CostLine
    from envcompile.pages.words import Moment

_STEPS: Final = 12
"""Steps in the list, the newest first; the command has all."""
_POINTS: Final = 300
"""Points of a line, one for every three pixels; of several in the same stretch the last one stands."""


class SpentRow(NamedTuple):
    """One environment in the period."""

    environment: str
    first: str
    """A month at the begin of the period, at the prices of today."""
    last: str
    """A month at its end."""
    spent: str
    steps: int


class StepRow(NamedTuple):
    """A commit from which on an environment costs another amount."""

    at: Moment
    environment: str
    before: str
    after: str
    subject: str
    who: str
    commit: str


class CostPast(NamedTuple):
    """What environments cost in a period."""

    begin: Moment
    plot: Plot | None
    rows: tuple[SpentRow, ...]
    steps: tuple[StepRow, ...]
    further: int
    """Steps that are not listed."""


def cost_past(history: CostHistory, now: int) -> CostPast:
    """What pages show of the costs of a period.

    Args:
        history: the costs, at the prices of today.
        now: the time of reading, in seconds since 1970.
    """
    steps = sorted(
        ((line.environment, step) for line in history.environments for step in line.steps),
        key=lambda one: -one[1].commit.committed_at,
    )
    return CostPast(
        moment(history.start, now),
        _plot(history, now) if steps else None,
        tuple(
            SpentRow(
                line.environment,
                _amount(_at_begin(line)),
                _amount(line.monthly.expected.total),
                _amount(line.spent.expected.total),
                len(line.steps),
            )
            for line in history.environments
        ),
        tuple(
            StepRow(
                moment(step.commit.committed_at, now),
                name,
                _amount(step.before.expected.total),
                _amount(step.after.expected.total),
                step.commit.message.partition("\n")[0],
                step.commit.author_name,
                step.commit.hash,
            )
            for name, step in steps[:_STEPS]
        ),
        max(0, len(steps) - _STEPS),
    )


def _at_begin(line: CostLine) -> int:
    """What a month cost when the period began, in millionths of the currency."""
    return (line.steps[0].before if line.steps else line.monthly).expected.total


def _plot(history: CostHistory, now: int) -> Plot:
    names = [line.environment for line in history.environments]
    points = [point for line in history.environments for point in _points(line, history, now)]
    said = (
        f"A month of {listed(names)} in {history.prices.currency}, from {moment(history.start, now).day} to"
        f" {moment(history.end, now).day}. The table has the amounts."
    )
    return Plot(
        drawing(_specification(names, points, 1000), said),
        drawing(_specification(names, points, 220), said),
    )


def _points(line: CostLine, history: CostHistory, now: int) -> Iterator[dict[str, Any]]:
    stretch = max(1, (history.end - history.start) // _POINTS)
    amounts = {history.start: _at_begin(line)}
    for step in line.steps:
        amounts[history.start + (step.commit.committed_at - history.start) // stretch * stretch] = (
            step.after.expected.total
        )
    amounts[history.end] = line.monthly.expected.total
    for seconds, amount in amounts.items():
        yield {"env": line.environment, "t": moment(seconds, now).iso, "amount": amount / MICRO}


def _specification(names: list[str], points: list[dict[str, Any]], width: int) -> dict[str, Any]:
    """A lane for each environment with a scale of its own: what matters is when it became dearer."""
    y = {"field": "amount", "scale": {"zero": False, "nice": True}, "axis": {"tickCount": 3, "format": ",.0f"}}
    found = lanes(names, points, width, height=54, mark={"interpolate": "step-after"}, y=y)
    return {**found, "resolve": {"scale": {"y": "independent"}}}


def _amount(micros: int) -> str:
    return money(micros / MICRO, 2)
