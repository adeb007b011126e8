"""One environment through compile and link: what is remembered is not compiled, unless its values are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.errors import Problem, Problems, UnavailableError
from envcompile.files import Spool
from envcompile.record import Record
from envcompile.sources.scans import combined_digest
from envcompile.units.compile import compile_unit
from envcompile.units.link import NOTHING, finish, link, report
from envcompile.units.why import API, ENVC, SETTINGS, changed_names, made_of
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from envcompile.compose.layers import Origin
    from envcompile.model import Location, Resource, ResourceId
    from envcompile.units.link import Imports, Linked
    from envcompile.units.memo import Memo, Remembered
    from envcompile.units.plan import EnvironmentPlan
    from envcompile.units.planned import PlannedUnit
    from envcompile.units.unit import CompiledUnit, Exported, RefusedField, UnitExports
    from envcompile.units.why import MadeOf


_FEW = 8
"""Edited units that are compiled rather than looked up."""


class Reason(Record, frozen=True):
    """Whether a unit was compiled or remembered, and why."""

    environment: str
    app: str
    is_remembered: bool
    changed: tuple[str, ...]
    """Names of the inputs that differ from those of the unit that was remembered last; empty when there was none."""
    why: str
    """In words."""


class Units:
    """The units of one environment, each compiled or remembered, before they are joined.

    Args:
        plan: the environment.
        memo: what is remembered of units; nothing when left out.
    """

    def __init__(self, plan: EnvironmentPlan, memo: Memo | None = None) -> None:
        self.plan = plan
        self.memo = memo
        self.compiled: dict[int, CompiledUnit] = {}
        self.refused: dict[int, tuple[RefusedField, ...]] = {}
        """What no API server takes of units, by their number."""
        self.anew: set[int] = set()
        """The numbers of the units that were compiled because nothing is remembered of them."""
        self.told: Sequence[str] = ()
        """The digests of what units tell, once nothing can change them any more."""
        self._remembered: dict[int, Remembered | None] = {}
        self._exports: dict[int, UnitExports] = {}
        self._told = Spool(1 << 19)
        """The same packed, of units whose values were given up."""
        self._is_sound = True

    def remembered(self, number: int) -> Remembered | None:
        """What was remembered of a unit when somebody asked first; None when it is nothing."""
        if number not in self._remembered:
            memo, key = self.memo, self.plan.units.keys[number]
            self._remembered[number] = memo.get(self.plan.environment, key) if memo is not None else None
        return self._remembered[number]

    def may_speak_of(self, number: int, text: bytes) -> bool:
        """Tell whether a unit may tell something that holds a text; one that is remembered is not unpacked for it."""
        if self.memo is None or number in self._remembered:
            known = self.remembered(number)
            return known is None or text in known.told
        return self.memo.may_speak_of(self.plan.environment, self.plan.units.keys[number], text)

    def settle(self, number: int) -> CompiledUnit | None:
        """Compile a unit that is not remembered; None for one that is, or is compiled already."""
        if number in self._exports or number in self._told or self.remembered(number) is not None:
            return None
        self.anew.add(number)
        compiled = self.compile(number)
        self._exports[number] = compiled.exports
        self._is_sound = self._is_sound and compiled.is_sound
        return compiled

    def is_remembered(self, number: int) -> bool:
        """Tell whether a unit need not be compiled."""
        return self.remembered(number) is not None

    def adopt(self, number: int, compiled: CompiledUnit, *, has_values: bool) -> None:
        """Take a unit that was compiled elsewhere; its values are made here when somebody asks and they did not come.

        Args:
            number: the unit's.
            compiled: what was made of its input.
            has_values: whether its resources came with it.
        """
        self.anew.add(number)
        self._exports[number] = compiled.exports
        self._is_sound = self._is_sound and compiled.is_sound
        self._note_refused(number, compiled)
        if has_values:
            self.compiled[number] = compiled
        elif compiled.is_sound:
            self._pack(number)

    def take_told(self, number: int, told: bytes) -> None:
        """Take what a unit tells that was compiled elsewhere, and with which nothing is wrong; its values stay there.

        Args:
            number: the unit's.
            told: its exports, packed.
        """
        self.anew.add(number)
        self._told.put(number, told)

    def drop(self, number: int) -> None:
        """Give up the values of a unit with which nothing is wrong; they are made again when somebody asks."""
        if self.compiled[number].is_sound:
            del self.compiled[number]
            self._pack(number)

    def _pack(self, number: int) -> None:
        """Keep what a unit tells as bytes, as it is remembered: that takes a quarter of the room."""
        if number in self._exports and self.memo is not None:
            from envcompile.units.memo import told_of

            self._told.put(number, told_of(self._exports.pop(number)))

    def release(self) -> None:
        """Give up what was unpacked of what units tell."""
        for number in list(self._exports):
            if number in self._told or self._remembered.get(number) is not None:
                del self._exports[number]

    def told_by(self, number: int) -> bytes:
        """What a unit tells, packed."""
        from envcompile.units.memo import told_of

        return self._told.get(number) or told_of(self.exports_of(number))

    def exports_of(self, number: int) -> UnitExports:
        """What a unit tells."""
        self.settle(number)
        found = self._exports.get(number)
        if found is None:
            known, told = self._remembered.get(number), self._told.get(number)
            if told is not None:
                from envcompile.units.memo import exports_from

                found = exports_from(told)
            elif known is not None:
                found = known.exports()
            found = self._exports[number] = found or self.compile(number).exports
        return found

    def exports(self) -> list[UnitExports]:
        """What each unit tells."""
        return [self.exports_of(number) for number in range(len(self.plan.units))]

    def digest(self) -> str:
        """The digest of everything that joining looks at; empty when it has to be done anew anyway.

        Of units that a build kept it is known what they tell. Where that is most of them, whoever asks seldom asks
        about others than the few that were edited: to compile those is less than to look up what is remembered.
        """
        units = self.plan.units
        if self.memo is None or not units.may_all_be_remembered:
            return ""
        from envcompile.units.memo import digest_of

        told = list(units.told)
        unknown = units.unknown
        if self.are_kept_but_few():
            self._remembered = {**dict.fromkeys(unknown), **self._remembered}
        for number in unknown:
            self.settle(number)
        if not self._is_sound:
            return ""
        for number in unknown:
            known = self._remembered.get(number)
            told[number] = known.told_digest if known is not None else digest_of(self.told_by(number))
        self.told = told
        return combined_digest([self.plan.joined_from, *told])

    def are_sound(self) -> bool:
        """Tell whether nothing is wrong with any unit, whatever the others hold; those that are not known are compiled.

        Raises:
            EnvcError: a file cannot be read.
        """
        self.digest()
        return self._is_sound

    def are_kept_but_few(self) -> bool:
        """Tell whether a build kept what all units tell, but for a few that were edited since."""
        return self.plan.units.are_known and self.plan.units.told.count("") <= _FEW

    def compile(self, number: int) -> CompiledUnit:
        """One unit's values."""
        found = self.compiled.get(number)
        if found is None:
            plan = self.plan
            unit = plan.units[number]
            known = self._remembered.get(number)
            # What is refused is not remembered (`LinkedEnvironment.remember`), and no build keeps a plan of it.
            is_accepted = known is not None or bool(plan.units.told[number])
            found = self.compiled[number] = compile_unit(plan.input_of(unit), plan.api, is_accepted=is_accepted)
            self._note_refused(number, found)
            if known is not None and not known.tells(found.exports):
                what = f"what is remembered of {unit.app} in {plan.environment} is not what it compiles to"
                fix = "remove .envc/units, and build without a shared memo (`ENVC_CACHE= envc build`) if you use one"
                raise UnavailableError([Problem(what, fix)])
        return found

    def _note_refused(self, number: int, compiled: CompiledUnit) -> None:
        if compiled.refused:
            self.refused[number] = compiled.refused


