"""Reads the line that a shell completes: which command it calls, and what the word under the cursor stands for.

`commands.tsv` beside this file says what commands take; it is made from the commands themselves
(`python -m tests.docs.reference`), because to ask them costs more time than an answer may take.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TABLE = Path(__file__).with_name("commands.tsv")


class Option(NamedTuple):
    """An option as the table has it; without a metavar it is a switch."""

    spellings: tuple[str, ...]
    metavar: str
    about: str


class Command(NamedTuple):
    """A command, or a group of them."""

    about: str
    arguments: tuple[str, ...]
    """What each is called in the help, such as `[ENV]...`."""
    options: tuple[Option, ...]

    def option(self, spelling: str) -> Option | None:
        """The option that is written so."""
        return next((found for found in self.options if spelling in found.spellings), None)


class Typed(NamedTuple):
    """The words of a line before the cursor, and the beginning of the one that is being typed."""

    words: tuple[str, ...]
    current: str
    quote: str
    """The quotation mark that is open; empty for none."""


class Wanted(NamedTuple):
    """What can stand where the cursor is."""

    commands: Mapping[str, str]
    """Names of commands -> what they do."""
    options: tuple[Option, ...]
    metavar: str
    """What the help calls the value; empty where no value fits."""
    before: str
    """What of the word precedes the value: `--format=`."""
    given: tuple[str, ...]
    """The arguments and values that the command has already."""
    values: Mapping[str, str]
    """What the line has already for a metavar: `ENV` -> `prod`."""


def table() -> dict[tuple[str, ...], Command]:
    """Every command by the words that call it; the empty tuple is `envc` itself."""
    found: dict[tuple[str, ...], Command] = {}
    about, words = "", None
    arguments: list[str] = []
    options: list[Option] = []
    for line in [*TABLE.read_text(encoding="utf-8").splitlines(), "command\t\t"]:
        kind, first, *rest = line.split("\t")
        if kind == "command":
            if words is not None:
                found[words] = Command(about, tuple(arguments), tuple(options))
            words, about, arguments, options = tuple(first.split()), rest[0], [], []
        elif kind == "argument":
            arguments.append(first)
        else:
            options.append(Option(tuple(first.split()), *rest))
    return found


def split(line: str) -> Typed:
    """The words of a line as shells take them apart, which may end within quotes or after a backslash."""
    words: list[str] = []
    current, quote, is_word = "", "", False
    at = 0
    while at < len(line):
        mark = line[at]
        if quote:
            if mark == quote:
                quote = ""
            elif mark == "\\" and quote == '"' and line[at + 1 : at + 2] in {'"', "\\", "$", "`"}:
                at += 1
                current += line[at]
            else:
                current += mark
        elif mark in {"'", '"'}:
            quote, is_word = mark, True
        elif mark == "\\":
            at += 1
            current += line[at : at + 1]
            is_word = True
        elif mark.isspace():
            if is_word:
                words.append(current)
            current, is_word = "", False
        else:
            current += mark
            is_word = True
        at += 1
    return Typed(tuple(words), current, quote)


def wanted(words: Sequence[str], current: str, commands: Mapping[tuple[str, ...], Command]) -> Wanted:
    """What can stand where the cursor is.

    Args:
        words: those before it, without the program's name.
        current: the beginning of the word under it.
        commands: the table.
    """
    path: tuple[str, ...] = ()
    known = commands[()].options
    pending: Option | None = None
    used: set[str] = set()
    given: list[str] = []
    valued: list[str] = []
    values: dict[str, str] = {}
    is_plain = False
    for word in words:
        name, equals, value = word.partition("=")
        if pending is not None:
            values[pending.metavar] = word
            valued.append(word)
            pending = None
        elif is_plain or not word.startswith("-") or word == "-":
            if (*path, word) in commands and not given:
                path = (*path, word)
                known = (*commands[path].options, *commands[()].options)
            else:
                given.append(word)
        elif word == "--":
            is_plain = True
        elif (found := next((one for one in known if name in one.spellings), None)) is not None:
            used.update(found.spellings)
            if found.metavar and equals:
                values[found.metavar] = value
            elif found.metavar:
                pending = found
    taken = (*given, *valued)
    if pending is not None:
        return Wanted({}, (), pending.metavar, "", taken, values)
    name, equals, _ = current.partition("=")
    if current.startswith("-") and equals and not is_plain:
        option = next((one for one in known if name in one.spellings), None)
        return Wanted({}, (), option.metavar if option else "", f"{name}=", taken, values)
    own = () if is_plain else commands[path].options
    offered = tuple(one for one in own if not used.intersection(one.spellings))
    below = {key[-1]: found.about for key, found in commands.items() if key[:-1] == path and key}
    if below:
        return Wanted(below if not given else {}, offered, "", "", taken, values)
    metavar = _argument(commands[path].arguments, given, values)
    return Wanted({}, offered, metavar, "", taken, values)


def _argument(arguments: Sequence[str], given: Sequence[str], values: dict[str, str]) -> str:
    """What the next argument is called; what the others are is noted in `values`."""
    words = list(given)
    for metavar in arguments:
        if "..." in metavar:
            return metavar
        if not words:
            return metavar
        word = words.pop(0)
        name = metavar.strip("[]")
        if name == "KIND/NAME" and "/" not in word:
            # The two words of `KIND NAME`.
            if not words:
                values["KIND"] = word
                return "KIND NAME"
            word = f"{word}/{words.pop(0)}"
        values[name] = word
    return ""
