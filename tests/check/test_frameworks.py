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
        assert control.section, control
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


def test_each_section_of_the_guide_is_where_its_chapter_has_it() -> None:
    """The headings of 1.2 in their order; what is not a heading of its own stands in brackets or after a semicolon."""
    headings = [
        'Kubernetes Pod security, "Non-root" containers and "rootless" container engines',
        "Kubernetes Pod security, Immutable container file systems",
        "Kubernetes Pod security, Building secure container images",
        "Kubernetes Pod security, Pod security enforcement",
        "Kubernetes Pod security, Protecting Pod service account tokens",
        "Kubernetes Pod security, Hardening container environments",
        "Network separation and hardening, Namespaces",
        "Network separation and hardening, Network policies",
        "Network separation and hardening, Resource policies",
        "Network separation and hardening, Control plane hardening",
        "Network separation and hardening, Worker node segmentation",
        "Network separation and hardening, Encryption",
        "Network separation and hardening, Secrets",
        "Network separation and hardening, Protecting sensitive cloud infrastructure",
        "Authentication and authorization, Authentication",
        "Authentication and authorization, Role-based access control",
        "Audit logging and threat detection, Logging",
        "Audit logging and threat detection, Threat detection",
        "Upgrading and application security practices",
    ]
    assert [control.section.partition(" (")[0].partition(";")[0] for control in NSA.controls] == headings


def test_what_the_guide_asks_of_pods_stands_under_its_heading() -> None:
    """As its list of recommendations has it: hosts, root and elevation are enforced, seccomp and AppArmor harden."""
    rules = {control.id: set(control.rules) for control in NSA.controls}
    enforced = {"privileged", "host-namespaces", "host-path", "run-as-root", "privilege-escalation"}
    assert enforced <= rules["pods/enforcement"]
    assert rules["pods/hardening"] == {"seccomp", "apparmor-selinux"}
