"""Pieces of YAML text for another place: copied as written where nothing stands against it, else rendered."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.compose.configtext.trees import is_none, without_removed

if TYPE_CHECKING:
    from envcompile.yamlio.nodes import Node

_FLOW_SCALAR: Final = re.compile(r"""[\w./+]+(?:[\w./+@:-]*[\w./+@-])?|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_UNWRITABLE: Final = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def flow_entry(text: str, node: Node | None, key: str, value: Any) -> str:
    """One entry of a `{…}`."""
    place = node.place(key) if node is not None else None
    entry = node.entries[place] if node is not None and place is not None else None
    name = _as_json(key)
    if entry is not None and _fits_flow(text[entry.name.start : entry.name.end]):
        name = text[entry.name.start : entry.name.end]
    return f"{name}: {flow_text(text, entry.value if entry else None, without_removed(value, is_none))}"


def flow_text(text: str, node: Node | None, value: Any) -> str:
    """A value inside of a `{…}`: as written when that fits on the line, else as JSON, which is YAML too."""
    if node is not None and _is_plain_copy(text, node, value):
        raw = text[node.start : content_end(text, node)]
        if (node.flow and "\n" not in raw) or (node.kind == "scalar" and _fits_flow(raw)):
            return raw
    return _as_json(value)


def _as_json(value: Any) -> str:
    """JSON on one line, with escapes for what a YAML text may not hold."""
    return _UNWRITABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))


def _fits_flow(raw: str) -> bool:
    return _FLOW_SCALAR.fullmatch(raw) is not None


def entry_text(text: str, node: Node, key: str, value: Any, column: int, *, lead: bool) -> str:
    """The lines of one entry for a map at a column: as written where nothing stands against it, else rendered.

    With `lead` the comment lines directly above come along, and the blank lines above those.
    """
    from envcompile import yamlio

    place = node.place(key)
    value = without_removed(value, is_none)
    pad = " " * column
    if place is None or node.flow:
        return _shifted(yamlio.dump({key: value}), column)
    entry = node.entries[place]
    start = line_start(text, entry.name.start)
    above = text[_lead_start(text, start, node, place) : start] if lead else ""
    above = "".join(pad + line.lstrip(" \t") if line.strip() else line for line in above.splitlines(keepends=True))
    if not _is_plain_copy(text, entry.value, value):
        name = text[entry.name.start : entry.name.end]
        return above + pad + name + _shifted(yamlio.dump({"k": value}), column).lstrip(" ")[1:]
    lines = text[entry.name.start : line_end(text, content_end(text, entry.value, entry.name))]
    return above + pad + _shifted(lines, column - (entry.name.start - start), first=False)


def value_text(text: str, node: Node | None, value: Any, column: int) -> str:
    """A value as it stands behind its key: on the key's line, or from a line break on for a map or list below it."""
    from envcompile import yamlio

    if node is not None and _is_plain_copy(text, node, value):
        if not below_key(node):
            end = content_end(text, node)
            raw = text[node.start : end].replace("\r\n", "\n")
            return _shifted(raw, column - _key_column(text, node), first=False)
        start = line_start(text, node.start)
        raw = text[start : line_end(text, content_end(text, node))].replace("\r\n", "\n").rstrip("\n")
        return "\n" + _shifted(raw, column - _key_column(text, node))
    dumped = _shifted(yamlio.dump({"k": value}), column).lstrip(" ")
    return dumped[2:].strip(" ").rstrip("\n")


def _key_column(text: str, node: Node) -> int:
    """The column of the key above a value: the indentation of the nearest line above that is indented less or equal."""
    start = line_start(text, node.start)
    column = node.start - start
    if not below_key(node):
        line = text[start : node.start]
        return len(line) - len(line.lstrip(" "))
    while start:
        end = start
        start = line_start(text, start - 1)
        line = text[start:end]
        indent = len(line) - len(line.lstrip(" "))
        if line.strip() and not line.lstrip().startswith("#") and indent <= column:
            return indent
    return 0


def _is_plain_copy(text: str, node: Node, value: Any) -> bool:
    """Whether the text of a node can stand elsewhere: nothing in it is shared by anchors or removes anything."""
    if node.kind == "alias" or text[node.start : node.start + 1] == "&":
        return False
    if node.kind == "map":
        return (
            type(value) is dict
            and len(value) == len(node.entries)
            and all(
                entry.key in value and _is_plain_copy(text, entry.value, value[entry.key]) for entry in node.entries
            )
        )
    if node.kind == "list":
        return type(value) is list and all(map(_is_plain_copy, [text] * len(value), node.items, value))
    return True


def _lead_start(text: str, start: int, node: Node, number: int) -> int:
    """Where the comment and blank lines above the line of an entry of this number begin."""
    previous = node.entries[number - 1] if number else None
    bound = line_end(text, content_end(text, previous.value, previous.name)) if previous else 0
    first, in_comment = start, True
    while first > bound:
        above = line_start(text, first - 1)
        line = text[above:first].strip()
        if line.startswith("#") and in_comment:
            pass
        elif not line:
            in_comment = False
        else:
            break
        first = above
    return max(first, bound)


def _shifted(text: str, by: int, *, first: bool = True) -> str:
    """The lines moved to the right, or to the left as far as they are indented; blank lines stay."""
    if not by:
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if (number or first) and line.strip():
            lines[number] = " " * by + line if by > 0 else line[min(-by, len(line) - len(line.lstrip(" "))) :]
    return "\n".join(lines)


def below_key(node: Node) -> bool:
    """Whether a value stands on lines of its own: a block map or list."""
    return node.kind in {"map", "list"} and not node.flow


def content_end(text: str, node: Node, name: Node | None = None) -> int:
    """Where the last character of a value stands, without the blank lines and comments that follow it.

    The trailing blank lines of a `|+` block belong to it. `name` is the key, for a value that is not written.
    """
    if node.kind in {"alias", "scalar"} or node.flow:
        end = node.end
        if node.style in {"|", ">"}:
            keeps = "+" in text[node.start : text.find("\n", node.start)].partition("#")[0]
            end = end if keeps else stripped_end(text, end)
        return max(end, name.end) if name else end
    inner = node.entries[-1].value if node.kind == "map" else node.items[-1]
    return content_end(text, inner, node.entries[-1].name if node.kind == "map" else None)


def stripped_end(text: str, end: int, blanks: str = "") -> int:
    """Where the text before an offset ends without the blanks at its end: all of them, or those given."""
    while end and (text[end - 1] in blanks if blanks else text[end - 1].isspace()):
        end -= 1
    return end


def line_start(text: str, offset: int) -> int:
    """Where the line of an offset begins."""
    return text.rfind("\n", 0, offset) + 1


def line_end(text: str, offset: int) -> int:
    """Where the line that an offset closes ends, with its line break."""
    if offset and text[offset - 1] == "\n":
        return offset
    end = text.find("\n", offset)
    return len(text) if end < 0 else end + 1


def text_end(text: str) -> int:
    """Behind the last line that is not blank."""
    return line_end(text, len(text.rstrip()))
