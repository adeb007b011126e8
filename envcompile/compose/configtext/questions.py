"""What is asked of a configuration text by the name of its file: merge, keys, derive, value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.compose.configtext.format import formats
from envcompile.compose.configtext.text import REPLACE_HINT, ConfigTextError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envcompile.compose.configtext.format import Format
    from envcompile.compose.configtext.text import KeySpan


def format_of(filename: str) -> str | None:
    """The format that the ending of a name stands for, in any case; None for names whose text is replaced whole.

    One of `properties`, `env`, `ini`, `conf`, `toml`, `yaml`, `json`; a name that is only an ending (`.env`) counts.
    """
    form = _format_of(filename)
    return None if form is None else form.name


def _format_of(filename: str) -> Format | None:
    return formats().get(filename.rpartition(".")[2].lower()) if "." in filename else None


def merge_text(filename: str, base: str, overlay: str) -> str:
    """The base's text with the overlay's keys in it; the very base when the overlay says nothing new.

    A `.conf` is merged as what `how_merged` calls it, else replaced whole.

    Raises:
        ConfigTextError: when a text does not parse or the two contradict each other; lines count inside of the text.
        ValueError: for a name without a format.
    """
    if not base.strip() and not overlay.strip():
        return base
    form = _read_as(_known(filename), base, overlay)
    if form is None:
        return overlay if overlay.strip() else base
    try:
        return form.reader().merge(base, overlay)
    except RecursionError:
        raise ConfigTextError("overlay", 1, 1, "the text is nested too deeply", REPLACE_HINT) from None


def keys(filename: str, text: str) -> dict[str, KeySpan]:
    r"""Every key with its value and its lines, in the order of the text.

    Names are as people write them: `section.key`, `a.b[0].c`, and in nested texts `a\.b` for a dot inside of a key.
    Of nested values only the leaves are named. An opaque `.conf` has no keys.

    Raises:
        ConfigTextError: when the text does not parse; the side is `base`.
        ValueError: for a name without a format.
    """
    form = _read_as(_known(filename), text, "")
    if form is None:
        return {}
    try:
        return form.reader().keys(text)
    except RecursionError:
        raise ConfigTextError("base", 1, 1, "the text is nested too deeply", REPLACE_HINT) from None


def derive_text(filename: str, base: str, target: str) -> str | None:
    """The text of an overlay that merges into the base to exactly the target; None when there is no such text.

    There is none when the target changes comments, blank lines, order or spelling of what the base has.

    Raises:
        ValueError: for a name without a format.
    """
    form = _known(filename)
    if base == target:
        return ""
    for candidate in _candidates(form, base, target):
        try:
            if merge_text(filename, base, candidate) == target:
                return candidate
        except ConfigTextError:
            continue
    return None


def _candidates(form: Format, base: str, target: str) -> list[str]:
    read_as = _read_as(form, base, target)
    if read_as is None:
        return [target]
    try:
        return [read_as.reader().overlay_between(base, target), target]
    except (ConfigTextError, RecursionError):
        return [target]


def _known(filename: str) -> Format:
    form = _format_of(filename)
    if form is None:
        raise ValueError(f"no format of configuration text is known for the name {filename!r}")
    return form


def _read_as(form: Format, base: str, overlay: str) -> Format | None:
    """The format of two texts; where the ending does not say it, the text does, and None when it cannot be merged."""
    return form if form.read_as is None else form.read_as(base, overlay)


def value_of(filename: str, text: str) -> tuple[Any, Callable[[tuple[str | int, ...]], str]] | None:
    """What a text holds, for comparing two of them, and how people write the way to a part of it.

    Nested formats give their value (a list of several YAML documents), the others a map of their keys; None for a
    text that is not made of keys.

    Raises:
        ConfigTextError: when the text does not parse; the side is `base`.
    """
    named = _format_of(filename)
    form = _read_as(named, text, "") if named is not None else None
    if form is None:
        return None
    try:
        value = form.reader().load(text, "base")
    except RecursionError:
        raise ConfigTextError("base", 1, 1, "the text is nested too deeply", REPLACE_HINT) from None
    return (value, form.way) if isinstance(value, dict | list) else None


def how_merged(filename: str, base: str, overlay: str) -> str:
    """How the overlay's text and the base's come together, as `explain` says it.

    Args:
        filename: the entry's name.
        base: the text below.
        overlay: the text that is laid over it.
    """
    form = _format_of(filename)
    if form is None:
        endings = ", ".join(f".{ending}" for ending in formats())
        return f"replaced whole: only {endings} are merged key by key"
    read_as = _read_as(form, base, overlay)
    if read_as is None:
        return f"replaced whole: {form.opaque}"
    return f"merged key by key as {read_as.name} text"


def replaced_lists(filename: str, base: str, overlay: str) -> list[str]:
    """The lists of maps in a text that an overlay's text states anew, and of which items or fields go.

    Nested texts are merged key by key, and their lists (`[[…]]` of TOML, too) replaced whole.

    Args:
        filename: the entry's name.
        base: the text below.
        overlay: the text that is laid over it.

    Returns:
        The way to each of them; none for texts that have no lists, or do not parse.
    """
    try:
        below, above = value_of(filename, base), value_of(filename, overlay)
        if below is None or above is None:
            return []
        return [below[1](path) for path in _replaced(below[0], above[0], ())]
    except (ConfigTextError, RecursionError):
        return []


def _replaced(base: Any, overlay: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(base, dict) and isinstance(overlay, dict):
        for key, value in overlay.items():
            if key in base:
                yield from _replaced(base[key], value, (*path, key))
    elif isinstance(base, list) and isinstance(overlay, list) and overlay:
        had = [item for item in base if isinstance(item, dict)]
        fields = set().union(*(item for item in overlay if isinstance(item, dict)))
        if had and (len(overlay) < len(base) or any(item.keys() - fields for item in had)):
            yield path
