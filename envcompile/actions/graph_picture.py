"""A graph as a Mermaid flowchart: for a comment on a pull request, of what a change touches and what is near to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.graph import around, graph_of
from envcompile.ask.mermaid import Arrow, Box, mermaid
from envcompile.errors import EnvcError
from envcompile.limits import bounded
from envcompile.text import markdown

if TYPE_CHECKING:
    from envcompile.actions.diff import Difference
    from envcompile.actions.graph import Graph, Node

_MOST = 30
"""Nodes of a picture in a comment."""


def flowchart(graph: Graph, most: int | None = None) -> str:
    """The text of a flowchart.

    Args:
        graph: what to draw.
        most: nodes; what is changed, missing or asked about is kept first.
    """
    order = sorted(graph.nodes, key=lambda node: (not _mark(graph, node), node))[:most]
    boxes = [
        Box(
            node.id,
            f"{node.id.kind} (not there)" if node.is_missing else node.id.kind,
            node.id.name,
            _mark(graph, node),
        )
        for node in sorted(order)
    ]
    return mermaid(boxes, [Arrow(edge.source, edge.target, edge.kind == "guards") for edge in graph.edges])


def _mark(graph: Graph, node: Node) -> str:
    if node.is_missing:
        return "missing"
    if node.id == graph.around:
        return "around"
    return "changed" if node.id in graph.changed else ""


class Picture(NamedTuple):
    """A collapsed block of a comment; it is cut by leaving nodes out."""

    graph: Graph

    def markdown(self, most: int | None = None) -> str:
        """The block with its fence closed.

        Args:
            most: bytes that it may take; empty where not even some nodes have room.
        """
        for count in (_MOST, 20, 10, 5):
            text = self._written(count)
            if most is None or len(text.encode()) <= most:
                return text
        return ""

    def _written(self, count: int) -> str:
        left = self.graph.left_out + max(0, len(self.graph.nodes) - count)
        summary = f"{markdown(self.graph.environment)}: what the change is near to"
        note = f"\n{left} further resources are not drawn.\n" if left else ""
        chart = flowchart(self.graph, count)
        return f"<details><summary>{summary}</summary>\n\n```mermaid\n{chart}```\n{note}\n</details>\n"


def picture_of(found: Difference) -> Picture | None:
    """The picture of a change in the last environment that it touches; None where nothing is near to anything."""
    for diff in reversed(found.changed):
        built = found.after.get(diff.environment)
        if built is None:
            continue
        try:
            with bounded(found.limits, "drawing takes"):
                has_waves = bool(built.composed.sources.settings.sync_waves)
                whole = graph_of(diff.environment, built.compiled.resources, has_waves=has_waves)
                changed = {change.resource for change in diff.resources}
                near = around(whole, sorted(changed), 1, most=_MOST)
        except EnvcError:
            return None
        return Picture(near._replace(changed=frozenset(changed))) if near.edges else None
    return None
