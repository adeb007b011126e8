"""JSON: members are replaced, added and taken out where they stand, in the indentation of the base."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from envcompile.compose.configtext.text import (
    ConfigTextError,
    KeySpan,
    LineIndex,
    MalformedError,
    conflict,
    line_break,
    path_name,
    place,
    reject,
    too_long,
)
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.compose.configtext.text import Side
    from envcompile.compose.configtext.trees import Path

_SPACE: Final = re.compile(r"[ \t\r\n]*+")
_INDENT: Final = re.compile(r"\n([ \t]+)[^ \t\r\n]")


class _Member(NamedTuple):
    """One member of an object by offsets; `lead` is the end of the comma before it, `after` the start of the next."""

    key: str
    lead: int
    key_start: int
    key_end: int
    value_start: int
    value_end: int
    after: int


class _RepeatedError(Exception):
    """An object has a key twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _RepeatedError
    return found


def _no_constant(name: str) -> NoReturn:
    raise _RepeatedError(name)


_decoder: Final = json.JSONDecoder()
_strict: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def load(text: str, side: Side) -> Any:
    """The value of a JSON text.

    Raises:
        ConfigTextError: when the text is not JSON, or repeats a key.
    """
    try:
        return _strict.decode(text)
    except json.JSONDecodeError as error:
        what, fix = error.msg[:1].lower() + error.msg[1:], "write plain JSON"
        if text[error.pos : error.pos + 1] in {"/", "#"}:
            what, fix = "JSON has no comments", "delete the comment, or name the file `.yaml`, which may hold JSON"
        raise ConfigTextError(side, error.lineno, error.colno, what, fix) from None
    except ValueError:
        raise too_long(text, side) from None
    except _RepeatedError as error:
        try:
            if error.args:
                tokens = re.finditer(rf'"(?:[^"\\]|\\.)*+"|{re.escape(error.args[0])}', text)
                offset = next(match.start() for match in tokens if match[0] == error.args[0])
                reject(text, offset, f"`{error.args[0]}` is no JSON value", "write a number, a string or null")
            _reject_repeated(text, _skip(text, 0))
        except MalformedError as found:
            raise found.on(side) from None
        raise


def _reject_repeated(text: str, start: int) -> None:
    """Find the repeated key and say where it stands."""
    if text[start] == "{":
        seen: dict[str, int] = {}
        for member in _members(text, start):
            if member.key in seen:
                line = place(text, seen[member.key])[0]
                what = f"`{member.key}` is repeated; it stands on line {line} too"
                reject(text, member.key_start, what, "keep one of the two")
            seen[member.key] = member.key_start
            _reject_repeated(text, member.value_start)
    elif text[start] == "[":
        for begin, _ in _elements(text, start):
            _reject_repeated(text, begin)


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _members(text: str, start: int) -> Iterator[_Member]:
    """The members of the object that begins at an offset."""
    position = start + 1
    while text[key_start := _skip(text, position)] != "}":
        key, key_end = _decoder.raw_decode(text, key_start)
        value_start = _skip(text, _skip(text, key_end) + 1)
        value_end = _decoder.raw_decode(text, value_start)[1]
        after = _skip(text, value_end)
        yield _Member(key, position, key_start, key_end, value_start, value_end, after)
        if text[after] == "}":
            return
        position = after + 1


