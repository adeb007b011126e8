"""Joins the services of a chart: names what they share, and puts their parts together to files."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from envcompile.chart import helmtests, override, surroundings
from envcompile.chart.concealment import SCHEMA, VALUES, names_of_joined
from envcompile.chart.factoring import Flagged, factor
from envcompile.chart.fragments import Answers
from envcompile.chart.schema import schema_around
from envcompile.chart.shapes import Hole, Style
from envcompile.chart.values import (
    Section,  # ruff: ignore[typing-only-first-party-import] - records are read by their types
    gather,
    section,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.chart.arrangement import Arrangement
    from envcompile.chart.fragments import Outline, Service
    from envcompile.chart.memory import Trace
    from envcompile.chart.parts import Part
    from envcompile.chart.services import Home
    from envcompile.chart.shapes import ChartFacts, Subject
    from envcompile.chart.shared import Shared


class Joined(msgspec.Struct, frozen=True, array_like=True):
    """What the services together make of their outlines."""

    answers: tuple[bytes, ...]
    """To each service, packed: most of them were given before."""
    folders: dict[str, str]
    """The folder of each service that becomes a chart of its own, by the service's key."""
    section: Section
    """The values below `global`."""


class Piece(NamedTuple):
    """One service's section of a file that is joined."""

    trace: Trace
    part: int
    """The number of the service's part."""


class JoinedFile(NamedTuple):
    """A file that is joined of sections, most of whose texts nobody asks for."""

    number: int
    """Its own among the files that are joined."""
    segments: tuple[str | Piece, ...]


class Assembled(NamedTuple):
    """The files that are not one service's alone, by their path below the chart's folder."""

    files: dict[str, str]
    joined: dict[str, JoinedFile]


def subcharts(services: Iterable[Service], homes: Mapping[Subject, Home], library: str) -> dict[str, str]:
    """The folder of each service that becomes a chart of its own, by the service's key.

    Args:
        services: all of them.
        homes: where each resource lives.
        library: the folder of the chart that the others include from.
    """
    found: dict[str, str] = {}
    own = [(subject.order, service) for service in services for subject in service.subjects if not homes[subject].slot]
    own.sort(key=itemgetter(0))
    for _, service in own:
        name = surroundings.chart_name(service.folder)
        while name == library or name in found.values():
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
    name = surroundings.chart_name(chart.name)
    folders = subcharts(services, homes, surroundings.library_of(name)) if chart.options.split else {}
    common = {hole: path for hole, path in paths.items() if path[0] == "global"}
    values = gather(common, count, chart.default, reach)
    answers = []
    for at, service in enumerate(services):
        numbers = range(len(service.subjects))
        own = {position for one in outlines[at].shared for position in one}
        answers.append(
            Answers(
                name,
                service.key,
                service.folder,
                folders.get(service.key),
                bool(folders),
                chart.default,
                largest,
                tuple([paths.get(objects[at, number]) if (at, number) in objects else None for number in numbers]),
                tuple([tuple([paths.get(hole) for hole in parts[at, number]]) for number in numbers]),
                {position: paths[shared.holes[position]] for position in sorted(own)},
            )
        )
    shown = section(values, count, chart.default, split=bool(folders), is_subchart=False)
    return Joined(tuple(map(msgspec.msgpack.encode, answers)), folders, shown)


def assemble(chart: ChartFacts, arrangement: Arrangement, joined: Joined, parts: Sequence[Part]) -> Assembled:
    """Every file that is not one service's alone, but the CRDs."""
    name = surroundings.chart_name(chart.name)
    needed, known = arrangement.needs, arrangement.remarks
    folders = joined.folders
    listed = [surroundings.Subchart(folder, key) for key, folder in folders.items()]
    files = {"Chart.yaml": surroundings.chart_yaml(chart, name, listed, needed)}
    for key, folder in folders.items():
        files[f"charts/{folder}/Chart.yaml"] = surroundings.subchart_yaml(chart, folder, needed.get(key, ()))
        files[f"charts/{folder}/values.yaml"] = f"# The values are in the parent chart, below `{key}`.\n{{}}\n"
    table = arrangement.table
    shared = ""
    if chart.options.split:
        shared = f"charts/{surroundings.library_of(name)}/"
        files[f"{shared}Chart.yaml"] = surroundings.library_yaml(chart, name)
    files[f"{shared}templates/_helpers.tpl"] = surroundings.helpers(name) + (
        override.helpers(name, table) if table is not None else ""
    )
    files["templates/NOTES.txt"] = surroundings.notes(chart, needed, known)
    files["README.md"] = surroundings.read_me(chart, name, chart.environments[chart.default], known, table)
    files[".helmignore"] = surroundings.HELMIGNORE
    return Assembled(files, _joined_files(chart, arrangement, joined, parts))


def _joined_files(
    chart: ChartFacts, arrangement: Arrangement, joined: Joined, parts: Sequence[Part]
) -> dict[str, JoinedFile]:
    """The files that are joined of a section of each service."""
    places = names_of_joined(chart.environments)
    shared, image = joined.section.texts, chart.options.test_image
    heads = [part.head.sections for part in parts]
    found = {}
    for number, place in enumerate(places):
        pieces: list[tuple[str, str | Piece]] = [("global", shared[number])] if shared[number] else []
        pieces += [
            (part.planned.key, Piece(own[number], at))
            for at, (part, own) in enumerate(zip(parts, heads, strict=True))
            if own[number].length
        ]
        if arrangement.table is not None and place == VALUES:
            pieces.insert(0, ("", override.SECTION.values))
        if arrangement.table is not None and place == SCHEMA:
            pieces += override.SCHEMAS.items()
        if image is not None and place == VALUES:
            pieces.append((helmtests.KEY, helmtests.section_of(image).values))
        if image is not None and place == SCHEMA:
            pieces.append((helmtests.KEY, helmtests.SCHEMA))
        keys = {key: None for key, _ in pieces}
        if place == VALUES:
            before = ["\n\n" if at else "" for at in range(len(pieces))]
            for at, key in enumerate(keys):
                if key in arrangement.needs:
                    before[at] += f"# Needs {', '.join(arrangement.needs[key])}.\n"
            end = "\n" if pieces else "{}\n"
        elif place == SCHEMA:
            library = surroundings.library_of(surroundings.chart_name(chart.name)) if chart.options.split else None
            before, end = schema_around(keys, chart, library)
        else:
            # A section of a patch begins with the end of the line before it.
            head = f"# What {chart.environments[number - 1]} sets differently from values.yaml."
            before = [head if not at else "" for at in range(len(pieces))]
            end = "\n" if pieces else f"{head}\n{{}}\n"
        segments: list[str | Piece] = []
        for text, (_, piece) in zip(before, pieces, strict=True):
            segments += [text, piece] if text else [piece]
        found[place] = JoinedFile(number, (*segments, end))
    return found
