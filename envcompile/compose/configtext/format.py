"""The formats of configuration texts: each module of `formats/` is one, found by being there."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from envcompile.compose.configtext import formats as folder
from envcompile.compose.configtext.text import path_name
from envcompile.registry import module_of, names_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envcompile.compose.configtext.lines import Dialect
    from envcompile.compose.configtext.text import KeySpan, Side


class TextReader(Protocol):
    """What a format can do with texts; each raises ConfigTextError for a text that is not of the format."""

    def merge(self, base: str, overlay: str, /) -> str:
        """The base's text with the overlay's keys in it."""
        ...

    def keys(self, text: str, /) -> dict[str, KeySpan]:
        """Every key with its value and its lines."""
        ...

    def overlay_between(self, base: str, target: str, /) -> str:
        """The text of an overlay that should lead from the base to the target."""
        ...

    def load(self, text: str, side: Side, /) -> Any:
        """What the text holds, for comparing two of them."""
        ...


class Format(NamedTuple):
    """One format."""

    name: str
    """How people call it."""
    endings: tuple[str, ...]
    """Of the names of its files, in lower case; none for a format that is known by its text."""
    reader: Callable[[], TextReader]
    """What reads it; imported when first used."""
    way: Callable[[tuple[str | int, ...]], str] = path_name
    """How people write the way to a part of what `load` gives."""
    read_as: Callable[[str, str], Format | None] | None = None
    """Of an ending that says nothing: what base and overlay are made of; None when they cannot be merged."""
    opaque: str = ""
    """Why a text that `read_as` finds nothing for is replaced whole."""


def lines(name: str, endings: tuple[str, ...], dialect: Callable[[], Dialect]) -> Format:
    """A format that is made of lines, a key each."""
    return Format(name, endings, lambda: _Lines(dialect()), way=_key)


def _key(path: tuple[str | int, ...]) -> str:
    return str(path[0])


class _Lines(NamedTuple):
    """Reads texts of one dialect."""

    dialect: Dialect

    def merge(self, base: str, overlay: str, /) -> str:
        from envcompile.compose.configtext.linemerge import merge

        return merge(self.dialect, base, overlay)

    def keys(self, text: str, /) -> dict[str, KeySpan]:
        from envcompile.compose.configtext.linemerge import keys

        return keys(self.dialect, text)

    def overlay_between(self, base: str, target: str, /) -> str:
        from envcompile.compose.configtext.linemerge import overlay_between

        return overlay_between(self.dialect, base, target)

    def load(self, text: str, _side: Side, /) -> Any:
        return {key: span.value for key, span in self.keys(text).items()}


def formats() -> Mapping[str, Format]:
    """The formats by the endings of their files, in alphabetical order of their modules."""
    return _formats(tuple(folder.__path__))


@lru_cache(maxsize=2)
def _formats(paths: tuple[str, ...]) -> Mapping[str, Format]:
    found = [module_of(folder, name).FORMAT for name in names_in(paths)]
    return {ending: form for form in found for ending in form.endings}