def _elements(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Start and end of the items of the list that begins at an offset."""
    position = start + 1
    while text[begin := _skip(text, position)] != "]":
        end = _decoder.raw_decode(text, begin)[1]
        yield begin, end
        position = _skip(text, end)
        if text[position] == "]":
            return
        position += 1


class _Style(NamedTuple):
    """How a text is laid out; `unit` is None for a text on one line."""

    unit: str | None
    colon: str
    breaks: str


def _style(base: str, overlay: str) -> _Style:
    model = base if base.strip() not in {"", "{}"} else overlay
    colon = re.search(r'"([ \t]*:[ \t]*)', model)
    indent = _INDENT.search(model)
    unit = (indent[1] if indent else "") if "\n" in model.strip() else None
    return _Style(unit, colon[1] if colon else ": ", line_break(base, overlay))


def merge(base: str, overlay: str) -> str:
    """The base's text with the overlay's members in it; null removes, lists are replaced.

    Raises:
        ConfigTextError: when a text is not JSON, or an object meets something else.
    """
    below = load(base, "base") if base.strip() else {}
    if not overlay.strip():
        return base
    above = load(overlay, "overlay")
    if same(below, above):
        return base
    source = base if base.strip() else "{}" + base
    start, above_start = _skip(source, 0), _skip(overlay, 0)
    if type(below) is dict and type(above) is dict:
        merger = _Merger(source, overlay, _style(base, overlay))
        text = merger.merged(start, below, above_start, above, ())
        text += "\n" if not base and overlay.endswith("\n") else ""
    elif dict in {type(below), type(above)}:
        raise conflict("overlay", place(overlay, above_start), "", below, above)
    else:
        text = overlay[above_start:].rstrip()
    return source[:start] + text + source[_decoder.raw_decode(source, start)[1] :]


class _Merger:
    """Writes the objects of one merge."""

    def __init__(self, base: str, overlay: str, style: _Style) -> None:
        self._base = base
        self._overlay = overlay
        self._style = style

    def merged(self, start: int, below: dict[str, Any], above_start: int, above: dict[str, Any], path: Path) -> str:
        """The text of the base's object at an offset after the overlay's object was laid over it."""
        base = self._base
        overlaid = {member.key: member for member in _members(self._overlay, above_start)}
        members = list(_members(base, start))
        end = members[-1].after if members else _skip(base, start + 1)
        indent = self._indent(members, start)
        kept: list[tuple[str, str, str]] = []
        for member in members:
            text = base[member.value_start : member.value_end]
            over = overlaid.get(member.key)
            if over is not None:
                old, new = below[member.key], above[member.key]
                if new is None:
                    continue
                if type(old) is dict and type(new) is dict:
                    text = self.merged(member.value_start, old, over.value_start, new, (*path, member.key))
                elif old is not None and dict in {type(old), type(new)}:
                    where = place(self._overlay, over.key_start)
                    raise conflict("overlay", where, path_name((*path, member.key)), old, new)
                elif not same(old, new):
                    text = self._rendered(over.value_start, over.value_end, new, indent)
            head, tail = base[member.key_start : member.value_start], base[member.value_end : member.after]
            kept.append((base[member.lead : member.key_start], head + text, tail))
        fresh = [member for key, member in overlaid.items() if key not in below and above[key] is not None]
        if len(kept) == len(members) and not fresh:
            bodies = ",".join(map("".join, kept))
            return base[start : start + 1] + (bodies or base[start + 1 : end]) + "}"
        added = [
            self._overlay[new.key_start : new.key_end]
            + self._style.colon
            + self._rendered(new.value_start, new.value_end, above[new.key], indent)
            for new in fresh
        ]
        return self._joined(members, kept, added, start, indent)

    def _joined(
        self, members: list[_Member], kept: list[tuple[str, str, str]], fresh: list[str], start: int, indent: str | None
    ) -> str:
        """The object of the members that stay and those that are new."""
        if not kept and not fresh:
            return "{}"
        closing, breaks = self._closing(start), self._style.breaks
        if members:
            first = self._base[members[0].lead : members[0].key_start]
            last = self._base[members[-1].value_end : members[-1].after]
        else:
            first, last = ("", "") if indent is None else (breaks + indent, breaks + closing)
        lead = first if indent is not None else (" " if self._style.colon.endswith(" ") else "")
        pieces = [*kept, *((lead, body, "") for body in fresh)]
        pieces[0] = (first, *pieces[0][1:])
        texts = [
            f"{before}{body}{after if number < len(kept) - 1 else ''}"
            for number, (before, body, after) in enumerate(pieces)
        ]
        return "{" + ",".join(texts) + last + "}"

    def _indent(self, members: list[_Member], start: int) -> str | None:
        """The indentation of the object's members; None when they share a line."""
        if members:
            lead = self._base[members[0].lead : members[0].key_start]
            return lead.rpartition("\n")[2] if "\n" in lead else None
        return None if self._style.unit is None else self._closing(start) + self._style.unit

    def _closing(self, start: int) -> str:
        """The indentation of the line on which an object begins."""
        line = self._base[self._base.rfind("\n", 0, start) + 1 : start]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _rendered(self, start: int, end: int, value: Any, indent: str | None, *, nulls: bool = False) -> str:
        """A value of the overlay as its author spelt it, laid out like the base.

        Nulls take members out, but not inside of lists, which are replaced as they stand (`nulls`).
        """
        raw = self._overlay[start:end]
        if type(value) not in {dict, list} or ("\n" not in raw and (nulls or not _has_null(value))):
            return raw
        style = self._style
        spread = "\n" in raw and indent is not None and style.unit is not None
        inner = (indent or "") + (style.unit or "") if spread else None
        texts = []
        if type(value) is dict:
            for member in _members(self._overlay, start):
                item = value[member.key]
                if item is not None or nulls:
                    text = self._rendered(member.value_start, member.value_end, item, inner, nulls=nulls)
                    texts.append(self._overlay[member.key_start : member.key_end] + style.colon + text)
        else:
            for (begin, stop), item in zip(_elements(self._overlay, start), value, strict=True):
                texts.append(self._rendered(begin, stop, item, inner, nulls=True))
        opening, closing = raw[0], raw[-1]
        if not texts:
            return opening + closing
        if inner is None:
            return opening + ("," if style.colon == ":" else ", ").join(texts) + closing
        between = style.breaks + inner
        return opening + between + f",{between}".join(texts) + style.breaks + (indent or "") + closing


def _has_null(value: Any) -> bool:
    return type(value) is dict and any(item is None or _has_null(item) for item in value.values())


def keys(text: str) -> dict[str, KeySpan]:
    """Every value that is no map or list with anything in it, by its path.

    Raises:
        ConfigTextError: when the text is not JSON.
    """
    if not text.strip():
        return {}
    value = load(text, "base")
    start = _skip(text, 0)
    spans: dict[str, KeySpan] = {}
    if type(value) in {dict, list}:
        _collect(text, start, start, _decoder.raw_decode(text, start)[1], value, (), LineIndex(text), spans)
    return spans


def _collect(
    text: str, begin: int, start: int, end: int, value: Any, path: Path, lines: LineIndex, spans: dict[str, KeySpan]
) -> None:
    if type(value) is dict and value:
        for member in _members(text, start):
            inner = (*path, member.key)
            _collect(
                text, member.key_start, member.value_start, member.value_end, value[member.key], inner, lines, spans
            )
    elif type(value) is list and value:
        for number, (first, last) in enumerate(_elements(text, start)):
            _collect(text, first, first, last, value[number], (*path, number), lines, spans)
    elif path:
        spans[path_name(path)] = KeySpan(value, lines.line(begin), lines.line(end - 1))


def overlay_between(base: str, target: str) -> str:
    """The text of an overlay that should lead from the base to the target.

    Raises:
        ConfigTextError: when a text is not JSON.
    """
    below, above = load(base, "base"), load(target, "overlay")
    if type(below) is not dict or type(above) is not dict:
        return target
    return _difference(below, above, target, _skip(target, 0), "") + "\n"


def _difference(below: dict[str, Any], above: dict[str, Any], target: str, start: int, indent: str) -> str:
    inner = f"{indent}  "
    lines = []
    for member in _members(target, start):
        key, new = member.key, above[member.key]
        old = below.get(key)
        if key in below and same(old, new):
            continue
        text = target[member.value_start : member.value_end]
        if type(old) is dict and type(new) is dict:
            text = _difference(old, new, target, member.value_start, inner)
        lines.append(f"{inner}{target[member.key_start : member.key_end]}: {text}")
    lines += [f"{inner}{json.dumps(key)}: null" for key in below if key not in above]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}" if lines else "{}"
