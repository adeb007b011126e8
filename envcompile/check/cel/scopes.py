"""What the names that macros bind stand for: `self.ports[]` for the `p` of `self.ports.all(p, p.port > 0)`.

`[]` is an item of a list, `{}` a value of a map. What the checker takes for dynamic may be either: a way that leads to
nothing known says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.check.cel.tree import Call, Fold, Ident, ListLiteral, Select, children

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.cel.tree import Checked, Node

    Scope = Mapping[str, str]
    """Name that a macro bound -> the way to what it stands for; empty where that has none."""


def scoped(checked: Checked, node: Node, scope: Scope | None = None) -> Iterator[tuple[Node, Scope]]:
    """A node and all below it, in the order of the text, each with the names that are bound there.

    Args:
        checked: the expression.
        node: a part of it.
        scope: the names that are bound around the part; none when left out.
    """
    outer = scope or {}
    yield node, outer
    if not isinstance(node, Fold):
        for child in children(node):
            yield from scoped(checked, child, outer)
        return
    for child in (node.over, node.start):
        yield from scoped(checked, child, outer)
    # `cel.bind` goes over nothing: its name is the accumulator.
    bound = {**outer, node.accumulator: way_in(checked, node.start, outer)}
    around = way_in(checked, node.over, outer)
    is_map = checked.type_of(node.over).name == "map"
    item = f"{around}{'{}' if is_map else '[]'}" if around else ""
    inner = {**bound, node.second: item, node.first: "" if is_map or node.second else item}
    for child in (node.condition, node.step):
        yield from scoped(checked, child, inner)
    yield from scoped(checked, node.result, bound)


def way_in(checked: Checked, node: Node, scope: Scope) -> str:
    """The way that leads to a node, such as `self.spec` or `self.ports[]` for an item; empty for anything else.

    Args:
        checked: the expression.
        node: a part of it.
        scope: the names that macros bound around it.
    """
    match node:
        case Ident(name=name):
            first, dot, rest = name.partition(".")
            if first not in scope:
                return name
            return f"{scope[first]}{dot}{rest}" if scope[first] else ""
        case Select(operand=operand, field=field):
            before = way_in(checked, operand, scope)
            return f"{before}.{field}" if before else ""
        case Call(function="_[_]", arguments=(operand, key)):
            before = way_in(checked, operand, scope)
            return f"{before}{'[]' if checked.type_of(key).name == 'int' else '{}'}" if before else ""
        case Fold(over=over) if _is_filter(node):
            return way_in(checked, over, scope)
    return ""


def _is_filter(node: Fold) -> bool:
    """Tell whether a comprehension is what `filter` becomes: its items are those of the list that it goes over."""
    match node.step:
        case Call(function="_?_:_", arguments=(_, Call(function="_+_", arguments=(_, ListLiteral(items=(item,)))), _)):
            return isinstance(item, Ident) and item.name == node.first
    return False
