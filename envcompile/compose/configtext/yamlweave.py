"""Puts an overlay's YAML entries into the text of a base: block and flow maps, comments and indentation kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from envcompile.compose.configtext.text import line_break, splice, with_breaks
from envcompile.compose.configtext.trees import is_none, laid_over, without_removed
from envcompile.compose.configtext.yamlcopy import (
    below_key,
    content_end,
    entry_text,
    flow_entry,
    flow_text,
    line_end,
    line_start,
    stripped_end,
    text_end,
    value_text,
)
from envcompile.values import same

if TYPE_CHECKING:
    from envcompile.compose.configtext.text import Edit
    from envcompile.yamlio.nodes import MapEntry, Node


def woven(base: str, below: dict[str, Any], overlay: str, above: dict[str, Any]) -> str:
    """The base's text after the edits that lay `above` over `below`; both texts hold one document."""
    breaks = line_break(base, overlay)
    text = base if base.endswith("\n") or not base else base + breaks
    upper = overlay if overlay.endswith("\n") else overlay + line_break(overlay, "")
    above_root = _root(upper)
    cleaner = _Weaver(upper, upper, line_break(overlay, ""))
    if above_root is not None:
        cleaner.clean(above_root, None, below, above)
    if cleaner.edits:
        upper = splice(upper, cleaner.edits)
        above_root, above = _root(upper), without_idle(above, below)
    root = _root(text)
    weaver = _Weaver(text, upper, breaks)
    if above_root is not None and root is not None and root.kind == "map":
        weaver.weave(root, None, below, above_root, above)
    elif above_root is not None:
        weaver.append_all(root, above_root, above)
    result = splice(text, weaver.edits)
    return result if base or overlay.endswith("\n") else result.removesuffix(breaks)


def _root(text: str) -> Node | None:
    from envcompile.yamlio.nodes import compose

    root = next((document.value for document in compose(text)), None)
    return root.real if root is not None else None


