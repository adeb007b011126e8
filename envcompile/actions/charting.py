"""The Helm chart of all environments, written and owned like an environment's folder."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.chart_memo import ChartMemo
from envcompile.actions.results import CHART_FOLDER, EnvironmentResult
from envcompile.emit.manifests import bundle_of
from envcompile.emit.plan import plan
from envcompile.emit.write import check_folder

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from envcompile.chart import Portion
    from envcompile.model import Resource, ResourceId
    from envcompile.settings import Chart
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.project import Project


class ComparedChart(NamedTuple):
    """The chart held against what is on disk."""

    result: EnvironmentResult
    made: tuple[str, ...]
    """The services whose parts were made; the others were remembered."""
    memo: ChartMemo | None
    """To be saved when the build is over."""


def compare_chart(
    project: Project,
    settings: Chart,
    target: Path,
    linked: Sequence[LinkedEnvironment],
    digest_of: Callable[[str, os.stat_result], str | None] | None = None,
) -> ComparedChart:
    """The chart's files held against what is on disk; its values default to the last environment's, usually prod's.

    Args:
        project: the repository.
        settings: what envc.yaml says about the chart.
        target: the folder that holds the environments.
        linked: every environment of the project; its units are compiled only where nothing is remembered of them.
        digest_of: what is known of a file on disk without reading it.
    """
    from envcompile.chart import ChartFacts, ChartOptions, emit_portions, release_warning

    names = tuple(environment.environment for environment in linked)
    options = ChartOptions(version=settings.version, crds=settings.crds)
    chart = ChartFacts(settings.name, names, len(names) - 1, options)
    memo = ChartMemo(project.root, project.look.tool) if project.look is not None else None
    emitted = emit_portions(chart, [list(_portions(environment)) for environment in linked], memo)
    bundle = bundle_of(CHART_FOLDER, {path: text.encode() for path, text in emitted.files.items()})
    folder = check_folder(target / CHART_FOLDER, project.root)
    warning = release_warning(chart, emitted, memo)
    compared = plan(folder, bundle, digest_of) if digest_of is not None else plan(folder, bundle)
    result = EnvironmentResult(CHART_FOLDER, folder, len(bundle.digests), compared, (warning,) if warning else ())
    return ComparedChart(result, emitted.made, memo)


def _portions(linked: LinkedEnvironment) -> Iterator[Portion]:
    """The units of an environment, and the Secrets that only its store knows."""
    from envcompile.chart import Portion

    for number, unit in enumerate(linked.plan.units):
        ids = [resource.id for resource in linked.exports[number].resources]
        key = hashlib.sha256(f"{unit.key} {linked.imports_digest(number)}".encode()).hexdigest()

        def load(ids: Sequence[ResourceId] = ids) -> Iterator[tuple[str, object]]:
            return ((resource.app, resource.value) for resource in map(linked.resource, ids))

        yield Portion(key if unit.may_be_remembered else "", load)
    if linked.linked.further:
        found = [linked.resource(one.id) for one in linked.linked.further]
        yield Portion(_digest(found), lambda: [(one.app, one.value) for one in found])


def _digest(resources: Sequence[Resource]) -> str:
    import msgspec

    return hashlib.sha256(msgspec.json.encode([(one.app, one.value) for one in resources])).hexdigest()
