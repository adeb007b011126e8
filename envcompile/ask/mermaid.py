"""A graph as a block of Mermaid, which GitHub and GitLab draw in comments: nothing of a name is syntax or markup.

Source: mermaid.js.org, Flowcharts: quoted labels, entity codes (`#35;`), classes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from envcompile.text import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN = re.compile(r"[^A-Za-z0-9 ./_-]")
_LONGEST = 80


class Box(NamedTuple):
    """A node: what tells it apart, two lines of text, and its mark: `missing`, `changed`, `around` or empty."""

    key: object
    first: str
    second: str
    mark: str = ""


class Arrow(NamedTuple):
    """An edge between two keys; `is_dotted` for what only points at."""

    source: object
    target: object
    is_dotted: bool = False


def mermaid(boxes: Sequence[Box], arrows: Sequence[Arrow]) -> str:
    """The text of a flowchart from left to right.

    Args:
        boxes: the nodes.
        arrows: edges; those from or to something that is no node are left out.
    """
    names = {box.key: f"n{number}" for number, box in enumerate(boxes)}
    lines = ["flowchart LR"]
    for box in boxes:
        mark = f":::{box.mark}" if box.mark else ""
        lines.append(f'  {names[box.key]}["{_label(box.first)}<br>{_label(box.second)}"]{mark}')
    for arrow in arrows:
        if arrow.source in names and arrow.target in names:
            sign = "-.->" if arrow.is_dotted else "-->"
            lines.append(f"  {names[arrow.source]} {sign} {names[arrow.target]}")
    styles = {
        "missing": "stroke:#ab1a16,stroke-dasharray:5 3",
        "changed": "stroke:#8a5300,stroke-width:2px",
        "around": "stroke:#0a57a4,stroke-width:2px",
    }
    marks = {box.mark for box in boxes}
    lines += [f"  classDef {mark} {style}" for mark, style in styles.items() if mark in marks]
    return "".join(f"{line}\n" for line in lines)


def _label(text: str) -> str:
    """A label in which every character that could be syntax is a number."""
    shown = escaped(" ".join(text.split()))
    shown = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", shown)
