"""What must stay of an object, held against the text that was compiled before, without reading that as YAML.

Nearly always nothing of it changed. So the few fields that the API server binds an object to (`immutable.py`) are
written as envc writes them, and looked for in the older text at the place where they stand in it. Where anything is
unusual the answer is no, and the values themselves are compared: they alone say what is wrong.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.api.immutable import bound_fields
from envcompile.yamlio.emit import map_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEVELS: Final = 2
"""Names of fields from the top that are told apart; what is deeper is held against the text together."""
_NEXT: Final = re.compile(rb"\n[^ \n]")
"""Where the next field of an object begins."""


class Piece(NamedTuple):
    """One field that must stay, as it is now."""

    around: bytes
    """The line that the field around it begins with, and the indentation below; empty at the top."""
    text: bytes
    """Its lines, each behind a line break; empty when it is not there."""
    name: bytes
    deeper: tuple[bytes, ...]
    """What a line begins with, behind a line break, that would still belong to it."""


class _Path(NamedTuple):
    names: tuple[str, ...]
    around: bytes
    deeper: tuple[bytes, ...]


def pieces_of(group: str, kind: str, value: dict[str, Any]) -> Sequence[Piece] | None:
    """The fields of an object that must stay; None where a text cannot tell.

    Args:
        group: its API group.
        kind: its kind.
        value: the object.
    """
    bound = bound_fields(group, kind)
    if bound.condition and bound.condition in value:
        return None
    pieces = []
    for names, around, deeper in _paths(group, kind):
        inner: Any = value
        for name in names:
            inner = inner.get(name) if isinstance(inner, dict) else None
        text = b""
        if inner is not None:
            text = map_text({names[-1]: inner}, 2 * len(names) - 2, list_indent=0).encode()
        pieces.append(Piece(around, text, names[-1].encode(), deeper))
    return pieces


@cache
def _paths(group: str, kind: str) -> tuple[_Path, ...]:
    bound = bound_fields(group, kind)
    fields = [*bound.paths, *([(bound.condition,)] if bound.condition else ())]
    paths = dict.fromkeys(path[:_LEVELS] for path in fields)
    found = []
    for names in paths:
        margin = b"\n" + b"  " * (len(names) - 1)
        around = b"\n%b:\n  " % names[0].encode() if len(names) > 1 else b""
        found.append(_Path(names, around, (margin + b" ", margin + b"-", b"\n\n")))
    return tuple(found)


def says(text: bytes, pieces: Sequence[Piece]) -> bool:
    """Tell whether the text of one object surely says the same of all fields that must stay.

    Args:
        text: the whole text, as envc writes it.
        pieces: the fields.
    """
    text = b"\n" + text
    return all(_has(text, piece) for piece in pieces)


def _has(text: bytes, piece: Piece) -> bool:
    if not piece.text:
        return piece.name not in text
    start = text.find(piece.around)
    at = text.find(piece.text, start) if start >= 0 else -1
    behind = at + len(piece.text)
    if at < 0 or not text.startswith(b"\n", behind) or text.startswith(piece.deeper, behind):
        return False
    first = start + len(piece.around)
    return not piece.around or (text[first : first + 1] not in {b" ", b"-"} and _NEXT.search(text, first, at) is None)
