"""Puts an overlay's TOML statements into the text of a base: tables, dotted keys, inline tables, arrays of tables."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.compose.configtext.text import with_breaks
from envcompile.compose.configtext.tomlscan import Index, inline_pairs, item_above, lead_start
from envcompile.values import REMOVED, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.compose.configtext.text import Edit
    from envcompile.compose.configtext.tomlscan import Pair, Table
    from envcompile.compose.configtext.trees import Path

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_BLANK_LINES: Final = re.compile(r"(?:[ \t]*\r?\n)*")


class Weaver:
    """Collects the edits of one merge, one statement of the overlay after the other."""

    def __init__(
        self, text: str, tables: list[Table], below: dict[str, Any], upper: str, upper_tables: list[Table], breaks: str
    ) -> None:
        self._text = text
        self._tables = tables
        self._below = below
        self._upper = upper
        self._upper_tables = upper_tables
        self._breaks = breaks
        self.edits: list[Edit] = []
        self._blocks: dict[Path, list[str]] = {}  # new tables by path: what to write at the end of the text
        self._pairs = {pair.path: pair for pair in self._all_pairs()}
        self._index = Index(tables)
        self._upper_index = Index(upper_tables)
        self._ends: dict[int, int] = {}
        self._apart: bool | None = None
        self._seen: set[Path] = set()  # arrays that were replaced, inline tables that got a key

    def weave(self, above: dict[str, Any]) -> None:
        """Lay the overlay's statements over the base."""
        for number, table in enumerate(self._upper_tables):
            array = next((table.path[:end] for end, step in enumerate(table.path) if isinstance(step, int)), None)
            if array is not None:
                self._array(array, at(above, array))
            elif table.marked:
                self._remove(table.path)
            else:
                empty = number and not table.pairs and not exists(self._below, table.path)
                if empty and not self._added_inline(self._anchor(table.path), table.path, "{}"):
                    self._blocks.setdefault(table.path, [self._head(table)])
                for pair in table.pairs:
                    self._statement(table, pair, at(above, pair.path))
        if self._blocks:
            chunk = "".join(part for parts in self._blocks.values() for part in parts)
            end = _text_end(self._text)
            if not end:
                chunk = chunk.lstrip("\r\n")
            self.edits.append((end, end, with_breaks(chunk, self._breaks)))

    def _head(self, table: Table) -> str:
        """The header of a new table with the comment above it, set off by a blank line where the base does so."""
        text = self._upper[table.lead : table.end]
        if self._apart is None:
            self._apart = len(self._tables) == 1 or any(
                not self._text[known.lead : known.start].partition("\n")[0].strip() and known.lead < known.start
                for known in self._tables[1:]
            )
        return text if not self._apart or text.startswith(("\n", "\r")) else f"\n{text}"

    def _statement(self, table: Table, pair: Pair, value: Any, *, is_inline: bool = False) -> None:
        path = pair.path
        if pair.marked:
            self._remove(path)
        elif not exists(self._below, path):
            self._add(table, pair, value, is_inline=is_inline)
        elif not same(old := at(self._below, path), value):
            if isinstance(value, dict):
                for inner in inline_pairs(self._upper, pair):
                    self._statement(table, inner, at(value, inner.path[len(path) :]), is_inline=True)
            else:
                self._replace(path, old, self._upper[pair.value_start : pair.value_end])

    def _replace(self, path: Path, old: Any, raw: str) -> None:
        """Write another value behind the base's key; an array of tables gives way as a whole."""
        pair = self._pair(path)
        if pair is not None:
            self.edits.append((pair.value_start, pair.value_end, with_breaks(raw, self._breaks)))
            return
        if isinstance(old, list):
            self._remove(path)
            home = self._index.home(path)
            self._write(home, path, f"{raw}\n", "")

    def _pair(self, path: Path) -> Pair | None:
        return self._pairs.get(path)

    def _all_pairs(self) -> Iterator[Pair]:
        """Every pair of the base, those of inline tables behind the pair that holds them."""
        waiting = [pair for table in reversed(self._tables) for pair in reversed(table.pairs)]
        while waiting:
            pair = waiting.pop()
            yield pair
            if self._text[pair.value_start] == "{":
                waiting += reversed(inline_pairs(self._text, pair))

    def _remove(self, path: Path) -> None:
        """Take out every statement at or below a path."""
        for table in self._index.tables_below.get(path, ()):
            blank = _BLANK_LINES.match(self._text, table.last)
            self.edits.append((table.start, blank.end() if blank else table.last, ""))
        self._remove_pairs(self._index.pairs_below.get(path, ()), path)
        for length in range(1, len(path)):
            self._remove_pairs([pair for pair in (self._index.pairs.get(path[:length]),) if pair is not None], path)

    def _remove_pairs(self, pairs: Iterable[Pair], path: Path) -> None:
        for pair in pairs:
            if pair.path[: len(path)] == path:
                self.edits.append((pair.start, pair.end, ""))
            elif path[: len(pair.path)] == pair.path and self._text[pair.value_start] == "{":
                inner = inline_pairs(self._text, pair)
                kept = [item for item in inner if item.path[: len(path)] != path]
                if len(kept) == len(inner):
                    self._remove_pairs(inner, path)
                elif not kept:
                    self.edits.append((inner[0].start, inner[-1].value_end, ""))
                else:
                    for number, item in enumerate(inner):
                        if item not in kept:
                            follows = next((other for other in inner[number + 1 :] if other in kept), None)
                            start = (
                                item.start
                                if follows
                                else next(other for other in reversed(inner[:number]) if other in kept).value_end
                            )
                            end = inner[number + 1].start if follows else item.value_end
                            self.edits.append((start if follows or item is inner[-1] else item.start, end, ""))

    def _add(self, table: Table, pair: Pair, value: Any, *, is_inline: bool) -> None:
        """Write a key that the base does not have, as close as can be to where the overlay has it."""
        path, raw = pair.path, self._upper[pair.value_start : pair.value_end]
        lead, tail = "", "\n"
        if not is_inline:
            lead = self._upper[lead_start(self._upper, item_above(table, pair), pair.start) : pair.start]
            tail = self._upper[pair.value_end : pair.end]
        if isinstance(value, dict) and _has_removed(value):
            raw = _inline(value)
        anchor = self._anchor(path)
        if self._added_inline(anchor, path, raw):
            return
        written = self._index.headed.get(table.path)
        nearer = self._index.headed.get(anchor)
        around = self._index.dotted.get(anchor)
        if around is not None and (written is not None or table.path == anchor):
            self._write(around, path, raw + tail, lead, below=anchor)
        elif nearer is not None and len(anchor) >= len(table.path):
            self._write(nearer, path, raw + tail, lead)
        elif written is not None:
            self._write(written, path, raw + tail, lead)
        else:
            block = self._blocks.setdefault(table.path, [self._head(table)])
            block.append(lead + f"{spelled(path[len(table.path) :])} = {raw}" + tail)

    def _anchor(self, path: Path) -> Path:
        """The innermost table of the base that a new key belongs to."""
        anchor = path[:-1]
        while anchor and not exists(self._below, anchor):
            anchor = anchor[:-1]
        return anchor

    def _added_inline(self, anchor: Path, path: Path, raw: str) -> bool:
        """Write a new key into the inline table that it belongs to, if it is one."""
        inline = self._pair(anchor) if anchor else None
        if inline is None:
            return False
        inner = inline_pairs(self._text, inline)
        position = inner[-1].value_end if inner else inline.value_start + 1
        key = spelled(path[len(anchor) :])
        comma = ", " if inner or anchor in self._seen else ""
        self._seen.add(anchor)
        self.edits.append((position, position, f"{comma}{key} = {with_breaks(raw, self._breaks)}"))
        return True

    def _write(self, table: Table, path: Path, rest: str, lead: str, below: Path = ()) -> None:
        """Write a pair at the end of a table, or behind the last pair below a dotted path; `rest` ends its line."""
        last = self._index.last_dotted.get((table.start, table.path, below))
        position = last.end if last is not None else self._table_end(table)
        indent = re.match(r"[ \t]*", self._text[table.pairs[-1].start :]) if table.pairs else None
        line = f"{indent[0] if indent else ''}{spelled(path[len(table.path) :])} = {rest}"
        if not position or self._text.endswith(("\n\n", "\n\r\n"), max(0, position - 3), position):
            lead = lead.lstrip("\r\n")
        self.edits.append((position, position, with_breaks(lead + line, self._breaks)))

    def _table_end(self, table: Table) -> int:
        """Where a new line of a table belongs: before blank lines and the comment of the next header."""
        number = self._index.numbers[id(table)]
        if number not in self._ends:
            self._ends[number] = self._end_of(number, table)
        return self._ends[number]

    def _end_of(self, number: int, table: Table) -> int:
        if number + 1 < len(self._tables):
            limit = self._tables[number + 1]
            lead = self._text[limit.lead : limit.start]
            end = limit.lead if not lead.strip() or not lead.partition("\n")[0].strip() else limit.start
            end = limit.lead if lead else end
        else:
            end = len(self._text)
        gap = self._text[table.last : end]
        return table.last + len(gap.rstrip()) + (_break_length(gap[len(gap.rstrip()) :]) if gap.strip() else 0)

    def _array(self, path: Path, value: Any) -> None:
        """Replace an array of tables by the overlay's blocks."""
        if path in self._seen:
            return
        self._seen.add(path)
        upper = self._upper_index.tables_below[path]
        blocks = [self._upper[table.lead : table.last] for table in upper]
        if not exists(self._below, path):
            if self._added_inline(self._anchor(path), path, _inline(value)):
                return
            first = upper[0]
            self._blocks[path] = [self._head(first), "".join(blocks)[first.end - first.lead :]]
        elif not same(at(self._below, path), value):
            pair = self._pair(path)
            if pair is not None:
                self.edits.append((pair.value_start, pair.value_end, _inline(value)))
                return
            first = self._index.tables_below[path][0]
            self._remove(path)
            text = "".join(blocks).lstrip("\r\n")
            self.edits.append((first.start, first.start, with_breaks(text, self._breaks)))


def _break_length(text: str) -> int:
    return 2 if text.startswith("\r\n") else 1 if text else 0


def _text_end(text: str) -> int:
    end = len(text.rstrip())
    return end + _break_length(text[end:])


def exists(value: Any, path: Path) -> bool:
    """Whether maps lead along a path."""
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True


def at(value: Any, path: Path) -> Any:
    """What a path leads to."""
    for step in path:
        value = value[step]
    return value


def _has_removed(value: dict[str, Any]) -> bool:
    return any(item is REMOVED or (isinstance(item, dict) and _has_removed(item)) for item in value.values())


def spelled(path: Path) -> str:
    """A key as TOML writes it."""
    return ".".join(
        str(step) if _BARE.fullmatch(str(step)) else json.dumps(step, ensure_ascii=False).replace("\x7f", "\\u007f")
        for step in path
    )


def _inline(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        inner = ", ".join(f"{spelled((key,))} = {_inline(item)}" for key, item in value.items() if item is not REMOVED)
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)
