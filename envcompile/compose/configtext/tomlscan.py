"""TOML statements by offset; the text was read by tomllib before, so that only the layout is of interest here."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.compose.configtext.text import MARKER, ConfigTextError, too_long

if TYPE_CHECKING:
    from envcompile.compose.configtext.text import Side
    from envcompile.compose.configtext.trees import Path

_STRING: Final = (
    r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*+"{3,5}|'
    r"'''(?:[^']|'(?!''))*+'{3,5}|"
    r'"(?:[^"\\\n]|\\.)*+"|'
    r"'[^'\n]*+'"
)
_KEY: Final = re.compile(rf"[ \t]*+([A-Za-z0-9_-]+|{_STRING})[ \t]*+")
_TOKEN: Final = re.compile(rf"{_STRING}|\#[^\n]*+|[\[\]{{}},\n]|[^\[\]{{}},\n\"'\#]++")
_BLANK: Final = re.compile(r"(?:[ \t]*+(?:#[^\n]*+)?\r?\n)*+[ \t]*+")
_MARK: Final = re.compile(rf"[ \t]*#[ \t]*{MARKER}(?=[\s,.:(]|$)")
_DEEPEST: Final = 512
"""Parts of a name; no configuration comes near."""
_AROUND_NAMES: Final = re.compile(r"[=,{}\[\]]")
_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class Pair(NamedTuple):
    """`key = value`: the path from the root, and the offsets of the key, the value and the lines."""

    path: Path
    start: int
    key_start: int
    value_start: int
    value_end: int
    end: int
    marked: bool


class Table(NamedTuple):
    """A header with the pairs below it; the root has an empty path. `path` ends in the number of an array's table.

    `start` and `end` are the lines of the header, `lead` is where the comment lines directly above begin, with the
    blank lines above those.
    """

    path: Path
    array: bool
    lead: int
    start: int
    end: int
    pairs: list[Pair]
    marked: bool

    @property
    def last(self) -> int:
        """Where the last line ends that is neither comment nor blank."""
        return self.pairs[-1].end if self.pairs else self.end


class Index:
    """Finds the tables and pairs of one text by their paths, without walking the text again for each of them."""

    __slots__ = ("dotted", "headed", "last_dotted", "numbers", "pairs", "pairs_below", "tables_below")

    def __init__(self, tables: list[Table]) -> None:
        self.headed: dict[Path, Table] = {}
        """The first table of each path that is no array's."""
        self.numbers: dict[int, int] = {}
        """The number of each table by its `id`."""
        self.dotted: dict[Path, Table] = {}
        """The first table that makes another one by dotted keys, by the other one's path."""
        self.last_dotted: dict[tuple[int, Path, Path], Pair] = {}
        """The last pair of a table (by start and path) whose dotted key leads below a path."""
        self.pairs: dict[Path, Pair] = {}
        """The pairs that stand in a table, by path."""
        self.pairs_below: dict[Path, list[Pair]] = {}
        """The pairs at or below each path whose table stands above that path."""
        self.tables_below: dict[Path, list[Table]] = {}
        """The tables at or below each path."""
        for number, table in enumerate(tables):
            self.numbers[id(table)] = number
            if not table.array:
                self.headed.setdefault(table.path, table)
            for length in range(1, len(table.path) + 1):
                self.tables_below.setdefault(table.path[:length], []).append(table)
            for pair in table.pairs:
                self.pairs.setdefault(pair.path, pair)
                for length in range(len(table.path) + 1, len(pair.path) + 1):
                    prefix = pair.path[:length]
                    self.pairs_below.setdefault(prefix, []).append(pair)
                    self.last_dotted[table.start, table.path, prefix] = pair
                    if length < len(pair.path):
                        self.dotted.setdefault(prefix, table)

    def home(self, path: Path) -> Table:
        """The innermost table, of those that are no array's, that stands around a path or at it."""
        return next(found for end in range(len(path), -1, -1) if (found := self.headed.get(path[:end])) is not None)


def item_above(table: Table, pair: Pair) -> int:
    """Where the item above a pair of a table ends."""
    number = bisect_left(table.pairs, pair.start, key=_start_of)
    return table.pairs[number - 1].end if number else table.end


def _start_of(pair: Pair) -> int:
    return pair.start


def _is_too_deep(name: str) -> bool:
    parts = name.split(".")
    return len(parts) > _DEEPEST and all(part.strip() for part in parts)


