"""How many findings each of the last weeks ended with: a line for each environment, and the table of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.errors import EnvcError
from envcompile.pages.drawings import COLOR, drawing, lanes
from envcompile.pages.model import Plot
from envcompile.pages.words import DAY, listed, moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from envcompile.actions.compliance import TrendPoint
    from envcompile.pages.words import Moment

WEEKS: Final = 8
"""As the command's guide asks for."""


class TrendRow(NamedTuple):
    """One environment, week by week."""

    environment: str
    cells: tuple[tuple[str, str], ...]
    """Findings, and broken controls of all frameworks; two times `–` where a week has none."""


class Trend(NamedTuple):
    """The last weeks."""

    weeks: tuple[Moment, ...]
    rows: tuple[TrendRow, ...]
    plot: Plot


def trend_points(
    root: Path, names: Sequence[str], now: int, known: dict[str, tuple[TrendPoint, ...]] | None = None
) -> tuple[TrendPoint, ...]:
    """What environments were at the end of each of the last weeks; none outside of git.

    Args:
        root: the project's folder.
        names: the environments.
        now: the end of the last week, in seconds since 1970.
        known: commit -> its points; those of further commits are added.
    """
    from envcompile.actions.compliance import frameworks_named, trend
    from envcompile.actions.opening import open_repository

    try:
        repository = open_repository(root)
        if not repository.has_commits():
            return ()
        ends = [now - 7 * DAY * number for number in range(WEEKS - 1, -1, -1)]
        return trend(repository, root, names, frameworks_named(()), ends, known)
    except EnvcError:
        return ()


def trend_of(points: Sequence[TrendPoint], names: Sequence[str], now: int) -> Trend | None:
    """What pages show of the last weeks; None for fewer than two.

    Args:
        points: findings and broken controls of every environment at every end of a week.
        names: the environments, in promotion order.
        now: the time of reading, in seconds since 1970.
    """
    ends = sorted({point.at for point in points})
    if len(ends) < 2:
        return None
    held = {(point.environment, point.at): point for point in points}
    rows = tuple(
        TrendRow(
            name,
            tuple(
                (f"{point.findings:,}", str(sum(point.broken.values())))
                if (point := held.get((name, end))) is not None
                else ("–", "–")
                for end in ends
            ),
        )
        for name in names
    )
    said = (
        f"Findings of {listed(list(names))} at the end of each week from {moment(ends[0], now).day} to"
        f" {moment(ends[-1], now).day}. The table has the numbers."
    )
    values = [
        {"env": point.environment, "t": moment(point.at, now).iso, "findings": point.findings} for point in points
    ]
    plot = Plot(
        drawing(_specification(names, values, 520), said),
        drawing(_specification(names, values, 220), said),
    )
    return Trend(tuple(moment(end, now) for end in ends), rows, plot)


def _specification(names: Sequence[str], values: list[dict[str, Any]], width: int) -> dict[str, Any]:
    """A lane for each environment, all with the same scale: they are compared."""
    y = {"field": "findings", "scale": {"zero": True, "nice": True}, "axis": {"tickCount": 2, "format": ",d"}}
    return lanes(names, values, width, height=40, mark={"point": {"color": COLOR["env-3"]}}, y=y)
