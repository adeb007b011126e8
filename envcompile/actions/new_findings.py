"""What the checks find on the newer side of a difference and did not find on the older one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.actions.check import grading, rules_of
from envcompile.actions.looking import look, place_of
from envcompile.actions.not_evaluated import Seen, not_evaluated
from envcompile.actions.own_rules import Own
from envcompile.ask.findings import FindingRow, NewFindings
from envcompile.check.baseline import FILE, read_baseline
from envcompile.check.policy.failures import once
from envcompile.check.report import order, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.actions.diff import Difference
    from envcompile.actions.looking import Graded, Looked
    from envcompile.ask.difference import EnvironmentDiff
    from envcompile.check.finding import Finding
    from envcompile.check.grading import Grading
    from envcompile.check.rule import Rule
    from envcompile.model import Resource, ResourceId
    from envcompile.sources import Tree
    from envcompile.units.project import CompiledEnvironment

_LEAST: Final = "warning"
"""Reviewers are told of nothing less grave."""


class _Side(NamedTuple):
    """One environment that differs, with what is found in it now."""

    name: str
    touched: frozenset[ResourceId]
    grades: Grading
    now: Looked
    findings: dict[str, Graded]


def new_findings(found: Difference, rules: Sequence[Rule] | None = None) -> NewFindings:
    """The findings that the newer side brings: those with another fingerprint than everything found before.

    Rules that judge each resource alone look at the resources that differ, and at those of whose kind another thing is
    known now; the others see the whole environment. An environment is looked at when something in it differs, or the
    version of Kubernetes, the definitions, the sealing keys or the repository's own rules that it is judged by. Own
    rules that differ are asked about everything, on each side as they are there. The newer side's grades hold for
    both. What was found before is only asked of the rules that find something now, and of the others when there is
    something to tell.

    Args:
        found: what differs, and both sides.
        rules: what to ask; every rule when left out.

    Raises:
        EnvcError: the baseline cannot be read.
    """
    asked, own = rules_of(found.project.tree) if rules is None else (rules, Own())
    if found.former_rules is not None:
        changed = {rule.id for rule in own.rules}
        asked = [rule._replace(alone=False) if rule.id in changed else rule for rule in asked]
    sides = [
        _side(found, diff, after, asked)
        for diff in found.environments
        if (after := found.after.get(diff.environment)) is not None
    ]
    if not any(side.findings for side in sides):
        return NewFindings(notes=_notes(own, sides))
    accepted = _baseline(found.project.tree)
    placed: list[Finding] = []
    for side in sides:
        names = {item.rule for item in side.findings.values()}
        was = _before(found, side, [rule for rule in asked if rule.id in names], own)
        placed += [
            place_of(side.now, item) for name, item in side.findings.items() if name not in was and name not in accepted
        ]
    notes = _notes(own, sides)
    if not placed:
        return NewFindings(notes=notes)
    gone = sum(len(_before(found, side, asked, own) - side.findings.keys() - _ignored(side)) for side in sides)
    rows = []
    for group in together(sorted(once(placed, {one.id: one for one in own.rules}), key=order)):
        finding = group.finding
        place = f"{finding.where.file}:{finding.where.line}" if finding.where is not None else ""
        rows.append(
            FindingRow(finding.severity, finding.rule, finding.what, group.environments, finding.resource.short, place)
        )
    return NewFindings(tuple(rows), gone, notes)


def _notes(own: Own, sides: Sequence[_Side]) -> tuple[str, ...]:
    """What is not evaluated in what differs: nobody may take it for passed."""
    seen = [
        Seen(
            side.name,
            side.now.built.composed.api,
            side.now.resources,
            side.grades,
            partial(_value_of, side.now.resources),
        )
        for side in sides
    ]
    return tuple([f"{one.what}." for one in not_evaluated(own, seen)])


def _value_of(resources: Mapping[ResourceId, Resource], identity: ResourceId) -> Any:
    return resources[identity].value


def _side(found: Difference, diff: EnvironmentDiff, after: CompiledEnvironment, rules: Sequence[Rule]) -> _Side:
    touched = frozenset(name for item in diff.resources for name in (item.resource, item.was) if name is not None)
    grades = grading(found.project, after.composed.sources)
    before = found.before.get(diff.environment)
    if before is not None:
        was, is_now = before.composed.api, after.composed.api
        ids = [resource.id for resource in after.compiled.resources]
        touched |= {one for one in ids if not is_now.knows_alike(was, one.group, one.kind)}
    older = {resource.id: resource.value for resource in before.compiled.resources} if before is not None else {}
    now = look(after, grades, rules, only=touched, older=older, least=_LEAST)
    return _Side(diff.environment, touched, grades, now, {item.fingerprint: item for item in now.findings})


def _before(found: Difference, side: _Side, rules: Sequence[Rule], own: Own) -> set[str]:
    """The fingerprints of what was found on the older side; none for an environment that is new."""
    before = found.before.get(side.name)
    if before is None:
        return set()
    if found.former_rules is not None:
        is_own = {rule.id for rule in own.rules}
        former = {rule.id: rule._replace(alone=False) for rule in found.former_rules}
        rules = [former.get(rule.id, rule) for rule in rules if rule.id not in is_own or rule.id in former]
    then = look(before, side.grades, rules, only=side.touched, least=_LEAST)
    return {item.fingerprint for item in then.findings}


def _ignored(side: _Side) -> set[str]:
    """What is set aside now: it did not go away."""
    return {item.fingerprint for item, _ in side.now.ignored}


def _baseline(tree: Tree) -> frozenset[str]:
    if not tree.is_file(FILE):
        return frozenset()
    return frozenset(entry.fingerprint for entry in read_baseline(tree.read(FILE), FILE))
