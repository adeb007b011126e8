"""The port of the HorizontalPodAutoscaler decides as the real controller does, at every reconciliation.

The answers are those of k8s.io/kubernetes v1.37.2 (`tests/oracles/hpa`): 382 scenarios, 17,991 reconciliations.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.scaling.hpa.scenarios import answer_of, recorded, scenario_of

ANSWERS: dict[int, list[dict[str, Any]]] = {line["id"]: line["steps"] for line in recorded("answers")}
FAMILIES = {
    family: list(lines)
    for family, lines in itertools.groupby(
        sorted(recorded("scenarios"), key=lambda line: line["tags"][0]), key=lambda line: line["tags"][0]
    )
}


def first_difference(line: dict[str, Any], expected: list[dict[str, Any]]) -> str:
    """Where a scenario first differs from the controller's answers, and in which fields; empty: nowhere."""
    steps = [answer_of(step) for step in scenario_of(line).steps()]
    for number, (step, wanted) in enumerate(zip(steps, expected, strict=False)):
        if step != wanted:
            fields = {name: (step[name], wanted[name]) for name in wanted if step[name] != wanted[name]}
            return f"scenario {line['id']} {line['tags']}, step {number}: {fields}"
    return "" if len(steps) == len(expected) else f"scenario {line['id']}: {len(steps)} steps, not {len(expected)}"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_reconciliation_is_the_controllers(family: str) -> None:
    """Instants, sizes, proposals, reasons, conditions and current metrics are equal."""
    differences = [first_difference(line, ANSWERS[line["id"]]) for line in FAMILIES[family]]
    assert not [found for found in differences if found]


def test_the_recording_is_whole() -> None:
    """Nothing was lost on the way to the tests."""
    assert sum(map(len, FAMILIES.values())) == len(ANSWERS) == 382
    assert sum(map(len, ANSWERS.values())) == 17_991
    assert sum(step["desired"] != step["spec"] for steps in ANSWERS.values() for step in steps) == 1_463
