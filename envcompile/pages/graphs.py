"""What needs what in an environment: a start and two steps drawn, the rest as a list, and the start order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from markupsafe import Markup, escape

from envcompile.actions.graph import HUB, MOST, around, worst
from envcompile.pages.graph_svg import graph_svg, inert, title_of
from envcompile.pages.model import Missing, Option
from envcompile.pages.words import listed, many, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.actions.graph import Graph
    from envcompile.model import ResourceId
    from envcompile.pages.links import Links
    from envcompile.pages.state import State

_DEPTHS: Final = ("1", "2", "3")
_EDGES: Final = 500
"""Rows of the list on a page."""
EVERYTHING: Final = frozenset({"Namespace", "CustomResourceDefinition"})
"""What everything needs is said in words: drawn, it hides the rest."""


class EdgeRow(NamedTuple):
    """One resource points at another."""

    source: ResourceId
    kind: str
    target: ResourceId
    why: str
    is_missing: bool


class WaveRow(NamedTuple):
    """What starts together."""

    number: int
    size: int
    text: str


class GraphPage(NamedTuple):
    """What needs what."""

    title: str
    sub: str
    environment: str
    start: str
    picture: Markup | None
    edges: tuple[EdgeRow, ...]
    every: int
    """Edges, also those that are not listed."""
    circles: tuple[str, ...]
    waves: tuple[WaveRow, ...]
    is_computed: bool
    """Whether waves are worked out, and not written in annotations."""
    environments: tuple[Option, ...]
    depths: tuple[Option, ...]
    missing: tuple[Missing, ...]


def graph_page(state: State, environment: str, query: Mapping[str, str], links: Links) -> GraphPage:
    """The page of a graph.

    Args:
        state: the project.
        environment: the environment; the last that compiles when empty.
        query: `from` and `depth` of the address.
        links: where links lead.

    Raises:
        UsageError: there is no such environment or resource.
        EnvcError: the environment does not compile.
    """
    from envcompile.actions.build import find_resources

    name = environment or (state.compiled or state.names)[-1]
    whole = state.graph(name)
    drawn = _without_everything(whole)
    start, depth = query.get("from", "").strip(), query.get("depth", "2")
    depth = depth if depth in _DEPTHS else "2"
    if start:
        identity = find_resources(state.project.link(name), start)[0].id
        part = around(drawn, [identity], int(depth), most=MOST)._replace(around=identity)
        title = title_of(whole._replace(around=identity))
    else:
        part = worst(drawn, MOST)
        part = part._replace(nodes=tuple(node for node in part.nodes if _has_edge(part, node.id)))
        title = title_of(whole)
    kept = {"from": start, "depth": depth if depth != "2" else ""}
    environments = tuple(Option(one, links.graph(one, **kept), one == name) for one in state.compiled)
    depths = tuple(
        Option(many(int(one), "step"), links.graph(name, **{**kept, "depth": one}), one == depth) for one in _DEPTHS
    )
    left = len(whole.nodes) - len(part.nodes)
    said: tuple[Missing, ...] = ()
    if left and not start:
        what = f"{len(part.nodes)} of {many(len(whole.nodes), 'resource')} are drawn"
        text = "Those with something missing first, then those with most edges. Start at one to see what is near to it."
        said = (Missing(what, text),)
    edges = part.edges if start else whole.edges
    return GraphPage(
        sentence(title),
        _sub(whole, start),
        name,
        start,
        _linked(graph_svg(part, style=False), part, name, links) if part.edges else None,
        tuple(EdgeRow(one.source, one.kind, one.target, one.why, one.is_missing) for one in edges[:_EDGES]),
        len(edges),
        tuple(" → ".join(one.short for one in circle) for circle in whole.cycles),
        tuple(_wave(wave.number, wave.resources) for wave in whole.start),
        whole.order == "computed",
        environments,
        depths if start else (),
        said,
    )


def _sub(whole: Graph, start: str) -> str:
    common = [one for one in sorted(EVERYTHING) if any(edge.target.kind == one for edge in whole.edges)]
    words = f"Every resource needs its {listed(common)}, which is not drawn. " if common and not start else ""
    return f"{words}What more than {HUB} resources point at is drawn, and not walked through."


def _without_everything(whole: Graph) -> Graph:
    return whole._replace(edges=tuple(edge for edge in whole.edges if edge.target.kind not in EVERYTHING))


def _has_edge(graph: Graph, identity: ResourceId) -> bool:
    return any(identity in {edge.source, edge.target} for edge in graph.edges)


def _wave(number: int, resources: tuple[ResourceId, ...]) -> WaveRow:
    kinds: dict[str, list[str]] = {}
    for one in resources:
        kinds.setdefault(one.kind, []).append(one.name)
    parts = [f"{kind} {names[0]}" if len(names) == 1 else f"{len(names)} {kind}" for kind, names in kinds.items()]
    return WaveRow(number, len(resources), ", ".join(parts))


def _linked(picture: str, graph: Graph, environment: str, links: Links) -> Markup:
    """The picture as a part of a page: each node leads to its resource, and its marker has a name of its own."""
    there = {inert(str(node.id)): node for node in graph.nodes}

    def leads(found: re.Match[str]) -> str:
        node = there.get(found[2])
        address = links.resource(environment, node.id) if node is not None and not node.is_missing else ""
        return f'<a href="{escape(address)}">{found[0]}</a>' if address else found[0]

    text = re.sub(r'<g class="(g-node[^"]*)"><title>(.*?)</title>.*?</g>', leads, picture)
    text = re.sub(r'role="img" aria-label', 'class="sv graph" role="group" aria-label', text, count=1)
    # ruff: ignore[unsafe-markup-use] - every text in it was escaped when it was drawn
    return Markup(text)
