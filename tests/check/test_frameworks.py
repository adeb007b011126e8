"""The table of frameworks speaks of rules and checks that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.check.frameworks import CIS, FRAMEWORKS, NSA, POD_SECURITY
from envcompile.check.rules.catalogue import ALL

if TYPE_CHECKING:
    from envcompile.check.frameworks import Framework

RULES = {rule.id: rule for rule in ALL}


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=[framework.id for framework in FRAMEWORKS])
def test_a_control_names_rules_that_exist_or_says_why_not(framework: Framework) -> None:
    """And every number stands once."""
    ids = [control.id for control in framework.controls]
    assert len(ids) == len(set(ids))
    for control in framework.controls:
        assert set(control.rules) <= RULES.keys(), control
        assert control.rules or control.why, control
        assert control.title
    assert framework.source.startswith("https://")


def test_the_pod_security_standards_are_whole() -> None:
    """Each check that a rule reports is a control, of its level, and names that rule; there are no others."""
    told = {(control.id, control.rules) for control in POD_SECURITY.controls}
    known = {(f"{control.level}/{control.check}", (rule.id,)) for rule in ALL for control in rule.controls}
    assert told == known
    assert all(control.rule == rule.id for rule in ALL for control in rule.controls)


def test_sections_are_complete() -> None:
    """Section 5 of the benchmark has 35 recommendations, the guide's chapters have 19 things to do."""
    assert len(CIS.controls) == 1 + 35
    sections = {"5.1": 13, "5.2": 13, "5.3": 2, "5.4": 2, "5.5": 1, "5.7": 4}  # kube-bench, cfg/cis-1.9/policies.yaml
    numbers = [f"{section}.{number}" for section, last in sections.items() for number in range(1, last + 1)]
    assert [control.id for control in CIS.controls[1:]] == numbers
    assert len(NSA.controls) == 19
