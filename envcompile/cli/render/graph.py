"""The graph as text, for Graphviz, and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.pages.graph_svg import title_of
from envcompile.text import escaped, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.actions.graph import Graph
    from envcompile.actions.graph_edges import Edge
    from envcompile.model import ResourceId


def text_lines(graph: Graph, whole: Graph) -> Iterator[str]:
    """Lines for people: the answer, who needs whom, circles, and the start order.

    Args:
        graph: what was asked about.
        whole: all of the environment.
    """
    from envcompile.actions.graph import breaks_with

    yield title_of(whole._replace(around=graph.around))
    if graph.around is not None:
        for identity in breaks_with(whole, graph.around):
            yield f"  {identity.short}"
    held: dict[ResourceId, list[Edge]] = {}
    for edge in graph.edges:
        held.setdefault(edge.source, []).append(edge)
    for source in sorted(held):
        mark = " (changed)" if source in graph.changed else ""
        yield ""
        yield f"{source.short}{mark}"
        for edge in held[source]:
            gone = "  ! not there" if edge.is_missing else ""
            yield f"  {edge.kind:<6}  {edge.target.short}  ({edge.why}){gone}"
    if graph.left_out and (graph.around is not None or graph.changed):
        yield ""
        yield f"{graph.left_out} further resources are not near"
    for circle in whole.cycles:
        yield ""
        yield f"! in a circle: {' -> '.join(one.short for one in circle)}"
    if graph.around is None and not graph.changed:
        yield ""
        how = "by annotations, as Argo CD follows them" if whole.order == "annotations" else "by what needs what"
        yield f"start order, {how}"
        for wave in whole.start:
            yield f"  wave {wave.number}"
            for identity in wave.resources:
                yield f"    {identity.short}"


def as_dot(graph: Graph) -> str:
    """The text of a graph for Graphviz."""
    lines = [f"digraph {_quoted(graph.environment)} {{", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    for node in graph.nodes:
        styles = ['style="dashed", color="#ab1a16"'] if node.is_missing else []
        styles += ['color="#0a57a4", penwidth=2'] if node.id == graph.around else []
        styles += ['color="#8a5300", penwidth=2'] if node.id in graph.changed else []
        label = _quoted(f"{node.id.kind}{' (not there)' if node.is_missing else ''}\n{node.id.name}")
        lines.append(f"  {_quoted(str(node.id))} [{', '.join([f'label={label}', *styles])}];")
    for edge in graph.edges:
        styles = [f"tooltip={_quoted(edge.why)}"]
        styles += ["style=dashed"] if edge.kind == "guards" else []
        styles += ['color="#ab1a16"'] if edge.is_missing else []
        lines.append(f"  {_quoted(str(edge.source))} -> {_quoted(str(edge.target))} [{', '.join(styles)}];")
    return "".join(f"{line}\n" for line in [*lines, "}"])


def _quoted(text: str) -> str:
    """A string of the DOT language: only the quote ends it, and a backslash is doubled."""
    lines = [escaped(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n")]
    return '"' + "\\n".join(one_line(line) for line in lines) + '"'


def as_data(graph: Graph, whole: Graph) -> dict[str, Any]:
    """The document of the command.

    Args:
        graph: what was asked about.
        whole: all of the environment.
    """
    from envcompile.actions.graph import breaks_with

    return {
        "environment": graph.environment,
        "from": graph.around._asdict() if graph.around is not None else None,
        "breaks": [one._asdict() for one in breaks_with(whole, graph.around)] if graph.around is not None else [],
        "nodes": [
            {
                "id": str(node.id),
                "resource": node.id._asdict(),
                "app": node.app,
                "wave": None if node.is_missing else node.wave,
                "missing": node.is_missing,
                "changed": node.id in graph.changed,
            }
            for node in graph.nodes
        ],
        "edges": [
            {
                "from": str(edge.source),
                "to": str(edge.target),
                "kind": edge.kind,
                "why": edge.why,
                "missing": edge.is_missing,
            }
            for edge in graph.edges
        ],
        "leftOut": graph.left_out,
        "cycles": [[str(one) for one in circle] for circle in whole.cycles],
        "order": whole.order,
        "start": [{"wave": wave.number, "resources": [str(one) for one in wave.resources]} for wave in whole.start],
    }
