"""The real HorizontalPodAutoscaler answers scenarios, those that are recorded and others, as ours does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.oracles.tools import run
from tests.scaling.hpa.generate import directed, generate
from tests.scaling.hpa.scenarios import answer_of, recorded, scenario_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest

RECORDED_SEED = 1
COUNT = 364


def asked(controller: Path, scenarios: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the real controller answers."""
    lines = "".join(f"{json.dumps(scenario)}\n" for scenario in scenarios)
    said = run(controller, stdin=lines, timeout=600).expect_success().stdout
    return [json.loads(line) for line in said.splitlines()]


def is_ours(scenario: dict[str, Any], steps: list[dict[str, Any]]) -> bool:
    """Whether our replay is the same; an edit at the very instant of a reconciliation may come before or after it."""
    period = scenario["controller"]["syncPeriodSeconds"]
    is_tie = any(edit["at"] % period == 0 for edit in scenario["edits"])
    return any(
        [answer_of(step) for step in scenario_of(scenario).steps(edits_first=first)] == steps
        for first in ((False, True) if is_tie else (False,))
    )


def test_the_recorded_scenarios_are_what_the_generator_makes() -> None:
    """Another seed gives others of the same families."""
    assert recorded("scenarios") == generate(RECORDED_SEED, COUNT) + directed(COUNT + 1)


def test_the_recorded_answers_are_the_controllers(hpa_controller: Path) -> None:
    """Nothing was changed on the way to the tests."""
    assert asked(hpa_controller, recorded("scenarios")) == recorded("answers")


def test_other_scenarios_are_answered_alike(hpa_controller: Path, request: pytest.FixtureRequest) -> None:
    """Of another seed each time that `--seed` names one."""
    scenarios = generate(RECORDED_SEED + int(request.config.getoption("--seed")), COUNT)
    answers = asked(hpa_controller, scenarios)
    assert len(answers) == COUNT
    assert not [
        answer["id"]
        for scenario, answer in zip(scenarios, answers, strict=True)
        if not is_ours(scenario, answer["steps"])
    ]
