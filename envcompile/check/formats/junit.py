"""For test reports (GitLab, Jenkins): JUnit's XML, one suite an environment, one case a finding or a clean rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from envcompile.check.finding import RANK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.check.finding import Finding, Severity
    from envcompile.check.report import Report

_NO_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""
_SOURCES: Final = "sources"
"""Stands for the environment of what keeps all of them from compiling."""


def as_junit(report: Report, threshold: Severity | None) -> str:
    """A failure for each finding that reaches the threshold; the other findings are cases that were skipped.

    Args:
        report: what was found.
        threshold: the grade that fails the run; None when nothing does.
    """
    environments = dict.fromkeys((*report.environments, *(found.environment for found in report.findings)))
    suites = [_suite(report, environment, threshold) for environment in environments]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="envc check">\n' + "".join(suites) + "</testsuites>\n"
    )


def _suite(report: Report, environment: str, threshold: Severity | None) -> str:
    findings = [found for found in report.findings if found.environment == environment]
    failing = {found.fingerprint for found in findings if threshold and RANK[found.severity] >= RANK[threshold]}
    broken = {found.rule for found in findings}
    clean = [rule.id for rule in report.rules if rule.id not in broken]
    counts = f'tests="{len(findings) + len(clean)}" failures="{len(failing)}" skipped="{len(findings) - len(failing)}"'
    cases = [*_failed(findings, failing), *(f"    <testcase {_names(environment, rule, rule)}/>\n" for rule in clean)]
    return f"  <testsuite name={_attribute(environment or _SOURCES)} {counts}>\n{''.join(cases)}  </testsuite>\n"


def _failed(findings: Sequence[Finding], failing: set[str]) -> list[str]:
    cases = []
    for found in findings:
        subject = f"{found.resource} {found.field}".rstrip() if found.resource.kind else found.what
        name = f"{found.rule}: {subject}"
        file = f' file={_attribute(found.where.file)} line="{found.where.line}"' if found.where is not None else ""
        place = f"{found.where}\n" if found.where is not None else ""
        head = f"    <testcase {_names(found.environment, found.rule, name)}{file}>\n"
        if found.fingerprint in failing:
            text = escape(_legal(f"{place}{found.what}\n{found.fix}".rstrip("\n")))
            inner = f'      <failure type="{found.severity}" message={_attribute(found.what)}>{text}</failure>\n'
        else:
            inner = f"      <skipped message={_attribute(f'{found.severity}: {found.what}')}/>\n"
        cases.append(f"{head}{inner}    </testcase>\n")
    return cases


def _names(environment: str, rule: str, name: str) -> str:
    return f"classname={_attribute(f'{environment or _SOURCES}.{rule}')} name={_attribute(name)}"


def _attribute(text: str) -> str:
    return quoteattr(_legal(text))


def _legal(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
