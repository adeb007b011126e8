"""Environments side by side: what differs, field by field, who says so, and whether that is on purpose."""

from __future__ import annotations

from itertools import pairwise, starmap
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from envcompile.ask.facets import facet_of_field
from envcompile.errors import Problem, UsageError, did_you_mean
from envcompile.kubernetes.fieldpath import format_field, look_up, reach
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from envcompile.actions.diff import Difference
    from envcompile.actions.origins import EnvironmentOrigins, Layer, Origin, ResourceOrigins, Since
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import Location, ResourceId

WHOLE: Final = "(the resource)"
"""The field of a row that says which environments have a resource at all."""

Flag = Literal["", "foreign", "missing"]
"""Why a cell is not on purpose: it names another environment, or every other environment has what it lacks."""


Changed = dict[tuple[str, "ResourceId"], list[str]]
"""Environment and resource -> the fields that a change touches; an empty one stands for all of the resource."""


class Cell(NamedTuple):
    """One environment's value of a row; what it does not have is not `is_there` and has no value.

    `place` and `layer` say who set the value, or took it away; None where nobody did. `fields` is how many fields a
    part has that is shown as a whole, 0 for a single value. `why` says in words what `flag` means.
    """

    environment: str
    is_there: bool
    value: Any
    fields: int
    layer: Layer | None
    place: Location | None
    since: Since | None
    is_uncommitted: bool
    was: Any
    flag: Flag = ""
    why: str = ""


class Row(NamedTuple):
    """A field that differs, or a part of a resource that not every environment has."""

    app: str
    resource: ResourceId
    """With an empty namespace where that is each environment's own."""
    field: str
    kind: str
    """`image`, `replicas`, `resources`, `config`, `hosts`, else the facet that reviewers know the field by."""
    cells: tuple[Cell, ...]
    absent: frozenset[str] = frozenset()
    """The environments that have no such resource; a row of its own says so."""
    is_inside: bool = False
    """Whether a row of its own says which environments have the part that this field is in."""

    @property
    def present(self) -> tuple[Cell, ...]:
        """The cells of the environments that have the resource, whether they have the field or not."""
        return tuple(cell for cell in self.cells if cell.environment not in self.absent)

    @property
    def is_on_purpose(self) -> bool:
        """Whether an overlay or a setting stands behind every difference."""
        return not any(cell.flag for cell in self.cells)


class OwnFact(NamedTuple):
    """What every environment calls its own, told once: a setting and its value in each environment."""

    setting: str
    values: tuple[str | None, ...]


class Service(NamedTuple):
    """One application's rows, and how many of them are on purpose."""

    app: str
    rows: tuple[Row, ...]

    @property
    def on_purpose(self) -> int:
        """How many differences an overlay or a setting states."""
        return sum(row.is_on_purpose for row in self.rows)


