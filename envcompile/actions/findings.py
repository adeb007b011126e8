"""What the rules find in linked environments: by unit where they look at one resource, over all facts where at many.

A unit that did not change keeps its findings. What rules about several resources look at (`check/facts.py`) is told by
every unit, as exports are told to link: while it is the same, so is what they find, and only places are new.
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from itertools import starmap
from typing import TYPE_CHECKING, Any

import msgspec

from envcompile.actions.checked import Checked, Sight, hits_digest
from envcompile.actions.findings_memo import (
    Aside,
    CheckedUnit,
    Details,
    Fact,
    FindingsMemo,
    Found,
    RawHit,
    hits_in,
    kinds_in,
    packed,
    packed_found,
    packed_kinds,
)
from envcompile.actions.graded import field_of, told
from envcompile.actions.holding import Holding
from envcompile.check.check_input import CheckInput, SealingKeys
from envcompile.check.facts import facts_of
from envcompile.check.finding import Hit, fingerprint
from envcompile.check.hiding import NOT_SHOWN, hidden
from envcompile.check.policy.kinds import has_own_rules
from envcompile.check.rules.policies.custom_kind_rule import RULE as CUSTOM
from envcompile.check.rules.server.immutable_field import RULE as IMMUTABLE
from envcompile.check.schema import unknown_kinds
from envcompile.check.suppressions import POINTER, read_suppressions
from envcompile.emit.filenames import place_files
from envcompile.emit.manifests import built_in_kinds
from envcompile.log import decision, is_on, progress
from envcompile.model import Resource, without_values
from envcompile.settings import Sealing
from envcompile.sources.project import ENVIRONMENT_FILE, OVERLAYS
from envcompile.sources.scans import combined_digest
from envcompile.text import escaped
from envcompile.units.field_places import source_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from envcompile.actions.older import OlderStates
    from envcompile.check.rule import Rule
    from envcompile.compose.layers import Origin
    from envcompile.emit.filenames import Placed
    from envcompile.model import Pointer, ResourceId
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.project import Project

_MANY = 20
"""Units that are held against the older state, from which on its folder is listed first."""
_LAST = (1 << 30, "", 0, 0)
"""Resources that no unit has stand behind those of all layers."""


def find_all(
    project: Project, linked: Sequence[LinkedEnvironment], rules: Sequence[Rule], older: OlderStates | None, stamp: str
) -> list[Checked]:
    """Ask the rules about linked environments; of units that did not change it is remembered what they found.

    Args:
        project: the repository.
        linked: its environments.
        rules: what to ask, besides those about suppressions.
        older: what was compiled before; None when nobody asks what cannot change.
        stamp: names the rules; nothing is remembered, nor looked up, when it is empty.
    """
    checkers = [_Checker(project, one, rules, older, stamp) for one in linked]
    apps: dict[str, list[tuple[_Checker, int]]] = {}
    for checker in checkers:
        for number in checker.missing:
            apps.setdefault(checker.linked.plan.units.apps[number], []).append((checker, number))
    # Application by application: what environments have in common is looked at once.
    for position, app in enumerate(sorted(apps), 1):
        progress("applications checked", position, len(apps))
        for checker, number in apps[app]:
            checker.check(number)
    for checker in checkers:
        checker.ask_together()
    joint: dict[str, list[tuple[_Checker, int]]] = {}
    for checker in checkers:
        for number, unit in checker.unplaced():
            joint.setdefault(unit.app, []).append((checker, number))
    for _, several in sorted(joint.items()):
        for checker, number in several:
            checker.place(number)
    return [checker.finish() for checker in checkers]


def count_of(linked: LinkedEnvironment) -> int:
    """How many resources an environment has."""
    if linked.paths is not None:
        return linked.paths.resources
    return len(linked.linked.order) + len(linked.linked.further)


def sealing_keys(sealing: Sealing | None) -> SealingKeys:
    """Where an environment's sealing keys live."""
    said = sealing or Sealing()
    return SealingKeys(said.controller_namespace, said.controller_name)


