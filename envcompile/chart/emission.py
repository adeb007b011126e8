"""Makes the chart: resources of all environments in, the texts of all files out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.chart.alignment import align
from envcompile.chart.assembly import assemble
from envcompile.chart.names import file_part
from envcompile.chart.scalars import document
from envcompile.chart.services import assign
from envcompile.chart.shared import Shared
from envcompile.chart.trees import TreeBuilder
from envcompile.values import equal

if TYPE_CHECKING:
    from envcompile.chart.shapes import ChartInput, Hole, Subject, Template

_CRD: Final = "CustomResourceDefinition"


def is_crd(subject: Subject) -> bool:
    """Whether a resource defines a kind of custom resources."""
    return subject.kind == _CRD and subject.group == "apiextensions.k8s.io"


def _is_constant(subject: Subject, environments: int) -> bool:
    versions = list(subject.versions.values())
    return len(versions) == environments and all(equal(versions[0], other) for other in versions[1:])


def emit(chart: ChartInput) -> dict[str, str]:
    """The files of the chart by their path below the chart's folder.

    The result depends on the resources and the order of the environments only, never on the order of resources.
    """
    count = len(chart.environments)
    subjects = align(chart)
    homes = assign(subjects)
    shared = Shared(subjects)
    mode = chart.options.crds
    files: dict[str, str] = {}
    templates: list[Template] = []
    holes: list[Hole] = list(shared.holes)
    for subject in subjects:
        if is_crd(subject) and mode != "templates":
            if mode == "skip":
                continue
            if _is_constant(subject, count) and mode == "crds":
                files[f"crds/{file_part(subject.name)}.yaml"] = document(subject.sample)
                continue
        builder = TreeBuilder(subject, homes[subject], shared, chart.environments)
        template = builder.template()
        templates.append(template)
        holes += builder.holes
    files |= assemble(chart, templates, holes, homes)
    return dict(sorted(files.items()))
