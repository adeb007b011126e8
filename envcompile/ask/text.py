"""A difference in words for a terminal; sealed values are never shown, only that they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.ask.changes import Moved, Order
from envcompile.ask.redact import Hidden, shown
from envcompile.kubernetes.sequences import unified
from envcompile.values import ABSENT
from envcompile.yamlio import dump

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.ask.changes import Change, FieldChange
    from envcompile.kubernetes.fieldpath import FieldPath

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def describe(found: Iterable[Change]) -> Iterator[str]:
    """The lines that tell a difference, one resource after the other."""
    for change in found:
        yield f"{_SIGNS[change.kind]} {change.resource}"
        for field in change.fields:
            yield from _field_lines(field)


def secret_word(path: FieldPath, old: Any, new: Any) -> str:
    """What happened to a field that is a secret: `sealed`, `re-sealed`, `added`, `changed`, `removed`; else nothing."""
    if not isinstance(old, Hidden) and not isinstance(new, Hidden):
        return ""
    sealed = "encryptedData" in path
    if old is ABSENT:
        return "sealed" if sealed else "added"
    if new is ABSENT:
        return "removed"
    return "re-sealed" if sealed else "changed"


def _field_lines(field: FieldChange) -> Iterator[str]:
    word = secret_word(field.path, field.old, field.new)
    if word:
        yield f"    {field.field}: {word}"
        return
    if isinstance(field.old, str) and isinstance(field.new, str) and ("\n" in field.old or "\n" in field.new):
        yield f"    {field.field}:"
        yield from (f"      {line}" for line in unified(field.old.splitlines(), field.new.splitlines(), 1))
        return
    if isinstance(field.old, Moved):
        yield f"    {field.field}: moved here from {field.old}"
        return
    if field.old is ABSENT:
        yield f"    {field.field}: + {_short(field.new)}"
    elif field.new is ABSENT:
        yield f"    {field.field}: - {_short(field.old)}"
    else:
        yield f"    {field.field}: {_short(field.old)} -> {_short(field.new)}"


def _short(value: Any) -> str:
    value = str(value) if isinstance(value, Order) else shown(value)
    if isinstance(value, (dict, list)) and value:
        import json

        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= 100 else f"{text[:97]}..."
    return dump(value).strip() if not isinstance(value, str) or "\n" not in value else repr(value)
