"""All units of an environment joined: what only shows with all of them in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.compose.newcomers import Meant, look_alikes, report_stray
from envcompile.compose.settings import UsedSettings, report_unused
from envcompile.compose.targets import KnownNames, report_missed
from envcompile.errors import EnvcError
from envcompile.model import Location
from envcompile.record import Record
from envcompile.units.seal import undeclared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from envcompile.compose.assemble import UnknownKind
    from envcompile.compose.names import Moved
    from envcompile.errors import Problems
    from envcompile.model import Resource, ResourceId
    from envcompile.units.plan import EnvironmentPlan
    from envcompile.units.unit import CompiledUnit, Exported, UnitExports


class Imports(Record, frozen=True):
    """What the other units of an environment do to one resource."""

    moved: frozenset[Moved] = frozenset()
    """Objects that it names, and that are forced into the environment's namespace."""
    checksum: str = ""
    """Of the configuration that its pods read."""
    wave: int = 0
    renamed: frozenset[tuple[str, str, str]] = frozenset()
    """Kind, name in the sources and new name of what it names, where a hash was added to the name."""


NOTHING = Imports()


class Linked(Record, frozen=True):
    """What joining the units of an environment gives."""

    order: tuple[tuple[int, int], ...]
    """All resources as layers lay them: number of the unit, number of the resource in it."""
    imports: Mapping[ResourceId, Imports]
    """Only of resources that others do something to."""
    further: tuple[Resource, ...]
    """Resources that no unit has: Secrets that only the store knows."""
    warnings: tuple[str, ...]


def link(plan: EnvironmentPlan, units: Sequence[UnitExports], where: Callable[[ResourceId], Location | None]) -> Linked:
    """Join the units of an environment, each of which compiled.

    Args:
        plan: the environment.
        units: what each of its units tells, in the plan's order.
        where: the place of a resource, for messages.

    Raises:
        EnvcError: resources need each other in a circle, or two applications differ only in case.
    """
    settings = plan.sources.settings
    ordered = sorted(
        (resource.origin, resource.id, number, position)
        for number, unit in enumerate(units)
        for position, resource in enumerate(unit.resources)
    )
    order = tuple([(number, position) for _, _, number, position in ordered])
    exported = [units[number].resources[position] for number, position in order]
    further: tuple[Resource, ...] = ()
    if plan.store is not None and settings.secret_backend != "plaintext":
        declared = [secret for unit in units for secret in unit.declared]
        further = tuple(undeclared(plan.environment, plan.store, declared, settings))
    moved = _moves(exported) if settings.force_namespace else {}
    checksums = _checksums(exported, further) if settings.rollout == "checksum" else {}
    waves = _waves(exported, further, where) if settings.sync_waves else {}
    renamed = _renames(exported) if settings.rollout == "suffix" else {}
    imports = {
        identity: Imports(
            moved.get(identity, frozenset()),
            checksums.get(identity, ""),
            waves.get(identity, 0),
            renamed.get(identity, frozenset()),
        )
        for identity in {**moved, **checksums, **waves, **renamed}
    }
    closest = look_alikes(
        [(resource.origin, resource.id) for resource in exported]
        + [((0, "", 0, 0), identity) for unit in units for identity in unit.excluded],
        [newcomer for unit in units for newcomer in unit.newcomers],
    )
    warnings = [warning for unit in units for warning in unit.warnings]
    origins = {resource.id: resource.origin for resource in exported}
    for newcomer, other in closest:
        place = _place_of(plan, origins.get(newcomer.id), where(newcomer.id))
        warnings.append(
            f"{place}: {newcomer.id} is new here and differs from {other.short} by one letter; "
            'annotate it with envcompile.dev/new: "true" if that is meant'
        )
    return Linked(order, imports, further, tuple(warnings))


def finish(resource: Resource, imports: Imports, plan: EnvironmentPlan) -> Resource:
    """One compiled resource with what the other units do to it."""
    layer = f"overlays/{plan.environment}"
    if imports.moved:
        from envcompile.compose.namespaces import with_moved

        resource = with_moved(resource, imports.moved, plan.sources.settings.namespace or "", layer)
    if imports.checksum:
        from envcompile.compose.rollout import with_checksum

        resource = with_checksum(resource, imports.checksum, layer)
    if imports.renamed:
        from envcompile.compose.suffixes import with_renamed

        resource = with_renamed(resource, imports.renamed, layer)
    if imports.wave:
        from envcompile.compose.waves import with_wave

        resource = with_wave(resource, imports.wave, layer)
    return resource


