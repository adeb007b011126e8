"""Charts that somebody else renders in the cluster: HelmReleases of Flux among the objects of a source.

Source: helm.toolkit.fluxcd.io/v2 HelmRelease (`spec.chart.spec`, `spec.chartRef`), source.toolkit.fluxcd.io/v1
HelmRepository and OCIRepository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.kubernetes.clustermade import map_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from envcompile.adopt.existing import ExistingEnvironment, Value

_MOST_NAMED: Final = 6


def about_releases(environments: Iterable[ExistingEnvironment]) -> Iterator[str]:
    """A note on the HelmReleases of some environments, each with its chart, and how envc would render them."""
    values = [existing.value for environment in environments for existing in environment.objects]
    addresses = {
        (value["kind"], value["metadata"].get("name")): str(map_at(value, "spec").get("url") or "")
        for value in values
        if value["apiVersion"].startswith("source.toolkit.fluxcd.io/")
    }
    found = sorted({
        _told(value, addresses) for value in values if value["apiVersion"].startswith("helm.toolkit.fluxcd.io/")
    })
    if found:
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        yield (
            f"HelmReleases stay objects, and Flux renders them in the cluster: {', '.join(found[:_MOST_NAMED])}{more}. "
            "What is in a chart is in no build and in no check; to have it there, name the chart with the same "
            "repository, version and values under `charts:` of envc.yaml, run `envc charts update`, and take the "
            "HelmRelease out (`envc guide charts`)"
        )


def _told(value: Value, addresses: Mapping[tuple[str, Any], str]) -> str:
    """A HelmRelease with its chart, and where that comes from."""
    spec = map_at(value, "spec")
    chart = map_at(spec, "chart", "spec")
    source = map_at(chart, "sourceRef") or map_at(spec, "chartRef")
    address = addresses.get((str(source.get("kind")), source.get("name")), "")
    words = [str(chart[key]) for key in ("chart", "version") if chart.get(key)]
    words += [f"of {address or source.get('name')}"] if source.get("name") else []
    name = value["metadata"].get("name")
    return f"{name} ({' '.join(words)})" if words else str(name)
