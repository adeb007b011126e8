"""Fields of a resource set in an environment's own files: where its overlay speaks of it, else in a new file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.errors import EnvcError, Problem
from envcompile.files import write_below
from envcompile.sources.chartlock import is_rendered
from envcompile.sources.overlaid import OverlaidTree
from envcompile.units.project import Project
from envcompile.values import ABSENT, same, value_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.model import Document, Pointer, Resource, ResourceId


class Wish(NamedTuple):
    """A field of a resource as it should be in one environment, and no other."""

    resource: ResourceId
    pointer: Pointer
    value: Any


class Edited(NamedTuple):
    """The files that grant wishes: path -> the text before (None for a new file) and after."""

    before: Mapping[str, str | None]
    after: Mapping[str, str]


def edited(project: Project, environment: str, wishes: Iterable[Wish]) -> Edited:
    """The texts of an overlay's files with wishes granted; comments and layout stay, nothing is written.

    Args:
        project: the repository.
        environment: its name.
        wishes: what should be.

    Raises:
        EnvcError: an overlay's file is written so that it cannot be edited, or the result is not what was wished.
    """
    from envcompile.yamlio import edit

    wanted = list(wishes)
    built = project.compile_with_sources(environment)
    resources = {resource.id: resource for resource in built.compiled.resources}
    texts: dict[str, str] = {}
    before: dict[str, str | None] = {}
    for wish in wanted:
        resource = resources[wish.resource]
        document = _own(resource, environment)
        if document is None:
            path = _new_file(environment, wish.resource)
            if path not in texts:
                before[path] = None
                texts[path] = _head(resource)
            index = 0
            within: Pointer = ()
        else:
            path, index, within = document.source.path, document.index, document.within
            if path not in texts:
                texts[path] = before[path] = document.source.read().decode()
        texts[path] = _set(edit, texts[path], index, within, resource, wish, path)
    _prove(project, environment, texts, wanted)
    return Edited(before, texts)


def write_edited(project: Project, found: Edited) -> None:
    """Write the files, each in one step.

    Raises:
        UnavailableError: a file cannot be written.
    """
    for path, text in found.after.items():
        write_below(project.root, path, text.encode())


def _own(resource: Resource, environment: str) -> Document | None:
    """The last document of the environment's own overlay that speaks of a resource and can be edited."""
    folder = f"overlays/{environment}/"
    for step in reversed(resource.steps):
        document: Document | None = step.document
        if document is None or document.generated or step.role in {"json6902", "merge"}:
            continue
        path = document.source.path
        if path.startswith(folder) and path.endswith((".yaml", ".yml")) and not is_rendered(document.source.read()):
            return document
    return None


def _new_file(environment: str, identity: ResourceId) -> str:
    return f"overlays/{environment}/{identity.name}-{identity.kind.lower()}.yaml"


def _head(resource: Resource) -> str:
    """A document that names a resource and says nothing yet."""
    value = resource.value
    return f"apiVersion: {value['apiVersion']}\nkind: {value['kind']}\nmetadata:\n  name: {resource.id.name}\n"


def _set(edit: Any, text: str, index: int, within: Pointer, resource: Resource, wish: Wish, path: str) -> str:
    """A text in which a document says a wish: items of lists by their names, other lists whole."""
    from envcompile.yamlio import load_all

    document = value_at(load_all(text.encode(), path)[index], within)
    pointer: list[str | int] = []
    here: Any = document
    there: Any = resource.value
    for place, step in enumerate(wish.pointer):
        if isinstance(step, int):
            item = there[step]
            position = _position(here, item)
            if position is None and not (isinstance(item, dict) and "name" in item):
                return _whole(edit, text, index, (*within, *pointer), there, wish, place, path)
            if position is None:
                position = len(here) if isinstance(here, list) else 0
                text = edit.set_value(text, index, (*within, *pointer, position), {"name": item["name"]}, file=path)
                here = value_at(load_all(text.encode(), path)[index], (*within, *pointer))
            pointer.append(position)
            here, there = here[position], item
        else:
            pointer.append(step)
            here = here.get(step, ABSENT) if isinstance(here, dict) else ABSENT
            there = there.get(step) if isinstance(there, dict) else None
    return str(edit.set_value(text, index, (*within, *pointer), wish.value, file=path))


def _whole(edit: Any, text: str, index: int, pointer: Pointer, there: Any, wish: Wish, place: int, path: str) -> str:
    """A text in which a list without names stands whole, with the wish in it: such lists are replaced, not merged."""
    from copy import deepcopy

    value = deepcopy(there)
    inner = value
    for step in wish.pointer[place:-1]:
        inner = inner[step]
    inner[wish.pointer[-1]] = wish.value
    return str(edit.set_value(text, index, pointer, value, file=path))


def _position(here: Any, item: Any) -> int | None:
    """Where a document's list has an item: by its name, or by its place where it is the same up to its values."""
    if not isinstance(here, list):
        return None
    for position, mine in enumerate(here):
        if not isinstance(mine, dict) or not isinstance(item, dict):
            continue
        if "name" in item:
            if mine.get("name") == item["name"]:
                return position
        elif _kind(mine) == _kind(item):
            return position
    return None


def _kind(metric: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells one metric of an autoscaler from another."""
    kind = str(metric.get("type", ""))
    body = metric.get(kind[:1].lower() + kind[1:]) or {}
    return (kind, body.get("name"), body.get("container"), str(body.get("metric")))


def _prove(project: Project, environment: str, texts: Mapping[str, str], wishes: Iterable[Wish]) -> None:
    """Compile with the edits, and see that every wish came true.

    Raises:
        EnvcError: one did not.
    """
    after = Project(OverlaidTree(project.tree, {path: text.encode() for path, text in texts.items()}))
    values = {resource.id: resource.value for resource in after.compile(environment).resources}
    problems = [
        Problem(
            f"{'.'.join(map(str, wish.pointer))} of {wish.resource.short} cannot be set in overlays/{environment}",
            f"`envc explain {environment} {wish.resource.short.lower()}` says what else has a say in it",
        )
        for wish in wishes
        if not same(value_at(values[wish.resource], wish.pointer), wish.value)
    ]
    if problems:
        raise EnvcError(problems)
