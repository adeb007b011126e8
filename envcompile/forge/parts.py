"""A long text in comments that a host takes: cut between blocks, each part with the marker that finds it again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARKER = re.compile(
    r"<!-- envcompile:pr-diff:(?P<key>[A-Za-z0-9._/-]+) part=(?P<part>\d+)/(?P<of>\d+) sha=(?P<sha>[0-9a-f]*) -->\s*\Z"
)
_KEY = re.compile(r"[A-Za-z0-9._/-]+")
_LEAST_BLOCK = 2_000


class Cuttable(Protocol):
    """A piece of Markdown that can be shortened without breaking it."""

    def markdown(self, most: int | None = None) -> str:
        """The piece in at most this many bytes."""
        ...


class Parts(NamedTuple):
    """The comments, and whether they hold everything."""

    texts: tuple[str, ...]
    is_whole: bool


class Mark(NamedTuple):
    """What the marker of a comment says."""

    key: str
    part: int
    commit: str


def marker(key: str, part: int, of: int, commit: str) -> str:
    """The line that ends each part; people do not see it."""
    return f"<!-- envcompile:pr-diff:{key} part={part}/{of} sha={commit} -->"


def read_marker(body: str) -> Mark | None:
    """What the marker at the very end of a comment says; one that is quoted within the text does not count."""
    found = _MARKER.search(body)
    line_start = body.rfind("\n", 0, found.start()) + 1 if found else 0
    if found is None or found.start() != line_start:
        return None
    return Mark(found["key"], int(found["part"]), found["sha"])


def is_key(text: str) -> bool:
    """Tell whether a text can be a marker's key."""
    return _KEY.fullmatch(text) is not None and "--" not in text


def parts(
    head: str, blocks: Sequence[Cuttable], *, key: str, commit: str, limit: int, most: int, overflow: str
) -> Parts:
    """The comments: the head with as many whole blocks as fit, then further parts.

    Args:
        head: what stands first; lines at its end are left out when it is longer than a comment.
        blocks: one for each resource; a block that is larger than a part is shortened.
        key: tells the comments of several projects in one pull request apart.
        commit: the hash that the text speaks of.
        limit: bytes of one comment.
        most: how many comments there may be.
        overflow: where people find the blocks for which there is no room.
    """
    room = limit - len(marker(key, most, most, commit)) - len(overflow.encode()) - 100
    texts = [_shortened(head, room)]
    left_out = 0
    is_whole = texts[0] == head
    for position, block in enumerate(blocks):
        free = room - len(texts[-1].encode()) - 1
        written = block.markdown()
        if len(written.encode()) > free:
            if len(texts) < most:
                texts.append("")
                free = room
            if len(written.encode()) > free:
                if free < _LEAST_BLOCK:
                    left_out = len(blocks) - position
                    break
                written = block.markdown(free)
                is_whole = False
        texts[-1] += f"\n{written}" if texts[-1] else written
    if left_out:
        texts[-1] += f"\n{left_out} more resources {overflow}\n"
    marked = (f"{text}\n{marker(key, number, len(texts), commit)}\n" for number, text in enumerate(texts, 1))
    return Parts(tuple(marked), is_whole and not left_out)


def _shortened(text: str, room: int) -> str:
    """The first lines of a text that fit."""
    lines = text.split("\n")
    size = len(text.encode())
    left_out = 0
    while size > room - 100 * bool(left_out) and lines:
        size -= len(lines.pop().encode()) + 1
        left_out += 1
    return "\n".join([*lines, "", f"{left_out} more lines are not shown", ""]) if left_out else text
