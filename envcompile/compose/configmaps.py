"""Configuration files inside ConfigMaps: an overlay's text is merged into the base's, key by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.errors import Problems
from envcompile.model import Location
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from envcompile.compose.configtext import ConfigTextError
    from envcompile.model import Document, Pointer

REPLACE_ANNOTATION = "envcompile.dev/replace"
"""On a patch: the data keys whose text replaces the base's whole text, comma-separated; `*` stands for all."""


def replaced_keys(patch: dict[str, Any]) -> frozenset[str]:
    """The data keys that the patch's annotation wants replaced whole."""
    metadata = patch.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    text = annotations.get(REPLACE_ANNOTATION) if isinstance(annotations, dict) else None
    return frozenset(key.strip() for key in text.split(",")) if isinstance(text, str) else frozenset()


def with_merged_texts(
    base: dict[str, Any], patch: dict[str, Any], document: Document, within: Pointer, owners: dict[str, Document]
) -> dict[str, Any]:
    """The patch of a ConfigMap with every embedded file replaced by the merge of the base's text and its own.

    `owners` names for each data key the document that gave the base its text, for messages.

    Raises:
        EnvcError: a text does not parse, or the two contradict each other; the place is the line inside of the file.
    """
    base_data, patch_data = base.get("data"), patch.get("data")
    if not isinstance(base_data, dict) or not isinstance(patch_data, dict):
        return patch
    from envcompile.compose import configtext

    replaced = replaced_keys(patch)
    problems = Problems()
    merged: dict[str, str] = {}
    for key, text in patch_data.items():
        current = base_data.get(key)
        if not isinstance(text, str) or not isinstance(current, str) or current == text:
            continue
        if key in replaced or "*" in replaced or configtext.format_of(key) is None:
            continue
        try:
            merged[key] = configtext.merge_text(key, current, text)
        except configtext.ConfigTextError as error:
            in_base = error.side == "base"
            holder, at = (owners.get(key, document), ()) if in_base else (document, within)
            _report(key, current, text, error, holder, (*at, "data", key), problems)
    problems.raise_any()
    return {**patch, "data": {**patch_data, **merged}} if merged else patch


def line_in_text(document: Document, pointer: Pointer, line: int) -> Location:
    """The place of a line of an embedded text in the file that holds the text; lines count from 1."""
    if not document.generated:
        from envcompile.yamlio import block_lines

        found = block_lines(document.source.read(), document.index, (*document.within, *pointer))
        if found:
            return Location(document.source.path, found[0] + line - 1, found[1])
    return place(document, pointer)


def _report(
    key: str, base: str, overlay: str, error: ConfigTextError, holder: Document, pointer: Pointer, problems: Problems
) -> None:
    """Note what is wrong with a text.

    Lines are those of the file where the text has lines of its own there; else the message counts inside of the text,
    and says so. `holder` is the document that has the text, at `pointer`.
    """
    from envcompile.compose.configtext.text import UnmergeableError

    fails = "cannot be merged" if isinstance(error, UnmergeableError) else "does not parse"
    text = base if error.side == "base" else overlay
    begin = _first_line(holder, pointer, text)
    if begin is None:
        where = place(holder, pointer)
        what = f"`{key}` {fails}, line {_existing(error.line, text)} of its text: {error.what}"
    else:
        line = _existing(error.line, text) + begin[0] - 1
        where = Location(holder.source.path, line, begin[1])
        what = f"`{key}` {fails}: {_counted_from(begin[0], key, base, overlay, error).what}"
    otherwise = f'to replace the whole text instead, annotate the patch with {REPLACE_ANNOTATION}: "{key}"'
    problems.add(what, error.fix or otherwise, where)


def _existing(line: int, text: str) -> int:
    """The line; what is missing at the end of a text is missing in its last line."""
    return min(line, max(1, len(text.splitlines())))


def _first_line(holder: Document, pointer: Pointer, text: str) -> tuple[int, int] | None:
    """Line and column where a literal text begins in its file; None for a text that has no lines of its own there."""
    if holder.generated:
        return None
    from envcompile.yamlio import block_lines

    value: Any = holder.value
    for step in pointer:
        value = value.get(step) if isinstance(value, dict) else None
    # The text of a lower layer may be the merge of several: then no file has its lines.
    return block_lines(holder.source.read(), holder.index, (*holder.within, *pointer)) if value == text else None


def _counted_from(line: int, key: str, base: str, overlay: str, error: ConfigTextError) -> ConfigTextError:
    """The same error with the lines in its words counted as if the text began on this line: blank lines go before."""
    from envcompile.compose import configtext

    blank = "\n" * (line - 1)
    texts = (blank + base, overlay) if error.side == "base" else (base, blank + overlay)
    try:
        configtext.merge_text(key, *texts)
    except configtext.ConfigTextError as moved:
        if (moved.side, moved.line) == (error.side, error.line + line - 1):
            return moved
    return error
