"""The shop in `base/` and `overlays/` keeps the rules; what it does on purpose it says beside the resource."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile import Project
from envcompile.check.check_input import CheckInput
from envcompile.check.suppressions import read_suppressions
from envcompile.kubernetes import load
from tests.check.rules.inputs import KEYS, found_in, told

if TYPE_CHECKING:
    from envcompile.check.finding import Hit
    from envcompile.check.rule import Rule

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def findings() -> dict[str, list[tuple[Rule, Hit]]]:
    """What the rules find in each environment and no resource sets aside."""
    project = Project.open(ROOT)
    found = {}
    for name in project.environments:
        resources = project.compile(name).resources
        api = load("1.35").with_crds([resource.value for resource in resources])
        set_aside = {
            (entry.resource, entry.rule) for each in resources for entry in read_suppressions(each.id, each.value)
        }
        hits = found_in(CheckInput(name, resources, api, KEYS))
        found[name] = [(rule, hit) for rule, hit in hits if (hit.resource, rule.id) not in set_aside]
    return found


def test_the_shop_has_neither_errors_nor_warnings(findings: dict[str, list[tuple[Rule, Hit]]]) -> None:
    """Information is left: images by tag, and single pods outside of production."""
    grave = [
        f"{name}: {told(rule, hit)}"
        for name, hits in findings.items()
        for rule, hit in hits
        if (hit.severity or rule.severity) != "info"
    ]
    assert grave == []


def test_production_is_held_to_more(findings: dict[str, list[tuple[Rule, Hit]]]) -> None:
    """Only production is asked for digests; single pods are worth a word elsewhere."""
    rules = {name: {rule.id for rule, _ in hits} for name, hits in findings.items()}
    assert {name for name, found in rules.items() if "image-not-digest" in found} == {"prod"}
    assert {name for name, found in rules.items() if "replicas-min" in found} >= {"dev"}
