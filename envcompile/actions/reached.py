"""What reached environments: the recorded changes that a branch has, each with its commit, the newest first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.timeline import recorded_line
from envcompile.ask.facets import facet_of_field, facet_of_resource
from envcompile.compose import configtext
from envcompile.compose.rollout import CHECKSUM_ANNOTATION
from envcompile.history.events import recorded_since
from envcompile.history.trailers import approvals
from envcompile.kubernetes.fieldpath import parse_field
from envcompile.kubernetes.images import parse_image

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.actions.past import Past
    from envcompile.git.repository import Commit
    from envcompile.history.records import FieldRow
    from envcompile.model import ResourceId

DERIVED = "derived"
"""The facet of what envc itself writes, such as the checksum that makes pods start anew."""
_RANK = (
    "network",
    "RBAC",
    "secret",
    "replicas",
    "resources",
    "config",
    "image",
    "workload",
    "other",
    "metadata",
    DERIVED,
)
"""Facets, that which people ask about first in front."""


class Changed(NamedTuple):
    """A field that changed, or with an empty field a resource that came or went."""

    resource: ResourceId
    field: str
    old: Any
    new: Any
    place: str
    facet: str
    """Its class, one of `ask.facets.FACETS` or `DERIVED`."""


class Event(NamedTuple):
    """A commit that changed an environment."""

    environment: str
    commit: Commit
    changed: tuple[Changed, ...]
    facet: str
    approvals: tuple[str, ...]
    """Who approved, by the trailers of the commit's message."""
    problem: str
    """Why the environment does not compile there; empty when it does."""

    @property
    def subject(self) -> str:
        """The first line of the commit's message."""
        return self.commit.message.partition("\n")[0]


def reached(past: Past, environments: Iterable[str] = (), *, since: int = 0) -> list[Event]:
    """The changes of environments along the line of first parents of HEAD; the newest first.

    Several of a commit are in the order of environments; what a merge brought is told once, with the merge.

    Args:
        past: the history.
        environments: their names in the order that several of a commit are told in; none for all.
        since: seconds since 1970.
    """
    order = {name: number for number, name in enumerate(environments)}
    line = recorded_line(past)[0]
    position = {commit: number for number, commit in enumerate(reversed(line))}
    found = [
        one
        for one in recorded_since(past.store.database, since)
        if one.commit in position and (not order or one.environment in order)
    ]
    facts = past.store.commits({one.commit for one in found})
    events = []
    for one in found:
        changed = [item for row in one.fields for item in _of_field(row)]
        changed += [Changed(item, "", None, "added", "", facet_of_resource(item)) for item in one.added]
        changed += [Changed(item, "", "removed", None, "", facet_of_resource(item)) for item in one.removed]
        told = [item for item in changed if item.facet != DERIVED] or changed
        told.sort(key=lambda item: _RANK.index(item.facet))
        facet = told[0].facet if told else "other"
        message = facts[one.commit].message
        events.append(Event(one.environment, facts[one.commit], tuple(told), facet, approvals(message), one.problem))
    events.sort(key=lambda event: (position[event.commit.hash], order.get(event.environment, 0)))
    return events


def _of_field(row: FieldRow) -> list[Changed]:
    """A field that changed; of a configuration file in it the keys that did."""
    path = parse_field(row.field)[0]
    is_own = "annotations" in path and path[-1] == CHECKSUM_ANNOTATION
    facet = DERIVED if is_own else facet_of_field(row.resource, path)
    old, new = _value(row.old), _value(row.new)
    if facet == "config" and len(path) == 2 and path[0] == "data" and isinstance(old, str) and isinstance(new, str):
        keys = _keys(str(path[1]), old), _keys(str(path[1]), new)
        names = [name for name in keys[0] | keys[1] if keys[0].get(name) != keys[1].get(name)]
        if names:
            return [
                Changed(row.resource, f"{row.field}#{name}", keys[0].get(name), keys[1].get(name), row.place, facet)
                for name in names
            ]
    return [Changed(row.resource, row.field, old, new, row.place, facet)]


def _keys(filename: str, text: str) -> dict[str, Any]:
    """The keys of a configuration file; none where it is none, or was cut off when it was recorded."""
    if configtext.format_of(filename) is None:
        return {}
    try:
        return {name: span.value for name, span in configtext.keys(filename, text).items()}
    except configtext.ConfigTextError:
        return {}


def _value(text: str) -> Any:
    """A recorded value: JSON, cut off where it is long."""
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def tag_of(image: Any) -> str:
    """The part of an image reference that changes with a release: its tag, else the begin of its digest."""
    found = parse_image(str(image))
    if found.tag:
        return found.tag
    return found.digest[:19] if found.digest else found.name.rpartition("/")[2]
