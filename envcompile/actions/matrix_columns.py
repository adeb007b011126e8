"""The columns of a matrix: what every environment has, explained where environments differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.actions.origins import environment_origins
from envcompile.compose.rollout import CHECKSUM_ANNOTATION
from envcompile.compose.waves import WAVE_ANNOTATION
from envcompile.errors import EnvcError
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from envcompile.actions.origins import EnvironmentOrigins
    from envcompile.actions.past import Past
    from envcompile.model import Resource, ResourceId
    from envcompile.settings import Environment
    from envcompile.units.project import Project


def columns(
    project: Project, environments: Sequence[str] = (), *, with_history: bool = True
) -> tuple[EnvironmentOrigins, ...]:
    """What differs between environments, explained and blamed; where the history does not answer only explained.

    Args:
        project: the repository.
        environments: their names; none means all. Columns are in promotion order.
        with_history: ask the history, where one is recorded.

    Raises:
        EnvcError: everything that is wrong with any of them.
    """
    from envcompile.actions.build import link_all
    from envcompile.actions.past import open_past

    chosen = project.choose(environments)
    wanted = [name for name in project.environments if name in chosen]
    link_all(project, wanted)  # what is wrong anywhere is told together
    past, reason = None, ""
    if with_history and project.tree.root is not None:
        try:
            past = open_past(project.root)
        except EnvcError as error:
            reason = error.problems[0].what
    try:
        found = columns_of(project, wanted, past)
    finally:
        if past is not None:
            past.close()
    return tuple([one._replace(unknown=reason) if reason else one for one in found])


def columns_of(project: Project, environments: Sequence[str], past: Past | None) -> tuple[EnvironmentOrigins, ...]:
    """The same of environments that compile; resources that all of them have alike are there without their fields.

    Args:
        project: the repository.
        environments: their names, in the order of the columns.
        past: the history, where there is one.
    """
    unlike = _unlike(project, environments)
    return tuple(environment_origins(project, name, past, explained=unlike[name]) for name in environments)


def _unlike(project: Project, environments: Sequence[str]) -> Mapping[str, Collection[ResourceId]]:
    """Environment -> the resources that another one lacks, or has otherwise but for what a matrix tells once.

    That is the namespace of each environment, and the labels and annotations that its settings give to everything.
    """
    found: dict[str, set[ResourceId]] = {name: set() for name in environments}
    values: dict[ResourceId, dict[str, tuple[Resource, bool, frozenset[str]]]] = {}
    for name in environments:
        linked = project.link(name)
        given = _given_to_all(linked.plan.sources.settings)
        for resource in linked.resources():
            is_own = bool(resource.id.namespace) and resource.id.namespace == linked.namespace
            key = resource.id._replace(namespace="") if is_own else resource.id
            values.setdefault(key, {})[name] = resource, is_own, given
    for held in values.values():
        if len(held) == len(environments):
            is_own = all(own for _, own, _ in held.values())
            first, *others = (_apart(resource, given, is_own=is_own) for resource, _, given in held.values())
            if all(same(first, other) for other in others):
                continue
        for name, (resource, _, _) in held.items():
            found[name].add(resource.id)
    return found


def _given_to_all(settings: Environment) -> frozenset[str]:
    every = (
        settings.labels,
        settings.annotations,
        settings.selector_labels,
        settings.pod_labels,
        settings.pod_annotations,
    )
    return frozenset({key for held in every for key in held} | {WAVE_ANNOTATION, CHECKSUM_ANNOTATION})


def _apart(resource: Resource, given: Collection[str], *, is_own: bool) -> dict[str, Any]:
    """A resource without what a matrix tells once, its namespace among that where it is each environment's own."""
    value = resource.value
    if is_own:
        value = {**value, "metadata": {key: held for key, held in value["metadata"].items() if key != "namespace"}}
    step = next((step for step in resource.steps if step.role == "setting" and step.within[:1] in _GIVING), None)
    return _without_given(value, step.before, given) if step is not None else value


_GIVING: Final = {("labels",), ("annotations",), ("podLabels",), ("podAnnotations",), ("rollout",), ("syncWaves",)}


def _without_given(value: dict[str, Any], before: Any, given: Collection[str]) -> dict[str, Any]:
    """A map without the labels and annotations that settings gave it; what a file says of them stays."""
    found = {}
    for key, held in value.items():
        former = before.get(key) if isinstance(before, dict) else None
        if key == "metadata" and isinstance(held, dict):
            found[key] = {
                name: _labels(inner, former.get(name) if isinstance(former, dict) else None, given)
                if name in {"labels", "annotations"} and isinstance(inner, dict)
                else inner
                for name, inner in held.items()
            }
            found[key] = {name: inner for name, inner in found[key].items() if inner or not held[name]}
        else:
            found[key] = _without_given(held, former, given) if isinstance(held, dict) else held
    return found


def _labels(held: dict[str, Any], before: Any, given: Collection[str]) -> dict[str, Any]:
    stated = before if isinstance(before, dict) else {}
    return {name: text for name, text in held.items() if name not in given or name in stated}
