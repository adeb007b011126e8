"""TOML: tables merge key by key in the text, arrays are replaced, `key = "" # envc:remove` removes."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Final

from envcompile.compose.configtext.text import (
    MARKER,
    REPLACE_HINT,
    ConfigTextError,
    KeySpan,
    LineIndex,
    UnmergeableError,
    conflict,
    line_break,
    not_below,
    path_name,
    place,
    splice,
)
from envcompile.compose.configtext.tomlscan import Index, Pair, item_above, lead_start, load, scan
from envcompile.compose.configtext.tomlweave import Weaver, at, exists, spelled
from envcompile.compose.configtext.trees import ClashError, laid_over
from envcompile.values import REMOVED, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.compose.configtext.text import Side
    from envcompile.compose.configtext.tomlscan import Table
    from envcompile.compose.configtext.trees import Path

__all__ = ["keys", "load", "merge", "overlay_between"]

_MARK: Final = re.compile(rf"#[ \t]*{MARKER}(?=[\s,.:(]|$)")


def merge(base: str, overlay: str) -> str:
    """The base's text with the overlay's keys in it.

    Raises:
        ConfigTextError: when a text is not TOML, a table meets something else, or the layout has no place for a key.
    """
    below = load(base, "base")
    above = load(overlay, "overlay")
    breaks = line_break(base, overlay)
    text, upper = _ended(base, breaks), _ended(overlay, "\n")
    tables = scan(text)
    if MARKER in base:
        _refuse_marks(text, tables, "base")
    if base == overlay:
        return base
    upper_tables = scan(upper)
    if MARKER in overlay:
        _mark_removed(upper, upper_tables, above)
    try:
        expected = laid_over(below, above, _is_removed)
    except ClashError as clash:
        raise conflict(
            "overlay", _place_of(upper, upper_tables, clash.path), path_name(clash.path), clash.below, clash.above
        ) from None
    if same(expected, below):
        return base
    weaver = Weaver(text, tables, below, upper, upper_tables, breaks)
    weaver.weave(above)
    result = splice(text, weaver.edits)
    if not (base or overlay).endswith("\n"):
        result = result.rstrip("\r\n")
    _confirm(result, expected)
    return result


def _confirm(result: str, expected: dict[str, Any]) -> None:
    """Make sure that the text says what the merge of the values is."""
    try:
        if same(_pruned(load(result, "overlay")), _pruned(expected)):
            return
    except ConfigTextError:
        pass
    raise UnmergeableError("overlay", 1, 1, "the layout of the base has no place for these keys", REPLACE_HINT)


def _pruned(value: Any) -> Any:
    """Without empty tables: one that is only implied goes with its last key."""
    if not isinstance(value, dict):
        return value
    inner = {key: _pruned(item) for key, item in value.items()}
    return {key: item for key, item in inner.items() if item != {}}


def _ended(text: str, breaks: str) -> str:
    return text if not text or text.endswith("\n") else text + breaks


def _is_removed(value: Any) -> bool:
    return value is REMOVED


def _items(table: Table) -> list[Pair | Table]:
    return [table, *table.pairs]


def _mark_removed(text: str, tables: list[Table], above: dict[str, Any]) -> None:
    """Put REMOVED in the place of the values that the text marks.

    Raises:
        ConfigTextError: for a mark above nothing, inside of an array, or on what is not empty.
    """
    marked = 0
    for table in tables:
        for item in _items(table):
            if not item.marked:
                continue
            marked += 1
            path = tuple(step for step in item.path if isinstance(step, str))
            if len(path) < len(item.path):
                _refuse(text, item.start, "an array of tables is replaced whole, nothing in it can be removed")
            holder = above
            for step in path[:-1]:
                holder = holder[step]
            if holder[path[-1]] not in ("", [], {}):
                _refuse(text, item.start, f"`{path_name(path)}` is marked `# {MARKER}` but has a value")
            holder[path[-1]] = REMOVED
    comments = [match.start() for match in _MARK.finditer(text)]
    if len(comments) > marked:
        marked_items = [item for table in tables for item in _items(table) if item.marked]
        covered = [(lead_start(text, 0, item.start), item.end) for item in marked_items]
        starts = [start for start, _ in covered]
        for offset in comments:
            number = bisect_right(starts, offset) - 1
            if (number < 0 or offset >= covered[number][1]) and _is_comment_line(text, offset):
                _refuse(text, offset, f"`# {MARKER}` stands above no key")


def _is_comment_line(text: str, offset: int) -> bool:
    return not text[text.rfind("\n", 0, offset) + 1 : offset].strip()


def _refuse(text: str, offset: int, what: str, side: Side = "overlay") -> None:
    raise ConfigTextError(side, *place(text, offset), what, f'write `key = "" # {MARKER}` to remove a key')


def _refuse_marks(text: str, tables: list[Table], side: Side) -> None:
    for table in tables:
        for item in _items(table):
            if item.marked:
                what = f"`# {MARKER}` stands in the base, which has nothing below it to remove"
                _refuse(text, item.start, what, side)


def _place_of(text: str, tables: list[Table], path: Path) -> tuple[int, int]:
    """Where a path is written, or the nearest thing that says something about it."""
    items = [item for table in tables for item in reversed(_items(table))]
    for item in items:
        known = tuple(step for step in item.path if isinstance(step, str))
        if known[: len(path)] == path or (isinstance(item, Pair) and path[: len(known)] == known):
            return place(text, item.key_start if isinstance(item, Pair) else item.start)
    return 1, 1


def keys(text: str) -> dict[str, KeySpan]:
    """Every value that is no table or array with anything in it, by its path.

    Raises:
        ConfigTextError: when the text is not TOML.
    """
    value = load(text, "base")
    text = _ended(text, "\n")
    spans: dict[str, KeySpan] = {}
    lines = LineIndex(text)
    for table in scan(text):
        for pair in table.pairs:
            first, last = lines.line(pair.key_start), lines.line(pair.value_end - 1)
            _collect(at(value, pair.path), pair.path, first, last, spans)
    return spans


def _collect(value: Any, path: Path, first: int, last: int, spans: dict[str, KeySpan]) -> None:
    if value and isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            _collect(inner, (*path, step), first, last, spans)
    else:
        spans[path_name(path)] = KeySpan(value, first, last)


def overlay_between(base: str, target: str) -> str:
    """The text of an overlay that should lead from the base to the target.

    Raises:
        ConfigTextError: when a text is not TOML.
    """
    below, above = load(base, "base"), load(target, "overlay")
    target = _ended(target, "\n")
    parts: list[str] = []
    removed = list(_missing(below, above, ()))
    tables = scan(target)
    index = Index(tables)
    leaving: dict[int, list[Path]] = {}
    for path in removed:
        leaving.setdefault(id(index.home(path[:-1])), []).append(path)
    for table in tables:
        array = next((table.path[:end] for end, step in enumerate(table.path) if isinstance(step, int)), None)
        if array is not None:
            if not exists(below, array) or not same(at(below, array), at(above, array)):
                parts.append(not_below(target[table.lead : table.start], base) + target[table.start : table.last])
            continue
        depth = len(table.path)
        lines = [f'{spelled(path[depth:])} = "" # {MARKER}\n' for path in leaving.get(id(table), ())]
        for pair in table.pairs:
            value = at(above, pair.path)
            known = exists(below, pair.path)
            if not known or not same(at(below, pair.path), value):
                before = item_above(table, pair)
                lead = "" if known else not_below(target[lead_start(target, before, pair.start) : pair.start], base)
                lines.append(lead + target[pair.start : pair.end])
        if lines or (table.path and not exists(below, table.path)):
            lead = "" if exists(below, table.path) else not_below(target[table.lead : table.start], base)
            parts += [lead + target[table.start : table.end], *lines]
    return "".join(parts)


def _missing(below: dict[str, Any], above: dict[str, Any], path: Path) -> Iterator[Path]:
    for key, value in below.items():
        if key not in above:
            yield (*path, key)
        elif isinstance(value, dict) and isinstance(above[key], dict):
            yield from _missing(value, above[key], (*path, key))
