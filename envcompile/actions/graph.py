"""Who needs whom in an environment: the whole of it, what is around one resource, or around what a change touches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from envcompile.actions.graph_edges import Edges
from envcompile.actions.graph_order import cycles, waves
from envcompile.compose.references import names_of, needs_of
from envcompile.compose.waves import written_wave
from envcompile.emit.order import rank

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from envcompile.actions.graph_edges import Edge
    from envcompile.model import Resource, ResourceId
    from envcompile.units.project import Project

HUB = 12
"""A resource with more edges than this is drawn, and not walked through: everything is near to it."""
MOST = 60
"""Nodes of a picture; more of them nobody reads, and a browser blocks over some thousands."""


class Node(NamedTuple):
    """A resource, or one that is named and not there."""

    id: ResourceId
    app: str
    wave: int
    is_missing: bool = False


class Wave(NamedTuple):
    """What starts together, in the order in which it is applied."""

    number: int
    resources: tuple[ResourceId, ...]


class Graph(NamedTuple):
    """An environment as a graph; an edge leads from who needs to what is needed.

    `order` says where waves are from: `annotations`, which Argo CD follows, or `computed` from the edges as
    `syncWaves: true` would number them. `around` is the resource that was asked about, `changed` those that a change
    touches; `left_out` is how many nodes of the environment are not among these.
    """

    environment: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    cycles: tuple[tuple[ResourceId, ...], ...]
    start: tuple[Wave, ...]
    order: Literal["annotations", "computed"]
    around: ResourceId | None = None
    changed: frozenset[ResourceId] = frozenset()
    left_out: int = 0

    @property
    def missing(self) -> tuple[Edge, ...]:
        """The edges whose target is not there."""
        return tuple(edge for edge in self.edges if edge.is_missing)


def environment_graph(project: Project, environment: str) -> Graph:
    """The whole graph of an environment.

    Raises:
        UsageError: no such environment.
        EnvcError: its sources are wrong, or its resources need each other in a circle and it wants sync waves.
    """
    (name,) = project.choose([environment])
    linked = project.link(name)
    has_waves = bool(linked.plan.sources.settings.sync_waves)
    return graph_of(name, tuple(linked.resources()), has_waves=has_waves)


def graph_of(environment: str, resources: Sequence[Resource], *, has_waves: bool) -> Graph:
    """The graph of resources.

    Args:
        environment: its name.
        resources: all of it.
        has_waves: whether their annotations number the waves.
    """
    edges = Edges(resources).all()
    needs = _needs(resources)
    numbers = {one.id: written_wave(one) or 0 for one in resources} if has_waves else waves(needs)
    apps = {one.id: one.app for one in resources}
    nodes = [Node(one.id, one.app, numbers[one.id]) for one in resources]
    gone = {edge.target: apps[edge.source] for edge in edges if edge.target not in apps}
    missing = {edge.target for edge in edges if edge.is_missing}
    nodes += [Node(identity, app, 0, is_missing=True) for identity, app in gone.items() if identity in missing]
    kept = tuple(edge for edge in edges if edge.target in apps or edge.is_missing)
    circles = {tuple(circle) for circle in cycles(_with_edges(needs, kept))}
    return Graph(
        environment,
        tuple(sorted(nodes)),
        kept,
        tuple(sorted(circles)),
        _start(numbers),
        "annotations" if has_waves else "computed",
    )


def _needs(resources: Sequence[Resource]) -> dict[ResourceId, list[ResourceId]]:
    """What must be there before each resource, as sync waves count it: also its namespace and its definition."""
    called = {name: one.id for one in resources for name in names_of(one.id, one.value)}
    found: dict[ResourceId, list[ResourceId]] = {}
    for one in resources:
        wanted: dict[ResourceId, None] = {}
        for names in needs_of(one.id, one.value):
            target = next((called[name] for name in names if name in called), None)
            if target is not None and target != one.id:
                wanted.setdefault(target)
        found[one.id] = list(wanted)
    return found


def _with_edges(
    needs: Mapping[ResourceId, Sequence[ResourceId]], edges: Iterable[Edge]
) -> dict[ResourceId, list[ResourceId]]:
    """The same with what waits for itself: only who says so with an annotation does, a host name may be one's own."""
    found = {source: list(targets) for source, targets in needs.items()}
    for edge in edges:
        if edge.source == edge.target and "depends-on" in edge.why:
            found[edge.source].append(edge.target)
    return found


