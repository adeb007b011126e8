"""The formats by file name, and the three questions that each of them answers: merge, keys, derive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.compose.configtext.text import REPLACE_HINT, ConfigTextError, path_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.compose.configtext.lines import Dialect
    from envcompile.compose.configtext.text import KeySpan

_FORMATS = {
    "properties": "properties",
    "env": "env",
    "ini": "ini",
    "conf": "conf",
    "toml": "toml",
    "yaml": "yaml",
    "yml": "yaml",
    "json": "json",
}


def format_of(filename: str) -> str | None:
    """The format that the ending of a name stands for, in any case; None for names whose text is replaced whole.

    One of `properties`, `env`, `ini`, `conf`, `toml`, `yaml`, `json`; a name that is only an ending (`.env`) counts.
    """
    return _FORMATS.get(filename.rpartition(".")[2].lower()) if "." in filename else None


def merge_text(filename: str, base: str, overlay: str) -> str:
    """The base's text with the overlay's keys in it; the very base when the overlay says nothing new.

    A `.conf` is merged as what `how_merged` calls it, else replaced whole.

    Raises:
        ConfigTextError: when a text does not parse or the two contradict each other; lines count inside of the text.
        ValueError: for a name without a format.
    """
    if not base.strip() and not overlay.strip():
        return base
    name = _read_as(_known(filename), base, overlay)
    if name is None:
        return overlay if overlay.strip() else base
    try:
        lines = _dialect(name)
        if lines is not None:
            from envcompile.compose.configtext.linemerge import merge

            return merge(lines, base, overlay)
        merged: str = _nested(name, "merge")(base, overlay)
    except RecursionError:
        raise ConfigTextError("overlay", 1, 1, "the text is nested too deeply", REPLACE_HINT) from None
    return merged


def keys(filename: str, text: str) -> dict[str, KeySpan]:
    r"""Every key with its value and its lines, in the order of the text.

    Names are as people write them: `section.key`, `a.b[0].c`, and in nested texts `a\.b` for a dot inside of a key.
    Of nested values only the leaves are named. An opaque `.conf` has no keys.

    Raises:
        ConfigTextError: when the text does not parse; the side is `base`.
        ValueError: for a name without a format.
    """
    name = _read_as(_known(filename), text, "")
    if name is None:
        return {}
    try:
        lines = _dialect(name)
        if lines is not None:
            from envcompile.compose.configtext import linemerge

            return linemerge.keys(lines, text)
        spans: dict[str, KeySpan] = _nested(name, "keys")(text)
    except RecursionError:
        raise ConfigTextError("base", 1, 1, "the text is nested too deeply", REPLACE_HINT) from None
    return spans


def derive_text(filename: str, base: str, target: str) -> str | None:
    """The text of an overlay that merges into the base to exactly the target; None when there is no such text.

    There is none when the target changes comments, blank lines, order or spelling of what the base has.

    Raises:
        ValueError: for a name without a format.
    """
    _known(filename)
    if base == target:
        return ""
    for candidate in _candidates(filename, base, target):
        try:
            if merge_text(filename, base, candidate) == target:
                return candidate
        except ConfigTextError:
            continue
    return None


def _candidates(filename: str, base: str, target: str) -> list[str]:
    name = _read_as(_known(filename), base, target)
    if name is None:
        return [target]
    try:
        lines = _dialect(name)
        if lines is not None:
            from envcompile.compose.configtext.linemerge import overlay_between

            return [overlay_between(lines, base, target), target]
        return [_nested(name, "overlay_between")(base, target), target]
    except (ConfigTextError, RecursionError):
        return [target]


def _known(filename: str) -> str:
    name = format_of(filename)
    if name is None:
        raise ValueError(f"no format of configuration text is known for the name {filename!r}")
    return name


def _read_as(name: str, base: str, overlay: str) -> str | None:
    """The format of two texts; a `.conf` is what the base is made of, None when that cannot be merged."""
    if name != "conf":
        return name
    from envcompile.compose.configtext.conf import reading_of

    return reading_of(base, overlay)


def value_of(filename: str, text: str) -> tuple[Any, Callable[[tuple[str | int, ...]], str]] | None:
    """What a text holds, for comparing two of them, and how people write the way to a part of it.

    Nested formats give their value (a list of several YAML documents), the others a map of their keys; None for a
    text that is not made of keys.

    Raises:
        ConfigTextError: when the text does not parse; the side is `base`.
    """
    filename_format = format_of(filename)
    name = _read_as(filename_format, text, "") if filename_format is not None else None
    if name is None:
        return None
    if _dialect(name) is not None:
        return {key: span.value for key, span in keys(filename, text).items()}, _first
    try:
        value = _nested(name, "load")(text, "base")
    except RecursionError:
        raise ConfigTextError("base", 1, 1, "the text is nested too deeply", REPLACE_HINT) from None
    if name in {"yaml", "yml"} and len(value) == 1:
        value = value[0]
    return (value, path_name) if isinstance(value, dict | list) else None


def _first(path: tuple[str | int, ...]) -> str:
    return str(path[0])


def how_merged(filename: str, base: str, overlay: str) -> str:
    """How the overlay's text and the base's come together, as `explain` says it.

    Args:
        filename: the entry's name.
        base: the text below.
        overlay: the text that is laid over it.
    """
    name = format_of(filename)
    if name is None:
        endings = ", ".join(f".{ending}" for ending in _FORMATS)
        return f"replaced whole: only {endings} are merged key by key"
    from envcompile.compose.configtext.conf import NAMES, OPAQUE

    read_as = _read_as(name, base, overlay)
    if read_as is None:
        return f"replaced whole: {OPAQUE}"
    return f"merged key by key as {NAMES[read_as] if name == 'conf' else name} text"


def _dialect(name: str) -> Dialect | None:
    if name == "words":
        from envcompile.compose.configtext.words import WORDS

        return WORDS
    if name == "properties":
        from envcompile.compose.configtext.properties import PROPERTIES

        return PROPERTIES
    if name == "env":
        from envcompile.compose.configtext.dotenv import DOTENV

        return DOTENV
    if name in {"ini", "conf"}:
        from envcompile.compose.configtext.ini import CONF, INI

        return INI if name == "ini" else CONF
    return None


def _nested(name: str, function: str) -> Callable[..., Any]:
    from importlib import import_module

    found: Callable[..., Any] = getattr(import_module(f"envcompile.compose.configtext.{name}text"), function)
    return found
