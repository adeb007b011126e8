"""Who set a value: the layer as pages colour and name it, its place, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.pages.model import Origin
from envcompile.pages.words import first_name, moment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.actions.origins import Origin as FieldOrigin
    from envcompile.model import ResourceId
    from envcompile.pages.state import State

CLASSES: Final = {"base": "base", "shared": "shared", "own": "own", "settings": "set", "derived": "derived"}
"""Whose a value is -> the class that colours it."""


class Told(NamedTuple):
    """Who set a value, and since when."""

    origin: Origin
    day: str
    """Empty where it is as it was when the record began, or nothing is recorded."""
    who: str


def shown(found: FieldOrigin) -> Origin:
    """The layer and place of a value as pages show it."""
    place = f"{found.place.file}:{found.place.line}" if found.place is not None else ""
    return Origin(CLASSES[found.layer.kind], found.layer.name, place)


def origins_of(
    state: State, environment: str, fields: Iterable[tuple[ResourceId, str]], now: int
) -> dict[tuple[ResourceId, str], Told]:
    """Who set fields of an environment; those that nobody stated are left out.

    Args:
        state: the project.
        environment: one that compiles.
        fields: resources and fields as people write them.
        now: the time of reading, in seconds since 1970.
    """
    wanted = set(fields)
    resources = {resource for resource, _ in wanted}
    if not resources:
        return {}
    known = state.origins(environment, sorted(resources))
    first = state.recording.first if state.recording is not None else None
    told = {}
    for resource in known.resources:
        for found in resource.fields if resource.id in resources else ():
            if (resource.id, found.field) not in wanted or found.is_removed:
                continue
            day, who = "", ""
            since = found.since
            if found.is_uncommitted:
                day = "not committed"
            elif since is not None and not since.or_before and (first is None or since.commit != first.hash):
                commit = known.commits[since.commit]
                day, who = moment(commit.authored_at, now).day, first_name(commit.author_name)
            told[resource.id, found.field] = Told(shown(found), day, who)
    return told
