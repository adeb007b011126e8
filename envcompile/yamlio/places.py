"""Where a field of a document stands in its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.model import Location

if TYPE_CHECKING:
    from envcompile.model import Document, Pointer


def place(document: Document, pointer: Pointer = (), *, key: bool = False) -> Location:
    """The place of a field (or of its key), or of the nearest field around it that is written down.

    A value computed by jsonnet has no line of its own, nor has an empty file: the file's first line stands for it. What
    a `kind: Generate` makes stands where the Generate does.
    """
    data, full = document.source.read(), (*document.within, *pointer)
    is_made = document.generated and document.source.path.endswith((".yaml", ".yml"))
    if (document.generated and not is_made) or not data.strip():
        return Location(document.source.path, 1, 1)
    from envcompile.yamlio import locate, locate_nearest

    if is_made:
        return Location(document.source.path, *locate_nearest(data, document.index, ()))
    found = locate(data, document.index, full, key=True) if key else None
    return Location(document.source.path, *(found or locate_nearest(data, document.index, full)))


def within_output(document: Document, pointer: Pointer = ()) -> str:
    """Where in jsonnet's output a value stands, as the end of a sentence; empty for one that has a line of its own."""
    way = (*document.within, *pointer)
    if not document.generated or not way:
        return ""
    return f" (at `{format_field(way)}` of jsonnet's output)"


def format_field(pointer: Pointer) -> str:
    """A pointer as people write it: `spec.ports[0].name`."""
    text = ""
    for part in pointer:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def exact_place(document: Document, pointer: Pointer) -> Location | None:
    """The place of a field that is written down in the document; None when it is not."""
    if document.generated:
        return None
    from envcompile.yamlio import locate

    found = locate(document.source.read(), document.index, (*document.within, *pointer))
    return Location(document.source.path, *found) if found else None
