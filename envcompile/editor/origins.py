"""Where fields come from: what a field is in every environment, and every place that has a say in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.compose.provenance import explain
from envcompile.editor.cursor import field_at, parameter_at
from envcompile.kubernetes.fieldpath import format_field, keyed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.compose.provenance import FieldOrigin
    from envcompile.editor.workspace import Workspace
    from envcompile.model import Location, Pointer, Resource

_HIDDEN = "(a secret value)"
_LONG = 80


class Origin(NamedTuple):
    """A field in one environment; `fields` are it, or all that is below it."""

    environment: str
    resource: Resource
    field: str
    fields: list[FieldOrigin]


def origins_at(workspace: Workspace, path: str, line: int, character: int) -> list[Origin]:
    """What the field at a place of a source is in every environment that the document speaks in."""
    found = field_at(workspace.read(path), line, character)
    return list(_origins(workspace, path, found.index, found.pointer)) if found is not None else []


def _origins(workspace: Workspace, path: str, index: int, pointer: Pointer) -> Iterator[Origin]:
    for spoken in workspace.spoken_of(path, index):
        root = spoken.root
        if pointer[: len(root)] != root or spoken.step.role == "json6902":
            continue
        plan, resource = spoken.linked.plan, spoken.resource
        group, _, version = resource.value["apiVersion"].rpartition("/")
        value: Any = spoken.document.value
        try:
            for part in spoken.step.within:
                value = value[part]
            field = keyed(pointer[len(root) :], value, plan.api.node(group, version, resource.id.kind))
        except (KeyError, IndexError, TypeError):
            # The text has a field that what compiled last does not have.
            continue
        fields = explain(resource, field, plan.api, plan.sources.where)
        yield Origin(spoken.linked.environment, resource, format_field(field), fields)


def hover_at(workspace: Workspace, path: str, line: int, character: int) -> str | None:
    """Markdown about the place: the value in every environment, and who set it there; None where there is nothing."""
    name = parameter_at(workspace.read(path), line, character) or _parameter_named(workspace, path, line, character)
    if name:
        return _about_parameter(workspace, name)
    rows, title, below = [], "", 0
    for origin in origins_at(workspace, path, line, character):
        title = f"**{origin.resource.id.short}** `{origin.field or '(the whole resource)'}`"
        below = max(below, len(origin.fields))
        if len(origin.fields) == 1:
            (only,) = origin.fields
            winner = next((say for say in only.says if say.wins), None)
            place = str(winner.place or winner.layer) if winner is not None else ""
            rows.append(f"| {origin.environment} | `{_shown(origin.resource, only)}` | {place} |")
        else:
            own = {str(say.place.file) for field in origin.fields for say in field.says if say.wins and say.place}
            rows.append(f"| {origin.environment} | {len(origin.fields)} fields | {', '.join(sorted(own)[:4])} |")
    if not rows:
        return None
    return "\n".join([title, "", "| environment | value | set at |", "|---|---|---|", *rows])


def _shown(resource: Resource, origin: FieldOrigin) -> str:
    if resource.id.kind == "Secret" and origin.field.startswith(("data", "stringData")):
        return _HIDDEN
    text = origin.value if isinstance(origin.value, str) else repr(origin.value)
    text = " ".join(text.replace("`", "'").replace("|", "\\|").split())
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _parameter_named(workspace: Workspace, path: str, line: int, character: int) -> str | None:
    """The parameter that a key below `params` of an environment.yaml sets."""
    if not path.endswith("/environment.yaml"):
        return None
    found = field_at(workspace.read(path), line, character)
    if found is None or found.pointer[:1] != ("params",) or len(found.pointer) < 2:
        return None
    return ".".join(str(part) for part in found.pointer[1:])


def _about_parameter(workspace: Workspace, name: str) -> str | None:
    rows = []
    for environment, linked in workspace.environments.items():
        sources = linked.plan.sources
        value = parameter_value(sources.settings.params, name)
        place = sources.where(("params", *name.split(".")))
        if value is not None or place is not None:
            rows.append(f"| {environment} | `{value}` | {place or ''} |")
    if not rows:
        return None
    return "\n".join([f"`params.{name}`", "", "| environment | value | set at |", "|---|---|---|", *rows])


def parameter_value(params: Mapping[str, Any], name: str) -> Any:
    """The value of a parameter such as `size` or `db.host`; None where there is none."""
    value: Any = params
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def places_of(workspace: Workspace, path: str, line: int, character: int) -> list[Location]:
    """Where to go from a place: from an overlay to the base, from the base to every overlay that has a say.

    From the use of a parameter to all that set it.
    """
    name = parameter_at(workspace.read(path), line, character)
    if name:
        places = [linked.plan.sources.where(("params", *name.split("."))) for linked in workspace.environments.values()]
        return list(dict.fromkeys(place for place in places if place is not None))
    found: dict[Location, None] = {}
    for origin in origins_at(workspace, path, line, character):
        for field in origin.fields[:1]:
            found.update({say.place: None for say in field.says if say.place is not None})
    elsewhere = [place for place in found if (place.file, place.line - 1) != (path, line)]
    base = [place for place in elsewhere if place.file.startswith("base/")]
    return base if base and not path.startswith("base/") else elsewhere
