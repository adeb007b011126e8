"""Configuration files inside ConfigMaps: an overlay's text is merged into the base's, key by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.errors import Problems
from envcompile.model import Location
from envcompile.yamlio.places import place

if TYPE_CHECKING:
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
        EnvcError: a text does not parse; the place is the line inside the file that holds it.
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
            owner = owners.get(key, document) if error.side == "base" else document
            at = within if error.side == "overlay" else ()
            # What is missing at the end of a text is missing in its last line.
            line = min(error.line, max(1, len((current if error.side == "base" else text).splitlines())))
            problems.add(
                f"`{key}` does not parse: {error.what}",
                error.fix
                or f'to replace the whole text instead, annotate the patch with {REPLACE_ANNOTATION}: "{key}"',
                line_in_text(owner, (*at, "data", key), line),
            )
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
