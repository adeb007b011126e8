"""A difference in words for a terminal; sealed values are never shown, only that they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.ask.changes import ABSENT
from envcompile.yamlio import dump

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.ask.changes import Change, FieldChange

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def describe(found: Iterable[Change]) -> Iterator[str]:
    """The lines that tell a difference, one resource after the other."""
    for change in found:
        yield f"{_SIGNS[change.kind]} {change.resource}"
        for field in change.fields:
            yield from _field_lines(change, field)


def _field_lines(change: Change, field: FieldChange) -> Iterator[str]:
    if "encryptedData" in field.path:
        word = "sealed" if field.old is ABSENT else "removed" if field.new is ABSENT else "re-sealed"
        yield f"    {field.field}: {word}"
        return
    if isinstance(field.old, str) and isinstance(field.new, str) and ("\n" in field.old or "\n" in field.new):
        from difflib import unified_diff

        yield f"    {field.field}:"
        lines = list(unified_diff(field.old.splitlines(), field.new.splitlines(), lineterm="", n=1))[2:]
        yield from (f"      {line}" for line in lines)
        return
    if field.old is ABSENT:
        yield f"    {field.field}: + {_short(field.new)}"
    elif field.new is ABSENT:
        yield f"    {field.field}: - {_short(field.old)}"
    else:
        yield f"    {field.field}: {_short(field.old)} -> {_short(field.new)}"


def _short(value: Any) -> str:
    if isinstance(value, (dict, list)) and value:
        import json

        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= 100 else f"{text[:97]}..."
    return dump(value).strip() if not isinstance(value, str) or "\n" not in value else repr(value)
