"""The fields of a compiled manifest, read from its lines: envc wrote them itself, and writes them in one form only.

A YAML reader and the schema of the kind take longer to ask than a completion may take. Items of a list are told apart
by a key that all of them have with values of their own, which `envc explain` understands in any list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KEY = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|([^\s"\'#\[\]{}&*!|>%@`][^:#]*)):(?: (.*))?$')
_NAMING = ("name", "key", "mountPath", "containerPort", "port", "path", "ip", "type", "weight")
"""Keys that tell items of lists apart, the usual ones first."""
_SET = re.compile(r"([\w.-]+)\s*[=:]")
"""A line of a configuration text that sets a key."""


class _Line(NamedTuple):
    indent: int
    text: str


class _Text(NamedTuple):
    """A text of several lines."""

    keys: tuple[str, ...]


def fields(manifest: str, typed: str) -> list[str]:
    """How the field that is typed can go on; a part with fields of its own ends with `.`, a list with `[`.

    Args:
        manifest: a document as `envc build` writes it.
        typed: as far as somebody came, such as `spec.rep`.
    """
    lines = [_Line(len(line) - len(line.lstrip(" ")), line.strip()) for line in manifest.splitlines() if line.strip()]
    value, _ = _read(lines, 0)
    return list(dict.fromkeys(_offered(value, "", typed)))


def _offered(value: Any, path: str, typed: str) -> Iterator[str]:
    for name, child in _children(value, path):
        ending = "." if isinstance(child, dict) else "[" if isinstance(child, list) else ""
        if ending and typed.startswith(name + ending):
            yield from _offered(child, name, typed)
        elif isinstance(child, _Text) and typed.startswith(f"{name}#"):
            yield from (whole for key in child.keys if (whole := f"{name}#{key}").startswith(typed))
        elif (name + ending).startswith(typed):
            yield name + ending


def _children(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The parts of a map or a list, with their paths as `envc explain` reads them."""
    if isinstance(value, dict):
        for key, child in value.items():
            name = re.sub(r"([.\\\[\]])", r"\\\1", key)
            yield (f"{path}.{name}" if path else name), child
        return
    named = next((key for key in _NAMING if _tells_apart(value, key)), None)
    for position, child in enumerate(value):
        yield f"{path}[{position if named is None else f'{named}={child[named]}'}]", child


def _tells_apart(items: Sequence[Any], key: str) -> bool:
    values = [item.get(key) if isinstance(item, dict) else None for item in items]
    return all(isinstance(value, str) for value in values) and len(set(values)) == len(values)


def _read(lines: list[_Line], at: int) -> tuple[Any, int]:
    """The map or list that begins on a line, and the line after it; scalars are their text, with no quotes."""
    if at >= len(lines):
        return {}, at
    indent = lines[at].indent
    if lines[at].text.startswith("- ") or lines[at].text == "-":
        items: list[Any] = []
        while at < len(lines) and lines[at].indent == indent and lines[at].text.startswith("-"):
            # What stands behind the dash is a line of its own, as far to the right as it stands.
            lines[at] = _Line(indent + 2, lines[at].text[2:].strip())
            item, at = _read(lines, at) if _KEY.match(lines[at].text) else _skipped(lines, at, indent)
            items.append(item)
        return items, at
    found: dict[str, Any] = {}
    while at < len(lines) and lines[at].indent == indent and (key := _KEY.match(lines[at].text)) is not None:
        name = key[1] if key[1] is not None else key[2]
        scalar = key[3] or ""
        below = at + 1
        has_more = below < len(lines) and lines[below].indent >= indent
        if scalar[:1] in {"|", ">"}:
            end = _skipped(lines, at, indent)[1]
            keys = [set_.group(1) for line in lines[below:end] if (set_ := _SET.match(line.text)) is not None]
            found[name], at = _Text(tuple(keys)), end
        elif not scalar and has_more and (lines[below].indent > indent or lines[below].text.startswith("-")):
            found[name], at = _read(lines, below)
        else:
            found[name], at = scalar.strip('"'), _skipped(lines, at, indent)[1]
    return found, max(at, 1)


def _skipped(lines: Sequence[_Line], at: int, indent: int) -> tuple[str, int]:
    """A scalar's text, and the line after all that is farther to the right than it."""
    text = lines[at].text
    at += 1
    while at < len(lines) and lines[at].indent > indent:
        at += 1
    return text, at
