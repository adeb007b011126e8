"""The plan of an environment after some of its files went: only the units that they went into are cut anew."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Final

from envcompile.sources.environments import LayerScan
from envcompile.units.cut import Cutter, Part, digest_of
from envcompile.units.plan import planner

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from envcompile.units.cut import Names, Share
    from envcompile.units.plan import EnvironmentPlan

_MOST: Final = 200
"""Where files went into more units, environments are planned from their files."""


def without(plan: EnvironmentPlan, gone: Mapping[str, int]) -> EnvironmentPlan | None:
    """The plan without some files, as it would be made from all others; None where too much hangs on them.

    All that is said of a resource is in one unit, so only what is left in the units of those files can belong to
    another application now; to the unit of that one it is joined. A patch that can reach any of them goes into their
    units already.

    Args:
        plan: of which nothing hangs on what git ignores.
        gone: the path of each file -> how many documents and patches it had.

    Raises:
        EnvcError: what is wrong with a file that went into the same units.
    """
    units = plan.units
    numbers = {app: number for number, app in enumerate(units.apps)}
    near = {*units.into(gone)}
    while True:
        if len(near) > _MOST:
            return None
        names, shares = _cut_again(plan, near, gone)
        further = {numbers[app] for app in shares if app in numbers} - near
        if not further:
            break
        near |= further
    planned = planner(plan.sources, plan.store, plan.given, names, None, lambda _: False)
    made = list(starmap(planned, sorted(shares.items())))
    return plan._replace(
        units=units.recut(near, made),
        patches=tuple([patch for patch in plan.patches if patch[1] not in gone]),
        patched=tuple([patched for patched in plan.patched if patched[1] not in gone]),
        documents=plan.documents - sum(gone.values()),
    )


def _cut_again(plan: EnvironmentPlan, near: Collection[int], gone: Collection[str]) -> tuple[Names, dict[str, Share]]:
    """What the applications are given by what is left in some units."""
    given: dict[tuple[int, str], list[Part]] = {}
    for number in near:
        for part in plan.units[number].parts:
            if part.path not in gone:
                given.setdefault((part.layer, part.path), []).append(part)
    layers = [LayerScan(name, ()) for name in plan.sources.layer_names]
    kept: dict[tuple[int, str], Part] = {}
    for (layer, path), parts in sorted(given.items()):
        documents = sorted({at for part in parts for at in part.documents})
        patches = sorted({at for part in parts for at in part.patches})
        kept[layer, path] = Part(layer, path, parts[0].digest, tuple(documents), tuple(patches))
        scan = plan.sources.scan_of(layers[layer].name, path)
        scan = scan._replace(
            heads=tuple([scan.heads[at] for at in documents]), targets=tuple([scan.targets[at] for at in patches])
        )
        layers[layer] = layers[layer]._replace(files=(*layers[layer].files, scan))
    settings = plan.sources.settings
    names, found = Cutter(plan.api).cut(layers, settings.namespace or "", is_forced=settings.force_namespace)
    return names, {app: _numbered(share, kept) for app, share in found.shares.items()}


def _numbered(share: Share, whole: Mapping[tuple[int, str], Part]) -> Share:
    """A share whose documents and patches have the numbers that they have in their files."""
    parts = []
    for part in share.parts:
        own = whole[part.layer, part.path]
        documents = tuple([own.documents[at] for at in part.documents])
        patches = tuple([own.patches[at] for at in part.patches])
        parts.append(Part(part.layer, part.path, own.digest, documents, patches))
    return share._replace(parts=tuple(parts), digest=digest_of(parts))
