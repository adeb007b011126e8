"""What can be written at a place: fields of the kind, names of resources, parameters, images, keys of the settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.editor.cursor import parsed
from envcompile.editor.references import named_kind, referred_kind, scalars
from envcompile.kubernetes.podspecs import containers
from envcompile.yamlio.nodes import MAP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.editor.workspace import Workspace
    from envcompile.kubernetes import Node as Schema
    from envcompile.model import Pointer
    from envcompile.yamlio.nodes import Node

_PLACEHOLDER = "zzz-here"
_IN_PARAMETER = re.compile(r"\$\{\{\s*params\.[A-Za-z0-9_.-]*$")
_VALUE = re.compile(r"(\s*(?:- )*)([\w./-]+):\s+[^\s]*$")
_SETTINGS = {"environment.yaml": "environment", "envc.yaml": "project"}


class Offer(NamedTuple):
    """Something that can be written."""

    text: str
    about: str = ""
    goes_on: bool = False
    """Whether a colon belongs behind it."""
    is_required: bool = False


def offers_at(workspace: Workspace, path: str, line: int, character: int) -> list[Offer]:
    """What can be written at a place of an open text, which is mostly no YAML while somebody types."""
    lines = workspace.read(path).split("\n")
    if line >= len(lines):
        return []
    before = lines[line][:character]
    if _IN_PARAMETER.search(before):
        return [Offer(name, str(value)) for name, value in sorted(_parameters(workspace).items())]
    is_value = _VALUE.match(before)
    indent = re.match(r"\s*(?:- )*", before)
    start = indent[0] if indent is not None else ""
    lines[line] = f"{start}{is_value[2]}: {_PLACEHOLDER}" if is_value else f"{start}{_PLACEHOLDER}: 0"
    for index, root in enumerate(parsed("\n".join(lines))):
        for pointer, node, beside in scalars(root):
            if is_value and node.text == _PLACEHOLDER:
                return _values(workspace, path, root, pointer, beside)
            if not is_value and pointer[-1:] == (_PLACEHOLDER,):
                return _keys(workspace, path, index, root, pointer[:-1], beside)
    return []


def _values(workspace: Workspace, path: str, root: Node, pointer: Pointer, beside: Node | None) -> list[Offer]:
    name = path.rpartition("/")[2]
    if name in _SETTINGS:
        if pointer[:1] == ("images",) and pointer[-1] == "name":
            return _named(image.partition("@")[0].rpartition(":")[0] or image for image in _images(workspace))
        found = _setting(_SETTINGS[name], pointer)
        return _named(str(value) for value in found.get("enum", ()))
    if pointer[-1:] == ("image",):
        return _named(_images(workspace))
    kind = named_kind(pointer, root) or referred_kind(pointer, beside)
    if kind:
        found_ids = {one for linked in workspace.environments.values() for one in linked.ids()}
        kinds = {kind, "SealedSecret", "ExternalSecret"} if kind == "Secret" else {kind}
        return _named(one.name for one in found_ids if one.kind in kinds)
    schema = _schema(workspace, path, 0, root, pointer)
    return _named(["true", "false"]) if schema is not None and schema.type == "boolean" else []


def _keys(
    workspace: Workspace, path: str, index: int, root: Node, pointer: Pointer, beside: Node | None
) -> list[Offer]:
    there = {entry.key for entry in beside.entries} if beside is not None else set()
    name = path.rpartition("/")[2]
    if name in _SETTINGS:
        setting = _setting(_SETTINGS[name], pointer)
        offers = [
            Offer(key, str(said.get("description", "")), True) for key, said in setting.get("properties", {}).items()
        ]
        return [offer for offer in offers if offer.text not in there]
    schema = _schema(workspace, path, index, root, pointer)
    if schema is None:
        return []
    return [
        Offer(key, child.name if (child := schema.child(key)) is not None else "", True, key in schema.required)
        for key in schema.fields
        if key not in there
    ]


def _schema(workspace: Workspace, path: str, index: int, root: Node, pointer: Pointer) -> Schema | None:
    """What the API says of a field of a document; of a `kind: Patch` by what it patches."""
    if root.kind != MAP:
        return None
    said = {name: found[1].text for name in ("apiVersion", "kind") if (found := root.find(name)) is not None}
    group, _, version = said.get("apiVersion", "").rpartition("/")
    kind = said.get("kind", "")
    linked = next(iter(workspace.environments.values()), None)
    if kind == "Patch" and pointer[:1] == ("merge",):
        spoken = next(workspace.spoken_of(path, index), None)
        if spoken is None:
            return None
        group, _, version = spoken.resource.value["apiVersion"].rpartition("/")
        kind, pointer, linked = spoken.resource.id.kind, pointer[1:], spoken.linked
    if linked is None:
        return None
    schema: Schema | None = linked.plan.api.node(group, version, kind)
    for part in pointer:
        if schema is None:
            return None
        schema = schema.items if isinstance(part, int) else schema.child(part)
    return schema


def _setting(name: str, pointer: Pointer) -> dict[str, Any]:
    """What the JSON Schema of the settings says of a place."""
    from envcompile.settings import json_schema

    schema = json_schema("environment" if name == "environment" else "project")
    found: dict[str, Any] = schema
    for part in (None, *pointer):
        if part is not None:
            further = found.get("items") if isinstance(part, int) else found.get("properties", {}).get(part)
            found = further or (found.get("additionalProperties") if isinstance(part, str) else None) or {}
        options = [found, *found.get("anyOf", ())]
        reference = next((one["$ref"] for one in options if isinstance(one, dict) and "$ref" in one), None)
        if reference is not None:
            found = schema["$defs"][reference.rpartition("/")[2]]
    return found


def _parameters(workspace: Workspace) -> dict[str, Any]:
    """Every parameter of any environment with one of its values."""
    found: dict[str, Any] = {}

    def walk(value: Any, name: str) -> None:
        if isinstance(value, dict):
            for key, below in value.items():
                walk(below, f"{name}.{key}" if name else key)
        else:
            found.setdefault(name, value)

    for linked in workspace.environments.values():
        walk(linked.plan.sources.settings.params, "")
    return found


def _images(workspace: Workspace) -> set[str]:
    """The images that containers of the open project run."""
    return {
        container["image"]
        for linked in workspace.environments.values()
        for resource in linked.resources()
        for container in containers(resource.id, resource.value)
        if isinstance(container.get("image"), str)
    }


def _named(names: Iterable[str]) -> list[Offer]:
    return [Offer(name) for name in sorted(set(names))]
