"""The tree of a checked expression, read from the standard form in which CEL engines hand it on.

The form is `cel.expr.CheckedExpr` of github.com/google/cel-spec (proto/cel/expr/checked.proto and syntax.proto) inside
of a `google.protobuf.Any`. Whatever parses and checks expressions and gives this form can stand behind this package.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PRIMITIVES: Final = ("", "bool", "int", "uint", "double", "string", "bytes")
_WELL_KNOWN: Final = ("", "any", "timestamp", "duration")
UNSIGNED: Final = "uint"
"""Marks a constant that is an unsigned number."""


class CelType(NamedTuple):
    """A type as the checker found it: `list` with the type of its items, `map` with those of keys and values."""

    name: str
    parameters: tuple[CelType, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.parameters))})" if self.parameters else self.name


DYN: Final = CelType("dyn")


class Constant(NamedTuple):
    """A literal; `kind` is `uint` for one that Python cannot tell from an int."""

    id: int
    value: Any
    kind: str = ""


class Ident(NamedTuple):
    """A name."""

    id: int
    name: str


class Select(NamedTuple):
    """A field of a value, or (`is_test`) the question whether it is there."""

    id: int
    operand: Node
    field: str
    is_test: bool


class Call(NamedTuple):
    """A function with what it is called on, if anything, and its arguments."""

    id: int
    function: str
    target: Node | None
    arguments: tuple[Node, ...]


class ListLiteral(NamedTuple):
    """The items of a list; those at `optional` positions are left out when they hold no value."""

    id: int
    items: tuple[Node, ...]
    optional: frozenset[int]


class MapLiteral(NamedTuple):
    """The entries of a map, or of a message: key, value, and whether the entry is left out when it holds no value."""

    id: int
    message: str
    entries: tuple[tuple[Node, Node, bool], ...]


class Fold(NamedTuple):
    """A comprehension: what every macro that goes over items becomes."""

    id: int
    first: str
    second: str
    over: Node
    accumulator: str
    start: Node
    condition: Node
    step: Node
    result: Node


Node = Constant | Ident | Select | Call | ListLiteral | MapLiteral | Fold


class Checked(NamedTuple):
    """A checked expression: its tree, and what the checker found out about each node."""

    root: Node
    types: Mapping[int, CelType]
    overloads: Mapping[int, tuple[str, ...]]
    names: Mapping[int, str]
    """Nodes that are one qualified name, such as `request.name` or `net.IP`."""
    offsets: Mapping[int, int]
    """Where in the text a node stands."""

    def type_of(self, node: Node) -> CelType:
        """What the checker says a node results in."""
        return self.types.get(node.id, DYN)


def read_checked(data: bytes) -> Checked:
    """Read the standard form."""
    fields = _Fields(_Fields(data).bytes(2))
    types: dict[int, CelType] = {}
    overloads: dict[int, tuple[str, ...]] = {}
    names: dict[int, str] = {}
    for entry in fields.messages(2):
        found = entry.message(2)
        if name := found.text(1):
            names[entry.integer(1)] = name
        overloads[entry.integer(1)] = tuple(part.decode() for part in found.all(3))
    for entry in fields.messages(3):
        types[entry.integer(1)] = _type(entry.message(2))
    positions = {entry.integer(1): entry.integer(2) for entry in fields.message(5).messages(4)}
    return Checked(_node(fields.message(4)), types, overloads, names, positions)


def nodes(root: Node) -> Iterator[Node]:
    """A node and all below it, in the order of the text."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def children(node: Node) -> list[Node]:
    """The nodes right below one, in the order of the text."""
    match node:
        case Select():
            return [node.operand]
        case Call():
            return [*((node.target,) if node.target is not None else ()), *node.arguments]
        case ListLiteral():
            return list(node.items)
        case MapLiteral():
            return [part for key, value, _ in node.entries for part in (key, value)]
        case Fold():
            return [node.over, node.start, node.condition, node.step, node.result]
    return []


def way_to(node: Node) -> tuple[str, ...]:
    """The name and the fields that lead to a node, such as `object`, `spec`, `replicas`; nothing for anything else."""
    match node:
        case Ident(name=name):
            return tuple(name.split("."))
        case Select(operand=operand, field=field):
            before = way_to(operand)
            return (*before, field) if before else ()
        case Call(function="_?._", arguments=(operand, Constant(value=str() as field))):
            before = way_to(operand)
            return (*before, field) if before else ()
    return ()


