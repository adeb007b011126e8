"""What a document says once for several fields, by aliases and merge keys: where it is written, and who reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.yamlio.nodes import ALIAS, LIST, MAP, compose
from envcompile.yamlio.scalars import MERGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envcompile.model import Pointer
    from envcompile.yamlio.nodes import MapEntry, Node

_MARK = "\ufeff"


class Said(NamedTuple):
    """A place of the text, and every way by which the document's value has what is written there."""

    place: Pointer
    """The way to it on which no alias and no merge key lies."""
    readers: tuple[Pointer, ...]


def value_of(text: str, index: int, pointer: Pointer) -> Said | None:
    """Where the value of a field is written: behind the anchor, where the field is an alias.

    A field that does not exist belongs at the end of the innermost map around it. None where no way without aliases
    leads there.

    Args:
        text: the whole file.
        index: the document, counted from 0.
        pointer: the way to the field, through aliases and merge keys.
    """
    root = _root(text, index)
    node, rest = (root, pointer) if root is not None else (None, ())
    while node is not None and rest:
        found = _entry(node.real, rest[0])
        if found is None:
            break
        node, rest = found[2], rest[1:]
    if root is None or node is None:
        return None
    home, target = _homes(root).get(id(node.real)), node.real
    if home is None:
        return None
    ways = _ways(root, lambda _name, value: value.real is target)
    return Said((*home, *rest), tuple((*way, *rest) for way in ways))


def entry_of(text: str, index: int, pointer: Pointer) -> Said | None:
    """Where a map names a field, or a list has an item; None where there is none, or no way without aliases to it."""
    root = _root(text, index)
    if root is None or not pointer:
        return None
    node, found = root, None
    for step in pointer:
        found = _entry(node.real, step)
        if found is None:
            return None
        node = found[2]
    if found is None:
        return None
    home, named = _homes(root).get(id(found[0])), found[1]
    if home is None:
        return None
    return Said((*home, pointer[-1]), tuple(_ways(root, lambda name, _value: name is named)))


def _root(text: str, index: int) -> Node | None:
    from yaml import YAMLError

    try:
        roots = list(compose(text.removeprefix(_MARK)))
    except YAMLError:
        return None
    return roots[index].value if 0 <= index < len(roots) else None


def _entry(node: Node, step: str | int) -> tuple[Node, Node, Node] | None:
    """The map or list that has a field itself, what names it there (an item itself), and its value."""
    if node.kind == LIST and type(step) is int:
        return (node, node.items[step], node.items[step]) if 0 <= step < len(node.items) else None
    if node.kind != MAP or type(step) is not str:
        return None
    for entry in reversed(node.entries):
        if entry.key == step:
            return node, entry.name, entry.value
        for merged in _merged(entry):
            found = _entry(merged, step)
            if found is not None:
                return found
    return None


def _merged(entry: MapEntry) -> Iterator[Node]:
    """The maps that an entry brings into its map, if it is `<<`; those that win first."""
    if entry.key is MERGE:
        yield from (one.real for one in (entry.value.items if entry.value.kind == LIST else [entry.value]))


def _homes(root: Node) -> dict[int, Pointer]:
    """The ways to all nodes of a document but aliases; what only `<<` holds has none."""
    homes: dict[int, Pointer] = {id(root): ()}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        way = homes[id(node)]
        children: list[tuple[str | int, Node]] = [*enumerate(node.items)]
        children += [(entry.key, entry.value) for entry in node.entries if type(entry.key) is str]
        for step, child in children:
            if child.kind != ALIAS:
                homes[id(child)] = (*way, step)
                waiting.append(child)
    return homes


def _ways(root: Node, wanted: Callable[[Node, Node], bool]) -> Iterator[Pointer]:
    """The ways through a document, aliases and merge keys included, to fields whose name and value are wanted."""
    if wanted(root, root):
        yield ()
    waiting: list[tuple[Pointer, Node]] = [((), root)]
    while waiting:
        way, node = waiting.pop()
        for step, name, value in _fields(node.real):
            here = (*way, step)
            if wanted(name, value):
                yield here
            if value.real.kind in {MAP, LIST}:
                waiting.append((here, value))


def _fields(node: Node) -> Iterator[tuple[str | int, Node, Node]]:
    """The fields of a map as they are read, or the items of a list."""
    yield from ((number, item, item) for number, item in enumerate(node.items))
    known: dict[str, tuple[Node, Node]] = {}
    _collect(node, known)
    yield from ((key, *found) for key, found in known.items())


def _collect(node: Node, known: dict[str, tuple[Node, Node]]) -> None:
    """Note the fields of a map that are not known yet, the last ones of the text first: they win."""
    for entry in reversed(node.entries):
        if type(entry.key) is str:
            known.setdefault(entry.key, (entry.name, entry.value))
        for merged in _merged(entry):
            _collect(merged, known)
