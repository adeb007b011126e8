"""Who set a value: the layer as pages colour and name it, and its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.actions.explain import explain_field
from envcompile.errors import UsageError
from envcompile.pages.model import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.compose.provenance import Say
    from envcompile.model import ResourceId
    from envcompile.pages.state import State


def origin_of(say: Say, environment: str) -> Origin:
    """A layer as pages name it.

    `base`, a shared overlay by its folder's name, the environment's own files by its name, its settings, or `derived`
    for what envc itself writes.
    """
    place = f"{say.place.file}:{say.place.line}" if say.place is not None else ""
    if say.role == "derived" or (say.role == "setting" and not place):
        return Origin("derived", "derived", place)
    if say.role == "setting":
        return Origin("set", "settings", place)
    if say.layer == "base":
        return Origin("base", "base", place)
    name = say.layer.rpartition("/")[2]
    return Origin("own" if name == environment else "shared", name, place)


def origins_of(
    state: State, environment: str, fields: Iterable[tuple[ResourceId, str]]
) -> dict[tuple[ResourceId, str], Origin]:
    """Who set fields of an environment; those that nobody stated are left out."""
    found = {}
    for resource, field in fields:
        try:
            told = explain_field(state.project, environment, name_of(resource), field)
        except UsageError:
            continue
        winner = next((say for one in told.fields for say in one.says if say.wins), None)
        if winner is not None:
            found[resource, field] = origin_of(winner, environment)
    return found


def name_of(resource: ResourceId) -> str:
    """A resource as the command line names exactly it."""
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    return f"{kind}/{resource.namespace}/{resource.name}" if resource.namespace else f"{kind}/{resource.name}"
