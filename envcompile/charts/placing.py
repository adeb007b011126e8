"""What a chart makes in every environment, as documents of the base and, where they differ, of environments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from envcompile import yamlio
from envcompile.adopt.existing import ExistingEnvironment
from envcompile.adopt.factor import Strategy, factor
from envcompile.adopt.layout import file_names
from envcompile.adopt.namespaces import OWN, NamespacePlan
from envcompile.adopt.proof import PlannedTree, compare
from envcompile.errors import EnvcError, fail
from envcompile.kubernetes import load
from envcompile.settings import API_VERSION
from envcompile.sources.chartlock import MARK
from envcompile.sources.project import BASE, OVERLAYS, VENDORED
from envcompile.units.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.adopt.factor import AdoptionPlan, Key
    from envcompile.adopt.proof import Mismatch
    from envcompile.charts.rendering import Rendering
    from envcompile.charts.wanted import Release
    from envcompile.kubernetes import KubeApi

_MOST_ROUNDS: Final = 4
_SHOWN: Final = 5
_CRD: Final = "CustomResourceDefinition"


def place_release(
    release: Release, renderings: Mapping[str, Rendering], project: Project, crds: Sequence[Any]
) -> dict[str, bytes]:
    """The files of one release by path; that they build what helm made is proven before they are given away.

    Args:
        release: the chart.
        renderings: what it makes, by environment.
        project: the project.
        crds: the definitions that it has besides.

    Raises:
        EnvcError: what a chart makes cannot be written down.
    """
    environments = tuple(
        ExistingEnvironment(name, str(release.chart.name), renderings[name].objects if name in renderings else ())
        for name in project.environments
    )
    api = _api(project, environments, crds)
    own = {name: _own(name, renderings, project) for name in project.environments}
    namespaces = NamespacePlan("literal" if release.chart.namespace else "setting", own)
    strategy = Strategy(settings=False, author_base=False, loose=False, suffixes=False, components=False)
    for _ in range(_MOST_ROUNDS):
        plan = factor(
            environments, api, strategy, namespaces=namespaces, merge_texts=project.settings.config_merge == "merge"
        )
        files = _files(release, plan)
        differences = [found for each in environments for found in _proof(each, files, project, own, crds)]
        if not differences:
            return files
        failed = {plan.keys[one.environment][one.position] for one in differences if one.position >= 0}
        strategy = strategy._replace(separate=strategy.separate | failed)
        if not failed:
            break
    shown = "; ".join(str(one) for one in differences[:_SHOWN])
    what = f"what chart {release.chart.name} makes cannot be written down as documents: {shown}"
    raise fail(what, f"leave the object out by `exclude` of {release.chart.name}", *release.places)


def _api(project: Project, environments: Sequence[ExistingEnvironment], crds: Sequence[Any]) -> KubeApi:
    values = [existing.value for environment in environments for existing in environment.objects]
    known = load(project.settings.kubernetes_version).with_crds([*crds, *values])
    return known.with_merge_keys(project.settings.merge_keys)


def _own(environment: str, renderings: Mapping[str, Rendering], project: Project) -> str:
    """The namespace that documents leave out."""
    if environment in renderings:
        wanted = renderings[environment].wanted
        return wanted.namespace if wanted.is_own_namespace else ""
    return project.sources_of(environment).settings.namespace or ""


def _files(release: Release, plan: AdoptionPlan) -> dict[str, bytes]:
    name = release.chart.name
    # An object in the namespace that the release is given needs no mark of it in the name of its file.
    plain = {
        key: key._replace(space=OWN) if key.space == release.chart.namespace else key
        for key in dict.fromkeys([*plan.base, *(key for each in plan.overlays.values() for key in each)])
    }
    names = file_names(plain.values(), {key: _folder(key) for key in plain.values()})
    chart = release.chart.chart or name
    head = f"# From the chart {chart}, {MARK}\n"
    files = {
        f"{BASE}/{name}/{names[plain[key]]}": (head + yamlio.dump(value)).encode() for key, value in plan.base.items()
    }
    for environment, documents in plan.overlays.items():
        folder = f"{OVERLAYS}/{environment}/{VENDORED}/{name}"
        for key, values in documents.items():
            text = "---\n".join(yamlio.dump(value) for value in values)
            files[f"{folder}/{names[plain[key]].removeprefix(f'{VENDORED}/')}"] = (head + text).encode()
        gone = [value for key, value in plan.base.items() if key not in plan.keys[environment]]
        if gone:
            text = "---\n".join(yamlio.dump(_deletion(value)) for value in gone)
            files[f"{folder}/left-out.yaml"] = (head + text).encode()
    return dict(sorted(files.items()))


def _folder(key: Key) -> str:
    return f"{VENDORED}/crds" if key.kind == _CRD else VENDORED


def _deletion(value: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: value["metadata"][key] for key in ("name", "namespace") if key in value["metadata"]}
    return {"apiVersion": value["apiVersion"], "kind": value["kind"], "metadata": metadata, "$patch": "delete"}


def _proof(
    environment: ExistingEnvironment,
    files: Mapping[str, bytes],
    project: Project,
    own: Mapping[str, str],
    crds: Sequence[Any],
) -> list[Mismatch]:
    """What a build of the files alone would make otherwise."""
    settings = project.sources_of(environment.name).settings
    said: dict[str, Any] = {"apiVersion": API_VERSION, "kind": "Environment"}
    if own[environment.name]:
        said["namespace"] = own[environment.name]
    said |= {"kubernetesVersion": settings.kubernetes_version} if settings.kubernetes_version else {}
    said |= {"configMerge": settings.config_merge} if settings.config_merge else {}
    whole = {
        "kubernetesVersion": project.settings.kubernetes_version,
        "configMerge": project.settings.config_merge,
        "mergeKeys": msgspec.json.decode(msgspec.json.encode(project.settings.merge_keys)),
        "charts": [{"name": "proof", "repository": "https://proof.invalid"}],
    }
    if crds:
        whole["crds"] = ["crds.yaml"]
    tree = {
        **files,
        "envc.yaml": yamlio.dump(whole).encode(),
        "crds.yaml": "---\n".join(yamlio.dump(crd) for crd in crds).encode(),
        f"{OVERLAYS}/{environment.name}/environment.yaml": yamlio.dump(said).encode(),
    }
    if any(path.startswith(f"{OVERLAYS}/") for path in files):
        tree = {
            path: data
            for path, data in tree.items()
            if not path.startswith(f"{OVERLAYS}/") or path.startswith(f"{OVERLAYS}/{environment.name}/")
        }
    try:
        composed = Project(PlannedTree(tree)).compose(environment.name)
    except EnvcError as error:
        name = environment.name
        raise EnvcError(
            problem._replace(what=f"what the charts make in {name} does not build: {problem.what}")
            for problem in error.problems
        ) from None
    return list(compare(environment, [resource.value for resource in composed.resources]))
