"""Argo CD sync waves from the dependency graph: what others need is applied, and healthy, before them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envcompile.errors import fail
from envcompile.model import Step
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envcompile.compose.names import Name
    from envcompile.model import Location, Resource, ResourceId

WAVE_ANNOTATION = "argocd.argoproj.io/sync-wave"
"""A whole number as text; lower waves come first, and Argo CD waits for their health (docs, Sync Phases and Waves)."""

_NUMBER = r"[+-]?[0-9]+"


class Dependencies(Record, frozen=True):
    """What a resource is called, what it needs, and the wave that its sources give it."""

    names: tuple[Name, ...]
    needs: tuple[tuple[Name, ...], ...]
    wave: int | None


def sync_waves(
    resources: Mapping[ResourceId, Dependencies], where: Callable[[ResourceId], Location | None]
) -> dict[ResourceId, int]:
    """The wave of each resource: 0 for what needs nothing, else one more than the highest wave it needs.

    A wave that is written down already stays, and what needs that resource comes after it. Without waves Argo CD
    applies custom kinds such as SealedSecret after the workloads that read them.

    Args:
        resources: all of an environment.
        where: the place of a resource, for the message.

    Raises:
        EnvcError: resources need each other in a circle.
    """
    called = {name: identity for identity, found in resources.items() for name in found.names}
    needs = {
        identity: {needed for names in found.needs for needed in _first(names, called) if needed != identity}
        for identity, found in resources.items()
    }
    waves: dict[ResourceId, int] = {}
    for start in needs:
        _settle(start, needs, waves, resources, where)
    return waves


def _first(names: tuple[Name, ...], called: Mapping[Name, ResourceId]) -> tuple[ResourceId, ...]:
    """What is called by the first of some names by which anything is."""
    for name in names:
        found = called.get(name)
        if found is not None:
            return (found,)
    return ()


def with_wave(resource: Resource, wave: int, layer: str) -> Resource:
    """The resource with its wave, which is not 0 and not written down yet."""
    metadata = resource.value["metadata"]
    annotations = {**(metadata.get("annotations") or {}), WAVE_ANNOTATION: str(wave)}
    after = {**resource.value, "metadata": {**metadata, "annotations": annotations}}
    step = Step("setting", layer, None, ("syncWaves",), resource.value, after)
    return resource._replace(value=after, steps=(*resource.steps, step))


def _settle(
    start: ResourceId,
    needs: Mapping[ResourceId, set[ResourceId]],
    waves: dict[ResourceId, int],
    resources: Mapping[ResourceId, Dependencies],
    where: Callable[[ResourceId], Location | None],
) -> None:
    """Give a resource and all that it needs their waves, deepest first."""
    path: list[ResourceId] = []
    todo = [(start, False)]
    while todo:
        identity, is_ready = todo.pop()
        if is_ready:
            path.pop()
            written = resources[identity].wave
            waves[identity] = (
                max([0, *(waves[needed] + 1 for needed in needs[identity])]) if written is None else written
            )
        elif identity in path:
            circle = [*path[path.index(identity) :], identity]
            places = [where(member) for member in circle[:-1]]
            raise fail(
                f"resources need each other in a circle: {' -> '.join(member.short for member in circle)}",
                "take one of these references out, or write `syncWaves: false`",
                *[place for place in places if place is not None],
            )
        elif identity not in waves:
            path.append(identity)
            todo.append((identity, True))
            todo += [(needed, False) for needed in sorted(needs[identity])]


def written_wave(resource: Resource) -> int | None:
    """The wave that the sources give a resource; None when they give none, or none that Argo CD can read."""
    text = (resource.value["metadata"].get("annotations") or {}).get(WAVE_ANNOTATION)
    return int(text) if isinstance(text, str) and re.fullmatch(_NUMBER, text) else None


def has_wave(resource: Resource) -> bool:
    """Tell whether the sources write a wave down, be it one that Argo CD can read or not."""
    return WAVE_ANNOTATION in (resource.value["metadata"].get("annotations") or {})