class Matrix(NamedTuple):
    """What differs between environments, in promotion order.

    `folded` are the rows that say the same once each environment's own words are taken out of them.
    """

    environments: tuple[EnvironmentOrigins, ...]
    own: tuple[OwnFact, ...]
    services: tuple[Service, ...]
    folded: tuple[Row, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows of all services."""
        return tuple(row for service in self.services for row in service.rows)

    @property
    def consistency(self) -> float:
        """Differences on purpose of all differences, in percent; 100 where nothing differs."""
        return percentage(self.rows)


def percentage(rows: Sequence[Row]) -> float:
    """Rows on purpose of all rows, in percent; 100 for no rows."""
    return 100 * sum(row.is_on_purpose for row in rows) / len(rows) if rows else 100.0


def matrix(
    environments: Sequence[EnvironmentOrigins],
    *,
    apps: Collection[str] = (),
    fields: Collection[str] = ("all",),
    only: Changed | None = None,
) -> Matrix:
    """Lay environments side by side.

    Args:
        environments: at least two, in the order of the columns.
        apps: only these applications; none means all.
        fields: only rows of these kinds; `all` for any.
        only: the fields that changed: a row with none of them is left out.

    Raises:
        UsageError: there is no such application, or fewer than two environments.
    """
    if len(environments) < 2:
        raise UsageError([Problem("one environment has nothing beside it", "name two or more, or none for all")])
    _refuse_unknown(apps, environments)
    from envcompile.actions.matrix_purpose import Purpose

    purpose = Purpose(environments)
    kept: dict[str, list[Row]] = {}
    folded: list[Row] = []
    for key, held in _paired(environments).items():
        app = next(one.app for one in held if one is not None)
        if apps and app not in apps:
            continue
        for row in _rows(environments, app, key, held):
            if not _is_wanted(row, fields) or (only is not None and not _is_among(row, held, only)):
                continue
            if purpose.is_own(row):
                folded += [] if row.field == "metadata.namespace" else [row]
            else:
                kept.setdefault(app, []).append(purpose.judged(row))
    services = tuple(Service(app, tuple(rows)) for app, rows in sorted(kept.items()))
    return Matrix(tuple(environments), purpose.own_facts(), services, tuple(folded))


def narrowed(whole: Matrix, *, apps: Collection[str] = (), fields: Collection[str] = ("all",)) -> Matrix:
    """The part of a matrix of everything that is about some applications or kinds of fields.

    Args:
        whole: environments side by side, with nothing left out.
        apps: only these applications; none means all.
        fields: only rows of these kinds; `all` for any.

    Raises:
        UsageError: there is no such application.
    """
    _refuse_unknown(apps, whole.environments)
    services = []
    for service in whole.services:
        rows = tuple(row for row in service.rows if _is_wanted(row, fields))
        if rows and (not apps or service.app in apps):
            services.append(Service(service.app, rows))
    folded = tuple(row for row in whole.folded if _is_wanted(row, fields) and (not apps or row.app in apps))
    return whole._replace(services=tuple(services), folded=folded)


def _refuse_unknown(apps: Collection[str], environments: Sequence[EnvironmentOrigins]) -> None:
    known = {one.app for each in environments for one in each.resources}
    for app in apps:
        if app not in known:
            advice = did_you_mean(app, known, f"the applications are {', '.join(sorted(known))}")
            raise UsageError([Problem(f"there is no application `{app}`", advice)])


_Held = tuple["ResourceOrigins | None", ...]


def _paired(environments: Sequence[EnvironmentOrigins]) -> dict[ResourceId, _Held]:
    """The resources of the same kind and name; the namespace that is each environment's own counts as the same."""
    found: dict[ResourceId, list[ResourceOrigins | None]] = {}
    for column, each in enumerate(environments):
        for one in each.resources:
            own = one.id._replace(namespace="") if one.id.namespace == each.namespace else one.id
            found.setdefault(own, [None] * len(environments))[column] = one
    order = sorted(found, key=lambda key: (key.kind, key.name, key.namespace, key.group))
    return {key: tuple(found[key]) for key in order}


def _is_wanted(row: Row, fields: Collection[str]) -> bool:
    return "all" in fields or row.kind in fields


def _is_among(row: Row, held: _Held, only: Changed) -> bool:
    """Tell whether a change touches one of the cells: its very field, one below it, or all around it."""
    for cell, one in zip(row.cells, held, strict=True):
        for field in only.get((cell.environment, one.id), ()) if one is not None else ():
            if not field or row.field == WHOLE or _is_below(row.field, field) or _is_below(field, row.field):
                return True
    return False


def _rows(environments: Sequence[EnvironmentOrigins], app: str, key: ResourceId, held: _Held) -> Iterator[Row]:
    names = [each.environment for each in environments]
    if None in held:
        cells = list(starmap(_whole, zip(names, held, strict=True)))
        yield Row(app, key, WHOLE, "all", tuple(cells))
    there = [one for one in held if one is not None]
    if len(there) < 2:
        return
    absent = frozenset(name for name, one in zip(names, held, strict=True) if one is None)
    fields = [_by_field(one) if one is not None else {} for one in held]
    parts: dict[str, FieldPath] = {}
    for field in dict.fromkeys(name for each in fields for name in each):
        found = [each.get(field) for each in fields]
        present = [origin for origin in found if origin is not None and not origin.is_removed]
        if not present or all(origin.layer.kind == "derived" for origin in present):
            continue
        if all(origin.layer.kind == "settings" for origin in present) and _is_label(present[0].path):
            continue  # told once, as each environment's own
        lacking = [
            one
            for one, origin in zip(held, found, strict=True)
            if one is not None and (origin is None or origin.is_removed)
        ]
        is_inside = False
        if lacking and not present[0].key:
            missing = _missing_part(present[0].path, lacking)
            is_inside = missing != present[0].path
            if is_inside:
                parts.setdefault(format_field(missing), missing)
                if all(same(origin.value, present[0].value) for origin in present):
                    continue
        elif not lacking and all(same(origin.value, present[0].value) for origin in present):
            continue
        cells = list(starmap(_cell, zip(names, found, strict=True)))
        yield Row(app, key, field, kind_of(key, present[0]), tuple(cells), absent, is_inside)
    for part, path in parts.items():
        cells = [_part(name, one, each, part, path) for name, one, each in zip(names, held, fields, strict=True)]
        first = next(origin for each in fields for name, origin in each.items() if _is_below(name, part))
        yield Row(app, key, part, kind_of(key, first), tuple(cells), absent)


def _is_label(path: FieldPath) -> bool:
    """Tell whether a field is a label or an annotation, of the resource or of its pods."""
    return any(pair in {("metadata", "labels"), ("metadata", "annotations")} for pair in pairwise(path))


def _by_field(one: ResourceOrigins) -> dict[str, Origin]:
    """The fields by name; a configuration file is its keys, not its text."""
    files = {origin.path for origin in one.fields if origin.key}
    return {origin.field: origin for origin in one.fields if origin.key or origin.path not in files}


def _missing_part(path: FieldPath, lacking: Iterable[ResourceOrigins]) -> FieldPath:
    """The shortest way of which a resource has nothing."""
    return path[: min(len(reach(path, one.value)) for one in lacking) + 1]


def _is_below(field: str, part: str) -> bool:
    return field == part or field.startswith((f"{part}.", f"{part}[", f"{part}#"))


def _cell(environment: str, origin: Origin | None) -> Cell:
    if origin is None:
        return Cell(environment, False, None, 0, None, None, None, False, None)
    was = origin.overridden[-1].value if origin.overridden else None
    value = None if origin.is_removed else origin.value
    return Cell(
        environment,
        not origin.is_removed,
        value,
        0,
        origin.layer,
        origin.place,
        origin.since,
        origin.is_uncommitted,
        was,
    )


def _whole(environment: str, one: ResourceOrigins | None) -> Cell:
    if one is None:
        return _cell(environment, None)
    name = next(origin for origin in one.fields if origin.path == ("metadata", "name"))
    return _cell(environment, name)._replace(value=one.id.short, fields=len(one.fields), was=None)


def _part(
    environment: str, one: ResourceOrigins | None, fields: Mapping[str, Origin], part: str, path: FieldPath
) -> Cell:
    """A part of a resource as one cell: how many fields it has, and where the first one is from."""
    below = [origin for field, origin in fields.items() if _is_below(field, part)]
    there = [origin for origin in below if not origin.is_removed]
    if one is None or not below:
        return _cell(environment, None)
    if not there:
        return _cell(environment, below[0])
    pointer = reach(path, one.value)
    value = look_up(one.value, pointer) if len(pointer) == len(path) else None
    return _cell(environment, there[0])._replace(value=value, fields=len(there), was=None)


_HOSTS = frozenset({"host", "hosts", "hostnames", "dnsNames", "externalName"})


def kind_of(resource: ResourceId, origin: Origin) -> str:
    """What sort of field it is: `hosts`, or the facet that reviewers know it by."""
    names = {part for part in origin.path if isinstance(part, str)}
    if names & _HOSTS and resource.kind != "ConfigMap" and "containers" not in names:
        return "hosts"
    return facet_of_field(resource, origin.path)


def changed_fields(difference: Difference) -> Changed:
    """The fields that a difference of two states of the repository touches."""
    found: Changed = {}
    for environment in difference.changed:
        for change in environment.resources:
            fields = [field.field for field in change.fields] if change.kind == "changed" else [""]
            found[environment.environment, change.resource] = fields
    return found
