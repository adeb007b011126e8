"""Argo CD sync waves from the dependency graph: what others need is applied, and healthy, before them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envcompile.compose.references import ReferenceIndex
from envcompile.errors import fail
from envcompile.model import Step
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.model import Resource, ResourceId

WAVE_ANNOTATION = "argocd.argoproj.io/sync-wave"
"""A whole number as text; lower waves come first, and Argo CD waits for their health (docs, Sync Phases and Waves)."""

_NUMBER = re.compile(r"[+-]?[0-9]+")


def with_sync_waves(resources: Sequence[Resource], layer: str) -> tuple[Resource, ...]:
    """The resources with their wave: 0 for what needs nothing, else one more than the highest wave it needs.

    A wave that is written down already stays, and what needs that resource comes after it. Without waves Argo CD
    applies custom kinds such as SealedSecret after the workloads that read them.

    Raises:
        EnvcError: resources need each other in a circle.
    """
    index = ReferenceIndex(resources)
    needs = {resource.id: index.needs(resource) for resource in resources}
    by_id = {resource.id: resource for resource in resources}
    waves: dict[ResourceId, int] = {}
    for start in needs:
        _settle(start, needs, waves, by_id)
    done = []
    for resource in resources:
        wave = waves[resource.id]
        metadata = resource.value["metadata"]
        annotations = metadata.get("annotations") or {}
        if not wave or WAVE_ANNOTATION in annotations:
            done.append(resource)
            continue
        after = {**resource.value, "metadata": {**metadata, "annotations": {**annotations, WAVE_ANNOTATION: str(wave)}}}
        step = Step("setting", layer, None, ("syncWaves",), resource.value, after)
        done.append(resource._replace(value=after, steps=(*resource.steps, step)))
    return tuple(done)


def _settle(
    start: ResourceId,
    needs: dict[ResourceId, set[ResourceId]],
    waves: dict[ResourceId, int],
    by_id: dict[ResourceId, Resource],
) -> None:
    """Give a resource and all that it needs their waves, deepest first."""
    path: list[ResourceId] = []
    todo = [(start, False)]
    while todo:
        identity, is_ready = todo.pop()
        if is_ready:
            path.pop()
            written = _written(by_id[identity])
            waves[identity] = (
                max([0, *(waves[needed] + 1 for needed in needs[identity])]) if written is None else written
            )
        elif identity in path:
            circle = [*path[path.index(identity) :], identity]
            documents = [by_id[member].steps[0].document for member in circle[:-1]]
            raise fail(
                f"resources need each other in a circle: {' -> '.join(member.short for member in circle)}",
                "take one of these references out, or write `syncWaves: false`",
                *[place(document) for document in documents if document is not None],
            )
        elif identity not in waves:
            path.append(identity)
            todo.append((identity, True))
            todo += [(needed, False) for needed in sorted(needs[identity])]


def _written(resource: Resource) -> int | None:
    """The wave that the sources give a resource; None when they give none, or none that Argo CD can read."""
    text = (resource.value["metadata"].get("annotations") or {}).get(WAVE_ANNOTATION)
    return int(text) if isinstance(text, str) and _NUMBER.fullmatch(text) else None
