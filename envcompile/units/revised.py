"""An environment after an edit that leaves alone what files speak of: only the units of edited files are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.units.compare import State
from envcompile.units.compile import compile_unit
from envcompile.units.link import NOTHING, finish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.model import Resource, ResourceId
    from envcompile.sources import EnvironmentSources
    from envcompile.units.plan import EnvironmentPlan
    from envcompile.units.unit import CompiledUnit


def revised(before: State, after: EnvironmentPlan) -> State | None:
    """An environment after an edit; None when it has to be joined anew.

    Args:
        before: the environment before, with which nothing is wrong.
        after: its plan now.

    Raises:
        EnvcError: what is wrong with the files.
    """
    plan = before.plan
    if plan is None or not _is_alike(plan, after):
        return None
    compiled: dict[int, CompiledUnit] = {}
    for number, (old, new) in enumerate(zip(plan.units.keys, after.units.keys, strict=True)):
        if old != new:
            unit = after.units[number]
            made = compiled[number] = compile_unit(after.input_of(unit), after.api)
            if not made.is_sound or made.refused or made.exports != before.exports[unit.app]:
                return None
    return _Revised(before, after, compiled)


def _is_alike(before: EnvironmentPlan, after: EnvironmentPlan) -> bool:
    """Tell whether two plans have the same units, and the same besides them."""
    return (
        before.sources.settings.secret_backend != "external"
        and (before.given, before.patches, before.layout) == (after.given, after.patches, after.layout)
        and before.sources.layer_names == after.sources.layer_names
        and before.store == after.store
        and before.units.apps == after.units.apps
    )


def plan_after(plan: EnvironmentPlan, sources: EnvironmentSources) -> EnvironmentPlan | None:
    """The plan of an environment after an edit that leaves alone what files speak of; None after any other.

    The settings, sealed values and certificates of both must be the same, as must be the Kubernetes version and the
    definitions outside of the layers; whoever calls knows.

    Args:
        plan: the one before.
        sources: what the environment is made from now.

    Raises:
        EnvcError: what is wrong with the files.
    """
    edits = _edited(plan.sources, sources)
    return plan.edited(edits)._replace(sources=sources) if edits is not None else None


def _edited(before: EnvironmentSources, after: EnvironmentSources) -> dict[tuple[int, str], str] | None:
    """Layer and path of each file that says something else of the same -> its digest; None for more than that."""
    found: dict[tuple[int, str], str] = {}
    if [layer.name for layer in before.scans] != [layer.name for layer in after.scans]:
        return None
    for number, (old, new) in enumerate(zip(before.scans, after.scans, strict=True)):
        if len(old.files) != len(new.files):
            return None
        for one, other in zip(old.files, new.files, strict=True):
            if one is other or one == other:
                continue
            if one._replace(digest=other.digest) != other or one.crds:
                return None
            found[number, other.path] = other.digest
    return found


class _Revised(State):
    """A state of which only some units were made anew."""

    def __init__(self, before: State, plan: EnvironmentPlan, compiled: Mapping[int, CompiledUnit]) -> None:
        super().__init__(None)
        self.plan = plan
        self.environment = before.environment
        self.paths, self.further, self.placed = before.paths, before.further, before.placed
        self.exports, self.imports = before.exports, before.imports
        self.units = dict(before.units)
        for number in compiled:
            app = plan.units.apps[number]
            self.units[app] = (plan.units.keys[number], *before.units[app][1:])
        self._first: State = before
        self._made: dict[ResourceId, Resource] = {}
        if isinstance(before, _Revised):
            self._first = before._first  # ruff: ignore[private-member-access] - its own class
            self._made = dict(before._made)  # ruff: ignore[private-member-access] - its own class
        for made in compiled.values():
            for resource in made.resources:
                imports = self.imports.get(resource.id, NOTHING)
                self._made[resource.id] = finish(resource, imports, plan) if imports is not NOTHING else resource

    def resource(self, identity: ResourceId) -> Resource:
        """One resource."""
        return self._made.get(identity) or self._first.resource(identity)