class LinkedEnvironment:  # ruff: ignore[too-many-public-methods] - every question that is asked of an environment
    """An environment whose units are compiled, or known to compile, and joined.

    Args:
        units: the environment's units.
        beside: another state of the environment, most of whose units are the same.

    Raises:
        EnvcError: everything that is wrong with the environment.
    """

    def __init__(self, units: Units, beside: LinkedEnvironment | None = None) -> None:
        plan = self.plan = units.plan
        memo = self.memo = units.memo
        self._units = units
        self._digest = units.digest()
        self._is_alone = False
        """Whether nothing came of joining the units but where their files are."""
        self._exports: Sequence[UnitExports] | None = None
        self._linked: Linked | None = None
        self._placed: dict[ResourceId, tuple[int, int]] | None = None
        self._asked: dict[ResourceId, tuple[int, int]] = {}
        self.paths = memo.joined(plan.environment, self._digest) if memo is not None and self._digest else None
        """For each unit the paths of its files, when it is remembered that nothing else comes of joining them."""
        is_remembered = self.paths is not None
        if self.paths is None and beside is not None and self._digest:
            from envcompile.units.relink import joined_like

            self.paths = joined_like(beside, units)
        self._may_warn = self.paths is None or not is_remembered
        self._compiled_for: dict[int, Reason] | None = None
        self._made: MadeOf | None = None
        if self.paths is None:
            problems = Problems()
            report(plan, self.exports, units.compiled.values(), problems)
            problems.raise_any()
            self._linked = link(plan, self.exports, self._where)

    @property
    def exports(self) -> Sequence[UnitExports]:
        """What each unit tells."""
        if self._exports is None:
            self._exports = self._units.exports()
        return self._exports

    def exports_of(self, number: int) -> UnitExports:
        """What one unit tells; no other unit is looked at."""
        return self._units.exports_of(number)

    def release(self) -> None:
        """Give up what was unpacked; it is made again when somebody asks."""
        if self._may_warn and (self.linked.imports or self.linked.further or self.linked.warnings):
            return
        self._is_alone = True
        self._exports = self._linked = self._placed = None
        self._units.release()

    @property
    def linked(self) -> Linked:
        """What came of joining the units."""
        if self._linked is None:
            self._linked = link(self.plan, self.exports, self._where)
        return self._linked

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody should hear although it is no error."""
        return self.linked.warnings if self._may_warn and not self._is_alone else ()

    @property
    def _unit_of(self) -> dict[ResourceId, tuple[int, int]]:
        if self._placed is None:
            self._placed = {
                resource.id: (number, position)
                for number, unit in enumerate(self.exports)
                for position, resource in enumerate(unit.resources)
            }
        return self._placed

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self.plan.environment

    @property
    def namespace(self) -> str:
        """The environment's namespace; empty for none."""
        return self.plan.sources.settings.namespace or ""

    @property
    def refused(self) -> Mapping[int, tuple[RefusedField, ...]]:
        """What no API server takes of units, by their number."""
        return self._units.refused

    @property
    def told(self) -> Sequence[str]:
        """The digests of what units tell; none where that may change."""
        return self._units.told

    @property
    def reasons(self) -> Sequence[Reason]:
        """For each unit whether it was compiled, and why."""
        if self.memo is None:
            return ()
        why = self._why()
        return [why.get(number) or self._reason(number) for number in range(len(self.plan.units))]

    def resources(self) -> Iterator[Resource]:
        """All resources in the order in which layers lay them; units that are only remembered are compiled for it."""
        for number, position in self.linked.order:
            yield self._finished(number, position)
        for resource in self.linked.further:
            yield finish(resource, self.linked.imports.get(resource.id, NOTHING), self.plan)

    def unit_values(self, number: int) -> list[tuple[Origin, Resource]]:
        """The resources of a unit, which is compiled for it, each with the place of the document that created it."""
        compiled = self._units.compile(number)
        imports = self.linked.imports if self.paths is None and not self._is_alone else {}
        return [
            (told.origin, finish(one, imports[one.id], self.plan) if one.id in imports else one)
            for told, one in zip(compiled.exports.resources, compiled.resources, strict=True)
        ]

    def right_values(self, number: int) -> frozenset[int]:
        """The identities (as of `id`) of values of a unit that the tables of what is refused have nothing against.

        They are those of `unit_values`, where nothing that other units do changed them since.
        """
        compiled = self._units.compile(number)
        return frozenset(id(compiled.resources[position].value) for position in compiled.right)

    def ids(self) -> set[ResourceId]:
        """The identities of all resources."""
        further = self.linked.further if self.paths is None else ()
        return {*self._unit_of, *(resource.id for resource in further)}

    def ids_named(self, name: str) -> set[ResourceId]:
        """The identities of all resources of a name, and maybe of others; only units that speak of it are looked at."""
        if self.paths is None:
            return self.ids()
        text = name.encode("utf-8", "surrogateescape")
        found = set()
        for number in range(len(self.plan.units)):
            if self._units.may_speak_of(number, text):
                count = len(self._units.exports_of(number).resources)
                found.update([self.id_at(number, position) for position in range(count)])
        return found

    def exported(self) -> Iterator[Exported]:
        """What is known of all resources without compiling, in the same order; those of the store alone left out."""
        for number, position in self.linked.order:
            yield self.exports[number].resources[position]

    def id_at(self, number: int, position: int) -> ResourceId:
        """The identity of one resource by the number of its unit and its own in there; no other unit is looked at."""
        identity = self._units.exports_of(number).resources[position].id
        self._asked[identity] = (number, position)
        return identity

    def resource(self, identity: ResourceId) -> Resource:
        """One resource."""
        found = self._place(identity)
        if found is None:
            further = next(one for one in self.linked.further if one.id == identity)
            return finish(further, self.linked.imports.get(identity, NOTHING), self.plan)
        return self._finished(*found)

    def place_in_units(self, identity: ResourceId) -> tuple[int, int] | None:
        """The number of a resource's unit and its own in there; None when no unit has it, or others change it."""
        is_changed = self.paths is None and not self._is_alone and identity in self.linked.imports
        return None if is_changed else self._place(identity)

    def _place(self, identity: ResourceId) -> tuple[int, int] | None:
        return self._asked.get(identity) or self._unit_of.get(identity)

    def known_digests(self, number: int) -> Sequence[str] | None:
        """The digests of the files of a unit when they are remembered."""
        known = self._units.remembered(number)
        return known.files.get(self.imports_digest(number)) if known is not None else None

    def imports_digest(self, number: int) -> str:
        """The digest of what the other units do to a unit; empty when it is nothing."""
        imports = self.linked.imports if self.paths is None and not self._is_alone else {}
        if not imports:
            return ""
        found = [
            f"{position} {sorted(one.moved)} {one.checksum} {one.wave} {sorted(one.renamed)}"
            for position, resource in enumerate(self.exports[number].resources)
            if (one := imports.get(resource.id)) is not None
        ]
        return combined_digest(found) if found else ""

    def remember(
        self, paths: Sequence[tuple[str, ...]] | None = None, digests: Callable[[int], Sequence[str]] | None = None
    ) -> None:
        """Put what is not remembered yet into the memo.

        Args:
            paths: for each unit those of its files; left out by who made no files.
            digests: gives the SHA-256 of every file of a unit.
        """
        if self.memo is None or (digests is None and self._units.are_kept_but_few()):
            return
        from envcompile.units.memo import Remembered

        self._why()
        units = self.plan.units
        self.memo.note_used(self.environment, units.keys, units.apps)
        is_known = False
        for number in units.unknown if self.paths is not None else range(len(units)):
            known = self._units.remembered(number)
            imported = self.imports_digest(number)
            if (known is not None and (digests is None or imported in known.files)) or number in self.refused:
                continue
            if not (unit := units[number]).may_be_remembered:
                continue
            files = dict(known.files) if known is not None else {}
            if paths is not None and digests is not None:
                files[imported] = tuple(digests(number))
            entry = Remembered.of(unit.app, self._units.told_by(number), self.plan.inputs_of(unit), files)
            self.memo.put(self.environment, unit.key, entry)
            if not is_known:
                is_known = True
                given = self.plan.given
                if not {given[SETTINGS], given[API]} <= (self.memo.made_of(self.environment) or {}).keys():
                    self.memo.put_made_of(self.environment, self._made_of())
        is_new = paths is not None and self.paths is None and self._digest != ""
        if is_new and (self._is_alone or not (self.linked.imports or self.linked.further or self.linked.warnings)):
            self.memo.put_joined(self.environment, self._digest, list(paths or ()))

    def _finished(self, number: int, position: int) -> Resource:
        resource = self._units.compile(number).resources[position]
        imports: Imports = self.linked.imports.get(resource.id, NOTHING) if self.paths is None else NOTHING
        return finish(resource, imports, self.plan) if imports is not NOTHING else resource

    def _where(self, identity: ResourceId) -> Location | None:
        found = self._unit_of.get(identity)
        document = self._units.compile(found[0]).resources[found[1]].steps[0].document if found is not None else None
        return place(document) if document is not None else None

    def _why(self) -> Mapping[int, Reason]:
        """Why units were compiled, by their number: that is known only until they are remembered."""
        if self._compiled_for is None:
            self._compiled_for = {number: self._reason(number) for number in sorted(self._units.anew)}
        return self._compiled_for

    def _reason(self, number: int) -> Reason:
        unit: PlannedUnit = self.plan.units[number]
        if self.plan.units.told[number] or self._units.remembered(number) is not None:
            is_shared = self.memo is not None and self.memo.is_shared(self.environment, unit.key)
            why = "remembered (shared)" if is_shared else "remembered"
            return Reason(self.environment, unit.app, is_remembered=True, changed=(), why=why)
        before = self.memo.last(self.environment, unit.app) if self.memo is not None else None
        if not unit.may_be_remembered:
            why = "compiled: a file that git ignores goes into it, which is never remembered"
            return Reason(self.environment, unit.app, is_remembered=False, changed=(), why=why)
        known = self.memo.made_of(self.environment) if self.memo is not None else {}
        changed: tuple[str, ...] = ()
        if known is None:
            changed = (ENVC,)
        elif before is not None:
            changed = changed_names(before, self.plan.inputs_of(unit), known, self._made_of())
        why = f"compiled: {', '.join(changed)} changed" if changed else "compiled: not remembered"
        return Reason(self.environment, unit.app, is_remembered=False, changed=changed, why=why)

    def _made_of(self) -> MadeOf:
        """What the digests of settings and definitions are made of now."""
        if self._made is None:
            self._made = made_of(self.plan)
        return self._made
