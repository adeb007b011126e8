"""Findings by framework and environment: which controls hold, which are broken, which nobody looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from envcompile.actions.build import compile_all
from envcompile.actions.check import check, grading
from envcompile.actions.looking import check_input_of
from envcompile.check.frameworks import FRAMEWORKS, POD_SECURITY
from envcompile.check.rules.catalogue import ALL
from envcompile.check.standards import minor_of
from envcompile.errors import Problem, UsageError, did_you_mean
from envcompile.units.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from envcompile.check.finding import Finding
    from envcompile.check.frameworks import Framework, FrameworkControl
    from envcompile.check.report import Ignored, Report
    from envcompile.git.repository import Repository
    from envcompile.model import ResourceId

State = Literal["holds", "broken", "not asked", "not covered"]
"""Of a control: nothing was found, something was, its rules are off there, no rule stands for it."""


class ControlResult(NamedTuple):
    """One control in one environment."""

    control: FrameworkControl
    state: State
    findings: tuple[Finding, ...]
    ignored: tuple[Ignored, ...]
    """What is set aside with a reason; it does not break the control."""


class FrameworkResult(NamedTuple):
    """One framework in one environment."""

    framework: Framework
    environment: str
    controls: tuple[ControlResult, ...]

    def count(self, *states: State) -> int:
        """How many controls are in one of these states."""
        return sum(result.state in states for result in self.controls)


class TrendPoint(NamedTuple):
    """What an environment was at the end of a week."""

    commit: str
    at: int
    """The end of the week, in seconds since 1970."""
    environment: str
    broken: Mapping[str, int]
    """Framework -> its controls that were broken."""
    findings: int


class Compliance(NamedTuple):
    """All frameworks in all environments."""

    environments: tuple[str, ...]
    results: tuple[FrameworkResult, ...]
    ignored: tuple[Ignored, ...]
    trend: tuple[TrendPoint, ...] = ()


def frameworks_named(wanted: Sequence[str]) -> tuple[Framework, ...]:
    """The frameworks with these ids; all where none is named.

    Raises:
        UsageError: there is none of this id.
    """
    known = {framework.id: framework for framework in FRAMEWORKS}
    for name in wanted:
        if name not in known:
            fix = did_you_mean(name, known, f"there are {', '.join(known)}")
            raise UsageError([Problem(f"there is no framework `{name}`", fix)])
    return tuple(framework for name, framework in known.items() if not wanted or name in wanted)


def compliance(
    project: Project, wanted: Sequence[str], frameworks: Sequence[Framework], *, folder: Path | None = None
) -> Compliance:
    """Check environments, and say what that means for the controls of frameworks.

    Args:
        project: the repository.
        wanted: environments as the user named them; none means all.
        frameworks: those to tell of.
        folder: the project's folder, for a project that git holds.

    Raises:
        UsageError: no such environment, or there is no resource to look at.
        EnvcError: what is wrong with the sources.
    """
    report = check(project, wanted, folder=folder)
    breaches = _breaches(project, report.environments) if POD_SECURITY in frameworks else {}
    results = []
    for framework in frameworks:
        for environment in report.environments:
            grades = grading(project, project.sources_of(environment))
            asked = frozenset(rule.id for rule in report.rules if not grades.is_off(rule.id))
            results.append(_result(framework, environment, report, breaches, asked))
    return Compliance(report.environments, tuple(results), report.ignored)


def trend(
    repository: Repository,
    folder: Path,
    wanted: Sequence[str],
    frameworks: Sequence[Framework],
    ends: Sequence[int],
    known: dict[str, tuple[TrendPoint, ...]] | None = None,
) -> tuple[TrendPoint, ...]:
    """What environments were at several times, each commit compiled and checked as it was, with the rules of today.

    A commit that does not compile, or has no such environment, has no point.

    Args:
        repository: the git repository.
        folder: the project's folder.
        wanted: environments; none means all that a commit has.
        frameworks: those to count.
        ends: the times, in seconds since 1970, the oldest first.
        known: commit -> its points, of the same environments and frameworks; those of further commits are added.
    """
    from datetime import UTC, datetime

    found: list[TrendPoint] = []
    seen = {} if known is None else known
    for end in ends:
        commit = repository.before(datetime.fromtimestamp(end, UTC).isoformat(), "HEAD")
        if not commit:
            continue
        if commit not in seen:
            seen[commit] = _points(folder, commit, wanted, frameworks)
        found += [point._replace(at=end) for point in seen[commit]]
    return tuple(found)


def _points(
    folder: Path, commit: str, wanted: Sequence[str], frameworks: Sequence[Framework]
) -> tuple[TrendPoint, ...]:
    """What the environments of one commit are; none where it does not compile."""
    from envcompile.errors import EnvcError

    try:
        then = Project.of_commit(folder, commit)
        names = [name for name in then.environments if not wanted or name in wanted]
        held = compliance(then, names, frameworks, folder=folder) if names else None
    except EnvcError:
        return ()
    found = []
    for environment in held.environments if held is not None else ():
        mine = [result for result in held.results if result.environment == environment] if held is not None else []
        broken = {result.framework.id: result.count("broken") for result in mine}
        prints = {each.fingerprint for result in mine for control in result.controls for each in control.findings}
        found.append(TrendPoint(commit, 0, environment, broken, len(prints)))
    return tuple(found)


Breaches = dict[tuple[str, str], set["ResourceId"]]
"""Environment and check of the Pod Security Standards -> the workloads that break it."""


def _breaches(project: Project, environments: Sequence[str]) -> Breaches:
    """Who breaks which control: one rule may report several, of two levels."""
    controls = [control for rule in ALL for control in rule.controls]
    found: Breaches = {}
    for built in compile_all(project, environments):
        inputs = check_input_of(built)
        minor = minor_of(inputs.api.version)
        for control in controls:
            # The restricted level asks for all of the baseline: what breaks that breaks both controls of a rule.
            asked = [control, *(each for each in controls if each.rule == control.rule and each.level == "baseline")]
            if control.level == "baseline":
                asked = [control]
            found[built.compiled.environment, control.check] = {
                pods.resource.id for pods in inputs.pods if any(hit for each in asked for hit in each.find(pods, minor))
            }
    return found


def _result(
    framework: Framework, environment: str, report: Report, breaches: Breaches, asked: frozenset[str]
) -> FrameworkResult:
    mine = [finding for finding in report.findings if finding.environment == environment]
    aside = [ignored for ignored in report.ignored if ignored.finding.environment == environment]
    results = []
    for control in framework.controls:
        broken_by = breaches.get((environment, control.check)) if control.check else None

        def concerns(
            finding: Finding, control: FrameworkControl = control, only: set[ResourceId] | None = broken_by
        ) -> bool:
            return finding.rule in control.rules and (only is None or finding.resource in only)

        findings = tuple(finding for finding in mine if concerns(finding))
        ignored = tuple(each for each in aside if concerns(each.finding))
        state: State = "holds"
        if not control.rules:
            state = "not covered"
        elif findings:
            state = "broken"
        elif asked.isdisjoint(control.rules):
            state = "not asked"
        results.append(ControlResult(control, state, findings, ignored))
    return FrameworkResult(framework, environment, tuple(results))