def report(
    plan: EnvironmentPlan, exports: Sequence[UnitExports], compiled: Iterable[CompiledUnit], problems: Problems
) -> None:
    """Note everything that is wrong with an environment when all its units are in sight.

    Args:
        plan: the environment.
        exports: what each of its units tells.
        compiled: the units that something may be wrong with; the others compiled before.
        problems: takes what is wrong.
    """
    sources = plan.sources
    unknown: list[UnknownKind] = []
    known = [resource.id for unit in exports for resource in unit.resources]
    known += [identity for unit in exports for identity in unit.excluded]
    layers = list(sources.layer_names)
    origins = {resource.id: resource.origin for unit in exports for resource in unit.resources}
    meant: dict[int, Meant] = {}
    for unit in compiled:
        for problem in unit.problems:
            problems.extend(EnvcError([problem]))
        for setting in unit.about_settings:
            place = sources.where(setting.setting)
            problems.add(setting.what, setting.fix, *([place] if place is not None else []))
        for stray in unit.strays:
            number = layers.index(stray.layer)
            if number not in meant:
                meant[number] = Meant(identity for identity in known if origins.get(identity, (0,))[0] <= number)
            report_stray(stray, meant[number], problems)
        unknown += unit.unknown_kinds
    last = {(kind.group, kind.kind): kind for kind in sorted(unknown, key=lambda kind: kind.origin)}
    for kind in last.values():
        problems.extend(EnvcError([kind.problem]))
    hits = {patch for unit in exports for patch in unit.patches}
    names = KnownNames(known)
    for number, path, at, patch in plan.patches:
        if patch not in hits:
            found = sources.documents(layers[number], path).patches[at]
            report_missed(found.document, found.patch, names, problems)
    report_unused(sources.settings, _used(exports), sources.where, problems)


def _used(exports: Sequence[UnitExports]) -> UsedSettings:
    used = [unit.used for unit in exports]
    return UsedSettings(
        frozenset().union(*(one.replicas for one in used)),
        frozenset().union(*(one.images for one in used)),
        frozenset().union(*(one.exclude for one in used)),
        frozenset().union(*(one.workloads for one in used)),
        frozenset().union(*(one.image_names for one in used)),
    )


def _moves(exported: Sequence[Exported]) -> dict[ResourceId, frozenset[Moved]]:
    """For each resource the objects it names that were forced into another namespace."""
    from envcompile.compose.namespaces import with_left

    moved = with_left(resource.moved for resource in exported if resource.moved is not None)
    return {resource.id: found for resource in exported if (found := moved.intersection(resource.refers))}


def _checksums(exported: Sequence[Exported], further: Sequence[Resource]) -> dict[ResourceId, str]:
    from envcompile.compose.rollout import checksum_of, configuration_kind, content_digest

    contents = [(resource.id, resource.content) for resource in exported if resource.content]
    contents += [(resource.id, content_digest(resource.id, resource.value)) for resource in further]
    digests = {
        (kind, identity.namespace, identity.name): digest
        for identity, digest in contents
        if (kind := configuration_kind(identity)) is not None
    }
    return {
        resource.id: checksum
        for resource in exported
        if resource.reads and (checksum := checksum_of(resource.reads, resource.id.namespace, digests))
    }


def _renames(exported: Sequence[Exported]) -> dict[ResourceId, frozenset[tuple[str, str, str]]]:
    """For each resource the configuration that it names, and that has another name than in the sources."""
    names = {(one.id.kind, one.id.namespace, one.source_name): one.id.name for one in exported if one.source_name}
    found = {
        one.id: frozenset(
            (kind, name, names[kind, one.id.namespace, name])
            for kind, name in one.configs
            if (kind, one.id.namespace, name) in names
        )
        for one in exported
        if one.configs
    }
    return {identity: renamed for identity, renamed in found.items() if renamed}


def _waves(
    exported: Sequence[Exported], further: Sequence[Resource], where: Callable[[ResourceId], Location | None]
) -> dict[ResourceId, int]:
    from envcompile.compose.references import names_of, needs_of
    from envcompile.compose.waves import Dependencies, sync_waves

    known = {resource.id: Dependencies(resource.names, resource.needs, resource.wave) for resource in exported}
    for resource in further:
        names, needs = names_of(resource.id, resource.value), needs_of(resource.id, resource.value)
        known[resource.id] = Dependencies(tuple(names), tuple(needs), None)
    written = {resource.id for resource in exported if resource.has_wave}
    waves = sync_waves(known, where)
    return {identity: wave for identity, wave in waves.items() if wave and identity not in written}


def _place_of(plan: EnvironmentPlan, origin: tuple[int, str, int, int] | None, place: Location | None) -> Location:
    if place is not None:
        return place
    return Location(origin[1] if origin is not None else f"overlays/{plan.environment}", 1, 1)