def _start(numbers: Mapping[ResourceId, int]) -> tuple[Wave, ...]:
    held: dict[int, list[ResourceId]] = {}
    for identity, number in numbers.items():
        held.setdefault(number, []).append(identity)

    def order(identity: ResourceId) -> tuple[int, str, str, str]:
        return (rank(identity.kind), identity.kind, identity.namespace, identity.name)

    return tuple(Wave(number, tuple(sorted(held[number], key=order))) for number in sorted(held))


def breaks_with(graph: Graph, identity: ResourceId) -> tuple[ResourceId, ...]:
    """What does not work any more when a resource goes: who needs it, who needs these, and so on."""
    needed_by: dict[ResourceId, list[ResourceId]] = {}
    for edge in graph.edges:
        if edge.kind != "guards":
            needed_by.setdefault(edge.target, []).append(edge.source)
    found: dict[ResourceId, None] = {}
    todo = [identity]
    while todo:
        for source in needed_by.get(todo.pop(), ()):
            if source not in found and source != identity:
                found.setdefault(source)
                todo.append(source)
    return tuple(sorted(found))


def around(graph: Graph, start: Collection[ResourceId], depth: int, *, most: int | None = None) -> Graph:
    """The part of a graph that is near to resources, both ways; hubs are in it, what is behind them is not.

    Args:
        graph: all of it.
        start: where to begin; they are in it.
        depth: steps.
        most: nodes; the nearest are kept, of equally near ones those with something missing first.
    """
    beside: dict[ResourceId, list[ResourceId]] = {}
    for edge in graph.edges:
        beside.setdefault(edge.source, []).append(edge.target)
        beside.setdefault(edge.target, []).append(edge.source)
    distance = dict.fromkeys(start, 0)
    edge_of_it = list(start)
    for step in range(1, depth + 1):
        reached: list[ResourceId] = []
        for identity in edge_of_it:
            near = beside.get(identity, [])
            if len(near) > HUB and distance[identity] > 0:
                continue
            for other in near:
                if other not in distance:
                    distance[other] = step
                    reached.append(other)
        edge_of_it = reached
    return _part(graph, distance, most)


def worst(graph: Graph, most: int) -> Graph:
    """At most this many nodes: those with something missing or in a circle first, then those with most edges."""
    bad = {edge.source for edge in graph.missing} | {one for circle in graph.cycles for one in circle}
    count: dict[ResourceId, int] = {}
    for edge in graph.edges:
        for identity in (edge.source, edge.target):
            count[identity] = count.get(identity, 0) + 1
    return _part(
        graph, {node.id: (node.id not in bad) * 1_000_000 - count.get(node.id, 0) for node in graph.nodes}, most
    )


def _part(graph: Graph, distance: Mapping[ResourceId, int], most: int | None) -> Graph:
    missing = {edge.source for edge in graph.missing} | {edge.target for edge in graph.missing}
    known = {node.id for node in graph.nodes}
    order = sorted(
        (identity for identity in distance if identity in known),
        key=lambda identity: (distance[identity], identity not in missing, identity),
    )
    kept = set(order[:most])
    return graph._replace(
        nodes=tuple(node for node in graph.nodes if node.id in kept),
        edges=tuple(edge for edge in graph.edges if edge.source in kept and edge.target in kept),
        cycles=tuple(circle for circle in graph.cycles if kept.issuperset(circle)),
        left_out=graph.left_out + len(graph.nodes) - len(kept),
    )
