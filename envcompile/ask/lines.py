"""A difference as lines with signs, for terminals and Markdown: `-` before, `+` after, `!` a secret, a space around."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.ask.changes import Moved, Order
from envcompile.ask.items import headline
from envcompile.ask.redact import shown
from envcompile.ask.text import secret_word
from envcompile.kubernetes.sequences import unified
from envcompile.text import escaped
from envcompile.values import ABSENT
from envcompile.yamlio import dump

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.ask.difference import FieldDiff, ResourceDiff

SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": "~"}
"""The sign in front of a resource."""


_SHORT = 60
"""Characters of an item that is shown where it only moved."""


class Line(NamedTuple):
    """One line of a difference."""

    sign: str
    text: str


def title(resource: ResourceDiff) -> str:
    """The resource in one line: what it is, and what it was called before."""
    text = f"{resource.resource}" + (f", was {resource.was}" if resource.was is not None else "")
    return escaped(" ".join(text.split()))


def resource_lines(resource: ResourceDiff) -> Iterator[Line]:
    """Everything that happened to a resource; one that came or went is shown whole."""
    for sign, text in _lines(resource):
        yield Line(sign, escaped(text))


def _lines(resource: ResourceDiff) -> Iterator[Line]:
    if resource.kind == "added":
        yield from _whole("+", resource.new)
    elif resource.kind == "removed":
        yield from _whole("-", resource.old)
    for field in resource.fields:
        yield from field_lines(field)


def field_lines(field: FieldDiff) -> Iterator[Line]:
    """One field: its old lines and its new ones, or the word for what happened to a secret."""
    word = secret_word(field.path, field.old, field.new)
    if word:
        yield Line("!", f"{field.field}: {word}")
        return
    if isinstance(field.old, str) and isinstance(field.new, str) and ("\n" in field.old or "\n" in field.new):
        yield from _text_lines(field)
        return
    if isinstance(field.old, Moved) and isinstance(field.new, Moved):
        named = headline(field.new.item) or _one_line(field.new.item)
        yield Line("~", f"{field.field}{f' ({named})' if named else ''}: moved here from [{field.old.position}]")
        return
    if field.old is not ABSENT:
        yield from _value("-", field, field.old)
    if field.new is not ABSENT:
        yield from _value("+", field, field.new)


def _text_lines(field: FieldDiff) -> Iterator[Line]:
    yield Line(" ", f"{field.field}:")
    told = False
    for line in unified(field.old.splitlines(), field.new.splitlines(), 1):
        told = True
        yield Line(" ", f"  {line}") if line.startswith("@@") else Line(line[0], f"  {line[1:]}")
    if not told:
        yield Line(" ", "  only line breaks differ")


def _whole(sign: str, value: dict[str, Any] | None) -> Iterator[Line]:
    for line in dump(shown(value)).splitlines():
        yield Line(sign, line)


def _value(sign: str, field: FieldDiff, value: Any) -> Iterator[Line]:
    if isinstance(value, Order):
        yield Line(sign, f"{field.field}: in this order: {value}")
        return
    lines = dump(shown(value)).splitlines() or [""]
    if len(lines) == 1 and not (value and isinstance(value, (dict, list))):
        yield Line(sign, f"{field.field}: {lines[0]}")
        return
    if lines[0][:1] in {"|", ">"}:
        yield Line(sign, f"{field.field}: {lines[0]}")
        lines = lines[1:]
    else:
        named = headline(value) if (field.old is ABSENT or field.new is ABSENT) and _is_item(field) else ""
        yield Line(sign, f"{field.field}{f' ({named})' if named else ''}:")
        lines = [f"  {line}" for line in lines]
    for line in lines:
        yield Line(sign, line)


def _is_item(field: FieldDiff) -> bool:
    """Tell whether a field is an item that its place alone names."""
    return field.key.endswith("]") if field.key else isinstance(field.path[-1], int)


def _one_line(item: Any) -> str:
    """An item without a name, where it is short."""
    lines = dump(shown(item)).splitlines()
    return lines[0] if len(lines) == 1 and len(lines[0]) <= _SHORT else ""
