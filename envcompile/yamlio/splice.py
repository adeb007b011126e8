"""Single changes of a YAML text by the marks of its nodes; everything outside of the change stays byte for byte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.yamlio.emit import dump, flow_text, list_text, map_text, scalar_text
from envcompile.yamlio.nodes import ALIAS, LIST, MAP, SCALAR, Node, Root, compose

if TYPE_CHECKING:
    from envcompile.model import Pointer
    from envcompile.yamlio.nodes import MapEntry

_COMMENT: Final = re.compile(r"[ \t]+#[^\r\n]*")
_COLON: Final = re.compile(r"\s*:")
_ANCHOR: Final = re.compile(r"&[^\s,\[\]{}]+[ \t]")
_DASH: Final = re.compile(r"-(?=\s|\Z)")


class UnsupportedError(Exception):
    """The text is written in a way that this module does not change."""


class _Around(NamedTuple):
    """A container on the way to a value, with the container itself being written in flow style or not."""

    node: Node
    in_flow: bool


class Splicer:
    """The text of one document among its stream, ready for one change."""

    def __init__(self, text: str, index: int) -> None:
        self._text = text
        roots = list(compose(text))
        if not roots:
            roots.append(Root(len(text), Node(SCALAR, len(text), len(text))))
        self._root = roots[index]
        self._end = roots[index + 1].start if index + 1 < len(roots) else len(text)
        self._newline = "\r\n" if "\r\n" in text else "\n"

    def replaced(self, pointer: Pointer, value: Any) -> str:
        """The text with another value at an existing place."""
        if not pointer:
            return self._replaced_root(value)
        around = self._descend(pointer[:-1])
        if around.in_flow:
            node = _child(around.node, pointer[-1])
            if node.start == node.end:
                raise UnsupportedError
            return self._spliced(self._behind_anchor(node), node.end, flow_text(value))
        if around.node.kind == MAP:
            entry = _entry(around.node, pointer[-1])
            column = self._column(self._key_start(entry))
            colon = _COLON.match(self._text, entry.name.end)
            if colon is None:
                raise UnsupportedError
            begin = self._behind_anchor(entry.value, colon.end())
            return self._replaced_behind(begin, entry.value, value, column, in_map=True)
        node = _child(around.node, pointer[-1])
        dash = self._dash(around.node, around.node.items.index(node))
        begin = self._behind_anchor(node, dash + 1)
        return self._replaced_behind(begin, node, value, self._column(dash), in_map=False)

    def _behind_anchor(self, node: Node, otherwise: int | None = None) -> int:
        """Where a value begins behind the anchor that names it; without one where it begins, or what is given."""
        found = _ANCHOR.match(self._text, node.start) if node.kind == SCALAR else None
        if found is not None:
            return found.end() - (otherwise is not None)
        return node.start if otherwise is None else otherwise

    def inserted_key(self, pointer: Pointer, value: Any) -> str:
        """The text with a new key at the end of an existing map."""
        around = self._descend(pointer[:-1])
        node, key = around.node, pointer[-1]
        if node.kind != MAP or type(key) is not str:
            raise UnsupportedError
        if around.in_flow:
            written = flow_text({key: value})[1:-1]
            if not node.entries:
                return self._spliced(node.start, node.end, "{" + written + "}")
            tail = self._tail(node.entries[-1].value)
            return self._spliced(tail, tail, f", {written}")
        column = self._column(self._key_start(node.entries[0]))
        end = self._end_of_line(self._tail(node))
        return self._spliced(end, end, map_text({key: value}, column, list_indent=self._list_indent()))

    def inserted_item(self, pointer: Pointer, position: int, value: Any) -> str:
        """The text with a new item in front of the item at `position` of an existing list, or at its end."""
        around = self._descend(pointer)
        node = around.node
        if node.kind != LIST:
            raise UnsupportedError
        if around.in_flow:
            if not node.items:
                return self._spliced(node.start, node.end, f"[{flow_text(value)}]")
            if position == len(node.items):
                tail = self._tail(node.items[-1])
                return self._spliced(tail, tail, f", {flow_text(value)}")
            start = node.items[position].start
            return self._spliced(start, start, f"{flow_text(value)}, ")
        column = self._column(self._dash(node, 0))
        written = list_text([value], column)
        if position == len(node.items):
            end = self._end_of_line(self._tail(node))
            return self._spliced(end, end, written)
        dash = self._dash(node, position)
        return self._spliced(dash, dash, f"{written[1 + column :]}\n{' ' * column}")

    def comment_behind(self, pointer: Pointer) -> str:
        """The comment on the line of a key with a value on it, with the blanks before it; empty for none."""
        around = self._descend(pointer[:-1])
        if around.in_flow or around.node.kind != MAP:
            return ""
        node = _entry(around.node, pointer[-1]).value
        if not (node.kind in {SCALAR, ALIAS} or node.flow) or node.style in {"|", ">"}:
            return ""
        found = _COMMENT.match(self._text, self._tail(node))
        return found[0] if found is not None else ""

    def deleted(self, pointer: Pointer) -> str:
        """The text without one key of a map or item of a list that has others."""
        around = self._descend(pointer[:-1])
        node = around.node
        if node.kind == MAP:
            entry = _entry(node, pointer[-1])
            at = node.entries.index(entry)
            starts = [self._key_start(each) for each in node.entries]
            tails = [max(each.name.end, self._tail(each.value)) for each in node.entries]
        else:
            at = node.items.index(_child(node, pointer[-1]))
            starts = [each.start if around.in_flow else self._dash(node, i) for i, each in enumerate(node.items)]
            tails = [
                max(start + (not around.in_flow), self._tail(each))
                for start, each in zip(starts, node.items, strict=True)
            ]
        if around.in_flow:
            return (
                self._spliced(starts[at], starts[at + 1], "") if not at else self._spliced(tails[at - 1], tails[at], "")
            )
        begin = self._text.rfind("\n", 0, starts[at]) + 1
        if self._text[begin : starts[at]].strip(" "):
            if at + 1 == len(starts):
                raise UnsupportedError
            return self._spliced(starts[at], starts[at + 1], "")
        end = self._end_of_line(tails[at])
        if end < len(self._text):
            return self._spliced(begin, self._text.index("\n", end) + 1, "")
        return self._spliced(max(begin - len(self._newline), 0), end, "")

    def _replaced_root(self, value: Any) -> str:
        node = self._root.value
        if node.start != node.end:
            return self._spliced(node.start, max(self._tail(node), node.start), dump(value).removesuffix("\n"))
        if type(value) is not dict or not value:
            raise UnsupportedError
        before = self._text[: self._end]
        written = map_text(value, 0, list_indent=0)
        if not before or before.endswith("\n"):
            written = written[1:] + "\n"
        return self._spliced(self._end, self._end, written)

    def _replaced_behind(self, begin: int, node: Node, value: Any, column: int, *, in_map: bool) -> str:
        """Another value behind the colon of a key or the dash of an item; a comment on that line stays."""
        tail = max(self._tail(node), begin)
        is_container = type(value) in {dict, list} and bool(value)
        if node.kind in {SCALAR, ALIAS} and node.style not in {"|", ">"} and not is_container:
            written = scalar_text(value, column)
            if "\n" not in written:
                start = max(node.start, begin)
                return self._spliced(start, tail, written if self._text[start - 1 : start] == " " else f" {written}")
        comment = _COMMENT.match(self._text, begin if "\n" in self._text[begin:tail] else tail)
        if node.style in {"|", ">"}:
            comment = None
        end = self._end_of_line(tail)
        if type(value) is dict and value:
            written = map_text(value, column + 2, list_indent=self._list_indent())
            if not in_map and not comment:
                written = f" {written[1 + column + 2 :]}"
        elif type(value) is list and value:
            indent = self._list_indent() if in_map else 2
            if in_map and node.kind == LIST and not node.flow:
                indent = self._column(self._dash(node, 0)) - column
            written = list_text(value, column + indent)
            if not in_map and not comment:
                written = f" {written[1 + column + indent :]}"
        else:
            written = f" {scalar_text(value, column)}"
            if comment:
                line, more, rest = written.partition("\n")
                return self._spliced(begin, end, f"{line}{comment[0]}{more}{rest}")
        return self._spliced(begin, end, (comment[0] if comment else "") + written)

    def _descend(self, pointer: Pointer) -> _Around:
        node = self._root.value
        in_flow = node.flow
        for step in pointer:
            node = _child(node, step)
            in_flow = in_flow or node.flow
        if node.kind not in {MAP, LIST}:
            raise UnsupportedError
        return _Around(node, in_flow)

    def _tail(self, node: Node) -> int:
        """The character behind the last one that belongs to a value, without comments and line breaks behind it."""
        while not node.flow and node.kind in {MAP, LIST}:
            node = node.entries[-1].value if node.kind == MAP else node.items[-1]
        if node.style == "|" and (body := node.text.rstrip("\n")):
            end = self._end_of_line(self._text.index("|", node.start))
            for _ in range(body.count("\n") + 1):
                end = self._end_of_line(self._text.index("\n", end) + 1)
            return end
        return len(self._text[: node.end].rstrip()) if node.style in {"|", ">"} else node.end

    def _dash(self, node: Node, position: int) -> int:
        """The dash of a block list's item."""
        begin = self._tail(node.items[position - 1]) if position else node.start
        if position:
            begin = self._end_of_line(begin)
            while (line := self._text[begin:].lstrip()).startswith("#"):
                begin = self._end_of_line(len(self._text) - len(line))
        match = _DASH.search(self._text, begin)
        if match is None:
            raise UnsupportedError
        return match.start()

    def _key_start(self, entry: MapEntry) -> int:
        """Where an entry begins: its key, or the question mark in front of it."""
        before = self._text[: entry.name.start].rstrip(" ")
        if before.endswith("?") and (len(before) == 1 or before[-2] in " \n"):
            return len(before) - 1
        return entry.name.start

    def _column(self, index: int) -> int:
        return index - self._text.rfind("\n", 0, index) - 1

    def _end_of_line(self, index: int) -> int:
        end = self._text.find("\n", index)
        if end < 0:
            return len(self._text)
        return end - 1 if self._text[end - 1] == "\r" else end

    def _list_indent(self) -> int:
        """How far the document indents its lists below their key: 0 or 2 by the first one there is."""
        waiting = [self._root.value]
        while waiting:
            node = waiting.pop(0)
            for entry in node.entries:
                if entry.value.kind == LIST and not entry.value.flow:
                    return min(max(self._column(self._dash(entry.value, 0)) - self._column(entry.name.start), 0), 2)
            waiting += [entry.value for entry in node.entries]
            waiting += node.items
        return 0

    def _spliced(self, begin: int, end: int, written: str) -> str:
        if self._newline != "\n":
            written = written.replace("\n", self._newline)
        return self._text[:begin] + written + self._text[end:]


def _child(node: Node, step: str | int) -> Node:
    if node.kind == LIST and type(step) is int and step < len(node.items):
        return node.items[step]
    return _entry(node, step).value


def _entry(node: Node, step: str | int) -> MapEntry:
    for entry in node.entries:
        if entry.key == step:
            return entry
    raise UnsupportedError
