"""Merges three texts of YAML as envc writes it, line by line below each key; comments belong to the key below them."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEY: Final = re.compile(
    r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#&*!|>%@`{\[\]},-](?:[^:]|:(?=\S))*)(?=:(?:\s|$))"""
)
_NAME: Final = re.compile(r"(?:name|key|id):\s*(\S.*)")
_ITEM: Final = "-"
_EMPTY: Final = " {}"
_MOST_LEVELS: Final = 60


class UnlikeError(Exception):
    """Both sides changed one thing, or a text is not one that is understood here."""


def joined_order(base: Sequence[Any], ours: Sequence[Any], theirs: Sequence[Any]) -> list[Any]:
    """The keys of both sides: ours, and what theirs adds where it has it, in order among what ours adds there."""
    known, found = {*base}, list(ours)
    for at, key in enumerate(theirs):
        if key in known or key in found:
            continue
        before = next((other for other in reversed(theirs[:at]) if other in found), None)
        place = found.index(before) + 1 if before is not None else 0
        while place < len(found) and found[place] not in known and found[place] not in theirs and found[place] < key:
            place += 1
        found.insert(place, key)
    return [*found, *(key for key in base if key not in found)]


class _Node(NamedTuple):
    """A key of a map or an item of a list, with all that belongs to it."""

    comments: tuple[str, ...]
    """The comments and blank lines before it."""
    head: str
    """Its first line, without the dash of an item."""
    body: tuple[str, ...]
    """The lines below it that are further right."""


def merged_text(base: str, ours: str, theirs: str) -> str:
    """The text with both sides' changes.

    Raises:
        UnlikeError: both sides changed one line, or the text is not one that can be taken apart.
    """
    if any(text and not text.endswith("\n") for text in (base, ours, theirs)):
        raise UnlikeError
    sides = [tuple(text.split("\n")[:-1]) for text in (base, ours, theirs)]
    # What the file itself begins with belongs to no key.
    titles = takewhile(lambda lines: lines[0].startswith("#") and len({*lines}) == 1, zip(*sides, strict=False))
    title = [lines[0] for lines in titles]
    lines = _merged_lines(*(side[len(title) :] for side in sides), indent=0, level=0)
    return "".join(f"{line}\n" for line in (*title, *lines))


def _merged_lines(
    base: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...], *, indent: int, level: int
) -> tuple[str, ...]:
    if theirs in {ours, base}:
        return ours
    if base == ours:
        return theirs
    if level > _MOST_LEVELS:
        raise UnlikeError
    parsed = [_nodes(lines, indent) for lines in (base, ours, theirs)]
    nodes, ends = [one[0] for one in parsed], [one[1] for one in parsed]
    found: list[str] = []
    is_apart = not level and any(node.comments[:1] == ("",) for side in nodes for node in [*side.values()][1:])
    for key in joined_order(*map(list, nodes)):
        node = _merged_node(*(side.get(key) for side in nodes), level=level)
        if node is None:
            continue
        comments = node.comments
        if is_apart:  # a blank line stands between two keys, and before none that is the first
            comments = tuple([line for number, line in enumerate(comments) if line or number])
            found += [""] if found else []
        found += [*comments, *_lines_of(node, indent)]
    return (*found, *_one_of(*ends, is_comment=True))


def _merged_node(base: _Node | None, ours: _Node | None, theirs: _Node | None, *, level: int) -> _Node | None:
    if theirs in {ours, base}:
        return ours
    if base == ours:
        return theirs
    if ours is None or theirs is None:
        raise UnlikeError
    known = base or _Node((), ours.head if ours.head == theirs.head else "", ())
    comments = _one_of(known.comments, ours.comments, theirs.comments, is_comment=True)
    head = _one_of((known.head,), (ours.head,), (theirs.head,))[0]
    is_text = any(re.search(r"[|>][+-]?\d*\s*$", node.head) for node in (known, ours, theirs))
    bodies = (known.body, ours.body, theirs.body)
    if is_text:
        return _Node(comments, head, _one_of(*bodies))
    steps = [_indent_of(body) for body in bodies if body]
    if not steps or len({*steps}) > 1:
        return _Node(comments, head, _one_of(*bodies))
    return _Node(comments, head, _merged_lines(*bodies, indent=steps[0], level=level + 1))


def _one_of(
    base: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...], *, is_comment: bool = False
) -> tuple[str, ...]:
    """What one side made of lines; a comment that both changed is ours, because it decides nothing."""
    if theirs in {ours, base}:
        return ours
    if base == ours:
        return theirs
    if is_comment:
        return ours
    raise UnlikeError


def _lines_of(node: _Node, indent: int) -> tuple[str, ...]:
    if node.head != _ITEM:
        is_empty = node.head.endswith(":") and not any(line.strip() for line in node.body)
        return (f"{node.head}{_EMPTY}" if is_empty else node.head, *node.body)
    first, *rest = node.body
    return (f"{first[:indent]}- {first[indent + 2 :]}", *rest)


def _nodes(lines: Sequence[str], indent: int) -> tuple[dict[str, _Node], tuple[str, ...]]:
    """The keys or named items that stand at an indent, in order, and the comments behind the last.

    Raises:
        UnlikeError: there is something else.
    """
    found: dict[str, _Node] = {}
    pending: list[str] = []
    at = 0
    if not indent and lines and lines[-1] == "{}":
        lines = lines[:-1]
    while at < len(lines):
        line = lines[at]
        text = line[indent:]
        if not line.strip() or text.startswith("#"):
            pending.append(line)
            at += 1
            continue
        is_item = text.startswith("- ")
        if line[:indent].strip() or text[:1] == " ":
            raise UnlikeError
        end = _end_of(lines, at + 1, indent, is_item=is_item)
        body = lines[at + 1 : end]
        if is_item:
            body = (f"{line[:indent]}  {text[2:]}", *body)
            names = [
                match[0] for one in body if (match := _NAME.match(one[indent + 2 :])) and one[: indent + 2].isspace()
            ]
            key, head = f"- {names[0]}" if names else "", _ITEM
        else:
            match = _KEY.match(text)
            key, head = match[0] if match else "", line
            if head.endswith(f":{_EMPTY}"):
                head = head.removesuffix(_EMPTY)
            elif head.endswith(":") and not body:
                raise UnlikeError
        if not key or key in found:
            raise UnlikeError
        found[key] = _Node(tuple(pending), head, tuple(body))
        pending.clear()
        at = end
    return found, tuple(pending)


def _end_of(lines: Sequence[str], start: int, indent: int, *, is_item: bool) -> int:
    """The line behind the last that belongs to a key or an item: all that are further right, and blank ones between."""
    end = start
    for number in range(start, len(lines)):
        line = lines[number]
        if not line.strip():
            continue
        is_below = line[: indent + 1].isspace() or (not is_item and line[indent:].startswith("- "))
        if not is_below or line[:indent].strip():
            break
        end = number + 1
    return end


def _indent_of(lines: Sequence[str]) -> int:
    return next((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), 0)
