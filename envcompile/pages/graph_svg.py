"""The graph as a picture: SVG that stands alone, light and dark, with the text of every node in it."""

from __future__ import annotations

import html
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.pages.layered import layered
from envcompile.text import escaped, in_xml

if TYPE_CHECKING:
    from envcompile.actions.graph import Graph, Node
    from envcompile.actions.graph_edges import Edge

_WIDTH, _HEIGHT = 210, 40
_GAP, _ROW = 70, 52
_LANE = 16
_MARGIN = 12
_LETTERS: Final = 26
"""Of a name that fit into a box; the whole name is in the node's title."""

STYLE: Final = """\
.g-box{fill:#fff;stroke:#858e9b}.g-kind{fill:#5d6673;font-size:11px}.g-name{fill:#14181d;font-size:13px}
.g-edge{fill:none;stroke:#858e9b}.g-guards{stroke-dasharray:3 3}
.g-missing .g-box,.g-edge.g-missing{stroke:#ab1a16;stroke-dasharray:5 3}
.g-missing .g-name,.g-missing .g-kind{fill:#ab1a16}
.g-around .g-box{stroke:#0a57a4;stroke-width:2}.g-changed .g-box{stroke:#8a5300;stroke-width:2}
.g-head{fill:#858e9b}text{font-family:Inter,system-ui,sans-serif}
@media(prefers-color-scheme:dark){.g-box{fill:#15191f;stroke:#6d7886}.g-kind{fill:#8f99a7}.g-name{fill:#e9ecf0}
.g-edge{stroke:#6d7886}.g-missing .g-box,.g-edge.g-missing{stroke:#ff8f86}
.g-missing .g-name,.g-missing .g-kind{fill:#ff8f86}
.g-around .g-box{stroke:#7fb8ff}.g-changed .g-box{stroke:#f2b95f}.g-head{fill:#6d7886}}
"""
"""The colours of the pages: ink, edge, accent, warn and bad, each with enough contrast on light and dark."""


class _Point(NamedTuple):
    x: float
    y: float


def inert(text: str) -> str:
    """Text of others in XML: no markup, and nothing that acts where it is shown."""
    return in_xml(html.escape(escaped(text)))


def graph_svg(graph: Graph, *, style: bool = True) -> str:
    """The picture: who needs something is left of what is needed.

    Args:
        graph: what to draw; cut it before, a picture of more than some hundred nodes is read by nobody.
        style: with the colours in it; a page that has them already needs none.
    """
    names = {str(node.id): node for node in graph.nodes}
    layout = layered(names, [(str(edge.source), str(edge.target)) for edge in graph.edges])
    at: dict[object, _Point] = {}
    tallest = 0.0
    for column, spots in enumerate(layout.columns):
        y: float = _MARGIN
        for spot in spots:
            height = _ROW if spot.node else _LANE
            at[spot] = _Point(_MARGIN + column * (_WIDTH + _GAP), y + height / 2)
            y += height
        tallest = max(tallest, y)
    width = 2 * _MARGIN + len(layout.columns) * (_WIDTH + _GAP) - _GAP
    ways = {pair: [at[spot] for spot in way] for pair, way in layout.ways.items()}
    edges = [_edge(edge, ways.get((str(edge.source), str(edge.target)), [])) for edge in graph.edges]
    boxes = [_box(graph, names[spot.node], at[spot]) for spots in layout.columns for spot in spots if spot.node]
    missing = f", {len(graph.missing)} of them to what is not there" if graph.missing else ""
    label = f"{graph.environment}: {len(graph.nodes)} resources, {len(graph.edges)} edges{missing}"
    sheet = f"<style>\n{STYLE}</style>" if style else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{inert(label)}" '
        f'width="{width}" height="{tallest + _MARGIN:g}" viewBox="0 0 {width} {tallest + _MARGIN:g}">'
        f"<title>{inert(label)}</title>{sheet}"
        '<defs><marker id="g-arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="g-head" d="M0 0L8 4L0 8z"/></marker></defs>\n'
        + "".join(f"{line}\n" for line in [*edges, *boxes])
        + "</svg>\n"
    )


def _edge(edge: Edge, way: list[_Point]) -> str:
    marks = " ".join([
        "g-edge",
        *(["g-guards"] if edge.kind == "guards" else []),
        *(["g-missing"] if edge.is_missing else []),
    ])
    title = inert(f"{edge.source.short} {edge.kind} {edge.target.short}: {edge.why}")
    if not way:  # it needs itself: the layout has no way for it, the list of circles has
        return f"<!-- {inert(edge.kind)} itself -->"
    points = [_Point(way[0].x + _WIDTH, way[0].y)]
    for point in way[1:-1]:
        points += [point, _Point(point.x + _WIDTH, point.y)]
    points.append(way[-1])
    path = f"M{points[0].x:g} {points[0].y:g}"
    for one, other in pairwise(points):
        middle = (one.x + other.x) / 2
        path += f"C{middle:g} {one.y:g} {middle:g} {other.y:g} {other.x:g} {other.y:g}"
    return f'<path class="{marks}" marker-end="url(#g-arrow)" d="{path}"><title>{title}</title></path>'


def _box(graph: Graph, node: Node, at: _Point) -> str:
    marks = ["g-node"]
    marks += ["g-missing"] if node.is_missing else []
    marks += ["g-around"] if node.id == graph.around else []
    marks += ["g-changed"] if node.id in graph.changed else []
    kind = f"{node.id.kind}, not there" if node.is_missing else node.id.kind
    top = at.y - _HEIGHT / 2
    return (
        f'<g class="{" ".join(marks)}"><title>{inert(str(node.id))}</title>'
        f'<rect class="g-box" x="{at.x:g}" y="{top:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
        f'<text class="g-kind" x="{at.x + 10:g}" y="{top + 15:g}">{inert(_cut(kind))}</text>'
        f'<text class="g-name" x="{at.x + 10:g}" y="{top + 31:g}">{inert(_cut(node.id.name))}</text></g>'
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def title_of(graph: Graph) -> str:
    """The answer in a sentence: how much there is, what is missing, what goes if the start goes."""
    from envcompile.actions.graph import breaks_with

    if graph.around is not None:
        count = len(breaks_with(graph, graph.around))
        if not count:
            return f"Nothing in {graph.environment} needs {graph.around.short}"
        what = "resource does" if count == 1 else "resources do"
        return f"{count} {what} not work in {graph.environment} without {graph.around.short}"
    said = f"{graph.environment}: {len(graph.nodes)} resources, {len(graph.edges)} edges"
    if graph.missing:
        count = len({edge.target for edge in graph.missing})
        said += f", {count} of what is needed {'is' if count == 1 else 'are'} not there"
    return said