class _Weaver:
    """Collects the edits of one merge."""

    def __init__(self, base: str, overlay: str, breaks: str) -> None:
        self._base = base
        self._overlay = overlay
        self._breaks = breaks
        self._begin = len(base) - len(base.lstrip())
        self.edits: list[Edit] = []

    def append_all(self, root: Node | None, above_node: Node, above: dict[str, Any]) -> None:
        """Write the overlay's entries below a base that has comments only."""
        if root is not None and root.end > root.start:  # a written null
            self.edits.append((root.start, root.end, ""))
        self._add_below(0, text_end(self._base), above_node, above, list(above))

    def clean(self, node: Node, owner: Node | None, below: Any, above: dict[str, Any]) -> None:
        """Take the nulls that remove nothing out of the overlay's own text: the rest is copied as written."""
        known = below if type(below) is dict else {}
        gone = []
        for entry in node.entries:
            if not isinstance(entry.key, str) or entry.key not in above:
                continue
            value = above[entry.key]
            if value is None and entry.key not in known:
                gone.append(entry)
            elif type(value) is dict and entry.value.kind == "map":
                self.clean(entry.value, entry.name, known.get(entry.key), value)
        if gone and node.flow:
            self._edit_flow(node, gone, None, above, [])
        elif gone:
            self._edit_block(node, owner, gone, node, above, [])

    def weave(
        self, node: Node, owner: Node | None, below: dict[str, Any], above_node: Node, above: dict[str, Any]
    ) -> None:
        """Lay the overlay's map over a map of the base; `owner` is the key that holds it, None for the document."""
        own = {entry.key: entry for entry in node.entries if isinstance(entry.key, str)}
        gone: list[MapEntry] = []
        fresh: list[str] = []
        added: dict[str, Any] = {}
        for key, new in above.items():
            old, entry = below.get(key), own.get(key)
            if new is None:
                if entry is not None:
                    gone.append(entry)
            elif entry is None:
                if not same(old, merged := _merged(old, new)) or key not in below:
                    fresh.append(key)
                    added[key] = merged
            elif same(old, new):
                continue
            elif type(new) is dict and type(old) is dict and old:
                found = above_node.find(key)
                if entry.value.kind == "alias":
                    if not same(old, merged := _merged(old, new)):
                        self._put(node, entry, _value_node(above_node, key), merged)
                elif found:
                    self.weave(entry.value, entry.name, old, found[1].real, new)
            else:
                value = without_removed(new, is_none)
                if not same(old, value):
                    self._put(node, entry, _value_node(above_node, key), value)
        above = {**above, **added}
        if node.flow:
            self._edit_flow(node, gone, above_node, above, fresh)
        else:
            self._edit_block(node, owner, gone, above_node, above, fresh)

    def _put(self, node: Node, entry: MapEntry, above: Node | None, value: Any) -> None:
        """Write another value behind a key of the base."""
        base, old = self._base, entry.value
        if node.flow:
            self._replace_inline(entry, flow_text(self._overlay, above, value))
            return
        column = entry.name.start - line_start(base, entry.name.start)
        text = value_text(self._overlay, above, value, column)
        first, broken, rest = text.partition("\n")
        if first and not broken:
            if below_key(old):
                self._clear_lines(old)
                self._insert_behind_key(entry, f" {first}")
            else:
                self._replace_inline(entry, first)
            return
        rest = with_breaks(f"{broken}{rest}", self._breaks)
        if below_key(old):
            lines = rest[len(self._breaks) :] + self._breaks
            self.edits.append((line_start(base, old.start), line_end(base, content_end(base, old)), lines))
            if first:
                self._insert_behind_key(entry, f" {first}")
            return
        end = content_end(base, old)
        stop = line_end(base, end) - len(self._breaks)
        comment = base[end:stop] if old.style not in {"|", ">"} else ""
        start = old.start
        if not first:
            start = stripped_end(base, start, " \t")
            comment = f" {comment.lstrip()}" if comment.strip() else ""
        if first[:1] in {"|", ">"} and "#" in first:
            comment = ""  # the header of the new block has its own
        lead = " " if first and base[start - 1] == ":" else ""
        self.edits.append((start, stop, f"{lead}{first}{comment}{rest}"))

    def _replace_inline(self, entry: MapEntry, text: str) -> None:
        old = entry.value
        end = content_end(self._base, old)
        if end <= old.start:  # nothing is written: the value follows the colon
            self._insert_behind_key(entry, f" {text}")
        else:
            self.edits.append((old.start, end, text))

    def _insert_behind_key(self, entry: MapEntry, text: str) -> None:
        colon = self._base.find(":", entry.name.end)
        if colon < 0 or (colon > entry.value.start and entry.value.end > entry.value.start):
            colon = entry.name.end
            text = f":{text}"
            self.edits.append((colon, colon, text))
        else:
            self.edits.append((colon + 1, colon + 1, text))

    def _clear_lines(self, old: Node) -> None:
        self.edits.append((line_start(self._base, old.start), line_end(self._base, content_end(self._base, old)), ""))

    def _edit_flow(
        self, node: Node, gone: list[MapEntry], above_node: Node | None, above: dict[str, Any], fresh: list[str]
    ) -> None:
        """Take entries out of a `{…}` and put new ones behind its last."""
        entries = node.entries
        going = {id(entry) for entry in gone}
        leaving = [id(entry) in going for entry in entries]
        first = 0
        while first < len(entries):
            if not leaving[first]:
                first += 1
                continue
            last = first
            while last + 1 < len(entries) and leaving[last + 1]:
                last += 1
            start, end = entries[first].name.start, _flow_end(entries[last])
            if last + 1 < len(entries):
                end = entries[last + 1].name.start
            elif first:
                start = _flow_end(entries[first - 1])
            else:
                comma = re.compile(r"\s*,").match(self._base, end)
                end = comma.end() if comma else end
            self.edits.append((start, end, ""))
            first = last + 1
        if fresh:
            added = ", ".join(flow_entry(self._overlay, above_node, key, above[key]) for key in fresh)
            position = _flow_end(entries[-1]) if entries else node.start + 1
            self.edits.append((position, position, added if all(leaving) else f", {added}"))

    def _edit_block(
        self,
        node: Node,
        owner: Node | None,
        gone: list[MapEntry],
        above_node: Node,
        above: dict[str, Any],
        fresh: list[str],
    ) -> None:
        """Take out the lines of entries, and write new ones below the last line of the map."""
        base = self._base
        for entry in gone:
            start = line_start(base, entry.name.start)
            self.edits.append((start, line_end(base, content_end(base, entry.value, entry.name)), ""))
        column = node.start - line_start(base, node.start)
        if fresh:
            end = line_end(base, content_end(base, node))
            if owner is None:
                tail = base[end:]
                if not re.search(r"^\.\.\.", tail, re.MULTILINE):
                    end = max(end, text_end(base))
            self._add_below(column, end, above_node, above, fresh)
        elif len(gone) == len(node.entries):
            if owner is None:
                start = line_start(base, node.start)
                self.edits.append((start, start, "{}" + self._breaks))
            else:
                colon = base.find(":", owner.end)
                self.edits.append((colon + 1, colon + 1, " {}"))

    def _add_below(self, column: int, end: int, above_node: Node, above: dict[str, Any], fresh: list[str]) -> None:
        text = "".join(entry_text(self._overlay, above_node, key, above[key], column, lead=True) for key in fresh)
        if end <= self._begin or self._base.endswith(("\n\n", "\n\r\n"), max(0, end - 3), end):
            text = text.lstrip("\r\n")
        self.edits.append((end, end, with_breaks(text, self._breaks)))


def _value_node(node: Node, key: str) -> Node | None:
    found = node.find(key)
    return found[1] if found else None


def _flow_end(entry: MapEntry) -> int:
    return max(entry.name.end, entry.value.end)


def without_idle(above: dict[str, Any], below: Any) -> dict[str, Any]:
    """The overlay's value without the nulls that remove nothing of the base."""
    known = below if type(below) is dict else {}
    return {
        key: without_idle(value, known.get(key)) if type(value) is dict else value
        for key, value in above.items()
        if value is not None or key in known
    }


def _merged(old: Any, new: Any) -> Any:
    if type(new) is not dict:
        return new
    return laid_over(old if type(old) is dict else {}, new, is_none)
