"""Two states of one environment compared: which resources come, go or change, to the byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.emit.filenames import place_files
from envcompile.emit.layout import file_of
from envcompile.emit.manifests import built_in_kinds, render
from envcompile.yamlio import Renderer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from envcompile.emit.filenames import Placed
    from envcompile.model import Resource, ResourceId
    from envcompile.settings import Layout
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.link import Imports
    from envcompile.units.unit import Exported, UnitExports


def changed_resources(before: LinkedEnvironment | None, after: LinkedEnvironment | None) -> list[ResourceId]:
    """The resources whose files two states do not have in common, sorted.

    Units that were given the same, and to which the others do the same, are not compiled for it.

    Args:
        before: one state; None for an environment that is not there.
        after: the other one.
    """
    renderer = Renderer()
    if before is not None and after is not None and before.paths is not None and after.paths is not None:
        return sorted(_changed_units(before, after, renderer))
    left, right = State(before), State(after)
    is_alike = left.layout == right.layout
    return sorted(
        identity
        for identity in (differing(left, right) if is_alike else {*left.paths, *right.paths})
        if left.file(identity) != right.file(identity)
        or left.text(identity, renderer) != right.text(identity, renderer)
    )


def _changed_units(before: LinkedEnvironment, after: LinkedEnvironment, renderer: Renderer) -> Iterator[ResourceId]:
    """As `changed_resources` where nothing but places comes of joining, of both: only units that differ are looked at.

    Whatever is not in them has the same text, and is in the same file while its place and the layout are the same.
    """
    files: tuple[dict[ResourceId, str], dict[ResourceId, str]] = ({}, {})
    for one, other in _differing_units(before, after):
        files[0].update(_files(before, one))
        files[1].update(_files(after, other))
    for identity in {*files[0], *files[1]}:
        if files[0].get(identity) != files[1].get(identity) or (
            render(before.resource(identity), renderer) != render(after.resource(identity), renderer)
        ):
            yield identity


def _differing_units(before: LinkedEnvironment, after: LinkedEnvironment) -> Iterator[tuple[int | None, int | None]]:
    """The numbers of the units of an application on both sides, where they or their places are not the same."""
    is_alike = before.plan.layout == after.plan.layout
    left, right = before.plan.units, after.plan.units
    here, there = before.paths, after.paths
    if here is None or there is None:
        raise ValueError("both sides know where their files are")
    if left.apps == right.apps:
        for number, (old, new) in enumerate(zip(left.keys, right.keys, strict=True)):
            if not is_alike or old != new or not (here is there or here.packed(number) == there.packed(number)):
                yield number, number
        return
    numbers = [{app: number for number, app in enumerate(units.apps)} for units in (left, right)]
    for app in {*left.apps, *right.apps}:
        one, other = numbers[0].get(app), numbers[1].get(app)
        if (
            one is None
            or other is None
            or not is_alike
            or left.keys[one] != right.keys[other]
            or here.packed(one) != there.packed(other)
        ):
            yield one, other


def _files(linked: LinkedEnvironment, number: int | None) -> Iterator[tuple[ResourceId, str]]:
    """The resources of a unit with their files."""
    if number is not None and linked.paths is not None:
        for position, place in enumerate(linked.paths[number]):
            yield linked.id_at(number, position), file_of(place, linked.plan.layout)


def differing(left: State, right: State) -> set[ResourceId]:
    """The resources that may not be the same in two states: all others are, and so are their files.

    Nothing is compiled for it.
    """
    found = {*left.further, *right.further}
    for app in {*left.units, *right.units}:
        one, other = left.units.get(app, _NO_UNIT), right.units.get(app, _NO_UNIT)
        if one[:2] != other[:2]:
            found.update([resource.id for unit in (one, other) for resource in unit[2]])
    if left.paths is not right.paths:
        found.update([
            identity
            for identity in {*left.paths, *right.paths}
            if left.paths.get(identity) != right.paths.get(identity)
        ])
    return found


class State:
    """The resources of one environment at one time: where their files are, and what they are made from.

    Args:
        linked: the environment; None for one that is not there.
        like: another state of it, which often has the same files.
    """

    def __init__(self, linked: LinkedEnvironment | None, like: State | None = None) -> None:
        self.plan = linked.plan if linked is not None else None
        self._linked = linked
        self.environment = linked.environment if linked is not None else ""
        self.units: dict[str, tuple[str, str, Sequence[Exported]]] = {}
        """Application -> the key of its unit, a digest of what the others do to it, and its resources."""
        self.further: tuple[ResourceId, ...] = ()
        """The resources that are in no unit."""
        self.exports: dict[str, UnitExports] = {}
        """Application -> what its unit tells to the others."""
        self.imports: Mapping[ResourceId, Imports] = {}
        """What the others do to a resource."""
        self.paths: Mapping[ResourceId, str] = {}
        """The place of each resource, which is its file with `layout: resource`."""
        self.placed: tuple[str, str, list[tuple[ResourceId, str]]] = ("", "", [])
        """What decides where files are."""
        if linked is None:
            return
        resources: list[Placed] = [*linked.exported(), *linked.linked.further]
        kinds = linked.plan.facts.digest
        self.placed = (kinds, linked.namespace, [(resource.id, resource.app) for resource in resources])
        if like is not None and like.placed == self.placed:
            self.paths = like.paths
        else:
            placed = place_files(resources, linked.namespace, built_in_kinds(linked.plan.api))
            self.paths = {resource.id: path for path, resource in placed.items()}
        self.further = tuple([resource.id for resource in linked.linked.further])
        self.imports = linked.linked.imports
        units = linked.plan.units
        for number, (app, key, exports) in enumerate(zip(units.apps, units.keys, linked.exports, strict=True)):
            self.exports[app] = exports
            self.units[app] = (key, linked.imports_digest(number), exports.resources)

    @property
    def layout(self) -> Layout:
        """What the environment's files hold."""
        return self.plan.layout if self.plan is not None else "resource"

    def file(self, identity: ResourceId) -> str:
        """The file of a resource, below the environment's folder; empty for one that is not there."""
        return file_of(self.paths[identity], self.layout) if identity in self.paths else ""

    def text(self, identity: ResourceId, renderer: Renderer) -> str:
        """The resource as YAML; empty for one that is not there."""
        return render(self.resource(identity), renderer) if identity in self.paths else ""

    def resource(self, identity: ResourceId) -> Resource:
        """One resource."""
        if self._linked is None:
            raise ValueError("an environment that is not there holds nothing")
        return self._linked.resource(identity)


_NO_UNIT: tuple[str, str, Sequence[Exported]] = ("", "", ())
