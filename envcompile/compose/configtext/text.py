"""What all formats of embedded configuration text share: errors, places, line breaks and splicing."""

from __future__ import annotations

import re
from bisect import bisect_left
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, NoReturn

from envcompile.errors import PicklableError

if TYPE_CHECKING:
    from collections.abc import Iterable

Side = Literal["base", "overlay"]
"""Which of the two texts of a merge is meant."""

Edit = tuple[int, int, str]
"""Replace the characters from the first offset up to the second by the text."""

MARKER = "envc:remove"
"""The word of the comment that turns an empty override into a removal."""

REPLACE_HINT = "to replace the whole entry, name it in the annotation `envcompile.dev/replace` of the patch"
"""How to get out of merging inside of a text."""


class ConfigTextError(PicklableError):
    """A configuration text does not parse, or two texts contradict each other.

    `line` and `column` count from 1 inside of the text of `side`; the caller knows in which file the text stands.
    """

    def __init__(self, side: Side, line: int, column: int | None, what: str, fix: str) -> None:
        super().__init__(what)
        self.side: Side = side
        self.line = line
        self.column = column
        self.what = what
        self.fix = fix


class UnmergeableError(ConfigTextError):
    """Two texts that parse, but say together what no text can say, or nothing certain."""


class KeySpan(NamedTuple):
    """What a key holds and the lines of the text, from 1, on which it is written."""

    value: Any
    line: int
    end_line: int


class MalformedError(PicklableError):
    """A text does not parse; which side it is on is known further up."""

    def __init__(self, what: str, fix: str, line: int, column: int | None) -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.line = line
        self.column = column

    def on(self, side: Side) -> ConfigTextError:
        """The same as the error of one side of a merge."""
        return ConfigTextError(side, self.line, self.column, self.what, self.fix)


def reject(text: str, offset: int, what: str, fix: str) -> NoReturn:
    """Say that the text is wrong at an offset.

    Raises:
        MalformedError: always.
    """
    line, column = place(text, offset)
    raise MalformedError(what, fix, line, column)


def too_long(text: str, side: Side) -> ConfigTextError:
    """The error of a number with more digits than Python reads (`sys.get_int_max_str_digits`)."""
    import sys

    most = sys.get_int_max_str_digits()
    found = re.search(rf"[0-9_]{{{most + 1},}}", text)
    what = f"a number has more than {most} digits"
    line, column = place(text, found.start() if found else 0)
    return ConfigTextError(side, line, column, what, "write it in quotes, as a string")


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of an offset."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def line_break(base: str, overlay: str) -> str:
    """The line break to write: the base's, or the overlay's where the base has a single line."""
    for text in (base, overlay):
        first = text.find("\n")
        if first >= 0:
            return "\r\n" if first and text[first - 1] == "\r" else "\n"
    return "\n"


def with_breaks(text: str, breaks: str) -> str:
    """The text with all its line breaks written as given."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    return text if breaks == "\n" else text.replace("\n", breaks)


def splice(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits that do not overlap; edits at one offset are made in the order given."""
    parts: list[str] = []
    position = 0
    for start, end, replacement in sorted(edits, key=itemgetter(0, 1)):
        parts += (text[position:start], replacement)
        position = max(position, end)
    parts.append(text[position:])
    return "".join(parts)


def not_below(lead: str, base: str) -> str:
    """The lines above a new key without those with which the base's text ends, above which the key will come."""
    lines = lead.splitlines(keepends=True)
    known = _last_lines(base, len(lines))
    for count in range(len(known), 0, -1):
        if [line.rstrip() for line in lines[:count]] == [line.rstrip() for line in known[-count:]]:
            return "".join(lines[count:])
    return lead


def _last_lines(text: str, count: int) -> list[str]:
    """The last lines of a text that ends in no blanks; only they are looked at, however long the text is."""
    end = len(text)
    while end and count and text[end - 1].isspace():
        end -= 1
    start = end
    for _ in range(count):
        if start > 0:
            start = max(0, text.rfind("\n", 0, start - 1) + 1)
    return text[start:end].splitlines()[-count:] if count else []


def path_name(path: tuple[str | int, ...]) -> str:
    r"""How people write a path of a nested text: `a.b[0].c`, a dot inside of a key as `a\.b`."""
    name = ""
    for step in path:
        if isinstance(step, int):
            name += f"[{step}]"
        else:
            part = step.replace("\\", "\\\\").replace(".", "\\.").replace("[", "\\[")
            name += f".{part}" if name else part
    return name


_KINDS: Final = {dict: "a map", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}


def conflict(side: Side, where: tuple[int, int], name: str, old: Any, new: Any) -> UnmergeableError:
    """The error for a map that meets something else: one of the two is likely a slip; no name is the whole text."""
    kinds = [
        _KINDS.get(type(value), "a number" if isinstance(value, int | float) else "a date") for value in (old, new)
    ]
    what = f"{f'`{name}`' if name else 'the whole text'} is {kinds[0]} in the base and {kinds[1]} here"
    return UnmergeableError(side, *where, what, REPLACE_HINT)


class LineIndex:
    """Looks up the line of an offset in a text, from 1."""

    __slots__ = ("_ends",)

    def __init__(self, text: str) -> None:
        self._ends = [match.start() for match in re.finditer(r"\n", text)]

    def line(self, offset: int) -> int:
        """The line that holds the character at an offset."""
        return bisect_left(self._ends, offset) + 1
