"""Checks of compiled environments: every rule asked, every finding graded, set aside or traced to its source line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.build import compile_all
from envcompile.actions.field_places import field_path, source_place
from envcompile.actions.older import older_values
from envcompile.check.check_input import Scene, SealingKeys
from envcompile.check.finding import RANK, Finding, fingerprint
from envcompile.check.grading import Grading
from envcompile.check.hiding import NOT_SHOWN, hidden
from envcompile.check.report import Ignored, Report, order
from envcompile.check.schema import IMMUTABLE, SCHEMA, unknown_kinds
from envcompile.check.suppressions import POINTER, UNUSED, misused, read_suppressions, unused
from envcompile.check.suppressions import RULES as ABOUT_SUPPRESSIONS
from envcompile.errors import Problem, Problems, UsageError, did_you_mean
from envcompile.kubernetes.fieldpath import format_field
from envcompile.model import without_values
from envcompile.settings import Sealing
from envcompile.text import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envcompile.check.finding import Hit, Severity
    from envcompile.check.rule import Rule
    from envcompile.check.suppressions import Suppression
    from envcompile.model import Location, Resource, ResourceId
    from envcompile.units.project import CompiledEnvironment, Project


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
    rules: tuple[Rule, ...]
    """Those that the settings do not leave out."""
    findings: tuple[Graded, ...]
    ignored: tuple[tuple[Graded, Suppression], ...]
    unused: tuple[tuple[Graded, Suppression], ...]
    """Suppressions that set nothing aside here; in another environment they may."""


def known_rules() -> tuple[Rule, ...]:
    """Every rule that can be graded and suppressed: the schema, and the catalogue."""
    from envcompile.check.rules.catalogue import RULES

    return (SCHEMA, IMMUTABLE, *RULES)


def all_rules() -> tuple[Rule, ...]:
    """Every rule there is, also those about suppressions."""
    return (*known_rules(), *ABOUT_SUPPRESSIONS)


def check(
    project: Project, wanted: Sequence[str], rules: Sequence[Rule] | None = None, *, since: str | None = None
) -> Report:
    """Compile environments and check them.

    Args:
        project: the repository.
        wanted: environments as the user named them; none means all.
        rules: what to ask besides the schema and the suppressions; the catalogue when left out.
        since: the commit whose compiled manifests say what must stay; the last compiled state when left out.

    Raises:
        UsageError: no such environment, or there is no resource to look at.
        EnvcError: what is wrong with the sources, or `checks` names rules that do not exist.
    """
    asked = known_rules() if rules is None else (SCHEMA, *rules)
    names = project.choose(wanted)
    compiled = compile_all(project, names)
    count = sum(len(built.compiled.resources) for built in compiled)
    if not count:
        what = f"there is no resource to check in {', '.join(names)}"
        raise UsageError([Problem(what, "a clean result would say nothing: add resources to base/ or overlays/")])
    _refuse_unknown_rules(project, compiled, asked)
    older = older_values(project, compiled, since) if IMMUTABLE in asked else [{} for _ in compiled]
    looked = [
        look(built, grading(project, built), asked, older=values) for built, values in zip(compiled, older, strict=True)
    ]
    findings = [*_placed(looked), *_unused_everywhere(looked)]
    return Report(
        names,
        count,
        tuple(rule for rule in (*asked, *ABOUT_SUPPRESSIONS) if any(rule in entry.rules for entry in looked)),
        tuple(sorted(findings, key=order)),
        tuple(
            Ignored(place_of(entry, found), suppression.reason)
            for entry in looked
            for found, suppression in entry.ignored
        ),
        tuple(sorted({kind for built in compiled for kind in unknown_kinds(scene_of(built))})),
    )


def grading(project: Project, built: CompiledEnvironment) -> Grading:
    """The grades that hold for an environment."""
    return Grading(project.settings.checks, built.composed.sources.settings.checks)


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
    used: set[Suppression] = set()
    graded = _Grader(built, values, grades)
    for rule in asked:
        for hit in rule.find(part if rule.alone else scene):
            entry = suppressions.get((hit.resource, rule.id))
            is_ignored = entry is not None and bool(entry.reason)
            if entry is not None and is_ignored:
                used.add(entry)
            if RANK[grades.grade(rule, hit)] < RANK[least]:
                continue
            found = graded(rule, hit)
            if entry is not None and is_ignored:
                ignored.setdefault(found.fingerprint, (found, entry))
            else:
                findings.setdefault(found.fingerprint, found)
    own = [rule for rule in ABOUT_SUPPRESSIONS if not grades.is_off(rule.id)]
    for rule, hit in misused(suppressions.values(), known):
        if rule in own and RANK[grades.grade(rule, hit)] >= RANK[least]:
            found = graded(rule, hit)
            findings.setdefault(found.fingerprint, found)
    idle = []
    if UNUSED in own:
        names = {rule.id for rule in asked}
        idle = [
            (graded(UNUSED, unused(entry)), entry)
            for entry in suppressions.values()
            if entry.reason and entry.rule in names and entry not in used
            if RANK[grades.grade(UNUSED, unused(entry))] >= RANK[least]
        ]
    return Looked(
        built,
        {resource.id: resource for resource in built.compiled.resources},
        (*asked, *own),
        tuple(findings.values()),
        tuple(ignored.values()),
        tuple(idle),
    )


def place_of(looked: Looked, found: Graded) -> Finding:
    """The finding with the one line of the sources that it points at."""
    identity = found.hit.resource
    resource = looked.resources.get(identity)
    where = source_place(looked.built, resource, found.hit.pointer) if resource is not None else None
    what = found.hit.what
    if resource is not None and where is not None:
        for pointer in found.hit.beside:
            other = source_place(looked.built, resource, pointer)
            if other is not None and other.file != where.file:
                what += f" (`{pointer[-1]}` is from {other.file}:{other.line})"
    return Finding(
        found.rule,
        found.severity,
        looked.built.compiled.environment,
        identity,
        _line(found.field),
        _line(what),
        _line(found.hit.fix),
        found.fingerprint,
        where,
    )


def _placed(looked: Sequence[Looked]) -> list[Finding]:
    """All findings with their places.

    Those of one resource follow each other, in all environments: they stand in the same files, which are gone through
    once then.
    """
    found = [(item.hit.resource, number, item) for number, entry in enumerate(looked) for item in entry.findings]
    found.sort(key=lambda each: (each[0].kind, each[0].name, each[0], each[1]))
    return [place_of(looked[number], item) for _, number, item in found]


def _line(text: str) -> str:
    """A text that may quote what manifests hold, as one line that deceives no terminal."""
    return escaped(" ".join(text.split()))


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
    sealing = built.composed.sources.settings.sealing or Sealing()
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
    keys = SealingKeys(sealing.controller_namespace, sealing.controller_name)
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


def _unused_everywhere(looked: Sequence[Looked]) -> Iterator[Finding]:
    """The suppressions that set nothing aside in any environment that has them from the same line."""
    idle: dict[tuple[Location | None, str], list[Finding]] = {}
    for entry in looked:
        for found, suppression in entry.unused:
            placed = place_of(entry, found)
            idle.setdefault((placed.where, suppression.rule), []).append(placed)
    if not idle:
        return
    busy = set()
    for entry in looked:
        for found, suppression in entry.ignored:
            resource = entry.resources[found.hit.resource]
            busy.add((source_place(entry.built, resource, POINTER), suppression.rule))
    for key, findings in idle.items():
        if key not in busy:
            yield from findings


def _refuse_unknown_rules(project: Project, compiled: Sequence[CompiledEnvironment], rules: Sequence[Rule]) -> None:
    """Refuse names in `checks` that no rule has.

    Raises:
        EnvcError: naming each with its place and the nearest name.
    """
    known = [rule.id for rule in (*rules, *ABOUT_SUPPRESSIONS)]
    problems = Problems()

    def refuse(name: str, where: Location | None) -> None:
        fix = did_you_mean(name, known, "`envc rule` lists the rules")
        problems.add(f"`checks` names the rule `{name}`, which does not exist", fix, *([where] if where else []))

    for name in project.settings.checks:
        if name not in known:
            refuse(name, _where_in_project(project, name))
    for built in compiled:
        sources = built.composed.sources
        for name in sources.settings.checks:
            if name not in known:
                refuse(name, sources.where(("checks", name)))
    problems.raise_any()


def _where_in_project(project: Project, rule: str) -> Location | None:
    from envcompile.sources.project import read_project_file
    from envcompile.yamlio.places import place

    document = read_project_file(project.tree, Problems())[1]
    return place(document, ("checks", rule)) if document is not None else None
