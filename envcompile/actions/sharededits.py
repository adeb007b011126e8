"""Changes of what a file says once for several fields: made at the anchor where all readers want them, else told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.values import dotted
from envcompile.yamlio import sharing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from envcompile.actions.sourceedits import SourceEdit
    from envcompile.yamlio.sharing import Said

_OF_VALUES: Final = ("set", "quote")


def where_written(
    changes: Collection[SourceEdit], read: Callable[[str], str]
) -> tuple[Mapping[SourceEdit, SourceEdit], Mapping[SourceEdit, str]]:
    """Where changes have to be made whose fields are read through aliases and merge keys.

    Args:
        changes: what is wanted, by the ways that the documents' values have.
        read: the text of a file.

    Returns:
        What to change instead of each, and why others cannot be made: something else reads the same, and does not
        want it.
    """
    instead: dict[SourceEdit, SourceEdit] = {}
    refused: dict[SourceEdit, str] = {}
    wanted = {change[:-1] for change in changes}
    for change in changes:
        text = read(change.file)
        if "*" not in text or "&" not in text:
            continue
        left = ""
        for said in _places(change, text):
            others = [way for way in said.readers if change._replace(pointer=way)[:-1] not in wanted]
            if not others:
                instead[change] = change._replace(pointer=said.place, origin=_origin(change, text))
                break
            left = left or dotted(others[0])
        else:
            if left:
                refused[change] = f"the file says it once for `{left}`, too, which has to stay: mend it by hand"
    return instead, refused


def readers(change: SourceEdit, text: str) -> tuple[tuple[str | int, ...], ...]:
    """The further fields that become what a change makes of its own."""
    if "*" not in text or "&" not in text:
        return ()
    told = sharing.value_of if change.what in _OF_VALUES else sharing.entry_of
    said = told(text, change.index, change.pointer)
    # An alias that is replaced by a value speaks for its own place alone.
    if said is not None and said.place != change.pointer:
        said = sharing.entry_of(text, change.index, change.pointer)
    return tuple(way for way in said.readers if way != change.pointer) if said is not None else ()


def _places(change: SourceEdit, text: str) -> Iterator[Said]:
    """The places where a change can be made, the best one first."""
    entry = sharing.entry_of(text, change.index, change.pointer)
    if change.what not in _OF_VALUES:
        yield from (entry,) if entry is not None else ()
        return
    value = sharing.value_of(text, change.index, change.pointer)
    if value is not None:
        yield value
    if entry is not None and (value is None or entry.place != value.place):
        yield entry  # an alias: a value of its own takes its place


def _origin(change: SourceEdit, text: str) -> tuple[str | int, ...]:
    said = sharing.entry_of(text, change.index, change.origin) if change.origin else None
    return said.place if said is not None else change.origin