def load(text: str, side: Side) -> dict[str, Any]:
    """The value of a TOML text.

    Raises:
        ConfigTextError: when the text is not TOML.
        RecursionError: when it is nested too deeply.
    """
    for row in text.split("\n") if text.count(".") > _DEEPEST else ():
        # For each part of a name tomllib goes through all that are before it.
        if row.count(".") > _DEEPEST and any(map(_is_too_deep, _AROUND_NAMES.split(row))):
            raise RecursionError
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _PLACE.search(str(error))
        what = str(error)[: match.start()] if match else str(error)
        line, column = (int(match[1]), int(match[2])) if match and match[1] else (text.count("\n") + 1, 1)
        fix = (
            f'an empty override that removes a key is written `key = "" # {MARKER}`'
            if MARKER in text
            else "write TOML 1.0"
        )
        raise ConfigTextError(side, line, column, f"{what[:1].lower()}{what[1:]}", fix) from None
    except ValueError:
        raise too_long(text, side) from None


def is_toml(text: str) -> bool:
    """Whether a text is TOML and has a key, such as Telegraf's `[[inputs.cpu]]`."""
    if "=" not in text:
        return False
    try:
        return bool(load(text, "base"))
    except (ConfigTextError, RecursionError):
        return False


def scan(text: str) -> list[Table]:
    """The tables of a valid TOML text that is empty or ends in a line break; the root comes first."""
    tables = [Table((), array=False, lead=0, start=0, end=0, pairs=[], marked=False)]
    counts: dict[Path, int] = {}
    last = 0
    while True:
        position = _match(_BLANK, text, last).end()
        if position >= len(text):
            return tables
        start = text.rfind("\n", 0, position) + 1
        above = lead_start(text, last, start)
        marked = any(map(_MARK.match, _comments(text, above, start)))
        if text[position] == "[":
            array = text.startswith("[[", position)
            names, end = _key(text, position + 1 + array)
            end = _line_end(text, end + 1 + array)
            path = _resolved(names, counts, array=array)
            marked = marked or _MARK.search(text, position, end) is not None
            tables.append(Table(path, array, above, start, end, [], marked))
        else:
            names, equals = _key(text, position)
            value_start = _after_blanks(text, equals + 1)
            value_end = value_stop(text, value_start)
            end = _line_end(text, value_end)
            marked = marked or _MARK.match(text, value_end, end) is not None
            path = (*tables[-1].path, *names)
            tables[-1].pairs.append(Pair(path, start, position, value_start, value_end, end, marked))
        last = end


def inline_pairs(text: str, pair: Pair) -> list[Pair]:
    """The pairs of an inline table that is the value of a pair."""
    found: list[Pair] = []
    position = pair.value_start + 1
    while True:
        position = _match(re.compile(r"[\s,]*"), text, position).end()
        if text[position] == "}":
            return found
        names, equals = _key(text, position)
        value_start = _after_blanks(text, equals + 1)
        value_end = value_stop(text, value_start)
        path = (*pair.path, *names)
        found.append(Pair(path, position, position, value_start, value_end, value_end, marked=False))
        position = value_end


def value_stop(text: str, start: int) -> int:
    """Where the value ends that begins at an offset."""
    depth = 0
    position = start
    while True:
        match = _match(_TOKEN, text, position)
        token = match[0]
        if token in {"[", "{"}:
            depth += 1
        elif not depth and (token[0] in "#,\n]}"):
            return start + len(text[start:position].rstrip())
        elif token in {"]", "}"}:
            depth -= 1
            if not depth:
                return match.end()
        position = match.end()


def lead_start(text: str, bound: int, start: int) -> int:
    """Where the comment lines directly above a line begin, with the blank lines above those."""
    in_comment = True
    while start > bound:
        above = text.rfind("\n", 0, start - 1) + 1
        line = text[above:start].strip()
        if line.startswith("#") and not in_comment:
            break
        in_comment = bool(line)
        start = above
    return start


def _comments(text: str, start: int, end: int) -> list[str]:
    return [line for line in text[start:end].split("\n") if line.lstrip().startswith("#")]


def _key(text: str, position: int) -> tuple[tuple[str, ...], int]:
    """The parts of a dotted key, and where it ends with the blanks behind it."""
    names = []
    while True:
        match = _match(_KEY, text, position)
        part = match[1]
        names.append(tomllib.loads(f"k={part}")["k"] if part[0] in "\"'" else part)
        position = match.end()
        if text[position] != ".":
            return tuple(names), position
        position += 1


def _resolved(names: tuple[str, ...], counts: dict[Path, int], *, array: bool) -> Path:
    """The path of a header with the numbers of the tables that it stands in."""
    path: Path = ()
    for number, name in enumerate(names):
        path = (*path, name)
        if array and number == len(names) - 1:
            counts[path] = counts.get(path, 0) + 1
        if path in counts:
            path = (*path, counts[path] - 1)
    return path


def _after_blanks(text: str, position: int) -> int:
    return _match(re.compile(r"[ \t]*"), text, position).end()


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end + 1


def _match(pattern: re.Pattern[str], text: str, position: int) -> re.Match[str]:
    """A match that the validity of the text guarantees."""
    match = pattern.match(text, position)
    if match is None:
        raise AssertionError(f"valid TOML that is not understood at offset {position}")
    return match
