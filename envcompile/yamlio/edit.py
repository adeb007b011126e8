"""Changes of a YAML file that keep its comments and its formatting: only the lines of the changed values change."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.errors import EnvcError, fail
from envcompile.model import Location
from envcompile.values import ABSENT, dotted, same, value_at
from envcompile.yamlio.load import load_all
from envcompile.yamlio.nodes import SCALAR, compose
from envcompile.yamlio.positions import locate, locate_nearest
from envcompile.yamlio.splice import Splicer, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from envcompile.model import Pointer

_MARK = "\ufeff"
_PLAIN = re.compile(r"[^\s,\[\]{}#'\"&*!|>%@`]+")


def set_value(
    text: str, index: int, pointer: Pointer, value: Any, *, file: str = "<text>", readers: Collection[Pointer] = ()
) -> str:
    """The text with `value` at a place of document `index`.

    Missing keys are added at the end of their map, an item one behind the end of its list is appended. Where maps and
    lists are replaced by maps and lists only what differs is touched.

    Args:
        text: the whole file.
        index: the document, counted from 0 as `load_all` does.
        pointer: the way to the value.
        value: what shall be read from there.
        file: the name of the file in messages.
        readers: further ways to the same place, by aliases and merge keys (`sharing`): they have the new value, too.

    Raises:
        EnvcError: when the file is no YAML, or written so that the change would reach beyond the place (aliases).
    """
    documents = load_all(text.encode(), file)
    if not 0 <= index < len(documents):
        documents, index = [*documents, None], len(documents)
    wanted = documents[index]
    for way in (pointer, *readers):
        wanted = _with(wanted, way, value)
    changes = _changes(documents[index], _with(documents[index], pointer, value), ())
    return _edited(text, documents, index, wanted, changes, pointer, file)


def delete(text: str, index: int, pointer: Pointer, *, file: str = "<text>", readers: Collection[Pointer] = ()) -> str:
    """The text without a key or list item; the last one of its kind leaves `{}` or `[]` behind.

    Nothing changes when it does not exist. Arguments and errors are those of `set_value`.
    """
    documents = load_all(text.encode(), file)
    if not pointer or not 0 <= index < len(documents):
        return text
    if value_at(documents[index], pointer) is ABSENT:
        return text
    wanted = documents[index]
    for way in sorted((pointer, *readers), key=_from_behind):
        wanted = _without(wanted, way)
    changes = _changes(documents[index], _without(documents[index], pointer), ())
    return _edited(text, documents, index, wanted, changes, pointer, file)


def _from_behind(pointer: Pointer) -> list[tuple[bool, int]]:
    """Sorts the last items of lists first."""
    return [(isinstance(step, int), -step if isinstance(step, int) else 0) for step in pointer]


def _without(value: Any, pointer: Pointer) -> Any:
    parent, step = value_at(value, pointer[:-1]), pointer[-1]
    if type(parent) is dict:
        return _with(value, pointer[:-1], {key: item for key, item in parent.items() if key != step})
    if type(parent) is list:
        return _with(value, pointer[:-1], [item for position, item in enumerate(parent) if position != step])
    return value


def rename(
    text: str, index: int, pointer: Pointer, name: str, *, file: str = "<text>", readers: Collection[Pointer] = ()
) -> str:
    """The text with another key for a value, which stays where it is with its comments.

    Nothing changes when it does not exist. Arguments and errors are those of `set_value`.
    """
    documents = load_all(text.encode(), file)
    parent = value_at(documents[index], pointer[:-1]) if 0 <= index < len(documents) else ABSENT
    place = locate(text.encode(), index, pointer, key=True)
    if type(parent) is not dict or pointer[-1] not in parent or place is None:
        return text
    wanted = documents[index]
    for way in (pointer, *readers):
        around = value_at(wanted, way[:-1])
        named = {name if key == way[-1] else key: item for key, item in around.items()}
        wanted = _with(wanted, way[:-1], named)
    lines = text.splitlines(keepends=True)
    line, at = lines[place[0] - 1], place[1] - 1
    written = next((one for one in _spellings(str(pointer[-1])) if line.startswith(one, at)), None)
    if written is None or name in parent:
        raise _refused(text, index, pointer, file)
    lines[place[0] - 1] = f"{line[:at]}{name}{line[at + len(written) :]}"
    found = "".join(lines)
    if not same(load_all(found.encode(), file), [*documents[:index], wanted, *documents[index + 1 :]]):
        raise _refused(text, index, pointer, file)
    return found


class Comments(NamedTuple):
    """What people wrote about a key."""

    above: tuple[str, ...] = ()
    """Lines directly above it, as far in as it is; without indentation."""
    behind: str = ""
    """On its line, with the blanks before it."""


def comments(text: str, index: int, pointer: Pointer) -> Comments:
    """The comments on a key of a map in block style; none for anything else."""
    place = locate(text.encode(), index, pointer, key=True)
    if place is None:
        return Comments()
    lines = text.splitlines()
    row, indent = place[0] - 1, " " * (place[1] - 1)
    above: list[str] = []
    if lines[row].startswith(indent):
        for line in reversed(lines[:row]):
            if not line.startswith(f"{indent}#"):
                break
            above.insert(0, line.strip())
    return Comments(tuple(above), _behind(text, index, pointer))


def with_comments(text: str, index: int, pointer: Pointer, found: Comments) -> str:
    """The text with comments on a key of a map in block style; nothing changes where it is in flow style."""
    place = locate(text.encode(), index, pointer, key=True)
    lines = text.splitlines(keepends=True)
    if place is None or lines[place[0] - 1][: place[1] - 1].strip():
        return text
    row, indent = place[0] - 1, " " * (place[1] - 1)
    end = "\r\n" if lines[row].endswith("\r\n") else "\n"
    if found.behind and not _behind(text, index, pointer) and locate(text.encode(), index, pointer)[0] == place[0]:  # type: ignore[index]  # a key that is there has a value
        line = lines[row].rstrip("\r\n")
        lines[row] = f"{line}{found.behind}{lines[row][len(line) :]}"
    return "".join([*lines[:row], *(f"{indent}{line}{end}" for line in found.above), *lines[row:]])


def without_comments_above(text: str, index: int, pointer: Pointer) -> str:
    """The text without the lines that `comments` finds above a key."""
    place = locate(text.encode(), index, pointer, key=True)
    count = len(comments(text, index, pointer).above)
    if place is None or not count:
        return text
    lines = text.splitlines(keepends=True)
    return "".join([*lines[: place[0] - 1 - count], *lines[place[0] - 1 :]])


def _behind(text: str, index: int, pointer: Pointer) -> str:
    try:
        return Splicer(text.removeprefix(_MARK), index).comment_behind(pointer)
    except UnsupportedError:
        return ""


def written(text: str, index: int, pointer: Pointer, *, file: str = "<text>") -> str | None:
    """The text of a plain scalar, such as `8080` or `yes`; None for anything else."""
    root = next(islice(compose(text.removeprefix(_MARK)), index, None), None)
    node = root.value if root is not None else None
    for step in pointer:
        found = node.find(step) if node is not None else None
        node = found[1] if found is not None else None
    if node is None or node.real.kind != SCALAR or node.real.style:
        return None
    plain = node.real.text
    value = value_at(load_all(text.encode(), file)[index], pointer)
    return plain if _PLAIN.fullmatch(plain) and same(load_all(plain.encode(), file), [value]) else None


def _spellings(key: str) -> tuple[str, ...]:
    return (key, f'"{key}"', f"'{key}'")


def _edited(
    text: str,
    documents: list[Any],
    index: int,
    wanted: Any,
    changes: Iterable[tuple[str, Pointer, Any]],
    pointer: Pointer,
    file: str,
) -> str:
    mark = _MARK if text.startswith(_MARK) else ""
    found = text.removeprefix(mark)
    try:
        for kind, way, value in changes:
            found = _changed(found, index, kind, way, value)
    except (UnsupportedError, IndexError) as error:
        raise _refused(text, index, pointer, file) from error
    expected = [*documents[:index], wanted, *documents[index + 1 :]]
    try:
        is_same = same(load_all(found.encode(), file), expected)
    except EnvcError as error:
        raise _refused(text, index, pointer, file) from error
    if not is_same:
        raise _refused(text, index, pointer, file)
    return mark + found


def _refused(text: str, index: int, pointer: Pointer, file: str) -> EnvcError:
    way = dotted(pointer)
    return fail(
        f"`{way}` cannot be changed without changing how the file is written",
        "change it by hand; aliases, merge keys and values in unusual notation are left alone",
        Location(file, *locate_nearest(text.encode(), index, pointer)),
    )


def _changed(text: str, index: int, kind: str, way: Pointer, value: Any) -> str:
    splicer = Splicer(text, index)
    if kind == "replace":
        return splicer.replaced(way, value)
    if kind == "key":
        return splicer.inserted_key(way, value)
    if kind == "item":
        position = way[-1]
        if type(position) is not int:
            raise UnsupportedError
        return splicer.inserted_item(way[:-1], position, value)
    return splicer.deleted(way)


def _changes(old: Any, new: Any, way: Pointer) -> Iterator[tuple[str, Pointer, Any]]:
    """The single changes that lead from one value to the other, in an order in which they can be made."""
    if same(old, new):
        return
    if type(old) is dict and type(new) is dict and old and new and (old.keys() & new.keys()):
        for key in old:
            if key not in new:
                yield "delete", (*way, key), None
        for key, value in new.items():
            if key in old:
                yield from _changes(old[key], value, (*way, key))
            else:
                yield "key", (*way, key), value
    elif type(old) is list and type(new) is list and old and new:
        yield from _list_changes(old, new, way)
    else:
        yield "replace", way, new


def _list_changes(old: list[Any], new: list[Any], way: Pointer) -> Iterator[tuple[str, Pointer, Any]]:
    """Changes between the equal items at both ends: paired items change in place, the others come or go."""
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and same(old[head], new[head]):
        head += 1
    tail = 0
    while tail < shorter - head and same(old[-1 - tail], new[-1 - tail]):
        tail += 1
    paired = shorter - tail
    for position in range(head, paired):
        yield from _changes(old[position], new[position], (*way, position))
    for position in range(paired, len(new) - tail):
        yield "item", (*way, position), new[position]
    for position in reversed(range(paired, len(old) - tail)):
        yield "delete", (*way, position), None


def _with(value: Any, pointer: Pointer, new: Any) -> Any:
    """A copy of the value with another value at a place, for which maps and lists are made where there is nothing."""
    if not pointer:
        return new
    step, rest = pointer[0], pointer[1:]
    if type(step) is str:
        known = value if type(value) is dict else {}
        return {**known, step: _with(known.get(step), rest, new)}
    items = list(value) if type(value) is list else []
    position = int(step)
    if position >= len(items):
        return [*items, _with(None, rest, new)]
    items[position] = _with(items[position], rest, new)
    return items
