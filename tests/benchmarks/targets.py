"""What envc must reach, and the table that says what it does reach."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.benchmarks.measuring import Pairs

Unit = Literal["part", "ratio", "times", "MiB", "s"]
"""How a number is printed: 1/15, 0.65, 3.0x, 80 MiB, 0.5 s. Less is better in all of them."""


class Target(NamedTuple):
    """One line of the table: what is done, beside what, the limit, and the goal."""

    work: str
    against: str
    unit: Unit
    must: float | None
    aim: float | None

    def of(self, name: str) -> Target:
        """The same limit for one of several ways of work."""
        return self._replace(work=self.work.format(name))


COLD_KUSTOMIZE: Final = Target("full compile, cold", "kustomize nested", "part", 1 / 15, 1 / 30)
COLD_KAPITAN: Final = Target("full compile, cold", "Kapitan tuned", "part", 1 / 15, 1 / 30)
COLD_HELM: Final = Target("full compile, cold", "helm 4 template", "ratio", 0.35, 0.20)
_DISK: Final = "full compile, cold, on a disk"
DISK: Final = Target(_DISK, "helm 4 template", "ratio", 0.55, 0.4)
DISK_BY_APP: Final = Target(f"{_DISK}, layout: app", "helm 4 template", "ratio", 0.45, 0.3)
DELETED: Final = Target(f"{_DISK} where files were deleted", "helm 4 template", "ratio", 1.0, 0.6)
DELETED_BY_APP: Final = Target(f"{_DISK} where files were deleted, layout: app", "helm 4 template", "ratio", 0.5, 0.35)
NOTHING_CHANGED: Final = Target("nothing changed", "python -c pass", "times", 4, 3)
NOTHING_CHANGED_GROWTH: Final = Target("nothing changed, ten times the services", "its own time", "times", 3, 2)
ONE_CHANGED: Final = Target("one service changed", "kustomize on it alone", "part", 1 / 5, 1 / 8)
ONE_CHANGED_BESIDE_COLD: Final = Target("one service changed, {}", "cold", "part", 1 / 3, 1 / 6)
QUESTION: Final = Target("{}, ten times the services", "its own time", "times", 1.5, 1.2)
QUESTION_HUGE: Final = Target("{}, a hundred times the services", "its own time", "times", 5, 2)
GROWTH: Final = Target("ten times the services, cold", "its own time", "times", 9, 8)
VERSION: Final = Target("envc --version", "python -c pass", "times", 1.3, 1.1)
HELP: Final = Target("envc --help", "python -c pass", "times", 1.3, 1.1)
MEMORY: Final = Target("peak memory, cold", "", "MiB", 60, 50)
MEMORY_LARGE: Final = Target("peak memory, ten times the services", "", "MiB", 100, 80)
MEMORY_HUGE: Final = Target("peak memory, a hundred times the services", "", "MiB", 200, 120)
EXPLAIN: Final = Target("envc explain, one field", "", "s", 0.5, None)
WITH_CHART: Final = Target("full compile and Helm chart, cold", "without the chart", "times", 1.8, 1.3)
JOBS: Final = Target("ten times the services, cold, --jobs 2", "one process", "part", 1 / 1.6, 1 / 1.85)
SHARED_MEMO: Final = Target("ten times the services, warm shared memo", "cold", "part", 1 / 4, 1 / 8)
CORPUS: Final = Target("a real repository, cold", "kustomize nested", "part", None, None)

_HEADINGS: Final = ("work", "against", "must", "aim", "measured", "", "least to most", "envc", "other", "CPU")


class Row(NamedTuple):
    """What was measured for a target."""

    target: Target
    measured: float
    low: float
    high: float
    ours: float | None = None
    theirs: float | None = None
    cpu: float | None = None

    @classmethod
    def of_pairs(cls, target: Target, pairs: Pairs) -> Row:
        """The median of the ratios, and the medians of both sides in seconds."""
        ratios = pairs.ratios
        ours, theirs = (statistics.median(cost.wall for cost in side) for side in pairs)
        return cls(target, statistics.median(ratios), min(ratios), max(ratios), ours, theirs, pairs.cpu_ratio)

    @classmethod
    def of_values(cls, target: Target, values: Sequence[float]) -> Row:
        """The median of plain measurements."""
        return cls(target, statistics.median(values), min(values), max(values))

    @property
    def verdict(self) -> str:
        """`aim`, `must`, or `missed`; empty where there is no limit."""
        if self.target.must is None:
            return ""
        if self.target.aim is not None and self.measured <= self.target.aim:
            return "aim"
        return "must" if self.measured <= self.target.must else "MISSED"

    def as_json(self) -> dict[str, Any]:
        """The row for `--json`."""
        return {**self._asdict(), "target": self.target._asdict(), "verdict": self.verdict}


def _spelled(value: float | None, unit: Unit) -> str:
    if value is None:
        return ""
    if unit == "part":
        return f"1/{1 / value:.{0 if value < 0.1 else 1}f}".removesuffix(".0")
    if unit == "ratio":
        return f"{value:.2f}"
    if unit == "times":
        return f"{value:.2f}x".replace(".00x", "x")
    return f"{value:.0f} MiB" if unit == "MiB" else f"{value:.2f} s"


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value:.3f} s"


def _cells(row: Row) -> tuple[str, ...]:
    unit = row.target.unit
    return (
        row.target.work,
        row.target.against,
        _spelled(row.target.must, unit),
        _spelled(row.target.aim, unit),
        _spelled(row.measured, unit),
        row.verdict,
        f"{_spelled(row.low, unit)} to {_spelled(row.high, unit)}",
        _seconds(row.ours),
        _seconds(row.theirs),
        _spelled(row.cpu, unit),
    )


def table(rows: Iterable[Row]) -> Iterator[str]:
    """The lines of a Markdown table, aligned to be read as they are."""
    lines = [_HEADINGS, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    for number, line in enumerate(lines):
        yield f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |"
        if number == 0:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"
