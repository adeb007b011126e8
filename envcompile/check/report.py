"""What a run of the checks has to tell: findings, what was set aside, and how much was looked at."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from envcompile.check.finding import (
    RANK,
    Finding,  # ruff: ignore[typing-only-first-party-import] - records are read by their types
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.check.baseline import KnownFinding
    from envcompile.check.finding import Severity
    from envcompile.check.rule import Rule


class Ignored(NamedTuple):
    """A finding that the resource itself sets aside, and why."""

    finding: Finding
    reason: str


class Report(NamedTuple):
    """The findings of some environments, the gravest first, then by file and line."""

    environments: tuple[str, ...]
    resources: int
    rules: tuple[Rule, ...]
    """The rules that were asked in at least one environment."""
    findings: tuple[Finding, ...]
    ignored: tuple[Ignored, ...] = ()
    unknown_kinds: tuple[str, ...] = ()
    """Kinds that no schema is known of."""
    known: tuple[Finding, ...] = ()
    """Findings that the baseline holds."""
    stale: tuple[KnownFinding, ...] = ()


class Group(NamedTuple):
    """One finding with all environments in which it was found at the same place."""

    finding: Finding
    environments: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The resource and field, and the environments; empty for sources that do not compile."""
        if not self.finding.resource.kind:
            return ""
        field = f" {self.finding.field}" if self.finding.field else ""
        return f"{self.finding.resource.short}{field} in {', '.join(self.environments)}"


def order(finding: Finding) -> tuple[int, str, int, int, str, str, str]:
    """The key that sorts findings: the gravest first, then by file, line and column."""
    file, line, column = finding.where or ("", 0, 0)
    return (-RANK[finding.severity], file, line, column, finding.rule, str(finding.resource), finding.field)


def together(findings: Iterable[Finding]) -> list[Group]:
    """The findings, those of several environments that say the same of the same place as one."""
    groups: dict[tuple[object, ...], tuple[Finding, dict[str, None]]] = {}
    for found in findings:
        key = identity(found)
        known = groups.get(key)
        if known is None:
            groups[key] = (found, {found.environment: None})
        else:
            known[1][found.environment] = None
    return [Group(first, tuple(environments)) for first, environments in groups.values()]


def identity(finding: Finding) -> tuple[object, ...]:
    """What a finding says of which place; where it is found in several environments, it is told once."""
    rule, severity, _, (group, kind, _, name), field, what, _, _, where, _, _ = finding
    # The namespace is the environment's own affair: it would keep equal findings apart.
    return rule, where, kind, group, name, field, severity, what


class Counts(NamedTuple):
    """How much was found."""

    findings: int
    """Each environment's counted."""
    grades: Mapping[Severity, int]
    """Places of each grade, in however many environments."""
    mends: Sequence[str]
    """The rules of which `envc fix` has an answer for some."""
    ignored: int
    """Places that were set aside."""


def counts_of(report: Report, groups: Sequence[Group]) -> Counts:
    """How much was found.

    Args:
        report: what was found.
        groups: its findings together.
    """
    mends = sorted({finding.rule for finding in report.findings if finding.mends and is_yaml(finding)})
    grades = Counter(group.finding.severity for group in groups)
    ignored = len(together(ignored.finding for ignored in report.ignored))
    return Counts(len(report.findings), grades, mends, ignored)


def is_yaml(finding: Finding) -> bool:
    """Tell whether a file says it that `envc fix` can change."""
    return finding.where is None or finding.where.file.endswith((".yaml", ".yml"))


def spelled(counts: Mapping[Severity, int]) -> str:
    """How many findings there are of each grade, such as `2 errors, 1 warning`; `nothing found` without any."""
    words = [
        f"{counts[grade]} {grade}" + ("s" if counts[grade] != 1 and grade != "info" else "")
        for grade in sorted(RANK, key=lambda grade: -RANK[grade])
        if counts.get(grade)
    ]
    return ", ".join(words) or "nothing found"


def looked_at(report: Report, counts: Counts) -> str:
    """How much was looked at, what was found, and what was set aside, in one line.

    What is found at one place counts once, in however many environments, as it is shown.

    Args:
        report: what was looked at.
        counts: what was found.
    """
    parts = [
        _many(len(report.environments), "environment"),
        _many(report.resources, "resource"),
        _many(len(report.rules), "rule"),
    ]
    text = f"{', '.join(parts)}: {spelled(counts.grades)}"
    aside = []
    if counts.ignored:
        aside.append(f"{counts.ignored} ignored")
    if report.known:
        aside.append(f"{len(together(report.known))} in the baseline")
    return text + (f" ({', '.join(aside)})" if aside else "")


def _many(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
