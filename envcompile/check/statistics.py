"""How often each rule finds something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.check.finding import RANK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.check.finding import Severity
    from envcompile.check.report import Group, Report


def statistics(report: Report, groups: Sequence[Group]) -> list[dict[str, Any]]:
    """A row for each rule that found something, the most frequent first: places, findings, gravest grade, summary."""
    summaries = {rule.id: rule.summary for rule in report.rules}
    places: dict[str, int] = {}
    findings: dict[str, int] = {}
    grades: dict[str, Severity] = {}
    for group in groups:
        rule, grade = group.finding.rule, group.finding.severity
        places[rule] = places.get(rule, 0) + 1
        findings[rule] = findings.get(rule, 0) + len(group.environments)
        grades[rule] = max(grades.get(rule, grade), grade, key=RANK.__getitem__)
    return [
        {
            "rule": rule,
            "grade": grades[rule],
            "places": places[rule],
            "findings": findings[rule],
            "what": summaries.get(rule, ""),
        }
        for rule in sorted(places, key=lambda rule: (-places[rule], rule))
    ]
