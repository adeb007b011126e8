"""A checked expression as something that can be evaluated: closures over the nodes of its tree.

Every node becomes a function of the names it may use. Errors are exceptions; where CEL lets the other side of `||` or
`&&`, or another item of a list, make up for an error, they are caught there. What is done is counted (`costs`).
Source: interpreter of github.com/google/cel-go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.cel import convert, costs, libraries
from envcompile.check.cel.operators import BINARY, negate, size_of
from envcompile.check.cel.parts import SPECIAL, attempt, binary, library, name_of, select, strict
from envcompile.check.cel.tree import UNSIGNED, Call, Constant, Fold, Ident, ListLiteral, MapLiteral, Select
from envcompile.check.cel.values import (
    CelError,
    Duration,
    Maybe,
    Timestamp,
    Uint,
    UnknownError,
    no_overload,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envcompile.check.cel.parts import Evaluation, Frame
    from envcompile.check.cel.tree import Checked, Node

AS_STRING: Final = "strinG"
"""A second name for `string`, for engines that take no further overload of their own functions."""

_CONVERSIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "int": convert.to_int,
    "uint": convert.to_uint,
    "double": convert.to_double,
    "bool": convert.to_bool,
    "string": convert.to_string,
    AS_STRING: convert.to_string,
    "bytes": convert.to_bytes,
    "timestamp": convert.to_timestamp,
    "duration": convert.to_duration,
    "dyn": lambda value: value,
    "size": size_of,
    "-_": negate,
}


def evaluation(checked: Checked, matches: Callable[[str, str], bool]) -> Evaluation:
    """What evaluates an expression.

    Args:
        checked: the expression.
        matches: tells whether a text holds what a regular expression of RE2 describes.
    """
    return _Compiler(checked, matches).node(checked.root)


class _Compiler:
    """Makes closures of nodes."""

    def __init__(self, checked: Checked, matches: Callable[[str, str], bool]) -> None:
        self._checked = checked
        self._matches = matches

    def node(self, node: Node) -> Evaluation:
        match node:
            case Constant():
                value = Uint(node.value) if node.kind == UNSIGNED else node.value
                return lambda _: value
            case Ident():
                return name_of(node.name)
            case Select():
                return select(self.node(node.operand), node.field, is_test=node.is_test)
            case Call():
                return self._call(node)
            case ListLiteral():
                return self._list(node)
            case MapLiteral():
                return self._map(node)
            case Fold():
                return self._fold(node)

    def _call(self, node: Call) -> Evaluation:
        name = node.function
        parts = [self.node(part) for part in ((node.target,) if node.target is not None else ()) + node.arguments]
        special = SPECIAL.get(name)
        if special is not None:
            return special(*parts)
        known = self._checked.overloads.get(node.id, ())
        overload = known[0] if len(known) == 1 else ""
        cost = costs.BY_OVERLOAD.get(overload) or costs.BY_FUNCTION.get(name)
        if name == "matches":
            return strict(parts, self._match, cost)
        if name in BINARY:
            return binary(parts[0], parts[1], BINARY[name], cost)
        if name in _CONVERSIONS and len(parts) == 1:
            return strict(parts, _CONVERSIONS[name], cost)
        if name in convert.GETTERS:
            return strict(parts, lambda *values: convert.part_of(name, *values), cost)
        if name in {"find", "findAll"} and isinstance(node.arguments[0], Constant):
            return strict(parts, _texts(libraries.FINDING[name]), cost)
        overloads = libraries.overloads(name)
        if not overloads:
            return strict(parts, _lacking(f"the function `{name}`"), None)
        return library(name, parts, overloads)

    def _match(self, text: Any, pattern: Any) -> bool:
        if not isinstance(text, str) or not isinstance(pattern, str):
            raise no_overload("")
        return self._matches(text, pattern)

    def _list(self, node: ListLiteral) -> Evaluation:
        items = [self.node(item) for item in node.items]
        optional = node.optional

        def plain(frame: Frame) -> list[Any]:
            found = [item(frame) for item in items]
            frame.spend(costs.LIST)
            return found

        def chosen(frame: Frame) -> list[Any]:
            found = []
            for position, item in enumerate(items):
                value = item(frame)
                if position not in optional:
                    found.append(value)
                elif not isinstance(value, Maybe):
                    raise CelError(f"cannot initialize optional list element from non-optional value {value}")
                elif value.is_there:
                    found.append(value.value)
            frame.spend(costs.LIST)
            return found

        return chosen if optional else plain

    def _map(self, node: MapLiteral) -> Evaluation:
        if node.message:
            return strict([], _lacking(f"the message `{node.message}`"), None)
        entries = [(self.node(key), self.node(value), optional) for key, value, optional in node.entries]

        def build(frame: Frame) -> dict[Any, Any]:
            found: dict[Any, Any] = {}
            for key, value, optional in entries:
                name, item = key(frame), value(frame)
                if isinstance(name, list | dict):
                    raise UnknownError("a key of a map is a list or a map")
                if not optional:
                    found[name] = item
                elif not isinstance(item, Maybe):
                    raise CelError(f"cannot initialize optional entry '{name}' from non-optional value {item}")
                elif item.is_there:
                    found[name] = item.value
            frame.spend(costs.MAP)
            return found

        return build

    def _fold(self, node: Fold) -> Evaluation:
        over, start, condition, result = (
            self.node(part) for part in (node.over, node.start, node.condition, node.result)
        )
        accumulator = node.accumulator
        if isinstance(node.condition, Constant) and node.condition.value is False:
            return _bind(accumulator, start, result)
        step = self._growing(node) or self.node(node.step)
        first, second = node.first, node.second

        def fold(frame: Frame) -> Any:
            items = over(frame)
            names = frame.names
            saved = [(name, names[name]) for name in (first, second, accumulator) if name in names]
            try:
                names[accumulator] = attempt(start, frame)
                for one, other in _items(items, both=bool(second)):
                    names[first] = one
                    if second:
                        names[second] = other
                    if attempt(condition, frame) is False:
                        break
                    names[accumulator] = attempt(step, frame)
                    frame.spend(0)
                for name in (first, second):
                    names.pop(name, None)
                names.update((name, value) for name, value in saved if name != accumulator)
                return result(frame)
            finally:
                for name in (first, second, accumulator):
                    names.pop(name, None)
                names.update(saved)

        return fold

    def _growing(self, node: Fold) -> Evaluation | None:
        """A step that puts one item behind the others, without copying them; None for any other step."""
        step, accumulator = node.step, node.accumulator
        when: Evaluation | None = None
        if isinstance(step, Call) and step.function == "_?_:_" and _is(step.arguments[2], accumulator):
            when, step = self.node(step.arguments[0]), step.arguments[1]
        if not isinstance(step, Call) or step.function not in {"_+_", "cel.@mapInsert"}:
            return None
        if not _is(step.arguments[0], accumulator) or not isinstance(node.start, ListLiteral | MapLiteral):
            return None
        more = [self.node(part) for part in step.arguments[1:]]
        grow = _append if step.function == "_+_" else _insert

        def extend(frame: Frame) -> Any:
            if when is not None:
                chosen = when(frame)
                if not isinstance(chosen, bool):
                    raise no_overload("")
                if not chosen:
                    frame.cost += 1
                    return _accumulated(frame, accumulator)
            found = _accumulated(frame, accumulator)
            grow(found, [part(frame) for part in more])
            frame.cost += 2
            return found

        return extend


def _texts(call: Callable[..., Any]) -> Callable[..., Any]:
    """A search whose pattern is known when the expression is compiled: it has other words for what is no text."""

    def search(text: Any, *others: Any) -> Any:
        if not isinstance(text, str):
            raise no_overload("")
        return call(text, *others)

    return search


def _lacking(what: str) -> Callable[..., Any]:
    def refuse(*_: Any) -> Any:
        raise UnknownError(f"{what} is not known here")

    return refuse


def _is(node: Node, name: str) -> bool:
    return isinstance(node, Ident) and node.name == name


def _accumulated(frame: Frame, name: str) -> Any:
    found = frame.names[name]
    if isinstance(found, CelError):
        raise found
    return found


def _append(found: list[Any], more: list[Any]) -> None:
    found.extend(more[0])


def _insert(found: dict[Any, Any], more: list[Any]) -> None:
    entries = more[0].items() if len(more) == 1 else [(more[0], more[1])]
    for key, value in entries:
        if isinstance(key, list | dict):
            raise UnknownError("a key of a map is a list or a map")
        if key in found:
            raise CelError(f"insert failed: key {convert.to_string(key)} already exists")
        found[key] = value


def _items(value: Any, *, both: bool) -> Any:
    """What a comprehension goes over."""
    if isinstance(value, dict):
        return list(value.items()) if both else [(key, None) for key in value]
    if isinstance(value, list):
        return list(enumerate(value)) if both else [(item, None) for item in value]
    word = _GO_TYPES.get(type(value), "")
    what = "unsupported comprehension range type: " if both else ""
    raise CelError(f"{what}{word}" if both else f"got '{word}', expected iterable type")


_GO_TYPES: Final[Mapping[type, str]] = {
    bool: "types.Bool",
    int: "types.Int",
    Uint: "types.Uint",
    float: "types.Double",
    str: "types.String",
    bytes: "types.Bytes",
    type(None): "types.Null",
    Maybe: "*types.Optional",
    Timestamp: "types.Timestamp",
    Duration: "types.Duration",
}


def _bind(name: str, start: Evaluation, result: Evaluation) -> Evaluation:
    """A name for a value in an expression: `optMap` and `sortBy` become that."""

    def bound(frame: Frame) -> Any:
        names = frame.names
        before = names.get(name)
        had = name in names
        names[name] = attempt(start, frame)
        try:
            return result(frame)
        finally:
            if had:
                names[name] = before
            else:
                del names[name]

    return bound
