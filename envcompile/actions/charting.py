"""The Helm chart of all environments, written and owned like an environment's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.actions.results import CHART_FOLDER, EnvironmentResult
from envcompile.emit.manifests import bundle_of
from envcompile.emit.plan import plan
from envcompile.emit.write import check_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from envcompile.settings import Chart
    from envcompile.units.project import CompiledEnvironment, Project


def compare_chart(
    project: Project, settings: Chart, target: Path, compiled: Sequence[CompiledEnvironment]
) -> EnvironmentResult:
    """The chart's files held against what is on disk; its values default to the last environment's, usually prod's.

    Args:
        project: the repository.
        settings: what envc.yaml says about the chart.
        target: the folder that holds the environments.
        compiled: every environment of the project.
    """
    from envcompile.chart import ChartInput, ChartOptions, emit, release_size, size_warning

    names = tuple(environment.compiled.environment for environment in compiled)
    chart = ChartInput(
        name=settings.name,
        environments=names,
        resources={
            environment.compiled.environment: [
                (resource.app, resource.value) for resource in environment.compiled.resources
            ]
            for environment in compiled
        },
        default_environment=names[-1],
        options=ChartOptions(version=settings.version, crds=settings.crds),
    )
    files = emit(chart)
    bundle = bundle_of(CHART_FOLDER, {path: text.encode() for path, text in files.items()})
    folder = check_folder(target / CHART_FOLDER, project.root)
    warning = size_warning(chart, release_size(chart, files))
    return EnvironmentResult(
        CHART_FOLDER, folder, len(bundle.digests), plan(folder, bundle), (warning,) if warning else ()
    )
