"""From the documents of one unit to its resources: the stage's one verb."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.compose.identity import Identifier
from envcompile.compose.layers import Layering
from envcompile.compose.settings import Exclusions, SettingsLayer
from envcompile.compose.targets import apply_patch
from envcompile.errors import EnvcError, Problem
from envcompile.model import patch_id
from envcompile.record import Record
from envcompile.yamlio.places import exact_place, place, within_output

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from envcompile.compose.layers import Newcomer, Origin, Stray
    from envcompile.compose.settings import SettingProblem, UsedSettings
    from envcompile.errors import Problems
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Layer, PatchId, Pointer, Resource, ResourceId
    from envcompile.settings import Environment


class UnknownKind(Record, frozen=True):
    """A kind that only a slip keeps from being a known one, and the place of the last resource that has it."""

    group: str
    kind: str
    origin: Origin
    problem: Problem


class ComposedUnit(Record, frozen=True):
    """One unit after merging, with what is judged when all units of its environment are in sight.

    The resources may hold plaintext of Secrets.
    """

    resources: tuple[Resource, ...]
    origins: Mapping[ResourceId, Origin]
    """Where the document stands that created each resource: they sort as their layers lay them."""
    excluded: tuple[ResourceId, ...]
    """What the environment leaves out."""
    used: UsedSettings
    patches: tuple[PatchId, ...]
    """Each `kind: Patch` that hit something."""
    strays: tuple[Stray, ...]
    newcomers: tuple[Newcomer, ...]
    unknown_kinds: tuple[UnknownKind, ...]
    about_settings: tuple[SettingProblem, ...]
    warnings: tuple[str, ...] = ()
    """What is allowed but unwise."""


def compose_unit(
    layers: Sequence[Layer],
    settings: Environment,
    api: KubeApi,
    environment: str,
    problems: Problems,
    *,
    merge_texts: bool,
) -> ComposedUnit:
    """Lay the documents of one unit over each other and the environment's settings over the result.

    Args:
        layers: the unit's documents and patches, base first.
        settings: the environment's settings.
        api: what the environment's Kubernetes version and its CRDs say about lists and scopes.
        environment: the environment's name.
        problems: takes what is wrong with the unit whatever else there is.
        merge_texts: merge configuration files inside ConfigMaps key by key instead of replacing them.
    """
    identifier = Identifier(api, settings.namespace, forced=settings.force_namespace)
    layering = Layering(api, identifier, problems, merge_texts=merge_texts)
    hits: list[PatchId] = []
    for layer in layers:
        if layer.name == "base":
            layering.add_base(layer.name, layer.documents, layer.apps)
        else:
            layering.add_overlay(layer.name, layer.documents, layer.apps)
        for patch in layer.patches:
            try:
                if apply_patch(layering, layer.name, patch.document, patch.patch, problems):
                    hits.append(patch_id(patch.document))
            except EnvcError as error:
                problems.extend(error)
    resources = list(layering.resources.values())
    for resource in resources:
        _check_metadata(resource, problems)
    origins = layering.origins
    exclusions = Exclusions(settings.exclude)
    laid = SettingsLayer(settings, layer=f"overlays/{environment}", identifier=identifier)
    finished = [laid.apply(resource) for resource in resources]
    excluded = {resource.id for resource in finished if exclusions.covers(resource.id)} if settings.exclude else ()
    return ComposedUnit(
        tuple([resource for resource in finished if resource.id not in excluded]),
        origins,
        tuple([resource.id for resource in finished if resource.id in excluded]),
        laid.used(resources, exclusions),
        tuple(hits),
        tuple(layering.strays),
        tuple(layering.newcomers),
        tuple(_unknown_kinds(resources, layering.unknown_kinds, api, origins)),
        tuple(laid.problems),
        tuple(layering.warnings),
    )


def _unknown_kinds(
    resources: Iterable[Resource],
    unknown: Collection[tuple[str, str]],
    api: KubeApi,
    origins: Mapping[ResourceId, Origin],
) -> Iterator[UnknownKind]:
    """The kinds that only a slip keeps from being known ones: as unknown kinds they would pass every rule by."""
    if not unknown:
        return
    last = {resource.id[:2]: resource for resource in resources if resource.id[:2] in unknown}
    for (group, kind), resource in last.items():
        document = resource.steps[0].document
        if document is None:
            continue
        version, known = resource.value["apiVersion"], api.spelling(group, kind)
        if known is not None:
            what, fix = f"there is no kind `{kind}` in {version}", f"did you mean `{known}`?"
            problem = Problem(what + within_output(document), fix, (place(document, ("kind",)),))
        elif group == "core" and api.spelling("", kind) is not None:
            core = version.removeprefix("core/")
            what, fix = f"there is no API `{version}`: the core API is `{core}`", f"write `apiVersion: {core}`"
            problem = Problem(what + within_output(document), fix, (place(document, ("apiVersion",)),))
        else:
            continue
        yield UnknownKind(group, kind, origins[resource.id], problem)


def _check_metadata(resource: Resource, problems: Problems) -> None:
    """Note labels or annotations that are no map: settings could not be laid over them."""
    metadata = resource.value["metadata"]
    for field in ("labels", "annotations"):
        value = metadata.get(field)
        if value is not None and not isinstance(value, dict):
            pointer: Pointer = ("metadata", field)
            found = [
                exact_place(step.document, (*step.within, *pointer))
                for step in resource.steps
                if step.document is not None
            ]
            problems.add(
                f"`metadata.{field}` of {resource.id} is not a map",
                "write each as `name: value` on a line of its own",
                *[place for place in found if place is not None][-1:],
            )
