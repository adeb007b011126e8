"""From a place in a text to the field that stands there, and back; lines and characters count from 0, as editors do."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.yamlio.nodes import LIST, MAP, documents
from envcompile.yamlio.positions import line_starts

if TYPE_CHECKING:
    from envcompile.model import Pointer
    from envcompile.yamlio.nodes import Node

_PARAMETER = re.compile(r"\$\{\{\s*params\.([A-Za-z0-9_.-]*)")


class Field(NamedTuple):
    """A field of a document of a text."""

    index: int  # type: ignore[assignment]  # the document's number; nobody looks a value up in a field's fields
    pointer: Pointer
    node: Node
    is_key: bool
    """The place is in the name of the field, not in its value."""


class Span(NamedTuple):
    """A part of a text: line and character of its beginning, and of the first place behind it."""

    line: int
    character: int
    end_line: int
    end_character: int


def parsed(text: str) -> list[Node]:
    """The documents of a text; none where it is no YAML at the moment."""
    return [root.value for root in documents(text)]


def field_at(text: str, line: int, character: int) -> Field | None:
    """The innermost field at a place; None between documents, or where the text is no YAML at the moment."""
    starts = line_starts(text)
    if line >= len(starts):
        return None
    at = starts[line] + character
    roots = documents(text)
    index = bisect_right([root.start for root in roots], at) - 1
    if index < 0:
        return None
    pointer: list[Any] = []
    node, is_key = roots[index].value, False
    while True:
        step: tuple[Any, Node, bool] | None = None
        if node.kind == MAP:
            for entry in node.entries:
                if isinstance(entry.key, str) and entry.name.start <= at:
                    step = entry.key, entry.value, at <= entry.name.end
        elif node.kind == LIST:
            for position, item in enumerate(node.items):
                # The dash belongs to its item.
                if text.rfind("\n", 0, item.start) < at:
                    step = position, item, False
        if step is None:
            return Field(index, tuple(pointer), node, is_key)
        pointer.append(step[0])
        node, is_key = step[1], step[2]


def span_of(text: str, start: int, end: int) -> Span:
    """The span of characters of a text."""
    starts = line_starts(text)
    line, last = bisect_right(starts, start) - 1, bisect_right(starts, end) - 1
    return Span(line, start - starts[line], last, end - starts[last])


def scalar_span(text: str, node: Node) -> Span:
    """Where the content of a scalar stands, without its quotes."""
    quoted = node.style in {"'", '"'}
    return span_of(text, node.start + quoted, node.end - quoted)


def parameter_at(text: str, line: int, character: int) -> str | None:
    """The parameter whose use stands at a place: `size` within `${{ params.size }}`."""
    lines = text.split("\n")
    if line < len(lines):
        for found in _PARAMETER.finditer(lines[line]):
            if found.start() <= character <= found.end():
                return found[1].rstrip(".")
    return None
