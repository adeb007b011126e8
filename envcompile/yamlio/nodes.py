"""A text as a tree of nodes that know where they stand: for messages and edits, built only when one is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.yamlio.engine import parser
from envcompile.yamlio.scalars import KEYS, MERGE, NotJsonError, key_of
from envcompile.yamlio.tags import tagged

if TYPE_CHECKING:
    from collections.abc import Iterator

SCALAR: Final = "scalar"
MAP: Final = "map"
LIST: Final = "list"
ALIAS: Final = "alias"


class Node:
    """One value as written. `start` and `end` are characters of the text, `end` the first one behind it.

    The `end` of a block map or list is where the next thing begins, as libyaml counts it.
    """

    __slots__ = ("_places", "end", "entries", "flow", "items", "kind", "start", "style", "target", "text")

    def __init__(self, kind: str, start: int, end: int) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.style = ""
        self.text = ""
        self.flow = False
        self.entries: list[MapEntry] = []
        self.items: list[Node] = []
        self.target: Node | None = None
        self._places: dict[Any, int] | None = None

    @property
    def real(self) -> Node:
        """The node itself, or what an alias stands for."""
        return self.target or self

    def find(self, step: str | int) -> tuple[Node, Node] | None:
        """Key node and value of a map's field as the loader reads it, or an item of a list twice; None when absent."""
        node = self.real
        if node.kind == LIST and type(step) is int:
            return (node.items[step], node.items[step]) if 0 <= step < len(node.items) else None
        if node.kind == MAP and type(step) is str:
            place = node.place(step)
            if place is not None and node.place(MERGE) is None:
                return node.entries[place].name, node.entries[place].value
            for entry in reversed(node.entries) if node.place(MERGE) is not None else ():
                if entry.key == step:
                    return entry.name, entry.value
                if entry.key is MERGE:
                    maps: list[Node] = entry.value.items if entry.value.kind == LIST else [entry.value]
                    for each in maps:
                        if found := each.find(step):
                            return found
        return None

    def place(self, key: Any) -> int | None:
        """The number of the last entry of a finished map that has this key itself; None when none has."""
        if self._places is None:
            self._places = {entry.key: number for number, entry in enumerate(self.entries)}
        return self._places.get(key)


class MapEntry(NamedTuple):
    """One line of a map: the key's text (or `MERGE`), the node of the key, the node of the value."""

    key: Any
    name: Node
    value: Node


class Root(NamedTuple):
    """One document: the character it begins with, and its value."""

    start: int
    value: Node


def compose(text: str) -> Iterator[Root]:
    """The documents of a stream, one after the other, in the order and number that the loader gives.

    Raises:
        yaml.YAMLError: where the text is not YAML.
    """
    next_event, kinds = parser(text)
    scalar, alias, map_start, list_start, map_end, list_end, document_start, document_end, stream_end = kinds
    anchors: dict[str, Node] = {}
    stack: list[Node] = []
    keys: list[tuple[Any, Node] | None] = []
    start = 0
    root: Node | None = None
    while True:
        event = next_event()
        kind = type(event)
        if kind is stream_end:
            return
        if kind is document_end:
            if root is not None:
                yield Root(start, root)
            anchors, root = {}, None
            continue
        if kind is map_end or kind is list_end:
            node = stack.pop()
            keys.pop()
            node.end = event.end_mark.index
            _place(node, stack, keys)
            continue
        if kind is scalar:
            node = Node(SCALAR, event.start_mark.index, event.end_mark.index)
            node.text = event.value
            node.style = event.style or ""
        elif kind is alias:
            node = Node(ALIAS, event.start_mark.index, event.end_mark.index)
            node.target = anchors.get(event.anchor)
        elif kind is map_start or kind is list_start:
            node = Node(MAP if kind is map_start else LIST, event.start_mark.index, event.end_mark.index)
            node.flow = text[node.end - 1 : node.end] in {"{", "["}
        else:
            if kind is document_start:
                start = event.start_mark.index
            continue
        if kind is not alias and event.anchor:
            anchors[event.anchor] = node
        if root is None:
            root = node
        if stack and stack[-1].kind == MAP and keys[-1] is None:
            keys[-1] = (_key(event, node, is_alias=kind is alias), node)
            if kind is scalar or kind is alias:
                continue
        if kind is map_start or kind is list_start:
            stack.append(node)
            keys.append(None)
        else:
            _place(node, stack, keys)


def documents(text: str) -> list[Root]:
    """The documents of a text that somebody is writing; none where it is no YAML at the moment."""
    from yaml import YAMLError

    try:
        return list(compose(text))
    except YAMLError:
        return []


def repeated(value: Node) -> Iterator[tuple[str, int, int]]:
    """Every key that its map has already, with the characters of its first and its later place."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        waiting += node.items
        seen: dict[str, int] = {}
        for entry in node.entries:
            waiting.append(entry.value)
            if type(entry.key) is not str:
                continue
            if entry.key in seen:
                yield entry.key, seen[entry.key], entry.name.start
            else:
                seen[entry.key] = entry.name.start


def _place(node: Node, stack: list[Node], keys: list[tuple[Any, Node] | None]) -> None:
    """Put a finished node into the container around it."""
    if not stack:
        return
    around = stack[-1]
    if around.kind == LIST:
        around.items.append(node)
        return
    key = keys[-1]
    if key is None or key[1] is node:
        return
    around.entries.append(MapEntry(key[0], key[1], node))
    keys[-1] = None


def _key(event: Any, node: Node, *, is_alias: bool) -> Any:
    """The key as the loader reads it, or None for what is no key."""
    if is_alias:
        return node.real.text
    if node.kind != SCALAR:
        return None
    try:
        if event.tag:
            return key_of(tagged(event.tag, event.value))
        return KEYS[event.value] if event.implicit[0] else event.value
    except NotJsonError:
        return None
