"""Puts the files of a chart together: templates, values, schema and what surrounds them, in one chart or split up."""

from __future__ import annotations

from itertools import chain, count
from typing import TYPE_CHECKING

from envcompile.chart import needs, surroundings
from envcompile.chart.factoring import factor
from envcompile.chart.names import file_part
from envcompile.chart.remarks import remarks
from envcompile.chart.schema import schema_text
from envcompile.chart.shapes import Items, Leaf, Map, Range, Style, Text, Unset, Variant
from envcompile.chart.templates import TemplateWriter
from envcompile.chart.values import Value, defaults, gather, patch_text, values_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from envcompile.chart.services import Home
    from envcompile.chart.shapes import ChartInput, Hole, Subject, Template, ValuePath


def _file_names(subjects: Iterable[Subject], homes: Mapping[Subject, Home]) -> dict[Subject, str]:
    """A path below templates/ for each resource, which no other resource's coming or going changes."""
    found: dict[Subject, str] = {}
    taken: set[str] = set()
    for subject in subjects:
        home = homes[subject]
        kind, name = subject.kind.lower(), file_part(subject.stem)
        stem = kind if name == home.folder else f"{kind}-{name}"
        full = f"{stem}-{file_part(subject.namespace or subject.group)}"
        tries = chain((stem, full), (f"{full}-{number}" for number in count(2)))
        path = next(path for path in (f"{home.folder}/{item}.yaml" for item in tries) if path.lower() not in taken)
        taken.add(path.lower())
        found[subject] = path
    return found


def _reach(templates: Iterable[Template]) -> dict[Hole, dict[str, None]]:
    """Which resources each hole that a template really shows reaches."""
    reach: dict[Hole, dict[str, None]] = {}
    for template in templates:
        title = template.subject.title
        stack = [template.node]
        found = [template.flag] if template.flag is not None else []
        while stack:
            node = stack.pop()
            match node:
                case Leaf(hole) | Variant(hole, _) | Range(hole):
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
            reach.setdefault(hole, {})[title] = None
    return reach


def _subcharts(chart: ChartInput, templates: list[Template], homes: Mapping[Subject, Home]) -> dict[str, str]:
    """The folder of each service that becomes a chart of its own, by the service's key."""
    if not chart.options.split:
        return {}
    found: dict[str, str] = {}
    for template in templates:
        home = homes[template.subject]
        if not home.slot:
            name = surroundings.chart_name(home.folder)
            while name in found.values():
                name += "-2"
            found[home.key] = name
    return dict(sorted(found.items()))


def _speller(paths: Mapping[Hole, ValuePath], inside: str | None) -> Callable[[Hole], str]:
    """How templates spell a value; those of a subchart see their service's own map as the root."""

    def spelled(hole: Hole) -> str:
        path = paths[hole]
        return ".Values." + ".".join(path[1:] if path[0] == inside else path)

    return spelled


def assemble(
    chart: ChartInput, templates: list[Template], holes: list[Hole], homes: Mapping[Subject, Home]
) -> dict[str, str]:
    """Every file but the CRDs, by path below the chart's folder."""
    name, default = surroundings.chart_name(chart.name), chart.default_index
    reach = _reach(templates)
    flags = [template.flag for template in templates if template.flag is not None]
    shown = [*dict.fromkeys([*(hole for hole in holes if hole in reach), *flags])]
    paths = factor(templates, shown, homes, chart.environments)
    subcharts = _subcharts(chart, templates, homes)
    values = _with_switches(gather(paths, len(chart.environments), default, reach), subcharts, len(chart.environments))
    subjects = [template.subject for template in templates]
    files = _templates(name, templates, homes, paths, subcharts)
    needed, known = needs.find(subjects, homes), remarks([subject.sample for subject in subjects])
    headers = {key: [f"Needs {', '.join(others)}."] for key, others in needed.items()}
    base = defaults(values, default, split=bool(subcharts))
    files["values.yaml"] = values_text(values, base, headers)
    for index, environment in enumerate(chart.environments):
        files[f"values-{environment}.yaml"] = patch_text(values, base, index, environment)
    files["values.schema.json"] = schema_text(values, chart.name, split=tuple(subcharts))
    listed = [surroundings.Subchart(folder, key) for key, folder in subcharts.items()]
    files["Chart.yaml"] = surroundings.chart_yaml(chart, name, listed, needed)
    for key, folder in subcharts.items():
        files[f"charts/{folder}/Chart.yaml"] = surroundings.subchart_yaml(chart, folder, needed.get(key, ()))
        files[f"charts/{folder}/values.yaml"] = f"# The values are in the parent chart, below `{key}`.\n{{}}\n"
    files["templates/_helpers.tpl"] = surroundings.helpers(name)
    files["templates/NOTES.txt"] = surroundings.notes(chart, needed, known)
    files["README.md"] = surroundings.read_me(chart, name, chart.environments[default], known)
    files[".helmignore"] = surroundings.HELMIGNORE
    return files


def _with_switches(values: list[Value], subcharts: Mapping[str, str], environments: int) -> list[Value]:
    """The values, with an `enabled` for every subchart, which its condition asks for."""
    known = {value.path for value in values}
    switches = [
        Value((key, "enabled"), Style.FLAG, Unset.NEVER, (True,) * environments, (f"chart {folder}",), ())
        for key, folder in subcharts.items()
        if (key, "enabled") not in known
    ]
    found = [*switches, *values]
    found.sort(key=lambda value: (value.path[0] != "global", value.path[0]))
    return found


def _templates(
    name: str,
    templates: list[Template],
    homes: Mapping[Subject, Home],
    paths: Mapping[Hole, ValuePath],
    subcharts: Mapping[str, str],
) -> dict[str, str]:
    """The templates and the long texts they read, in the chart of each."""
    files: dict[str, str] = {}
    places = _file_names((template.subject for template in templates), homes)
    writers: dict[str | None, TemplateWriter] = {}
    for template in templates:
        key = homes[template.subject].key
        inside = key if key in subcharts else None
        writer = writers.setdefault(inside, TemplateWriter(name, _speller(paths, inside)))
        place = places[template.subject]
        if inside is not None:
            place = place.partition("/")[2]
        root = f"charts/{subcharts[inside]}/" if inside is not None else ""
        files[f"{root}templates/{place}"] = writer.write(template, f"files/{place.removesuffix('.yaml')}")
    for inside, writer in writers.items():
        root = f"charts/{subcharts[inside]}/" if inside is not None else ""
        files |= {f"{root}{path}": text for path, text in writer.files.items()}
    return files
