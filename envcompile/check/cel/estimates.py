"""What an expression may cost at most, as the API server estimates it before it takes a rule.

Sources: checker/cost.go of github.com/google/cel-go, pkg/cel/library/cost.go (EstimateCallCost) of k8s.io/apiserver,
pkg/apiserver/schema/cel/compilation.go of k8s.io/apiextensions-apiserver. Numbers are of 64 bits without a sign, and
stay at the largest one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.check.cel import costs
from envcompile.check.cel.estimatedcalls import Operand, call_estimate
from envcompile.check.cel.goslices import Way
from envcompile.check.cel.ranges import MANY, ONE, UNKNOWN, ZERO, Range, fixed
from envcompile.check.cel.shapes import Shape, list_of, of_type
from envcompile.check.cel.tree import DYN, Call, CelType, Constant, Fold, Ident, ListLiteral, MapLiteral, Select

if TYPE_CHECKING:
    from collections.abc import Collection

    from envcompile.check.cel.tree import Checked, Node

_LIST_CREATED: Final = fixed(costs.LIST)
_MAP_CREATED: Final = fixed(costs.MAP)
_STRUCT_CREATED: Final = fixed(costs.STRUCT)
_FIXED_SIZE: Final = frozenset({"bool", "double", "duration", "int", "timestamp", "uint"})
_ANY: Final = Shape(DYN)
_SAME: Final = frozenset({
    "_?_:_", "_+_", "orValue", "value", "or", "sort", "@sortByAssociatedKeys", "reverse", "slice", "distinct",
})  # fmt: skip
"""Functions that result in what they are called on, or with."""
OF_RULES: Final = ("self", "oldSelf")
"""The names in rules of custom kinds."""
_RESULT: Final = ("__result__", "@result")
"""Accumulators of macros; another name is that of a `cel.bind`."""


def most(checked: Checked, shape: Shape, roots: Collection[str] = OF_RULES) -> int:
    """What an expression about a value costs at most.

    Args:
        checked: the expression.
        shape: that of the value.
        roots: its names in the expression.
    """
    return _Coster(checked, shape, roots).cost(checked.root).high


class _Entries(NamedTuple):
    """How large the keys and values of a list or a map are."""

    container: str
    keys: Range
    values: Range


class _Local(NamedTuple):
    """A name that a macro makes."""

    path: Way
    kind: Shape
    size: Range | None
    entries: _Entries | None = None


class _Coster:
    """Goes through one expression."""

    def __init__(self, checked: Checked, shape: Shape, roots: Collection[str]) -> None:
        self._checked = checked
        self._shape = shape
        self._roots = roots
        self._sizes: dict[int, Range] = {}
        self._entries: dict[int, _Entries] = {}
        self._paths: dict[int, Way] = {}
        self._kinds: dict[int, Shape] = {}
        self._locals: dict[str, list[_Local]] = {}

    # ---- costs

    def cost(self, node: Node) -> Range:
        match node:
            case Constant():
                return ZERO
            case Ident():
                return self._ident(node)
            case Select():
                return self._select(node)
            case Call():
                return self._call(node)
            case ListLiteral():
                return self._list(node)
            case MapLiteral():
                return self._map(node)
            case Fold():
                return self._bind(node) if _is_bind(node) else self._fold(node)

    def _ident(self, node: Ident) -> Range:
        local = self._local(node.name)
        if local is not None:
            self._paths[node.id], self._kinds[node.id] = local.path, local.kind
            return ONE
        root, *fields = node.name.split(".")
        if root not in self._roots:
            self._paths[node.id] = Way().to(node.name)
            return ONE
        # The engine is told of fields as of names with dots; to the server they are fields.
        way, kind = Way().to(root), self._shape
        for field in fields:
            way, kind = way.to(field), kind.fields.get(field, _ANY)
        self._paths[node.id] = way
        if self._checked.type_of(node).name != "optional_type":
            self._kinds[node.id] = kind
        return fixed(1 + len(fields))

    def _select(self, node: Select) -> Range:
        if node.is_test:
            return self.cost(node.operand)
        found = self.cost(node.operand)
        if self._type(node.operand).name in {"map", "object"}:
            found += ONE
        self._paths[node.id] = self._path(node.operand).to(node.field)
        self._keep(node, self._kind(node.operand).fields.get(node.field))
        return found

    def _list(self, node: ListLiteral) -> Range:
        found, size = ZERO, Range(MANY, 0) if node.items else ZERO
        for item in node.items:
            found += self.cost(item)
            size |= self._size_or_unknown(item)
        self._entries[node.id] = _Entries("list", ONE, size)
        self._keep(node, list_of(self._kind(node.items[-1]) if node.items else _ANY))
        return found + _LIST_CREATED

    def _map(self, node: MapLiteral) -> Range:
        found = ZERO
        if node.message:
            for _, value, _ in node.entries:
                found += self.cost(value)
            return found + _STRUCT_CREATED
        keys = values = Range(MANY, 0) if node.entries else ZERO
        for key, value, _ in node.entries:
            found = found + self.cost(key) + self.cost(value)
            keys |= self._size_or_unknown(key)
            values |= self._size_or_unknown(value)
        self._entries[node.id] = _Entries("map", keys, values)
        return found + _MAP_CREATED

    def _fold(self, node: Fold) -> Range:
        found = self.cost(node.over) + self.cost(node.start)
        self._push(node.accumulator, self._bound(node.start))
        self._push_items(node)
        each = self.cost(node.condition) + self.cost(node.step)
        self._keep(node, self._folded(node))
        for name in filter(None, (node.first, node.second)):
            self._locals[name].pop()
        found += self.cost(node.result)
        self._locals[node.accumulator].pop()
        count = self._size_or_unknown(node.over)
        if isinstance(node.start, Constant):
            self._sizes[node.id] = self._size(node.start) or UNKNOWN
        elif isinstance(node.start, ListLiteral | MapLiteral):
            self._sizes[node.id] = count
            if (entries := self._entry_sizes(node.step)) is not None:
                self._entries[node.id] = entries
        return found + count * each

    def _bind(self, node: Fold) -> Range:
        found = self.cost(node.over) + self.cost(node.start)
        self._push(node.accumulator, self._bound(node.start))
        found += self.cost(node.result)
        self._keep(node, self._kind(node.result))
        size, entries = self._size(node.result), self._entry_sizes(node.result)
        self._locals[node.accumulator].pop()
        if size is not None:
            self._sizes[node.id] = size
        if entries is not None:
            self._entries[node.id] = entries
        return found

    def _call(self, node: Call) -> Range:
        if node.function == "dyn" and len(node.arguments) == 1:
            argument = node.arguments[0]
            found = self.cost(argument)
            if (size := self._size(argument)) is not None:
                self._sizes[node.id] = size
            return found + ONE
        spent = [self.cost(part) for part in node.arguments]
        arguments = [self._operand(part) for part in node.arguments]
        found, target = ZERO, None
        if node.target is not None:
            found, target = self.cost(node.target), self._operand(node.target)
        self._keep(node, self._called(node))
        if node.function == "_[_]":
            return found + sum(spent, ONE) if self._indexed(node) else found
        if node.function == "_?_:_":
            self._sizes[node.id] = arguments[1].known | arguments[2].known
            one, other = self._entry_sizes(node.arguments[1]), self._entry_sizes(node.arguments[2])
            if (entries := _either(one, other)) is not None:
                self._entries[node.id] = entries
            return found + spent[0] + (spent[1] | spent[2])
        if node.function in {"_&&_", "_||_"}:
            return found + Range(spent[0].low, (spent[0] + spent[1]).high)
        if node.function == "_+_" and arguments[0].type.name == arguments[1].type.name == "list":
            one, other = self._entry_sizes(node.arguments[0]), self._entry_sizes(node.arguments[1])
            if (entries := _either(one, other)) is not None:
                self._entries[node.id] = entries
        estimate = call_estimate(node.function, self._checked.overloads.get(node.id, ()), target, arguments)
        size = estimate.size if estimate.size is not None else self._size(node)
        if size is not None:
            self._sizes[node.id] = size
        return found + sum(spent, estimate.cost)

    def _indexed(self, node: Call) -> bool:
        inside, path = self._entry_sizes(node.arguments[0]), self._path(node.arguments[0])
        step = "@items" if self._type(node.arguments[0]).name == "list" else "@values"
        self._paths[node.id] = path.to(step)
        size = inside.values if inside is not None else self._size(node)
        if size is not None:
            self._sizes[node.id] = size
        return True

    # ---- names

    def _local(self, name: str) -> _Local | None:
        found = self._locals.get(name)
        return found[-1] if found else None

    def _bound(self, node: Node) -> _Local:
        return _Local(self._path(node), self._kind(node), self._size(node), self._entry_sizes(node))

    def _push(self, name: str, local: _Local) -> None:
        self._locals.setdefault(name, []).append(local)

    def _push_items(self, node: Fold) -> None:
        inside, path, over = self._entry_sizes(node.over), self._path(node.over), self._kind(node.over)
        is_list = (inside.container if inside is not None else over.type.name) == "list"
        steps = ("@indices", "@items") if is_list else ("@keys", "@values")
        values = over.items or _ANY
        keys = Shape(CelType("int" if is_list else "string")) if over.items is not None else _ANY
        key = _Local(path.to(steps[0]), keys, inside.keys if inside is not None else None)
        if node.second:
            self._push(node.first, key)
        if not node.second and not is_list:
            self._push(node.first, key)
            return
        value = _Local(path.to(steps[1]), values, inside.values if inside is not None else None)
        self._push(node.second or node.first, value)

    # ---- types, paths and sizes

    def _folded(self, node: Fold) -> Shape | None:
        """The list that a macro makes, by the items that a step puts into it."""
        step: Node = node.step
        if isinstance(step, Call) and step.function == "_?_:_":
            step = step.arguments[1]
        if isinstance(node.start, ListLiteral) and isinstance(step, Call) and len(step.arguments) == 2:
            return self._kind(step.arguments[1])
        return None

    def _called(self, node: Call) -> Shape | None:
        """What a call results in, where the engine knows less of types than the server."""
        if node.function == "_[_]":
            return self._kind(node.arguments[0]).items
        if node.function in {"_?._", "_[?_]"}:
            around, key = self._kind(node.arguments[0]), node.arguments[1]
            field = str(key.value) if isinstance(key, Constant) else ""
            return around.fields.get(field) if node.function == "_?._" else around.items
        if node.function in _SAME:
            parts = [*((node.target,) if node.target is not None else ()), *node.arguments[-2:]]
            found = [kind for part in parts if (kind := self._kind(part)).type.name not in {"dyn", "optional_type"}]
            return found[0] if found else None
        return None

    def _kind(self, node: Node) -> Shape:
        """What a value is, for its type only: sizes are found by other ways."""
        return self._kinds.get(node.id) or of_type(self._checked.type_of(node))

    def _keep(self, node: Node, kind: Shape | None) -> None:
        known = self._checked.type_of(node)
        if kind is not None and (known.name in {"dyn", kind.type.name, "optional_type"}):
            self._kinds[node.id] = kind

    def _type(self, node: Node) -> CelType:
        known = self._checked.type_of(node)
        return known if known.name == "optional_type" else self._kind(node).type

    def _path(self, node: Node) -> Way:
        local = self._local(node.name) if isinstance(node, Ident) else None
        return local.path if local is not None else self._paths.get(node.id) or Way()

    def _shape_at(self, path: Way) -> Shape | None:
        """The shape that the server takes for that of a value: it asks for no root, so `x.y` of any `x` will do."""
        names = path.names
        if not names:
            return None
        shape: Shape | None = self._shape
        for name in names[1:]:
            if shape is None:
                return None
            if name == "@keys" and shape.type.name == "map":
                shape = shape.keys or shape._replace(type=CelType("string"), most=0, items=None)
            else:
                shape = shape.items if name in {"@items", "@values"} else shape.fields.get(name, shape.others)
        return shape

    def _operand(self, node: Node) -> Operand:
        shape = self._shape_at(self._path(node))
        items = shape.items if shape is not None else None
        kind = self._type(node)
        element = None
        if kind.parameters and kind.name in {"list", "map"}:
            size = Range(0, items.most) if items is not None else UNKNOWN
            element = Operand(None, kind.parameters[0], size)
        return Operand(node, kind, self._size_or_unknown(node), element)

    def _size_or_unknown(self, node: Node) -> Range:
        return self._size(node) or UNKNOWN

    def _size(self, node: Node) -> Range | None:
        if node.id in self._sizes:
            return self._sizes[node.id]
        if (written := _written(node)) is not None:
            return written
        shape = self._shape_at(self._path(node))
        if shape is not None:
            return Range(0, shape.most)
        kind = self._type(node)
        kind = kind.parameters[0] if kind.name == "optional_type" and kind.parameters else kind
        if kind.name in _FIXED_SIZE:
            return ONE
        local = self._local(node.name) if isinstance(node, Ident) else None
        return local.size if local is not None else None

    def _entry_sizes(self, node: Node) -> _Entries | None:
        if node.id in self._entries:
            return self._entries[node.id]
        local = self._local(node.name) if isinstance(node, Ident) else None
        return local.entries if local is not None else None


def _either(one: _Entries | None, other: _Entries | None) -> _Entries | None:
    if one is None or other is None:
        return None
    return _Entries(one.container, one.keys | other.keys, one.values | other.values)


def _written(node: Node) -> Range | None:
    """The size of what is written down in the expression itself."""
    match node:
        case Constant(value=str() | bytes() as value):
            return fixed(len(value))
        case Constant():
            return ONE
        case ListLiteral():
            return fixed(len(node.items))
        case MapLiteral(message=""):
            return fixed(len(node.entries))
    return None


def _is_bind(node: Fold) -> bool:
    is_empty = isinstance(node.over, ListLiteral) and not node.over.items
    never = isinstance(node.condition, Constant) and node.condition.value is False
    return is_empty and never and node.accumulator not in _RESULT