def ways(root: Node) -> list[tuple[str, ...]]:
    """Every way that an expression reads, the longest of those that begin alike, in the order of the text."""
    found = list(dict.fromkeys(way for node in nodes(root) if (way := way_to(node))))
    return [way for way in found if not any(other != way and other[: len(way)] == way for other in found)]


class _Fields:
    """One protobuf message, its fields by number."""

    __slots__ = ("_found",)

    def __init__(self, data: bytes) -> None:
        self._found: dict[int, list[Any]] = {}
        for number, value in _scan(data):
            self._found.setdefault(number, []).append(value)

    def __contains__(self, number: int) -> bool:
        return number in self._found

    def all(self, number: int) -> list[Any]:
        return self._found.get(number, [])

    def bytes(self, number: int) -> bytes:
        found: bytes = self._found[number][-1] if number in self._found else b""
        return found

    def text(self, number: int) -> str:
        return self.bytes(number).decode()

    def integer(self, number: int) -> int:
        found: int = self._found[number][-1] if number in self._found else 0
        return found

    def message(self, number: int) -> _Fields:
        return _Fields(self.bytes(number))

    def messages(self, number: int) -> Iterator[_Fields]:
        for data in self.all(number):
            yield _Fields(data)


def _scan(data: bytes) -> Iterator[tuple[int, Any]]:
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
        elif wire == 1:
            yield number, data[at : at + 8]
            at += 8
        elif wire == 2:
            size, at = _varint(data, at)
            yield number, data[at : at + size]
            at += size
        else:
            yield number, data[at : at + 4]
            at += 4


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _type(fields: _Fields) -> CelType:
    if 3 in fields:
        return CelType(_PRIMITIVES[fields.integer(3)])
    if 5 in fields:
        return CelType(_WELL_KNOWN[fields.integer(5)])
    if 6 in fields:
        return CelType("list", (_type(fields.message(6).message(1)),))
    if 7 in fields:
        inner = fields.message(7)
        return CelType("map", (_type(inner.message(1)), _type(inner.message(2))))
    if 11 in fields:
        return CelType("type", (_type(fields.message(11)),))
    if 14 in fields:
        inner = fields.message(14)
        return CelType(inner.text(1), tuple(_type(part) for part in inner.messages(2)))
    for number in (9, 10):
        if number in fields:
            return CelType(fields.text(number))
    return CelType("null_type") if 2 in fields else DYN


def _node(fields: _Fields) -> Node:
    identity = fields.integer(2)
    if 3 in fields:
        return _constant(identity, fields.message(3))
    if 4 in fields:
        return Ident(identity, fields.message(4).text(1))
    if 5 in fields:
        inner = fields.message(5)
        return Select(identity, _node(inner.message(1)), inner.text(2), bool(inner.integer(3)))
    if 6 in fields:
        inner = fields.message(6)
        target = _node(inner.message(1)) if 1 in inner else None
        return Call(identity, inner.text(2), target, tuple(_node(part) for part in inner.messages(3)))
    if 7 in fields:
        inner = fields.message(7)
        return ListLiteral(identity, tuple(_node(part) for part in inner.messages(1)), frozenset(_packed(inner, 2)))
    if 8 in fields:
        return _map(identity, fields.message(8))
    inner = fields.message(9)
    parts = [_node(inner.message(number)) for number in (2, 4, 5, 6, 7)]
    over, start, condition, step, result = parts
    return Fold(identity, inner.text(1), inner.text(8), over, inner.text(3), start, condition, step, result)


def _map(identity: int, fields: _Fields) -> MapLiteral:
    entries = []
    for entry in fields.messages(2):
        key = _node(entry.message(3)) if 3 in entry else Constant(entry.integer(1), entry.text(2))
        entries.append((key, _node(entry.message(4)), bool(entry.integer(5))))
    return MapLiteral(identity, fields.text(1), tuple(entries))


def _packed(fields: _Fields, number: int) -> Iterator[int]:
    for found in fields.all(number):
        if isinstance(found, int):
            yield found
            continue
        at = 0
        while at < len(found):
            value, at = _varint(found, at)
            yield value


def _constant(identity: int, fields: _Fields) -> Constant:
    if 2 in fields:
        return Constant(identity, bool(fields.integer(2)))
    if 3 in fields:
        return Constant(identity, _signed(fields.integer(3)))
    if 4 in fields:
        return Constant(identity, fields.integer(4), UNSIGNED)
    if 5 in fields:
        return Constant(identity, struct.unpack("<d", fields.bytes(5))[0])
    if 6 in fields:
        return Constant(identity, fields.text(6))
    if 7 in fields:
        return Constant(identity, fields.bytes(7))
    return Constant(identity, None)
