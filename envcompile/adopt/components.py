"""Components of kustomize become abstract overlays, which the environments that use them extend."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from envcompile.adopt.authors import what_of
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.adopt.existing import Component, Value
    from envcompile.adopt.factor import AdoptionPlan, Key


def with_components(plan: AdoptionPlan, components: Sequence[Component]) -> AdoptionPlan:
    """Move documents that all environments of a component have, and that come of it, into an overlay of its own.

    Only whole lists of documents about an object are moved, so that nothing is laid over anything else than before.

    Args:
        plan: the repository to be; its overlays hold what each environment says.
        components: with the environments that use them, in their order.
    """
    overlays = {name: dict(documents) for name, documents in plan.overlays.items()}
    settings = {name: dict(each) for name, each in plan.settings.items()}
    patched = dict(plan.patched)
    for component in components:
        names = [name for name in plan.overlays if name in component.environments]
        if len(names) < 2:
            continue
        moved: dict[Key, list[Value]] = {}
        for key, documents in list(overlays[names[0]].items()):
            others = [name for name in overlays if name not in names and key in overlays[name]]
            is_its = what_of(plan.objects[key]) in component.whats or not others
            if is_its and all(_are_same(documents, overlays[name].get(key)) for name in names[1:]):
                moved[key] = documents
        if not moved:
            continue
        for name in names:
            extends = settings[name].setdefault("extends", [])
            extends.append(f"../{component.name}")
            for key in moved:
                del overlays[name][key]
                if (name, key) in patched:
                    patched[component.name, key] = patched.pop((name, key))
        overlays[component.name] = moved
        settings[component.name] = {"abstract": True}
    return replace(plan, overlays=overlays, settings=settings, patched=patched)


def _are_same(documents: Sequence[Value], others: Sequence[Value] | None) -> bool:
    return others is not None and same(list(documents), list(others))


def said_for(plan: AdoptionPlan, environment: str) -> Mapping[Key, list[Value]]:
    """What an environment says besides the base, what it extends included."""
    found: dict[Key, list[Value]] = {}
    for path in plan.settings[environment].get("extends", ()):
        found.update(plan.overlays[path.removeprefix("../")])
    return {**found, **plan.overlays[environment]}
