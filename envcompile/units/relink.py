"""What comes of joining units when it is known of nearly the same units: only those that differ are looked at.

An answer of this room is the one that joining all units has; it is given only where no unit but those that differ
could have a say in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from envcompile.emit.filenames import folder_of, place_files
from envcompile.emit.manifests import built_in_kinds
from envcompile.units.joined_paths import JoinedPaths

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envcompile.units.environment import LinkedEnvironment, Units
    from envcompile.units.unit import UnitExports


def joined_like(before: LinkedEnvironment, units: Units) -> JoinedPaths | None:
    """For each unit of an environment the paths of its files, where nothing but warnings comes of joining; else None.

    Args:
        before: another state of the same environment, joined.
        units: with nothing wrong in any of them.
    """
    old, plan = before.plan, units.plan
    if before.paths is None or plan.is_joined or old.given != plan.given:
        return None
    if old.store is not plan.store and old.store_digest != plan.store_digest:
        return None
    places = {app: number for number, app in enumerate(old.units.apps)}
    same: dict[int, int] = {}
    for number, (app, key) in enumerate(zip(plan.units.apps, plan.units.keys, strict=True)):
        at = places.get(app)
        if at is not None and old.units.keys[at] == key:
            same[number] = at
    numbers = [number for number in range(len(plan.units)) if number not in same]
    untouched = {*same.values()}
    told = [before.exports_of(number) for number in range(len(old.units)) if number not in untouched]
    tell = [units.exports_of(number) for number in numbers]
    patches = {patch for *_, patch in plan.patches}
    if not patches <= {patch for *_, patch in old.patches} or not _miss_nothing(told, tell, patches):
        return None
    folders = {folder_of(resource.app) for unit in (*told, *tell) for resource in unit.resources}
    if before.paths.any_below(folders, {*range(len(old.units))} - untouched):
        return None  # a file of theirs could have the name of one of these
    resources = [resource for unit in tell for resource in unit.resources]
    placed = place_files(resources, plan.sources.settings.namespace or "", built_in_kinds(plan.api))
    paths = {resource.id: path for path, resource in placed.items()}
    packed = {
        number: msgspec.msgpack.encode([paths[resource.id] for resource in unit.resources])
        for number, unit in zip(numbers, tell, strict=True)
    }
    gone = sum(len(unit.resources) for unit in told)
    return JoinedPaths(
        [
            packed[number] if number in packed else before.paths.packed(same[number])
            for number in range(len(plan.units))
        ],
        before.paths.resources - gone + len(resources),
    )


def _miss_nothing(told: Sequence[UnitExports], tell: Sequence[UnitExports], patches: Iterable[object]) -> bool:
    """Tell whether some units tell all that they told of what has to be somewhere.

    Args:
        told: what they told.
        tell: what they tell.
        patches: all that have to hit something.
    """
    hits = [{patch for unit in units for patch in unit.patches} for units in (told, tell)]
    declared = [{secret for unit in units for secret in unit.declared} for units in (told, tell)]
    return (hits[0] - hits[1]).isdisjoint(patches) and declared[0] == declared[1] and _used(told) <= _used(tell)


def _used(units: Sequence[UnitExports]) -> set[tuple[str, object]]:
    """The settings that have to name something, as far as they do."""
    found: set[tuple[str, object]] = set()
    for unit in units:
        used = unit.used
        found.update([("replicas", name) for name in used.replicas])
        found.update([("images", position) for position in used.images])
        found.update([("exclude", position) for position in used.exclude])
    return found
