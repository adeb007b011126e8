"""Joins the services of a chart: names what they share, and puts their parts together to files."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from envcompile.chart import helmtests, needs, override, surroundings
from envcompile.chart.factoring import Flagged, factor
from envcompile.chart.fragments import Answers
from envcompile.chart.remarks import remarks
from envcompile.chart.schema import schema_text
from envcompile.chart.shapes import Hole, Style
from envcompile.chart.values import gather, patch_text, section, values_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.chart.fragments import Fragment, Outline, Service
    from envcompile.chart.naming import NameTable
    from envcompile.chart.services import Home
    from envcompile.chart.shapes import ChartFacts, Subject
    from envcompile.chart.shared import Shared
    from envcompile.chart.values import Section


class Joined(NamedTuple):
    """What the services together make of their outlines."""

    answers: tuple[Answers, ...]
    """To each service."""
    section: Section
    """The values below `global`."""


def subcharts(services: Iterable[Service], homes: Mapping[Subject, Home]) -> dict[str, str]:
    """The folder of each service that becomes a chart of its own, by the service's key."""
    found: dict[str, str] = {}
    own = [(subject.order, service) for service in services for subject in service.subjects if not homes[subject].slot]
    own.sort(key=itemgetter(0))
    for _, service in own:
        name = surroundings.chart_name(service.folder)
        while name in found.values():
            name += "-2"
        found[service.key] = name
    return dict(sorted(found.items()))


def join(
    chart: ChartFacts,
    services: Sequence[Service],
    outlines: Sequence[Outline],
    homes: Mapping[Subject, Home],
    shared: Shared,
    largest: int,
) -> Joined:
    """Name what services share.

    Args:
        chart: how the chart is made.
        services: all of them, by their keys.
        outlines: what each of them tells.
        homes: where each resource lives.
        shared: the values that many of them show.
        largest: the environment whose manifests are counted.
    """
    told: list[tuple[Subject, int, int]] = [
        (subject, at, number) for at, service in enumerate(services) for number, subject in enumerate(service.subjects)
    ]
    told.sort(key=lambda item: item[0].order)
    count = len(chart.environments)
    objects: dict[tuple[int, int], Hole] = {}
    parts: dict[tuple[int, int], list[Hole]] = {}
    reach: dict[Hole, dict[str, None]] = {}
    templates = []
    for subject, at, number in told:
        flag = None
        if len(subject.held) < count:
            here = {index: index in subject.held for index in range(count)}
            flag = objects[at, number] = Hole(subject, (), Style.FLAG, here)
            reach[flag] = {subject.title: None}
        templates.append(Flagged(subject, flag))
        outline = outlines[at]
        found = parts[at, number] = [
            Hole(subject, (), Style.FLAG, {**values}, topic=topic) for topic, values in outline.flags[number]
        ]
        reach.update({hole: {subject.title: None} for hole in found})
        for position in outline.shared[number]:
            reach.setdefault(shared.holes[position], {})[subject.title] = None
    flags = [hole for subject, at, number in told for hole in parts[at, number]]
    paths = factor(templates, flags, [hole for hole in shared.holes if hole in reach], homes, chart.environments)
    folders = subcharts(services, homes) if chart.options.split else {}
    common = {hole: path for hole, path in paths.items() if path[0] == "global"}
    values = gather(common, count, chart.default, reach)
    answers = []
    for at, service in enumerate(services):
        numbers = range(len(service.subjects))
        shown = {position for one in outlines[at].shared for position in one}
        answers.append(
            Answers(
                surroundings.chart_name(chart.name),
                service.key,
                service.folder,
                folders.get(service.key),
                bool(folders),
                chart.default,
                largest,
                tuple([paths.get(objects[at, number]) if (at, number) in objects else None for number in numbers]),
                tuple([tuple([paths.get(hole) for hole in parts[at, number]]) for number in numbers]),
                {position: paths[shared.holes[position]] for position in sorted(shown)},
            )
        )
    split = bool(folders)
    return Joined(tuple(answers), section(values, count, chart.default, split=split, is_subchart=False))


def assemble(
    chart: ChartFacts,
    services: Sequence[Service],
    joined: Joined,
    fragments: Sequence[Fragment],
    homes: Mapping[Subject, Home],
    table: NameTable | None = None,
) -> dict[str, str]:
    """Every file but the CRDs, by path below the chart's folder."""
    name = surroundings.chart_name(chart.name)
    subjects = sorted([subject for service in services for subject in service.subjects], key=lambda one: one.order)
    needed, known = needs.find(subjects, homes), remarks([subject.uses.oddity for subject in subjects])
    files: dict[str, str] = {}
    for fragment in fragments:
        files.update(fragment.files)
    sections = [joined.section, *(fragment.section for fragment in fragments)]
    keys = ["global", *(service.key for service in services)]
    headers = [(f"Needs {', '.join(needed[key])}.",) if key in needed else () for key in keys]
    listed_sections = list(zip(sections, headers, strict=True))
    if table is not None:
        listed_sections.insert(0, (override.SECTION, ()))
    if chart.options.test_image is not None:
        listed_sections.append((helmtests.section_of(chart.options.test_image), ()))
    files["values.yaml"] = values_text(listed_sections)
    for index, environment in enumerate(chart.environments):
        files[f"values-{environment}.yaml"] = patch_text(sections, index, environment)
    schemas = {key: one.schema for key, one in zip(keys, sections, strict=True) if one.schema}
    if table is not None:
        schemas |= override.SCHEMAS
    if chart.options.test_image is not None:
        schemas[helmtests.KEY] = helmtests.SCHEMA
    files["values.schema.json"] = schema_text(schemas, chart)
    folders = {answers.key: answers.subchart for answers in joined.answers if answers.subchart is not None}
    listed = [surroundings.Subchart(folder, key) for key, folder in folders.items()]
    files["Chart.yaml"] = surroundings.chart_yaml(chart, name, listed, needed)
    for key, folder in folders.items():
        files[f"charts/{folder}/Chart.yaml"] = surroundings.subchart_yaml(chart, folder, needed.get(key, ()))
        files[f"charts/{folder}/values.yaml"] = f"# The values are in the parent chart, below `{key}`.\n{{}}\n"
    files["templates/_helpers.tpl"] = surroundings.helpers(name) + (
        override.helpers(name, table) if table is not None else ""
    )
    files["templates/NOTES.txt"] = surroundings.notes(chart, needed, known)
    files["README.md"] = surroundings.read_me(chart, name, chart.environments[chart.default], known, table)
    files[".helmignore"] = surroundings.HELMIGNORE
    return files