class _Checker:
    """One environment while it is checked."""

    def __init__(
        self,
        project: Project,
        linked: LinkedEnvironment,
        rules: Sequence[Rule],
        older: OlderStates | None,
        stamp: str,
    ) -> None:
        self.linked = linked
        self._plan = linked.plan
        self._settings = linked.plan.sources.settings
        self._keys = sealing_keys(self._settings.sealing)
        self._alone = [rule for rule in rules if rule.alone and rule is not IMMUTABLE]
        self._together = [rule for rule in rules if not rule.alone]
        self._mends = {rule.id: rule.mend for rule in rules if rule.mend is not None}
        self._older = older if IMMUTABLE in rules else None
        self._stamp = stamp
        self._is_plain = self._settings.secret_backend == "plaintext"
        is_trusted = project.tree.limits.is_trusted
        is_kept = bool(stamp) and is_trusted and project.look is not None and project.memo is not None
        root = project.tree.root if is_kept else None
        tool = project.look.tool if project.look is not None else ""
        self._memo = FindingsMemo(root, linked.environment, tool)
        said = _settings_files(project, linked.environment)
        beside = combined_digest([said, stamp])
        self._unit_keys = [
            f"{key} {linked.imports_digest(number)} {beside}" for number, key in enumerate(self._plan.units.keys)
        ]
        known = {number: self._memo.get(key) for number, key in enumerate(self._unit_keys)}
        self._units = {number: unit for number, unit in known.items() if unit is not None}
        self._details: dict[int, Details] = {}
        """What was found in units of which nothing may be remembered."""
        self._facts: dict[int, list[Fact]] = {}
        self._alone_hits: dict[int, list[tuple[str, Hit]]] = {}
        """What rules that look at one resource found in units, until their places are looked up."""
        self._further: tuple[list[Found], list[Aside]] = ([], [])
        self._sights: list[Sight] = []
        """What rules about several resources find."""
        self._unknown: set[str] = set()
        self.missing = [number for number in known if number not in self._units]
        """The numbers of the units that nothing is remembered of."""
        if stamp:
            why = {reason.app: reason.why.removeprefix("compiled: ") for reason in linked.reasons} if is_on() else {}
            anew = [self._plan.units.apps[number] for number in self.missing]
            decision(
                "check",
                "%s: %s of %s units are looked at anew: %s",
                linked.environment,
                len(anew),
                len(self._plan.units),
                ", ".join(f"{app} ({why.get(app, '')})" for app in anew) or "the findings of all are remembered",
            )

    def check(self, number: int) -> None:
        """Ask the rules that look at one resource about a unit."""
        values = self.linked.unit_values(number)
        right = self.linked.right_values(number)
        self._alone_hits[number], asides = self._look_at([resource for _, resource in values], right)
        self._facts[number] = self._facts_of(values)
        body = packed(self._facts[number])
        unit = CheckedUnit(
            self._plan.units.apps[number],
            tuple(unknown_kinds(self._plan.api, [resource.id for _, resource in values])),
            hashlib.sha256(body or b"").hexdigest(),
            packed_kinds(resource.id[:2] for _, resource in values),
        )
        if self._plan.units[number].may_be_remembered and body is not None:
            self._memo.put_facts(unit, body)
            self._memo.put(self._unit_keys[number], unit)
        self._replace(number, unit, Details(asides=tuple(asides)))

    def ask_together(self) -> None:
        """Ask the rules about several resources, unless nothing that they look at changed."""
        linked = self.linked
        further = [] if linked.paths is not None else [linked.resource(one.id) for one in linked.linked.further]
        alone, asides = self._look_at(further)
        self._sights = self._look_together(further)
        by_id = {resource.id: resource for resource in further}
        hits = [*alone, *((hit.rule, _hit(hit)) for hit in hits_in(self._hits_of("")))]
        self._further = ([self._placed(rule, hit, by_id.get(hit.resource)) for rule, hit in hits], asides)
        self._unknown = {*unknown_kinds(self._plan.api, [resource.id for resource in further])}

    def unplaced(self) -> Iterator[tuple[int, CheckedUnit]]:
        """The units that were looked at, and those of which rules about several find something else than before."""
        joint_of = {app: self._joint_of(app) for app in {*self._plan.units.apps}}
        for number, unit in sorted(self._units.items()):
            if self._alone_hits.get(number) or unit.joint_of != joint_of[unit.app]:
                yield number, unit

    def place(self, number: int) -> None:
        """Look up the places of what is found in a unit, all at once: its files are read for it."""
        unit, details = self._units[number], self._details_of(number)
        data, hits = self._hits_of(unit.app), self._alone_hits.pop(number, [])
        values = {resource.id: resource for _, resource in self.linked.unit_values(number)} if data or hits else {}
        if hits:
            details.alone = packed_found([self._placed(rule, hit, values.get(hit.resource)) for rule, hit in hits])
        if details.joint_of != (joint_of := self._joint_of(unit.app)):
            found = [self._placed(hit.rule, _hit(hit), values.get(hit.resource)) for hit in hits_in(data)]
            details.joint, details.joint_of = packed_found(found), joint_of
        self._replace(number, msgspec.structs.replace(unit, joint_of=joint_of), details)

    def _details_of(self, number: int) -> Details:
        """What was found in a unit; where it is lost, the unit is looked at again."""
        found = self._known_details(number)
        if found is None:
            changes = self._units[number].changes
            self.check(number)
            self.place(number)
            self._units[number].changes = changes
            found = self._known_details(number) or Details()
        return found

    def _known_details(self, number: int) -> Details | None:
        return self._details.get(number) or self._memo.details(self._unit_keys[number], self._units[number])

    def _joint_of(self, app: str) -> str:
        """Names what rules about several resources find in an application."""
        return " ".join([digest for sight in self._sights if (digest := sight.digests.get(app))])

    def _hits_of(self, app: str) -> bytes:
        """What rules about several resources find in an application."""
        return b"".join([sight.hits(app) for sight in self._sights])

    def finish(self) -> Checked:
        """Hold what is there against what was compiled before, and add all up."""
        if self._older is not None:
            self._ask_about_changes(self._older)
        unknown = set(self._unknown)
        for unit in self._units.values():
            unknown.update(unit.unknown)
        self._memo.save()
        units = [self._units[number] for number in range(len(self._units))]
        keys = list(starmap(self._key_of, enumerate(units)))
        resources = count_of(self.linked)
        return Checked(self.linked, resources, units, self._details_of, keys, self._further, frozenset(unknown))

    def _key_of(self, number: int, unit: CheckedUnit) -> str:
        """Names all that was found in a unit: by what it was compiled from, and what others and the past say of it."""
        units = self._plan.units
        if not (units.told[number] or units[number].may_be_remembered):
            return ""
        return f"{self._unit_keys[number]} {unit.joint_of} {hits_digest(unit.changes) if unit.changes else ''}"

    def _look_at(
        self, resources: Sequence[Resource], right: frozenset[int] = frozenset()
    ) -> tuple[list[tuple[str, Hit]], list[Aside]]:
        """What rules that look at one resource find in some, and what their annotations set aside."""
        shown = self._shown(resources)
        if shown is not resources:  # what is hidden is of the same form
            pairs = zip(resources, shown, strict=True)
            right |= {id(seen.value) for one, seen in pairs if seen is not one and id(one.value) in right}
        inputs = CheckInput(self.linked.environment, shown, self._plan.api, self._keys, right=right)
        by_id = {resource.id: resource for resource in resources}
        found = [(rule.id, hit) for rule in self._alone for hit in rule.find(inputs)]
        asides = []
        for resource in shown:
            for entry in read_suppressions(resource.id, resource.value):
                field = self._field(by_id[entry.resource], POINTER)
                where = source_place(self._plan, by_id[entry.resource], POINTER)
                asides.append(Aside(entry.resource, entry.rule, entry.reason, field, where))
        return found, asides

    def _shown(self, resources: Sequence[Resource]) -> Sequence[Resource]:
        """Resources as rules see them: free of every secret."""
        return [without_values(one, NOT_SHOWN, hidden) for one in resources] if self._is_plain else resources

    def _facts_of(self, values: Iterable[tuple[Origin, Resource]]) -> list[Fact]:
        return [
            Fact(origin, one.id, one.app, facts_of(self._shown([one])[0]))  # what is hidden has the same keys
            for origin, one in values
        ]

    def _look_together(self, further: Sequence[Resource]) -> list[Sight]:
        """What rules about several resources find, by application; under no name for what no unit has."""
        more = self._facts_of([(_LAST, resource) for resource in further])
        own = hashlib.sha256(packed(more) or b"").hexdigest()
        told = [self._units[number].facts for number in range(len(self._units))]
        found = [self._joint("facts", [own, *told], lambda: self._by_facts(more))]
        kinds = kinds_in(self._units.values()) | {resource.id[:2] for resource in further}
        whole = [rule for rule in self._together if rule.whole and (rule.needs is None or rule.needs in kinds)]
        if whole:
            before = self._older_values()
            said = hashlib.sha256(json.dumps(sorted(before.items()), default=str).encode()).hexdigest()
            seen = [own, said, *self._unit_keys]
            found.append(self._joint("everything", seen, lambda: self._by_everything(whole, further, before)))
        return found

    def _joint(self, sight: str, seen: Sequence[str], ask: Callable[[], dict[str, bytes]]) -> Sight:
        """What rules about several resources find, by application, unless it is remembered.

        Args:
            sight: what these rules see of each resource.
            seen: the digests of all of it.
            ask: asks the rules.
        """
        plan = self._plan
        joint_from = combined_digest([plan.given["settings"], plan.facts.digest, self._stamp, *seen])
        known = self._memo.joint(sight, joint_from)
        told = "is as it was" if known is not None else "changed: they are asked"
        decision("check", "%s: what rules about several resources see (%s) %s", self.linked.environment, sight, told)
        if known is not None:
            return Sight(known, partial(self._memo.hits, sight), ask)
        found = ask()
        digests = {app: hits_digest(hits) for app, hits in found.items()}
        if plan.units.may_all_be_remembered:
            self._memo.put_joint(sight, joint_from, digests, found)
        return Sight(digests, lambda app: found.get(app, b""), ask)

    def _by_facts(self, further: Sequence[Fact]) -> dict[str, bytes]:
        """What rules find that see the facts of each resource."""
        facts = [(fact.origin, fact, number) for number in range(len(self._units)) for fact in self._known(number)]
        facts += [(fact.origin, fact, -1) for fact in further]
        facts.sort(key=lambda each: (each[0], each[1].id))
        resources = [Resource(fact.id, fact.value, fact.app, ()) for _, fact, _ in facts]
        homes = {fact.id: number for _, fact, number in facts}
        return self._together_hits([rule for rule in self._together if not rule.whole], resources, homes)

    def _older_values(self) -> dict[ResourceId, dict[str, Any]]:
        """Resources that were compiled to something else before, as they were."""
        state = self._older.of(self.linked.environment) if self._older is not None else None
        if state is None:
            return {}
        paths: Sequence[Sequence[str]] = self.linked.paths or _paths_of(self.linked)
        found: dict[ResourceId, dict[str, Any]] = {}
        for number in range(len(self._units)):
            for position, (_, one) in enumerate(self.linked.unit_values(number)):
                for place in state.places(paths[number][position]):
                    value = state.value(place, one.id)
                    if value is not None and value != one.value:
                        found[one.id] = self._shown([one._replace(value=value)])[0].value
        return found

    def _by_everything(
        self, rules: Sequence[Rule], further: Sequence[Resource], before: Mapping[ResourceId, dict[str, Any]]
    ) -> dict[str, bytes]:
        """What rules find that see all of each resource; every unit is compiled for them."""
        values = [(origin, one, at) for at in range(len(self._units)) for origin, one in self.linked.unit_values(at)]
        values += [(_LAST, one, -1) for one in further]
        values.sort(key=lambda each: (each[0], each[1].id))
        resources = self._shown([resource for _, resource, _ in values])
        homes = {resource.id: number for _, resource, number in values}
        return self._together_hits(rules, resources, homes, before)

    def _together_hits(
        self,
        rules: Iterable[Rule],
        resources: Sequence[Resource],
        homes: Mapping[ResourceId, int],
        before: Mapping[ResourceId, dict[str, Any]] | None = None,
    ) -> dict[str, bytes]:
        """What rules about several resources find, by application; under no name for what no unit has."""
        inputs = CheckInput(self.linked.environment, resources, self._plan.api, self._keys, before)
        found: dict[str, list[bytes]] = {}
        for rule in rules:
            for hit in rule.find(inputs):
                number = homes.get(hit.resource, -1)
                app = self._plan.units.apps[number] if number >= 0 else ""
                value = json.dumps(hit.value, ensure_ascii=True, sort_keys=True, default=str)
                raw = RawHit(rule.id, hit.resource, hit.pointer, hit.what, hit.fix, hit.severity, value, hit.beside)
                found.setdefault(app, []).append(msgspec.json.encode(raw) + b"\n")
        return {app: b"".join(hits) for app, hits in found.items()}

    def _known(self, number: int) -> list[Fact]:
        """The facts of a unit, from the memo unless they were just told."""
        facts = self._facts.get(number)
        if facts is None:
            facts = self._memo.facts(self._units[number])
            if facts is None:
                facts = self._facts_of(self.linked.unit_values(number))
            self._facts[number] = facts
        return facts

    def _ask_about_changes(self, older: OlderStates) -> None:
        """Hold units against the last compiled state: those that changed, and all of them when that state did."""
        state = older.of(self.linked.environment)
        is_same = state is not None and state.name != "" and state.name == self._memo.older
        wanted = self.missing if is_same else range(len(self._units))
        paths: Sequence[Sequence[str]] = self.linked.paths or ()
        if state is not None and self.linked.paths is None:
            paths = _paths_of(self.linked)
        if state is not None and len(wanted) > _MANY:
            state.expect_many()
        holding = Holding(state, self._looks_back) if state is not None else None
        for number in wanted:
            if holding is not None:
                details = self._details_of(number)
                bodies, changed = holding.changed(partial(self._resources_of, number), paths[number], details.bodies)
                if details.bodies != bodies:
                    details.bodies = bodies
                    self._replace(number, self._units[number], details)
                changes = [found for resource, value in changed for found in self._refused(resource, value)]
            else:
                changes = []
            if self._units[number].changes != (now := packed_found(changes)):
                self._replace(number, msgspec.structs.replace(self._units[number], changes=now))
        self._memo.put_older(state.name if state is not None else "")

    def _resources_of(self, number: int) -> list[Resource]:
        return [resource for _, resource in self.linked.unit_values(number)]

    def _refused(self, resource: Resource, value: dict[str, Any]) -> list[Found]:
        [shown, before] = self._shown([resource, resource._replace(value=value)])
        inputs = CheckInput(self.linked.environment, [shown], self._plan.api, self._keys, {resource.id: before.value})
        found = [self._placed(IMMUTABLE.id, hit, resource) for hit in IMMUTABLE.find(inputs)]
        if CUSTOM in self._alone and self._looks_back(resource):
            # What does not depend on the older state is found with the unit.
            always = list(CUSTOM.find(CheckInput(self.linked.environment, [shown], self._plan.api, self._keys)))
            found += [self._placed(CUSTOM.id, hit, resource) for hit in CUSTOM.find(inputs) if hit not in always]
        return found

    def _looks_back(self, resource: Resource) -> bool:
        """Tell whether a resource is of a custom kind with rules, which may speak of what it was."""
        api, (group, kind) = self._plan.api, resource.id[:2]
        version = str(resource.value.get("apiVersion", "")).rpartition("/")[2]
        return not api.is_built_in(group, kind) and has_own_rules(api, group, version, kind)

    def _replace(self, number: int, unit: CheckedUnit, details: Details | None = None) -> None:
        self._units[number], key = unit, self._unit_keys[number]
        if self._memo.get(key) is not None:
            self._memo.put(key, unit)
            if details is not None:
                self._memo.put_details(key, unit.app, details)
        elif details is not None:
            self._details[number] = details

    def _placed(self, rule: str, hit: Hit, resource: Resource | None) -> Found:
        """A hit with its field by merge keys, so that it stays the same when items move, and its place."""
        what, field, where = hit.what, "", None
        if resource is not None:
            field = self._field(resource, hit.pointer)
            what, where = told(self._plan, resource, hit)
        print_ = fingerprint(rule, self.linked.environment, hit.resource, field, hit.value)
        mend = self._mends.get(rule)
        mends = mend is not None and resource is not None and any(True for _ in mend(resource, hit))
        field, what, fix = one_line(field), one_line(what), one_line(hit.fix)
        return Found(rule, hit.resource, hit.severity, field, what, fix, print_, where, mends)

    def _field(self, resource: Resource, pointer: Pointer) -> str:
        return field_of(self._plan.api, resource, pointer)


def _settings_files(project: Project, environment: str) -> str:
    """The digest of the files that hold an environment's settings: findings point into them."""
    tree, layers = project.tree, project.kept.layers if project.kept is not None else project.sources.layers
    paths = [f"{OVERLAYS}/{layer}/{ENVIRONMENT_FILE}" for layer in layers[environment]]
    return combined_digest([f"{path} {project.parsed.digest(tree, path)}" for path in paths if tree.is_file(path)])


def _paths_of(linked: LinkedEnvironment) -> list[list[str]]:
    """For each unit the paths of its files."""
    resources: list[Placed] = [*linked.exported(), *linked.linked.further]
    placed = place_files(resources, linked.namespace, built_in_kinds(linked.plan.api))
    paths = {one.id: path for path, one in placed.items()}
    return [[paths[one.id] for one in unit.resources] for unit in linked.exports]


def _hit(raw: RawHit) -> Hit:
    return Hit(raw.resource, raw.pointer, raw.what, raw.fix, raw.severity, json.loads(raw.value), raw.beside)


def one_line(text: str) -> str:
    """A text that may quote what manifests hold, as one line that deceives no terminal."""
    return escaped(" ".join(text.split()))
