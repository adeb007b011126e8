"""Which values of a chart of others a compiled field comes from, as far as that was found out when it was rendered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.settings import ChartInEnvironment
from envcompile.sources.chartlock import LOCK_FILE, read_lock
from envcompile.values import ABSENT, dotted, leaves, value_at
from envcompile.yamlio.places import exact_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.model import Location, Pointer, ResourceId
    from envcompile.units.project import Project

MORE: Final = "…"
"""Ends the list of a value's fields where there are more than a lock names."""


class ChartValue(NamedTuple):
    """A value that somebody wrote for a chart, where it stands, and whether it was seen to change the field."""

    value: str
    place: Location | None
    is_certain: bool


class ChartOrigin(NamedTuple):
    """The chart that made a field, and the values that it comes from."""

    chart: str
    version: str
    values: tuple[ChartValue, ...]
    note: str
    """What is to be known where no value was found; empty otherwise."""


def named(identity: ResourceId) -> str:
    """A resource as the lock names it."""
    return f"{identity.kind}.{identity.group}/{identity.name}" if identity.group else f"{identity.kind}/{identity.name}"


def chart_origin(
    project: Project, environment: str, identity: ResourceId, field: str, value: Any, file: str
) -> ChartOrigin | None:
    """Where a field of a chart's document comes from; None where the file is none of a chart.

    Args:
        project: the project.
        environment: one of its environments.
        identity: the resource.
        field: its field, as `envc explain` names it.
        value: what the document says.
        file: the document's file.

    Raises:
        EnvcError: the lock cannot be read.
    """
    if "/vendored/" not in file or not project.tree.is_file(LOCK_FILE):
        return None
    lock = read_lock(project.tree)
    name = lock.chart_of(file)
    locked = lock.charts.get(name) if name is not None else None
    if name is None or locked is None:
        return None
    version = locked.environments.get(environment, "")
    said = {spelled(pointer): (pointer, item) for pointer, item in _said(project, environment, name)}
    traced = [
        (len(fields), path)
        for path, fields in locked.values.items()
        if path in said and _reaches(fields, identity, field)
    ]
    certain = tuple(
        ChartValue(path, place_of_value(project, environment, name, said[path][0]), True) for _, path in sorted(traced)
    )
    if certain:
        return ChartOrigin(name, version, certain, "")
    open_ones = [path for path in said if path in locked.untraced or locked.values.get(path, ())[-1:] == (MORE,)]
    alike = tuple(
        ChartValue(path, place_of_value(project, environment, name, said[path][0]), False)
        for path in open_ones
        if type(said[path][1]) is type(value) and said[path][1] == value and value not in {None, ""}
    )
    if alike:
        return ChartOrigin(name, version, alike, "")
    unlocked = [path for path in said if path not in locked.values and path not in locked.untraced]
    if unlocked:
        note = f"not known: `envc charts vendor {name}` has not seen {_listed(unlocked)} yet"
    elif open_ones:
        note = f"not known: {_listed(open_ones)} could not be tried"
    else:
        note = "the chart's own: no value that is written here changes it"
    return ChartOrigin(name, version, (), note)


def place_of_value(project: Project, environment: str, name: str, pointer: Pointer) -> Location | None:
    """The line that says a value of a chart in an environment: of its settings, of those below, or of envc.yaml."""
    sources = project.sources_of(environment)
    own = sources.settings.charts.get(name)
    if own is not None and value_at(own.values, pointer) is not ABSENT:
        return sources.where(("charts", name, "values", *pointer))
    document = project.sources.document
    position = next((at for at, chart in enumerate(project.settings.charts) if chart.name == name), None)
    if document is None or position is None:
        return None
    return exact_place(document, ("charts", position, "values", *pointer))


def spelled(pointer: Pointer) -> str:
    """The place of a value as people write it after `--set`: dots in names have a backslash."""
    return dotted(re.sub(r"([.\[\]\\])", r"\\\1", part) if isinstance(part, str) else part for part in pointer)


def _said(project: Project, environment: str, name: str) -> Iterator[tuple[Pointer, Any]]:
    """The values that are written for a chart, each leaf of an environment's own before that of envc.yaml."""
    own = project.sources_of(environment).settings.charts.get(name) or ChartInEnvironment()
    shared = next((chart.values for chart in project.settings.charts if chart.name == name), {})
    said = dict(leaves(own.values))
    yield from said.items()
    for pointer, item in leaves(shared):
        if pointer and pointer not in said:
            yield pointer, item


def _reaches(fields: tuple[str, ...], identity: ResourceId, field: str) -> bool:
    subject = named(identity)
    for each in fields:
        who, _, where = each.partition(" ")
        if who == subject and (not where or where == field or where.startswith((f"{field}.", f"{field}["))):
            return True
    return False


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
