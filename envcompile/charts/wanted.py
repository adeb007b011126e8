"""What each environment wants of each chart: version, values and capabilities, as settings are laid over each other."""

from __future__ import annotations

import hashlib
import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from envcompile.charts.helm import Source
from envcompile.errors import EnvcError, Problems, UsageError, did_you_mean, fail
from envcompile.settings import ChartInEnvironment
from envcompile.sources.layers import overlaid
from envcompile.sources.params import substitute
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.model import Location
    from envcompile.settings import ThirdPartyChart
    from envcompile.units.project import Project


class Wanted(NamedTuple):
    """One chart in one environment."""

    environment: str
    chart: ThirdPartyChart
    source: Source
    version: str | None
    digest: str | None
    values: Mapping[str, Any]
    namespace: str
    is_own_namespace: bool
    """Whether the namespace is that of the environment, which documents leave out."""
    kubernetes: str
    api_versions: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Wanted({self.chart.name} in {self.environment})"


class Release(NamedTuple):
    """One entry of `charts` in envc.yaml, and the environments that have it."""

    chart: ThirdPartyChart
    where: Location | None
    wanted: tuple[Wanted, ...]

    @property
    def places(self) -> tuple[Location, ...]:
        """The place in envc.yaml, where there is one."""
        return (self.where,) if self.where is not None else ()

    @property
    def inputs(self) -> str:
        """The digest of everything that it is rendered with but the archives."""
        chart = msgspec.to_builtins(self.chart)
        said = [
            [
                one.environment,
                one.version,
                one.digest,
                one.values,
                one.namespace,
                one.is_own_namespace,
                one.kubernetes,
                one.api_versions,
            ]
            for one in self.wanted
        ]
        told = json.dumps([{key: item for key, item in chart.items() if key != "values"}, said], sort_keys=True)
        return f"sha256:{hashlib.sha256(told.encode()).hexdigest()}"


def releases_of(project: Project, names: Iterable[str] = ()) -> list[Release]:
    """The charts of a project with what each environment wants of them.

    Args:
        project: the project.
        names: only these charts; all of them when none is named.

    Raises:
        EnvcError: an environment without a namespace, or an unknown parameter in values.
        UsageError: a name that is no chart.
    """
    known = [chart.name for chart in project.settings.charts]
    asked = tuple(names)
    if unknown := [name for name in asked if name not in known]:
        otherwise = f"charts are {', '.join(known)}" if known else "add `charts:` to envc.yaml"
        fix = did_you_mean(unknown[0], known, otherwise)
        raise UsageError(fail(f"there is no chart `{unknown[0]}` in envc.yaml", fix).problems)
    problems = Problems()
    wanted: dict[str, list[Wanted]] = {name: [] for name in known}
    for environment in project.environments:
        try:
            for one in _wanted_in(project, environment):
                wanted[one.chart.name].append(one)
        except EnvcError as error:
            problems.extend(error)
    document = project.sources.document
    found = []
    for position, chart in enumerate(project.settings.charts):
        where = place(document, ("charts", position)) if document is not None else None
        if chart.environments and document is not None:
            for number, glob in enumerate(chart.environments):
                if not any(fnmatchcase(name, glob) for name in project.environments):
                    fix = did_you_mean(glob, project.environments, f"they are {', '.join(project.environments)}")
                    what = f"`charts[{position}].environments` names `{glob}`, which is no environment"
                    problems.add(what, fix, place(document, ("charts", position, "environments", number)))
        found.append(Release(chart, where, tuple(wanted[chart.name])))
    problems.raise_any()
    return [release for release in found if not asked or release.chart.name in asked]


def _wanted_in(project: Project, environment: str) -> Sequence[Wanted]:
    sources = project.sources_of(environment)
    settings = sources.settings
    problems = Problems()
    found = []
    document = project.sources.document
    if document is None or not project.settings.charts:
        return ()
    # Values of envc.yaml may use the parameters of each environment, as every other text does.
    said = substitute(document._replace(value={"charts": document.value["charts"]}), settings.params).value["charts"]
    for position, chart in enumerate(project.settings.charts):
        if chart.environments and not any(fnmatchcase(environment, glob) for glob in chart.environments):
            continue
        own = settings.charts.get(chart.name) or ChartInEnvironment()
        namespace = chart.namespace or settings.namespace
        if namespace is None:
            what = f"chart {chart.name} has no namespace in {environment}: helm asks for one"
            fix = f"say `namespace:` in overlays/{environment}/environment.yaml, or for the chart in envc.yaml"
            problems.add(what, fix, place(document, ("charts", position)))
            continue
        shared = said[position].get("values") or {}
        found.append(
            Wanted(
                environment,
                chart,
                Source(chart.repository, chart.chart or chart.name),
                own.version or chart.version,
                own.digest if own.version is not None else own.digest or chart.digest,
                overlaid({"values": shared}, {"values": own.values})["values"],
                namespace,
                chart.namespace is None,
                settings.kubernetes_version or project.settings.kubernetes_version,
                chart.api_versions if own.api_versions is None else own.api_versions,
            )
        )
    problems.raise_any()
    return found
