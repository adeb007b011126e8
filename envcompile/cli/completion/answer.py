"""Answers the script of a shell, one value a line: what it is, a tab, a few words about it.

A value that goes on (`spec.`, `deployment/`) gets no space behind it. A folder of a checkout may have any name, and
what is completed stands on somebody's command line: names with a character that a shell could take for its own are
not offered, and fields, which have some, are escaped. Values for which shells know best (files) are left to them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.cli.completion.line import split, table, wanted
from envcompile.cli.completion.values import Values
from envcompile.cli.flags import Globals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.cli.completion.line import Wanted

VARIABLE: Final = "_ENVC_COMPLETE"
"""Its value is the shell that asks, or a word that ends with it."""
_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/,@~-]*")
_FIELD = re.compile(r"[A-Za-z0-9_][^\s'\"$`!&;|<>(){}*?^\x00-\x1f\x7f]*")
_SPECIAL = re.compile(r"([^A-Za-z0-9._/,@~:=+%-])")
_GOES_ON = (".", "/", "=", "#", "[", ",")
_BREAKS = re.compile(r".*[=:@]", re.DOTALL)
"""What bash takes for words of their own before the last one (COMP_WORDBREAKS)."""
_FILES = re.compile(r"FILE|DIR|PATH|SRC|CHART|ROOT")


class _Answer(NamedTuple):
    values: Mapping[str, str]
    is_file: bool


def answer(variables: Mapping[str, str]) -> str:
    """What to print for a shell.

    Args:
        variables: those of the process; the script of the shell put the line among them.
    """
    shell = variables[VARIABLE].rpartition("_")[2]
    is_bash = shell == "bash" and "COMP_LINE" in variables
    if is_bash:
        # Bash counts the cursor's place in bytes of the locale.
        line = variables["COMP_LINE"]
        if (point := variables.get("COMP_POINT", "")).isdecimal():
            line = line.encode("utf-8", "surrogateescape")[: int(point)].decode("utf-8", "replace")
    else:
        line = variables.get("_ENVC_COMPLETE_LINE", variables.get("COMP_WORDS", ""))
    if shell not in {"bash", "zsh", "fish", "powershell", "pwsh"}:
        return ""
    typed = split(line)
    found = _find(typed.words[1:], typed.current)
    if is_bash:
        return _for_bash(found, typed.current, typed.quote)
    if shell == "bash":
        return "".join(f"{value}\n" for value in found.values)
    if shell == "fish":
        found = _without_open_lists(found, typed.words[1:])
    rows = [":files\t\n"] if found.is_file else []
    return "".join([*rows, *(f"{value}\t{_told(about)}\n" for value, about in found.values.items())])


def _find(words: Sequence[str], current: str) -> _Answer:
    given = Globals(words)
    asked = wanted(words, current, table())
    typed = current[len(asked.before) :]
    found: dict[str, str] = {}
    if current.startswith("-") and not asked.before:
        spellings = ((name, option.about) for option in asked.options for name in option.spellings)
        found = {
            name: about for name, about in spellings if name.startswith(current) and (name[1] == "-" or current == "-")
        }
    elif asked.commands:
        found = {name: about for name, about in asked.commands.items() if name.startswith(current)}
    else:
        values = Values("/".join([*given.folders, given.project])).of(asked, typed)
        allowed = _FIELD if "FIELD" in asked.metavar else _HARMLESS
        order = values if _keeps_order(asked) else sorted(values)
        found = {
            asked.before + name: values[name] for name in order if name.startswith(typed) and allowed.fullmatch(name)
        }
    return _Answer(found, not found and _FILES.search(asked.metavar) is not None)


def _without_open_lists(found: _Answer, words: Sequence[str]) -> _Answer:
    """Fields with the items of a list in place of the list: fish puts a space behind `[`, and behind `.` none."""
    values: dict[str, str] = {}
    for value, about in found.values.items():
        items = _find(words, value).values if value.endswith("[") else {}
        values |= items or {value: about}
    return _Answer(values, found.is_file)


def _keeps_order(asked: Wanted) -> bool:
    return "REV" in asked.metavar or "FIELD" in asked.metavar


def _for_bash(found: _Answer, current: str, quote: str) -> str:
    """Values as they replace what bash takes for the last word; without one it falls back on files by itself."""
    shown = [value if quote else _SPECIAL.sub(r"\\\1", value) for value in found.values]
    broken = "" if quote else _BREAKS.match(current)
    if broken:
        cut = len(_SPECIAL.sub(r"\\\1", broken[0]))
        shown = [value[cut:] for value in shown]
    return "".join(f"{value}{'' if value.endswith(_GOES_ON) else ' '}\n" for value in shown)


def _told(about: str) -> str:
    """Words that others may have written, on one line and without what a terminal obeys."""
    return "".join(mark if mark.isprintable() else " " for mark in about)[:80]
