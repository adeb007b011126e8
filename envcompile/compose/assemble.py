"""From the layers of one environment to its resources: the stage's one verb."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.compose.identity import Identifier
from envcompile.compose.layers import Layering
from envcompile.compose.settings import Exclusions, SettingsLayer
from envcompile.compose.targets import apply_patch
from envcompile.errors import EnvcError, Problems
from envcompile.model import Composition
from envcompile.yamlio.places import exact_place, place, within_output

if TYPE_CHECKING:
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Pointer, Resource, SourceSet


class Composed(NamedTuple):
    """A composition and what the user should hear about it although it is no error."""

    composition: Composition
    warnings: tuple[str, ...]


def compose(sources: SourceSet, api: KubeApi, *, merge_texts: bool, partial: bool = False) -> Composed:
    """Lay the layers of one environment over each other and its settings over the result.

    Args:
        sources: the documents, patches and settings of the environment's layers, base first.
        api: what the environment's Kubernetes version and its CRDs say about lists and scopes.
        merge_texts: merge configuration files inside ConfigMaps key by key instead of replacing them.
        partial: only some of the files are in sight, so settings and patches may name what is not there.

    Raises:
        EnvcError: everything that is wrong with the layers, sorted by place.
    """
    settings = sources.settings
    problems = Problems()
    identifier = Identifier(api, settings.namespace, forced=settings.force_namespace)
    layering = Layering(api, identifier, problems, merge_texts=merge_texts)
    for layer in sources.layers:
        if layer.name == "base":
            layering.add_base(layer.name, layer.documents, layer.apps)
        else:
            layering.add_overlay(layer.name, layer.documents, layer.apps)
        for patch in layer.patches:
            try:
                apply_patch(layering, layer.name, patch.document, patch.patch, problems, partial=partial)
            except EnvcError as error:
                problems.extend(error)
    resources = list(layering.resources.values())
    for resource in resources:
        _check_metadata(resource, problems)
    _check_kinds(resources, api, problems)
    exclusions = Exclusions(settings.exclude)
    laid = SettingsLayer(
        settings,
        layer=f"overlays/{sources.environment}",
        identifier=identifier,
        accounts=frozenset(resource.id.name for resource in resources if resource.id.kind == "ServiceAccount"),
        where=sources.where,
        problems=problems,
    )
    finished = tuple([laid.apply(resource) for resource in resources])
    if not partial:
        laid.report_unused(resources)
    kept = tuple([resource for resource in finished if not exclusions.covers(resource.id)])
    if not partial:
        exclusions.report_unused(sources.where, problems)
    problems.raise_any()
    composition = Composition(sources.environment, settings.namespace or "", kept)
    return Composed(composition, tuple(layering.warnings))


def _check_kinds(resources: list[Resource], api: KubeApi, problems: Problems) -> None:
    """Note kinds that only a slip keeps from being known ones: as unknown kinds they would pass every rule by."""
    kinds = {(resource.id.group, resource.id.kind): resource for resource in resources}
    unknown = {key: resource for key, resource in kinds.items() if not api.knows(*key)}
    if not unknown:
        return
    meant = {(group, kind.lower()): kind for group, kind in api.kinds()}
    for (group, kind), resource in unknown.items():
        document = resource.steps[0].document
        if document is None:
            continue
        version, known = resource.value["apiVersion"], meant.get((group, kind.lower()))
        if known is not None:
            what = f"there is no kind `{kind}` in {version}"
            problems.add(what + within_output(document), f"did you mean `{known}`?", place(document, ("kind",)))
        elif group == "core" and ("", kind.lower()) in meant:
            core = version.removeprefix("core/")
            what = f"there is no API `{version}`: the core API is `{core}`{within_output(document)}"
            problems.add(what, f"write `apiVersion: {core}`", place(document, ("apiVersion",)))


def _check_metadata(resource: Resource, problems: Problems) -> None:
    """Note labels or annotations that are no map: settings could not be laid over them."""
    for field in ("labels", "annotations"):
        value = resource.value["metadata"].get(field)
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
