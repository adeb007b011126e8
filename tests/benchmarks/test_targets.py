"""The table of the benchmarks: what it says of a figure."""

from __future__ import annotations

from tests.benchmarks.measuring import Cost, Pairs
from tests.benchmarks.targets import COLD_HELM, COLD_KUSTOMIZE, CORPUS, EXPLAIN, Row, table


def _pairs(*walls: tuple[float, float]) -> Pairs:
    ours, theirs = ([Cost(wall, wall / 2, 20.0) for wall in side] for side in zip(*walls, strict=True))
    return Pairs(ours, theirs)


def test_a_row_is_the_median_of_the_ratios_of_its_pairs() -> None:
    """A slow moment of the machine hits both of a pair, so a pair is compared with itself only."""
    row = Row.of_pairs(COLD_KUSTOMIZE, _pairs((0.1, 4.0), (0.4, 8.0), (0.3, 9.0)))
    assert row == Row(COLD_KUSTOMIZE, 0.3 / 9.0, 0.1 / 4.0, 0.4 / 8.0, 0.3, 8.0, 0.15 / 4.5)


def test_a_figure_meets_the_aim_or_the_limit_or_misses_both() -> None:
    """Less is better in every row; a row without a limit has no verdict."""
    assert [Row.of_values(COLD_HELM, [value]).verdict for value in (0.2, 0.3, 0.35, 0.36)] == [
        "aim",
        "must",
        "must",
        "MISSED",
    ]
    assert Row.of_values(EXPLAIN, [0.1]).verdict == "must"
    assert not Row.of_values(CORPUS, [9.0]).verdict


def test_the_table_is_markdown_that_reads_as_it_is() -> None:
    """It is pasted into the read-me: every line has the same columns at the same places."""
    rows = [Row.of_pairs(COLD_KUSTOMIZE, _pairs((0.08, 4.0))), Row.of_values(EXPLAIN, [0.2, 0.1, 0.3])]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table(rows)]
    assert lines[2] == [
        *("full compile, cold", "kustomize nested", "1/15", "1/30", "1/50", "aim", "1/50 to 1/50"),
        *("80.0 ms", "4.000 s", "1/50"),
    ]
    assert lines[3] == ["envc explain, one field", "", "0.50 s", "", "0.20 s", "must", "0.10 s to 0.30 s", "", "", ""]
    assert len({tuple(at for at, sign in enumerate(line) if sign == "|") for line in table(rows)}) == 1
