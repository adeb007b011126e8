"""Two environments, or two revisions of all of them: what differs, field by field, and who set it."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.diff import difference
from envcompile.actions.past import compare_all, revision_of
from envcompile.actions.reached import tag_of
from envcompile.ask.facets import facet_of_field
from envcompile.ask.redact import Hidden, shown
from envcompile.errors import EnvcError, UsageError
from envcompile.pages.model import Option
from envcompile.pages.origins import origins_of
from envcompile.pages.seen import open_or_none
from envcompile.pages.timeline import short, text_of
from envcompile.pages.words import listed, many
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.ask.difference import EnvironmentDiff, FieldDiff, ResourceDiff
    from envcompile.model import ResourceId
    from envcompile.pages.links import Links
    from envcompile.pages.model import Origin
    from envcompile.pages.origins import Told
    from envcompile.pages.state import State

ROWS = 600
"""Fields on a page."""
_FACETS = ("image", "replicas", "resources", "config", "network")


class Differs(NamedTuple):
    """A field that differs between two sides."""

    resource: ResourceId
    environment: str
    label: str
    old: str
    new: str
    facet: str
    origin: Origin | None
    since: str
    who: str


class Difference(NamedTuple):
    """What differs in one service, or one environment."""

    name: str
    rows: tuple[Differs, ...]


class Comparison(NamedTuple):
    """Two environments, or two revisions."""

    title: str
    sub: str
    left: str
    right: str
    groups: tuple[Difference, ...]
    own: tuple[str, ...]
    only_left: tuple[str, ...]
    only_right: tuple[str, ...]
    facets: tuple[Option, ...]
    more: int
    """Fields that are not shown."""


def comparison(state: State, left: str, right: str, query: Mapping[str, str], links: Links, now: int) -> Comparison:
    """The page of a comparison.

    Args:
        state: the project.
        left: an environment, or the older revision.
        right: an environment, or the newer revision.
        query: `facet` of the address.
        links: where links lead.
        now: the time of reading, in seconds since 1970.

    Raises:
        UsageError: there is no such environment or revision.
        EnvcError: one of the sides does not compile.
    """
    facet = query.get("facet", "")
    if left in state.project.environments and right in state.project.environments:
        found = [state.difference(left, right)]
        groups = _by_app(state, found[0], right, facet, now)
        unit = "service"
    else:
        found = _of_revisions(state, left, right)
        groups = [_of_environment(state, one, facet) for one in found if one.resources]
        unit = "environment"
    groups = [group for group in groups if group.rows]
    count = sum(len(group.rows) for group in groups)
    kept, more = _cut(groups, count)
    facets = tuple(
        Option(name or "all", f"{links.compare(left, right)}{f'?facet={name}' if name else ''}", name == facet)
        for name in ("", *_FACETS)
    )
    gone = [_named(unit, one, item) for one in found for item in one.resources if item.kind == "removed"]
    come = [_named(unit, one, item) for one in found for item in one.resources if item.kind == "added"]
    title = f"{_short(left)} → {_short(right)}: {many(count, 'setting')} {'differs' if count == 1 else 'differ'}"
    title += f" in {many(len(groups), unit)}" if groups else ""
    return Comparison(
        title,
        _sub(left, right, found, unit),
        _short(left),
        _short(right),
        tuple(kept),
        (*(setting for one in found for setting in one.settings), *_sealed(found)),
        tuple(gone),
        tuple(come),
        facets,
        more,
    )


def _short(name: str) -> str:
    """A revision as people write it: a whole hash is cut."""
    return name[:10] if len(name) == 40 and name.isalnum() else name


def _sealed(found: Sequence[EnvironmentDiff]) -> list[str]:
    """How many sealed values differ, of which nothing else is told."""
    count = sum(isinstance(field.new, Hidden) for one in found for item in one.resources for field in item.fields)
    return [many(count, "sealed value")] if count else []


def _named(unit: str, diff: EnvironmentDiff, item: ResourceDiff) -> str:
    return item.resource.short if unit == "service" else f"{diff.environment}: {item.resource.short}"


def _sub(left: str, right: str, found: Sequence[EnvironmentDiff], unit: str) -> str:
    if unit == "environment":
        return "What the environments compile to at the older revision, and at the newer."
    newer = Counter(
        field.path[-1] == "image" for one in found for item in one.resources for field in item.fields if field.path
    )[True]
    if not newer:
        return f"{right} is the target; what {left} calls its own counts as the same."
    word = many(newer, "image")
    return f"{word} {'differs' if newer == 1 else 'differ'}. To promote them: `envc promote {left} {right} --dry-run`"


def _by_app(state: State, found: EnvironmentDiff, environment: str, facet: str, now: int) -> list[Difference]:
    """The fields by application, with who set each in the second environment."""
    groups: dict[str, list[tuple[ResourceId, ResourceDiff]]] = {}
    for item in found.resources:
        if item.kind in {"changed", "renamed"}:
            groups.setdefault(item.app, []).append((_own(state, environment, item.resource), item))
    asked = []
    for app in sorted(groups):
        rows = [
            (identity, field)
            for identity, item in groups[app]
            for field in item.fields
            if (not facet or _facet(identity, field) == facet) and not isinstance(field.new, Hidden)
        ]
        asked.append((app, rows))
    wanted = [(identity, field.field) for _, rows in asked for identity, field in rows][:ROWS]
    origins = origins_of(state, environment, wanted, now)
    return [
        Difference(
            app,
            tuple(_row(environment, identity, field, origins.get((identity, field.field))) for identity, field in rows),
        )
        for app, rows in asked
    ]


def _own(state: State, environment: str, resource: ResourceId) -> ResourceId:
    """The identity in an environment, of which a comparison has left the namespace out."""
    if resource.namespace:
        return resource
    side = state.sides[environment]
    there = resource._replace(namespace=side.namespace)
    return there if there in side.apps else resource


def _of_environment(state: State, found: EnvironmentDiff, facet: str) -> Difference:
    rows = [
        _row(found.environment, item.resource, field, None)
        for item in found.resources
        for field in item.fields
        if not facet or _facet(item.resource, field) == facet
    ]
    del state
    return Difference(found.environment, tuple(rows))


def _facet(resource: ResourceId, field: FieldDiff) -> str:
    return facet_of_field(resource, field.path)


def _row(environment: str, resource: ResourceId, field: FieldDiff, told: Told | None) -> Differs:
    facet = _facet(resource, field)
    old, new = (None if value is ABSENT else shown(value) for value in (field.old, field.new))
    if facet == "image" and isinstance(old, str) and isinstance(new, str):
        same_name = old.rpartition(":")[0] == new.rpartition(":")[0]
        old, new = (tag_of(old), tag_of(new)) if same_name else (old, new)
    origin, day, who = told or (None, "", "")
    label = field.key or short(field.field)
    return Differs(resource, environment, label, text_of(old), text_of(new), facet, origin, day, who)


def _cut(groups: list[Difference], count: int) -> tuple[list[Difference], int]:
    """The groups up to so many rows, and how many rows are left out."""
    kept, room = [], ROWS
    for group in groups:
        if room <= 0:
            break
        kept.append(group._replace(rows=group.rows[:room]))
        room -= len(group.rows)
    return kept, max(0, count - ROWS)


def _of_revisions(state: State, left: str, right: str) -> list[EnvironmentDiff]:
    """What differs between two revisions: from the history where both are recorded, else from their sources."""
    past = open_or_none(state.project.root)
    if past is not None:
        with closing(past):
            try:
                older, newer = (past.repository.find(one) or one for one in (left, right))
                sides = [(name, revision_of(past, name, older), revision_of(past, name, newer)) for name in state.names]
            except UsageError:
                pass
            else:
                return compare_all(past, sides)
    try:
        return list(difference(state.project.root, state.names, source=left, target=right).environments)
    except UsageError as error:
        known = f"environments are {listed(state.project.environments)}; anything else is taken for a revision"
        raise UsageError([problem._replace(fix=f"{problem.fix}; {known}") for problem in error.problems]) from error
    except EnvcError:
        raise
