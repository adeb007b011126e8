"""One compiled environment looked at without a memo, its findings graded and not placed: for who compares two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.findings import one_line, sealing_keys
from envcompile.actions.graded import about_entries, by_rule, field_of, set_aside, told
from envcompile.check.check_input import CheckInput
from envcompile.check.finding import RANK, Finding, fingerprint
from envcompile.check.hiding import NOT_SHOWN, hidden
from envcompile.check.suppressions import read_suppressions
from envcompile.model import without_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.check.finding import Hit, Severity
    from envcompile.check.grading import Grading
    from envcompile.check.rule import Rule
    from envcompile.check.suppressions import Suppression
    from envcompile.model import Resource, ResourceId
    from envcompile.units.project import CompiledEnvironment


class Graded(NamedTuple):
    """A hit with its rule and grade, before anybody asked for its place."""

    rule: str
    severity: Severity
    hit: Hit
    field: str
    fingerprint: str

    @property
    def resource(self) -> ResourceId:
        """What it was found in."""
        return self.hit.resource


class Looked(NamedTuple):
    """What the rules found in one environment, each thing once."""

    built: CompiledEnvironment
    resources: Mapping[ResourceId, Resource]
    findings: tuple[Graded, ...]
    ignored: tuple[tuple[Graded, Suppression], ...]


def look(
    built: CompiledEnvironment,
    grades: Grading,
    rules: Sequence[Rule],
    *,
    only: frozenset[ResourceId] | None = None,
    older: Mapping[ResourceId, dict[str, Any]] | None = None,
    least: Severity = "info",
) -> Looked:
    """Ask the rules about one compiled environment; no file is read.

    Args:
        built: the environment.
        grades: how grave findings are.
        rules: what to ask; those about suppressions are asked always.
        only: rules that judge each resource alone are asked about these only; about all when left out.
        older: resources that were something else before, as they were.
        least: findings that are less grave are left out.
    """
    inputs = check_input_of(built, older)
    part = inputs
    if only is not None:
        chosen = [item for item in inputs.resources if item.id in only]
        part = CheckInput(inputs.environment, chosen, inputs.api, inputs.keys, inputs.older)
    values = {resource.id: resource for resource in inputs.resources}
    asked = tuple(rule for rule in rules if not grades.is_off(rule.id))
    entries = by_rule(entry for one in inputs.resources for entry in read_suppressions(one.id, one.value))
    every = frozenset(rule.id for rule in rules)
    graded = _Grader(built, values, grades)
    hits = ((rule, hit) for rule in asked for hit in rule.find(part if rule.alone else inputs))
    grave = (graded(rule, hit) for rule, hit in hits if RANK[grades.grade(rule, hit)] >= RANK[least])
    findings, ignored = set_aside(grave, entries)
    # Nobody asks here which entries set something aside: the rules about one environment do not tell.
    for rule, _, hit in about_entries(entries.values(), grades, every, every, entries.values()):
        if RANK[grades.grade(rule, hit)] >= RANK[least]:
            found = graded(rule, hit)
            findings.setdefault(found.fingerprint, found)
    return Looked(
        built,
        {resource.id: resource for resource in built.compiled.resources},
        tuple(findings.values()),
        tuple(ignored.values()),
    )


def place_of(looked: Looked, found: Graded) -> Finding:
    """The finding with the one line of the sources that it points at."""
    identity = found.hit.resource
    resource = looked.resources.get(identity)
    what, where = told(looked.built.composed, resource, found.hit) if resource is not None else (found.hit.what, None)
    return Finding(
        found.rule,
        found.severity,
        looked.built.compiled.environment,
        identity,
        one_line(found.field),
        one_line(what),
        one_line(found.hit.fix),
        found.fingerprint,
        where,
    )


class _Grader:
    """Grades hits, and says their field by merge keys, so that it stays the same when items move."""

    def __init__(self, built: CompiledEnvironment, resources: Mapping[ResourceId, Resource], grades: Grading) -> None:
        self._environment = built.compiled.environment
        self._api = built.composed.api
        self._resources = resources
        self._grades = grades

    def __call__(self, rule: Rule, hit: Hit) -> Graded:
        resource = self._resources.get(hit.resource)
        field = field_of(self._api, resource, hit.pointer) if resource is not None else ""
        print_ = fingerprint(rule.id, self._environment, hit.resource, field, hit.value)
        return Graded(rule.id, self._grades.grade(rule, hit), hit, field, print_)


def check_input_of(built: CompiledEnvironment, older: Mapping[ResourceId, dict[str, Any]] | None = None) -> CheckInput:
    """The environment as rules look at it: free of every secret, and beside what it was before."""
    compiled = built.compiled
    resources = compiled.resources
    if compiled.plaintext_allowed:
        before = older or {}
        older = {
            resource.id: without_values(resource._replace(value=before[resource.id]), NOT_SHOWN, hidden).value
            for resource in resources
            if resource.id in before
        }
        resources = tuple([without_values(resource, NOT_SHOWN, hidden) for resource in resources])
    keys = sealing_keys(built.composed.sources.settings.sealing)
    return CheckInput(compiled.environment, resources, built.composed.api, keys, older)
