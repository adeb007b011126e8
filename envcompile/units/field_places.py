"""The one place in the sources that a finding points at: who set the field, or where a missing one belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from envcompile import yamlio
from envcompile.compose.provenance import winning_place
from envcompile.kubernetes.fieldpath import keyed, look_up, resolve
from envcompile.model import Location
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.kubernetes import KubeApi, Node
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import Document, Pointer, Resource, Step
    from envcompile.sources import EnvironmentSources

_NAME: FieldPath = ("metadata", "name")
"""Stands for the whole resource: the line people recognise it by."""


class Context(Protocol):
    """What an environment is made from."""

    @property
    def api(self) -> KubeApi:
        """The API of its Kubernetes version with its CRDs."""
        ...

    @property
    def sources(self) -> EnvironmentSources:
        """Its settings and files."""
        ...


def field_path(pointer: Pointer, value: Any, node: Node | None) -> tuple[FieldPath, FieldPath]:
    """A pointer by merge keys, as the part that the value has and the part that is missing in it."""
    length = 0
    for part in pointer:
        try:
            look_up(value, pointer[: length + 1])
        except (KeyError, IndexError, TypeError):
            break
        del part
        length += 1
    return keyed(pointer[:length], value, node), pointer[length:]


def source_place(context: Context, resource: Resource, pointer: Pointer) -> Location | None:
    """Where the sources set a field of a compiled resource; None when no source file speaks of the resource.

    A field that is missing has the place of whoever removed it, else that of the innermost field around it. A map or
    list has the place of the layer that brought it in, a scalar that of the layer whose value counts.
    """
    api = context.api
    group, _, version = str(resource.value.get("apiVersion", "")).rpartition("/")
    there, missing = field_path(pointer, resource.value, api.node(group, version, resource.id.kind))
    if missing:
        found = _winner(context, resource, (*there, *missing))
        if found is not None:
            return found
    while there:
        found = _place(context, resource, there)
        if found is not None:
            return found
        there = there[:-1]
    return _place(context, resource, _NAME)


def _place(context: Context, resource: Resource, path: FieldPath) -> Location | None:
    pointer = resolve(path, resource.value)
    if pointer is None:
        return None
    if isinstance(look_up(resource.value, pointer), dict | list):
        return _creation(context, resource, path)
    return _winner(context, resource, path)


def _winner(context: Context, resource: Resource, path: FieldPath) -> Location | None:
    return winning_place(resource, path, context.api, context.sources.where)


def _creation(context: Context, resource: Resource, path: FieldPath) -> Location | None:
    """Where a map or list came in for the last time; later layers may have changed what is in it."""
    found = _bringer(resource.steps, path)
    if found is None:
        return None
    if found.document is None:
        where = context.sources.where
        return where(found.within) if found.role == "setting" else None
    if found.role == "json6902" or found.document.generated:
        return place(found.document, found.within)
    root = look_up(found.document.value, found.within)
    for length in range(len(path), 0, -1):
        pointer = resolve(path[:length], root)
        if pointer is not None:
            return _key_place(found.document, (*found.within, *pointer))
    return place(found.document, found.within)


def _bringer(steps: Sequence[Step], path: FieldPath) -> Step | None:
    """The step that a field came in with for the last time."""
    found: Step | None = None
    last, is_there = None, False
    for step in steps:
        was_there = is_there if step.before is last else _has(step.before, path)
        last, is_there = step.after, was_there if step.after is step.before else _has(step.after, path)
        if not is_there:
            found = None
        elif found is None or not was_there:
            found = step
    return found


def _key_place(document: Document, pointer: Pointer) -> Location:
    """Where a field's key stands: a map or list itself begins on the line after it."""
    full = (*document.within, *pointer)
    is_named = isinstance(full[-1], str)
    position = yamlio.locate(document.source.read(), document.index, full, key=is_named)
    return Location(document.source.path, *position) if position is not None else place(document, pointer)


def _has(value: Any, path: FieldPath) -> bool:
    return value is not None and resolve(path, value) is not None
