"""Two states of one environment compared: which resources come, go or change, to the byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.emit.filenames import place_files
from envcompile.emit.manifests import built_in_kinds, render
from envcompile.yamlio import Renderer

if TYPE_CHECKING:
    from envcompile.emit.filenames import Placed
    from envcompile.model import ResourceId
    from envcompile.units.environment import LinkedEnvironment


def changed_resources(before: LinkedEnvironment | None, after: LinkedEnvironment | None) -> list[ResourceId]:
    """The resources whose files two states do not have in common, sorted.

    Units that were given the same, and to which the others do the same, are not compiled for it.

    Args:
        before: one state; None for an environment that is not there.
        after: the other one.
    """
    left, right = _States(before), _States(after)
    return sorted(
        identity
        for identity in {*left.paths, *right.paths}
        if left.paths.get(identity) != right.paths.get(identity)
        or (left.origin(identity) != right.origin(identity) and left.text(identity) != right.text(identity))
    )


class _States:
    """The resources of one state: where their files are, what they are made from, and their text."""

    def __init__(self, linked: LinkedEnvironment | None) -> None:
        self._linked = linked
        self._renderer = Renderer()
        self.paths: dict[ResourceId, str] = {}
        self._origins: dict[ResourceId, tuple[str, str, int]] = {}
        if linked is None:
            return
        resources: list[Placed] = [*linked.exported(), *linked.linked.further]
        placed = place_files(resources, linked.namespace, built_in_kinds(linked.plan.api))
        self.paths = {resource.id: path for path, resource in placed.items()}
        for number, unit in enumerate(linked.exports):
            made = (linked.plan.units[number].key, linked.imports_digest(number))
            self._origins.update((resource.id, (*made, at)) for at, resource in enumerate(unit.resources))

    def origin(self, identity: ResourceId) -> object:
        """What a resource is made from; something that equals nothing else for one that is in no unit."""
        return self._origins.get(identity, self)

    def text(self, identity: ResourceId) -> str:
        """The resource as YAML."""
        return render(self._linked.resource(identity), self._renderer) if self._linked is not None else ""
