"""What a run of the checks tells in one line, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.check.report import Ignored, counts_of, looked_at, order, together
from envcompile.model import Location
from tests.check.samples import finding, report

if TYPE_CHECKING:
    from envcompile.check.report import Report


def _told(found: Report) -> str:
    return looked_at(found, counts_of(found, together(found.findings)))


def test_the_gravest_comes_first_then_file_line_and_column() -> None:
    """Numbers are ordered as numbers."""
    places = [Location("a.yaml", 10, 1), Location("a.yaml", 9, 2), Location("a.yaml", 9, 1), Location("b.yaml", 1, 1)]
    findings = [finding(severity="warning", where=Location("A.yaml", 1, 1)), *(finding(where=at) for at in places)]
    assert [(found.severity, str(found.where)) for found in sorted(findings, key=order)] == [
        ("error", "a.yaml:9:1"),
        ("error", "a.yaml:9:2"),
        ("error", "a.yaml:10:1"),
        ("error", "b.yaml:1:1"),
        ("warning", "A.yaml:1:1"),
    ]


def test_environments_that_share_a_finding_share_its_line() -> None:
    """The namespace does not count; the place, the grade and the sentence do."""
    shared = [finding(environment="dev"), finding(environment="prod"), finding(what="another", environment="prod")]
    groups = together(shared)
    assert [group.environments for group in groups] == [("dev", "prod"), ("prod",)]
    assert groups[0].subject == "Deployment/web spec.template.spec.containers[name=web].image in dev, prod"
    assert len(together([finding(), finding(severity="info"), finding(where=None)])) == 3


def test_the_last_line_says_how_much_was_looked_at() -> None:
    """A clean result and an empty one look different; what is found at one place counts once, as it is shown."""
    assert _told(report()) == "2 environments, 12 resources, 2 rules: nothing found"
    warning = finding(severity="warning")
    more = (warning, warning._replace(environment="prod"), warning._replace(what="another"))
    full = report(finding(), *more, finding(severity="info"))
    assert _told(full) == "2 environments, 12 resources, 2 rules: 1 error, 2 warnings, 1 info"
    aside = report()._replace(ignored=(Ignored(finding(), "why"),), known=(finding(), *more), resources=1)
    assert _told(aside) == ("2 environments, 1 resource, 2 rules: nothing found (1 ignored, 3 in the baseline)")
