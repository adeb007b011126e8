"""A layered layout of a graph that is the same at every run, whatever the order of what it is given.

Ranks by the longest way, a lane of its own for each long edge through the columns that it crosses, and the order within
columns by barycentres (Sugiyama, Tagawa, Toda 1981). Circles are drawn, but do not rank.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SWEEPS = 8


class Spot(NamedTuple):
    """What stands in a column: a node, or the lane of an edge."""

    node: str
    """Empty for a lane."""
    edge: tuple[str, str] = ("", "")
    column: int = 0


class Layout(NamedTuple):
    """Columns from left to right, and for each edge the spots that it passes."""

    columns: tuple[tuple[Spot, ...], ...]
    ways: dict[tuple[str, str], tuple[Spot, ...]]


def layered(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> Layout:
    """Lay a graph out; an edge leads from left to right, but for those that close a circle.

    Args:
        nodes: names, each once.
        edges: from and to; edges to oneself are left out.
    """
    names = sorted(set(nodes))
    pairs = sorted({edge for edge in edges if edge[0] != edge[1]})
    back = _back(names, pairs)
    forward = [edge for edge in pairs if edge not in back]
    rank = _ranks(names, forward)
    columns: list[list[Spot]] = [[] for _ in range(max(rank.values(), default=0) + 1)]
    for name in names:
        columns[rank[name]].append(Spot(name))
    ways: dict[tuple[str, str], tuple[Spot, ...]] = {}
    left: dict[Spot, list[Spot]] = {}
    right: dict[Spot, list[Spot]] = {}
    for source, target in forward:
        lanes = [Spot("", (source, target), column) for column in range(rank[source] + 1, rank[target])]
        for lane in lanes:
            columns[lane.column].append(lane)
        way = ways[source, target] = (Spot(source), *lanes, Spot(target))
        for one, other in pairwise(way):
            right.setdefault(one, []).append(other)
            left.setdefault(other, []).append(one)
    for source, target in sorted(back):
        ways[source, target] = (Spot(source), Spot(target))
    for sweep in range(_SWEEPS):
        if sweep % 2 == 0:
            for place in range(1, len(columns)):
                columns[place] = _ordered(columns[place], columns[place - 1], left)
        else:
            for place in range(len(columns) - 2, -1, -1):
                columns[place] = _ordered(columns[place], columns[place + 1], right)
    return Layout(tuple(map(tuple, columns)), ways)


def _ordered(column: list[Spot], fixed: list[Spot], near: Mapping[Spot, Sequence[Spot]]) -> list[Spot]:
    at = {spot: (place + 0.5) / len(fixed) for place, spot in enumerate(fixed)}
    mine = {spot: (place + 0.5) / len(column) for place, spot in enumerate(column)}

    def middle(spot: Spot) -> tuple[float, Spot]:
        there = [at[other] for other in near.get(spot, ()) if other in at]
        return (round(sum(there) / len(there) if there else mine[spot], 6), spot)

    return sorted(column, key=middle)


def _back(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """The edges that close a circle, found by walking in the order of names."""
    after: dict[str, list[str]] = {name: [] for name in names}
    for source, target in edges:
        after[source].append(target)
    is_done: dict[str, bool] = {}
    found: set[tuple[str, str]] = set()
    for root in names:
        todo = [(root, iter(after[root]))] if root not in is_done else []
        if todo:
            is_done[root] = False
        while todo:
            node, rest = todo[-1]
            for other in rest:
                if is_done.get(other) is False:
                    found.add((node, other))
                elif other not in is_done:
                    is_done[other] = False
                    todo.append((other, iter(after[other])))
                    break
            else:
                is_done[node] = True
                todo.pop()
    return found


def _ranks(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The length of the longest way to each node; one that nothing leads to stands next to what it leads to."""
    from graphlib import TopologicalSorter

    before: dict[str, list[str]] = {name: [] for name in names}
    after: dict[str, list[str]] = {name: [] for name in names}
    for source, target in edges:
        before[target].append(source)
        after[source].append(target)
    rank: dict[str, int] = {}
    for name in TopologicalSorter(before).static_order():
        rank[name] = max((rank[other] + 1 for other in before[name]), default=0)
    for name in names:
        if after[name] and not before[name]:
            rank[name] = min(rank[other] for other in after[name]) - 1
    return rank
