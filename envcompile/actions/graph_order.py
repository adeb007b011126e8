"""Cycles among things that need each other, with their whole path, and the waves in which the rest can start."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Node = TypeVar("Node", bound=tuple[str, ...])


def components(needs: Mapping[Node, Sequence[Node]]) -> list[list[Node]]:
    """What needs each other in circles, and everything else alone; what is needed comes first.

    Source: R. Tarjan, Depth-first search and linear graph algorithms (1972), without recursion.

    Args:
        needs: what each node needs; every node is a key.
    """
    number: dict[Node, int] = {}
    low: dict[Node, int] = {}
    stack: list[Node] = []
    held: set[Node] = set()
    found: list[list[Node]] = []
    for root in needs:
        todo = [(root, iter(needs[root]))] if root not in number else []
        while todo:
            node, rest = todo[-1]
            if node not in number:
                number[node] = low[node] = len(number)
                stack.append(node)
                held.add(node)
            for other in rest:
                if other not in number:
                    todo.append((other, iter(needs[other])))
                    break
                if other in held:
                    low[node] = min(low[node], number[other])
            else:
                todo.pop()
                if todo:
                    low[todo[-1][0]] = min(low[todo[-1][0]], low[node])
                if low[node] == number[node]:
                    start = stack.index(node)
                    found.append(stack[start:])
                    held.difference_update(found[-1])
                    del stack[start:]
    return found


def cycles(needs: Mapping[Node, Sequence[Node]]) -> list[tuple[Node, ...]]:
    """One shortest way around in each circle, from its least node back to it; a node that needs itself is a circle."""
    found: list[tuple[Node, ...]] = []
    for members in components(needs):
        among = set(members)
        start = min(members)
        if len(members) == 1:
            if start in needs[start]:
                found.append((start, start))
            continue
        found.append(_around(start, needs, among))
    return sorted(found)


def _around(start: Node, needs: Mapping[Node, Sequence[Node]], among: set[Node]) -> tuple[Node, ...]:
    came: dict[Node, Node] = {}
    todo = deque([start])
    while todo:
        node = todo.popleft()
        for other in needs[node]:
            if other == start:
                path = [node]
                while path[-1] != start:
                    path.append(came[path[-1]])
                return (*reversed(path), start)
            if other in among and other not in came:
                came[other] = node
                todo.append(other)
    return (start, start)


def waves(needs: Mapping[Node, Sequence[Node]]) -> dict[Node, int]:
    """0 for what needs nothing, else one more than the highest wave it needs; a circle has one wave for all of it."""
    found: dict[Node, int] = {}
    for members in components(needs):
        among = set(members)
        below = [found[other] for node in members for other in needs[node] if other not in among]
        found.update(dict.fromkeys(members, max(below, default=-1) + 1))
    return found
