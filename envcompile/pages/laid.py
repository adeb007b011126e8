"""Environments side by side: what differs, who says so, and whether that is on purpose."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.actions.matrix import WHOLE, percentage
from envcompile.actions.reached import tag_of
from envcompile.pages.model import Missing, Option, Origin
from envcompile.pages.origins import CLASSES
from envcompile.pages.overview import unrecorded
from envcompile.pages.timeline import short, text_of
from envcompile.pages.words import first_name, many, moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.actions.matrix import Cell, Matrix, Row
    from envcompile.actions.origins import EnvironmentOrigins
    from envcompile.check.finding import Finding
    from envcompile.model import ResourceId
    from envcompile.pages.links import Links
    from envcompile.pages.state import State

FIELDS: Final = ("image", "replicas", "resources", "config", "hosts")
ROWS: Final = 600
"""Rows on a page."""


class LaidCell(NamedTuple):
    """What one environment says."""

    value: str
    is_there: bool
    is_same: bool
    """As in the environment left of it."""
    flag: str
    """`un` for what is not on purpose or warned of, `wrong` for an error; empty for neither."""
    why: str
    is_finding: bool
    """Whether a check says so, and not the comparison."""
    cls: str
    layer: str
    place: str
    day: str
    who: str


class LaidRow(NamedTuple):
    """A field in all environments."""

    label: str
    resource: ResourceId
    environment: str
    """One that has it, to link to."""
    cells: tuple[LaidCell, ...]


class LaidService(NamedTuple):
    """The rows of one application."""

    app: str
    rows: tuple[LaidRow, ...]
    unintended: int
    """Differences that nothing states."""
    warned: int
    """Values that a check finds something wrong with."""


class MatrixPage(NamedTuple):
    """Environments side by side."""

    title: str
    sub: str
    environments: tuple[str, ...]
    services: tuple[LaidService, ...]
    own: tuple[tuple[str, str], ...]
    """What every environment calls its own: the setting, and its values in words."""
    folded: int
    """Rows that differ in nothing but that."""
    more: int
    """Rows that are not shown."""
    fields: tuple[Option, ...]
    views: tuple[Option, ...]
    apps: tuple[Option, ...]
    """The applications, where all of them are too many for a page."""
    layers: tuple[Origin, ...]
    query: str
    missing: tuple[Missing, ...]


def matrix_page(state: State, query: Mapping[str, str], links: Links, now: int, *, most: int = ROWS) -> MatrixPage:
    """The page of the matrix.

    Args:
        state: the project.
        query: `field`, `app` and `only` of the address.
        links: where links lead.
        now: the time of reading, in seconds since 1970.
        most: how many rows are shown.

    Raises:
        UsageError: there is no such application.
    """
    field, app, only = query.get("field", ""), query.get("app", "").strip(), query.get("only", "")
    kept = {"field": field, "app": app, "only": only}
    fields = tuple(
        Option(name or "all", links.page("matrix", **{**kept, "field": name}), name == field) for name in ("", *FIELDS)
    )
    names = sorted({name for one in state.sides.values() for name in one.apps.values() if name})
    if len(state.compiled) < 2:
        said = Missing("One environment has nothing beside it", "Two that compile can be laid side by side.")
        return MatrixPage("Nothing to compare", "", (), (), (), 0, 0, (), (), (), (), app, (said,))
    if not state.is_small and app not in names:
        apps = tuple(Option(name, links.page("matrix", app=name), is_chosen=False) for name in names)
        said = Missing(
            f"{many(len(names), 'service')} are too many for one page",
            "Choose one, or ask the command: `envc matrix`.",
        )
        return MatrixPage("Services side by side", "", (), (), (), 0, 0, (), (), apps, (), app, (said,))
    chosen = app if app in names else ""
    found = state.matrix(chosen, field if field in FIELDS else "")
    services, more = _services(state, found, app if not chosen else "", only, now, most)
    unintended = sum(not row.is_on_purpose for row in found.rows)
    views = (
        Option("differences", links.page("matrix", **{**kept, "only": ""}), only != "unintended"),
        Option(
            f"not on purpose ({unintended})",
            links.page("matrix", **{**kept, "only": "unintended"}),
            only == "unintended",
        ),
    )
    own = tuple(
        (fact.setting, " | ".join("–" if value is None else value for value in fact.values)) for fact in found.own
    )
    return MatrixPage(
        f"{many(len(found.rows), 'setting')} {'differs' if len(found.rows) == 1 else 'differ'} between environments,"
        f" {unintended:,} not on purpose",
        _sub(found, services),
        state.compiled,
        services,
        own,
        len(found.folded),
        more,
        fields,
        views,
        (),
        _layers(services),
        app,
        unrecorded(state),
    )


def _sub(found: Matrix, services: Sequence[LaidService]) -> str:
    warned = sum(one.warned for one in services)
    said = (
        "A difference is on purpose when a file or a setting of that environment states it and it names no other"
        f" environment: {percentage(found.rows):.1f} % here."
    )
    return f"{said} {many(warned, 'value has', 'values have')} a finding." if warned else said


def _services(
    state: State,
    found: Matrix,
    text: str,
    only: str,
    now: int,
    most: int,
) -> tuple[tuple[LaidService, ...], int]:
    """The services with their rows, and how many rows are left out."""
    wrong = state.by_resource
    low = text.lower()
    chosen = [
        (service.app, row)
        for service in found.services
        for row in service.rows
        if (only != "unintended" or not row.is_on_purpose)
        and (not low or low in f"{service.app} {row.resource.short} {row.field}".lower())
    ]
    # Where there is no room for all, what is not on purpose comes first; the order stays that of the services.
    places = sorted(range(len(chosen)), key=lambda place: chosen[place][1].is_on_purpose)
    told = set(places[:most])
    services = []
    for app, numbered in groupby(enumerate(chosen), key=lambda one: one[1][0]):
        held = [(place, row) for place, (_, row) in numbered]
        rows = [row for _, row in held]
        shown = [_row(state, found.environments, row, wrong, now) for place, row in held if place in told]
        if shown:
            warned = sum(cell.is_finding for row in shown for cell in row.cells)
            unintended = sum(not row.is_on_purpose for row in rows)
            services.append(LaidService(app or "no service", tuple(shown), unintended, warned))
    return tuple(services), len(chosen) - len(told)


def _row(
    state: State,
    environments: Sequence[EnvironmentOrigins],
    row: Row,
    wrong: Mapping[ResourceId, Sequence[Finding]],
    now: int,
) -> LaidRow:
    values = [_value(row, cell) for cell in row.cells]
    same = [False, *(left == right for left, right in pairwise(values))]
    concerned = [one for one in wrong.get(row.resource._replace(namespace=""), ()) if _concerns(one, row.field)]
    cells = tuple(
        _cell(each, cell, value, concerned, now, is_same=is_same)
        for each, cell, value, is_same in zip(environments, row.cells, values, same, strict=True)
    )
    there = next((cell.environment for cell in reversed(row.cells) if cell.environment not in row.absent), "")
    own = row.resource if row.resource.namespace else row.resource._replace(namespace=state.sides[there].namespace)
    label = "the resource" if row.field == WHOLE else short(row.field)
    return LaidRow(label, own if own in state.sides[there].apps else row.resource, there, cells)


def _value(row: Row, cell: Cell) -> str:
    if not cell.is_there:
        return "–"
    if row.field == WHOLE:
        return "there"
    if row.kind == "image" and isinstance(cell.value, str):
        names = {str(one.value).rpartition(":")[0] for one in row.cells if one.is_there}
        return tag_of(cell.value) if len(names) == 1 else cell.value
    return text_of(cell.value)


def _cell(
    each: EnvironmentOrigins,
    cell: Cell,
    value: str,
    concerned: Sequence[Finding],
    now: int,
    *,
    is_same: bool,
) -> LaidCell:
    flag, why, is_finding = ("un", cell.why, False) if cell.flag else ("", "", False)
    for finding in concerned:
        if finding.environment == cell.environment:
            flag, why, is_finding = "wrong" if finding.severity == "error" else "un", finding.rule, True
    day, who = "", ""
    if cell.is_uncommitted:
        day = "not committed"
    elif cell.since is not None and not cell.since.or_before and cell.since.how != "created":
        commit = each.commits[cell.since.commit]
        day, who = moment(commit.authored_at, now).day, first_name(commit.author_name)
    layer = cell.layer
    return LaidCell(
        value,
        cell.is_there,
        is_same,
        flag,
        why,
        is_finding,
        CLASSES[layer.kind] if layer is not None else "",
        layer.name if layer is not None else "",
        f"{cell.place.file}:{cell.place.line}" if cell.place is not None else "",
        day,
        who,
    )


def _concerns(finding: Finding, field: str) -> bool:
    """Whether a finding is about a field, or about what holds it."""
    told = finding.field
    return bool(told) and finding.severity != "info" and f"{field}.".startswith((f"{told}.", f"{told}["))


def _layers(services: Sequence[LaidService]) -> tuple[Origin, ...]:
    order = list(CLASSES.values())
    found = {
        (cell.cls, "own file" if cell.cls == "own" else cell.layer)
        for one in services
        for row in one.rows
        for cell in row.cells
        if cell.cls
    }
    return tuple(Origin(cls, name, "") for cls, name in sorted(found, key=lambda one: (order.index(one[0]), one[1])))
