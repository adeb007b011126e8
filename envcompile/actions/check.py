"""Checks of compiled environments: every rule asked, every finding graded, set aside or traced to its source line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.build import link_all
from envcompile.actions.findings import count_of, find_all
from envcompile.actions.graded import about_entries, by_rule, set_aside
from envcompile.actions.not_evaluated import Seen, as_findings, not_evaluated, untried
from envcompile.actions.older import OlderStates
from envcompile.actions.own_rules import Own, own_rules
from envcompile.check.cel.installed import is_installed
from envcompile.check.finding import Finding, fingerprint
from envcompile.check.grading import Grading
from envcompile.check.picking import ALIKE
from envcompile.check.policy.failures import once
from envcompile.check.report import Ignored, Report, order
from envcompile.check.rules.catalogue import ABOUT_SUPPRESSIONS, ALL, RULES
from envcompile.check.rules.server.immutable_field import RULE as IMMUTABLE
from envcompile.check.rules.server.schema import RULE as SCHEMA
from envcompile.check.rules.suppressions.ignore_unused import RULE as UNUSED
from envcompile.errors import Problem, Problems, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from envcompile.actions.checked import Checked
    from envcompile.actions.findings_memo import Aside, Found
    from envcompile.check.rule import Rule
    from envcompile.model import Location, ResourceId
    from envcompile.sources import EnvironmentSources, Tree
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.project import Project


def rules_of(tree: Tree, allowed: Collection[str] = ()) -> tuple[tuple[Rule, ...], Own]:
    """Every rule that can be graded and suppressed in a project: those that come with envc, and its own.

    Args:
        tree: its files.
        allowed: digests of files in Python that may be run.

    Raises:
        EnvcError: what is wrong with its own rules.
    """
    own = own_rules(tree, (rule.id for rule in ALL), allowed)
    return (*RULES, *own.rules), own


class Gathered(NamedTuple):
    """What was found in some environments, before it is graded."""

    project: Project
    names: tuple[str, ...]
    checked: Sequence[Checked]
    rules: tuple[Rule, ...]
    """Those that were asked besides the ones about suppressions."""
    own: Own
    stamp: str
    """Names the rules; empty for others than those of the catalogue and the project."""

    @property
    def linked(self) -> list[LinkedEnvironment]:
        """The environments."""
        return [one.linked for one in self.checked]

    @property
    def resources(self) -> int:
        """How many resources were looked at."""
        return sum(one.resources for one in self.checked)

    def grading(self, checked: Checked) -> Grading:
        """The grades that hold in an environment."""
        return grading(self.project, checked.linked.plan.sources)

    def told(self, asked: Collection[Rule]) -> tuple[Rule, ...]:
        """The rules that a report tells of, where these were asked in at least one environment."""
        return tuple(rule for rule in (*self.rules, *ABOUT_SUPPRESSIONS) if rule in asked)

    def unknown_kinds(self) -> tuple[str, ...]:
        """The kinds that no schema is known of."""
        return tuple(sorted({kind for one in self.checked for kind in one.unknown}))

    def not_evaluated(self, chosen: Collection[str] | None) -> list[Finding]:
        """What is told of rules that are not evaluated.

        Args:
            chosen: rules of which it is told; all when left out.
        """
        if not self.stamp:
            return []
        seen = [
            Seen(
                one.linked.environment,
                one.linked.plan.api,
                _ids_of(one.linked),
                self.grading(one),
                partial(_value_of, one.linked),
            )
            for one in self.checked
        ]
        return as_findings(not_evaluated(self.own, seen, chosen), seen)


def gather(
    project: Project,
    wanted: Sequence[str],
    rules: Sequence[Rule] | None = None,
    *,
    since: str | None = None,
    folder: Path | None = None,
    allowed: Collection[str] = (),
) -> Gathered:
    """Compile environments and ask the rules; arguments and errors are those of `check`."""
    asked, own = rules_of(project.tree, allowed) if rules is None else ((SCHEMA, *rules), Own())
    names = project.choose(wanted)
    folder = folder or project.tree.root
    older = None
    try:
        if IMMUTABLE in asked and folder is not None:
            older = OlderStates(project.tree, folder, since, project.look)
        linked = _linked(project, names, asked)
        stamp = " ".join([*(rule.id for rule in asked), own.stamp, "cel" if is_installed() else ""])
        stamp = "" if rules is not None else stamp
        checked = find_all(project, linked, asked, older, stamp)
    finally:
        if project.look is not None:
            project.look.close()
    for environment in linked:
        environment.remember()
    project.save_memo()
    return Gathered(project, names, checked, tuple(asked), own, stamp)


def _linked(project: Project, names: Sequence[str], asked: Sequence[Rule]) -> list[LinkedEnvironment]:
    """Environments that are joined, and have something to be asked about.

    Raises:
        EnvcError: what is wrong with them, or with the names of rules.
        UsageError: there is no resource in them.
    """
    linked = link_all(project, names)
    if not any(map(count_of, linked)):
        what = f"there is no resource to check in {', '.join(names)}"
        raise UsageError([Problem(what, "a clean result would say nothing: add resources to base/ or overlays/")])
    _refuse_unknown_rules(project, linked, asked)
    return linked


def check(
    project: Project,
    wanted: Sequence[str],
    rules: Sequence[Rule] | None = None,
    *,
    since: str | None = None,
    folder: Path | None = None,
    allowed: Collection[str] = (),
    chosen: Collection[str] | None = None,
) -> Report:
    """Compile environments and check them.

    Args:
        project: the repository.
        wanted: environments as the user named them; none means all.
        rules: what to ask besides the schema and the suppressions; the catalogue when left out.
        since: the commit whose compiled manifests say what must stay; the last compiled state when left out.
        folder: the project's folder, for a project that git holds.
        allowed: digests of files in Python that may be run, as the user said outside of the checkout.
        chosen: rules of which it is told that they are not evaluated; all when left out.

    Raises:
        UsageError: no such environment, or there is no resource to look at.
        EnvcError: what is wrong with the sources, or `checks` names rules that do not exist.
    """
    return report_of(gather(project, wanted, rules, since=since, folder=folder, allowed=allowed), chosen)


def report_of(found: Gathered, chosen: Collection[str] | None = None) -> Report:
    """Grade what was found, set aside what annotations say, and put it in order.

    Args:
        found: that.
        chosen: rules of which it is told that they are not evaluated; all when left out.
    """
    idle = untried(found.own)
    sorted_out = [
        sort_out(one.linked.environment, one.findings(), one.asides(), found.grading(one), found.rules, idle)
        for one in found.checked
    ]
    own = {one.id: one for one in found.own.rules}
    findings = once((finding for one in sorted_out for finding in one.findings), own)
    findings += unused_everywhere(
        [aside for one in sorted_out for _, aside in one.ignored],
        [unused for one in sorted_out for unused in one.unused],
    )
    findings += found.not_evaluated(chosen)
    return Report(
        found.names,
        found.resources,
        found.told({rule for one in sorted_out for rule in one.rules}),
        tuple(sorted(findings, key=order)),
        tuple(Ignored(finding, aside.reason) for one in sorted_out for finding, aside in one.ignored),
        found.unknown_kinds(),
    )


def _value_of(linked: LinkedEnvironment, identity: ResourceId) -> Any:
    """A resource of an environment, which is compiled for it."""
    return linked.resource(identity).value


def _ids_of(linked: LinkedEnvironment) -> Iterator[ResourceId]:
    """The resources of the units of an environment, looked up when somebody asks for the first."""
    for unit in linked.exports:
        for resource in unit.resources:
            yield resource.id


def own_rules_near(folder: Path) -> tuple[Rule, ...]:
    """The rules that the project around a folder has of its own; none where there is no project.

    Raises:
        EnvcError: what is wrong with them.
    """
    from envcompile.sources import WorkingTree, find_root

    try:
        root = find_root(folder)
    except UsageError:
        return ()
    return rules_of(WorkingTree(root))[1].rules


def grading(project: Project, sources: EnvironmentSources) -> Grading:
    """The grades that hold for an environment."""
    return Grading(project.settings.checks, sources.settings.checks)


class SortedOut(NamedTuple):
    """Findings of one environment, graded, each thing once."""

    rules: tuple[Rule, ...]
    """Those that the settings do not leave out, and that something is asked of."""
    findings: tuple[Finding, ...]
    ignored: tuple[tuple[Finding, Aside], ...]
    unused: tuple[tuple[Finding, Aside], ...]
    """Entries that set nothing aside here; in another environment they may."""


def asked_of(grades: Grading, rules: Sequence[Rule], untried_here: Collection[str]) -> dict[str, Rule]:
    """The rules, by id, that the settings of an environment do not leave out, and that something is asked of."""
    return {rule.id: rule for rule in rules if not grades.is_off(rule.id) and rule.id not in untried_here}


def sort_out(
    environment: str,
    found: Iterable[Found],
    asides: Iterable[Aside],
    grades: Grading,
    rules: Sequence[Rule],
    untried_here: Collection[str],
) -> SortedOut:
    """Grade what was found in an environment, or in some units of it, and set aside what its annotations say.

    Args:
        environment: its name.
        found: that.
        asides: what annotations of the same resources say.
        grades: how grave findings are there.
        rules: those that there are.
        untried_here: the ids of rules of which nothing is asked.
    """
    asked = asked_of(grades, rules, untried_here)
    entries = by_rule(asides)
    graded = (
        Finding(
            one.rule,
            grades.grade(asked[one.rule], one),
            environment,
            one.resource,
            one.field,
            one.what,
            one.fix,
            one.fingerprint,
            one.where,
            mends=one.mends,
        )
        for one in found
        if one.rule in asked
    )
    findings, ignored = set_aside(graded, entries)
    idle = []
    used = {aside for _, aside in ignored.values()}
    every = frozenset(rule.id for rule in rules)
    for rule, aside, hit in about_entries(entries.values(), grades, every, asked.keys(), used):
        print_ = fingerprint(rule.id, environment, hit.resource, aside.field, hit.value)
        grade = grades.grade(rule, hit)
        finding = Finding(
            rule.id, grade, environment, hit.resource, aside.field, hit.what, hit.fix, print_, aside.where
        )
        if rule is UNUSED:
            idle.append((finding, aside))
        else:
            findings.setdefault(print_, finding)
    own = [rule for rule in ABOUT_SUPPRESSIONS if not grades.is_off(rule.id)]
    return SortedOut((*asked.values(), *own), tuple(findings.values()), tuple(ignored.values()), tuple(idle))


def unused_everywhere(used: Iterable[Aside], unused: Iterable[tuple[Finding, Aside]]) -> Iterator[Finding]:
    """The suppressions that set nothing aside in any environment that has them from the same line.

    Args:
        used: those that set something aside somewhere.
        unused: those that do not, with what is told of each.
    """
    busy = {(aside.where, aside.rule) for aside in used}
    return (finding for finding, aside in unused if (aside.where, aside.rule) not in busy)


def _refuse_unknown_rules(project: Project, linked: Sequence[LinkedEnvironment], rules: Sequence[Rule]) -> None:
    """Refuse names in `checks` that no rule has.

    Raises:
        EnvcError: naming each with its place and the nearest name.
    """
    known = [rule.id for rule in (*rules, *ABOUT_SUPPRESSIONS)]
    problems = Problems()

    def refuse(name: str, where: Location | None) -> None:
        fix = did_you_mean(name, known, "`envc rule` lists the rules", ALIKE)
        problems.add(f"`checks` names the rule `{name}`, which does not exist", fix, *([where] if where else []))

    for name in project.settings.checks:
        if name not in known:
            refuse(name, _where_in_project(project, name))
    for environment in linked:
        sources = environment.plan.sources
        for name in sources.settings.checks:
            if name not in known:
                refuse(name, sources.where(("checks", name)))
    problems.raise_any()


def _where_in_project(project: Project, rule: str) -> Location | None:
    from envcompile.sources.project import read_project_file
    from envcompile.yamlio.places import place

    document = read_project_file(project.tree, Problems())[1]
    return place(document, ("checks", rule)) if document is not None else None
