"""One compiled environment looked at without a memo, its findings graded and not placed: for who compares two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.findings import one_line, sealing_keys
from envcompile.check.check_input import Scene
from envcompile.check.finding import RANK, Finding, fingerprint
from envcompile.check.hiding import NOT_SHOWN, hidden
from envcompile.check.rules.catalogue import ABOUT_SUPPRESSIONS
from envcompile.check.suppressions import read_suppressions
from envcompile.kubernetes.fieldpath import format_field
from envcompile.model import without_values
from envcompile.units.field_places import field_path, source_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
    scene = scene_of(built, older)
    part = scene
    if only is not None:
        chosen = [item for item in scene.resources if item.id in only]
        part = Scene(scene.environment, chosen, scene.api, scene.keys, scene.older)
    values = {resource.id: resource for resource in scene.resources}
    asked = tuple(rule for rule in rules if not grades.is_off(rule.id))
    suppressions = _suppressions(scene.resources)
    known = frozenset(rule.id for rule in rules)
    findings: dict[str, Graded] = {}
    ignored: dict[str, tuple[Graded, Suppression]] = {}
    graded = _Grader(built, values, grades)
    for rule in asked:
        for hit in rule.find(part if rule.alone else scene):
            entry = suppressions.get((hit.resource, rule.id))
            is_ignored = entry is not None and bool(entry.reason)
            if RANK[grades.grade(rule, hit)] < RANK[least]:
                continue
            found = graded(rule, hit)
            if entry is not None and is_ignored:
                ignored.setdefault(found.fingerprint, (found, entry))
            else:
                findings.setdefault(found.fingerprint, found)
    own = [rule for rule in ABOUT_SUPPRESSIONS if not grades.is_off(rule.id)]
    for entry in suppressions.values():
        for rule in own:
            # Nobody asks here which entries set something aside: the rules about one environment do not tell.
            said = rule.judge(entry, known, is_used=True) if rule.judge is not None else None
            if said is not None and RANK[grades.grade(rule, said)] >= RANK[least]:
                found = graded(rule, said)
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
    where = source_place(looked.built.composed, resource, found.hit.pointer) if resource is not None else None
    what = found.hit.what
    if resource is not None and where is not None:
        for pointer in found.hit.beside:
            other = source_place(looked.built.composed, resource, pointer)
            if other is not None and other.file != where.file:
                what += f" (`{pointer[-1]}` is from {other.file}:{other.line})"
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
        field = ""
        if resource is not None:
            group, _, version = str(resource.value.get("apiVersion", "")).rpartition("/")
            there, missing = field_path(hit.pointer, resource.value, self._api.node(group, version, resource.id.kind))
            field = format_field((*there, *missing))
        print_ = fingerprint(rule.id, self._environment, hit.resource, field, hit.value)
        return Graded(rule.id, self._grades.grade(rule, hit), hit, field, print_)


def scene_of(built: CompiledEnvironment, older: Mapping[ResourceId, dict[str, Any]] | None = None) -> Scene:
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
    return Scene(compiled.environment, resources, built.composed.api, keys, older)


def _suppressions(resources: Iterable[Resource]) -> dict[tuple[ResourceId, str], Suppression]:
    """The entries of all annotations by resource and rule; of two for the same rule the one with a reason."""
    found: dict[tuple[ResourceId, str], Suppression] = {}
    for resource in resources:
        for entry in read_suppressions(resource.id, resource.value):
            key = (entry.resource, entry.rule)
            if entry.reason or key not in found:
                found[key] = entry
    return found
