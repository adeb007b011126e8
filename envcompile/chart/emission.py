"""Makes the chart: resources of all environments in, the texts of all files out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.chart import needs, surroundings
from envcompile.chart.alignment import align
from envcompile.chart.factoring import factor
from envcompile.chart.names import file_part
from envcompile.chart.scalars import document
from envcompile.chart.schema import schema_text
from envcompile.chart.services import assign
from envcompile.chart.shared import Shared
from envcompile.chart.strictness import equal
from envcompile.chart.templates import TemplateWriter
from envcompile.chart.trees import TreeBuilder
from envcompile.chart.values import gather, patch_text, values_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.chart.services import Home
    from envcompile.chart.shapes import ChartInput, Hole, Subject, Template, ValuePath

_CRD: Final = "CustomResourceDefinition"


def is_crd(subject: Subject) -> bool:
    """Whether a resource defines a kind of custom resources."""
    return subject.kind == _CRD and subject.group == "apiextensions.k8s.io"


def _is_constant(subject: Subject, environments: int) -> bool:
    versions = list(subject.versions.values())
    return len(versions) == environments and all(equal(versions[0], other) for other in versions[1:])


def _file_names(subjects: Iterable[Subject], homes: Mapping[Subject, Home]) -> dict[Subject, str]:
    """A path below templates/ for each resource, which no other resource's coming or going changes."""
    found: dict[Subject, str] = {}
    taken: set[str] = set()
    for subject in subjects:
        home = homes[subject]
        kind, name = subject.kind.lower(), file_part(subject.name)
        stem = kind if name == home.folder else f"{kind}-{name}"
        tries = [stem, f"{stem}-{file_part(subject.namespace)}", f"{stem}-{file_part(subject.group)}"]
        tries += [f"{stem}-{file_part(subject.namespace)}-{number}" for number in range(2, 10_000)]
        path = next(path for path in (f"{home.folder}/{item}.yaml" for item in tries) if path.lower() not in taken)
        taken.add(path.lower())
        found[subject] = path
    return found


def remarks(subjects: Iterable[Subject]) -> list[str]:
    """What a user of the chart should know about resources that Helm treats in ways of its own."""
    generated = [subject for subject in subjects if subject.name.startswith("~")]
    hooks = [
        subject
        for subject in subjects
        if any(str(key).startswith("helm.sh/hook") for key in (subject.sample["metadata"].get("annotations") or {}))
    ]
    found = []
    if generated:
        found.append(
            f"{len(generated)} objects have a generateName: Helm prints them, but cannot install or upgrade them, "
            "and `helm lint --strict` warns about their empty name.",
        )
    if hooks:
        names = ", ".join(subject.title for subject in hooks[:3])
        found.append(f"{names}: the annotation helm.sh/hook makes Helm run these apart from the release.")
    return found


def emit(chart: ChartInput) -> dict[str, str]:
    """The files of the chart by their path below the chart's folder.

    The result depends on the resources and the order of the environments only, never on the order of resources.
    """
    count, default = len(chart.environments), chart.default_index
    name = surroundings.chart_name(chart.name)
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
    files |= _flat(chart, name, templates, holes, homes, default)
    return dict(sorted(files.items()))


def _used(templates: Iterable[Template]) -> tuple[dict[Hole, list[str]], list[Hole]]:
    """Which resources each hole that a template really shows reaches."""
    from envcompile.chart.shapes import Items, Leaf, Map, Text, Variant

    reach: dict[Hole, list[str]] = {}
    for template in templates:
        title = template.subject.title
        stack = [template.node]
        found = [template.flag] if template.flag is not None else []
        while stack:
            node = stack.pop()
            match node:
                case Leaf(hole) | Variant(hole, _):
                    found.append(hole)
                case Map(entries) | Items(entries):
                    for entry in entries:
                        found += entry.guards
                        stack.append(entry.node)
                case Text(pieces, _):
                    found += [piece.hole for piece in pieces if piece.hole is not None]
                case _:
                    pass
        for hole in found:
            titles = reach.setdefault(hole, [])
            if title not in titles:
                titles.append(title)
    return reach, list(reach)


def _flat(
    chart: ChartInput,
    name: str,
    templates: list[Template],
    holes: list[Hole],
    homes: Mapping[Subject, Home],
    default: int,
) -> dict[str, str]:
    """Everything but the CRDs, as one chart."""
    reach, _ = _used(templates)
    shown = [hole for hole in holes if hole in reach] + [
        template.flag for template in templates if template.flag is not None and template.flag not in set(holes)
    ]
    paths: dict[Hole, ValuePath] = factor(templates, shown, homes, chart.environments)
    values = gather(paths, len(chart.environments), default, reach)
    subjects = [template.subject for template in templates]
    needed = needs.find(subjects, homes)
    writer = TemplateWriter(name, lambda hole: ".Values." + ".".join(paths[hole]))
    files: dict[str, str] = {}
    for subject, path, template in zip(subjects, _file_names(subjects, homes).values(), templates, strict=True):
        del subject
        files[f"templates/{path}"] = writer.write(template, f"files/{path.removesuffix('.yaml')}")
    files |= writer.files
    known = remarks(subjects)
    headers = {key: [f"Needs {', '.join(others)}."] for key, others in needed.items()}
    files["values.yaml"] = values_text(values, default, headers)
    for index, environment in enumerate(chart.environments):
        files[f"values-{environment}.yaml"] = patch_text(values, default, index, environment)
    files["values.schema.json"] = schema_text(values, chart.name)
    files["Chart.yaml"] = surroundings.chart_yaml(chart, name)
    files["templates/_helpers.tpl"] = surroundings.helpers(name)
    files["templates/NOTES.txt"] = surroundings.notes(chart, needed, known)
    files["README.md"] = surroundings.read_me(chart, name, chart.environments[default], known)
    files[".helmignore"] = surroundings.HELMIGNORE
    return files
