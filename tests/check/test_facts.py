"""Rules about several resources find the same in what they are shown of each as in the whole resources."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.looking import check_input_of
from envcompile.check.check_input import CheckInput
from envcompile.check.facts import facts_of
from envcompile.check.rules.catalogue import RULES
from envcompile.units.project import Project
from tests.check.rules.inputs import bad, example, samples

if TYPE_CHECKING:
    from envcompile.check.finding import Hit

ROOT = Path(__file__).parents[2]
SAMPLES = samples()
TOGETHER = [rule for rule in RULES if not rule.alone and not rule.whole]


def by_facts(inputs: CheckInput) -> CheckInput:
    """The environment as rules about several resources see it when the resources themselves are remembered."""
    shown = [resource._replace(value=facts_of(resource), steps=()) for resource in inputs.resources]
    return CheckInput(inputs.environment, shown, inputs.api, inputs.keys)


def said(hits: list[Hit]) -> list[str]:
    """Hits to compare."""
    return [repr(hit) for hit in hits]


@pytest.mark.parametrize("name", [rule.id for rule in TOGETHER])
def test_each_sample_is_found_in_the_facts(name: str) -> None:
    """What a rule finds in its samples it finds in the facts, in the same words."""
    [rule] = [rule for rule in TOGETHER if rule.id == name]
    for inputs in (*map(bad, SAMPLES[name]), example(rule.fires)):
        assert said(list(rule.find(by_facts(inputs)))) == said(list(rule.find(inputs))) != []


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_shop_is_the_same_by_facts(environment: str) -> None:
    """Every rule about several resources, in the shop."""
    inputs = check_input_of(Project.open(ROOT).compile_with_sources(environment))
    found = 0
    for rule in TOGETHER:
        hits = list(rule.find(inputs))
        assert said(list(rule.find(by_facts(inputs)))) == said(hits), rule.id
        found += len(hits)
    assert found > 0
