"""The rule book: what Kubernetes' validation says of each type of the API, read from `check/tables`.

A table is JSON. `source` says which file of kubernetes/kubernetes it was written from. `types` maps a type of the API
(`core.v1.Container`) to its fields, and a field to words that all must hold:

    required        is there and says something (not empty, not 0)
    present         is there
    skip            nothing below it is looked at
    NAME[=ARGUMENT] a form of `envcompile.check.api.formats`; an empty text counts as left out
    NAME!           the same where an empty text is looked at, too
    *WORD           holds for each item of the list
    key:WORD        holds for each key of the map
    value:WORD      holds for each value of the map
    since=1.36:WORD holds from this version of Kubernetes on
    until=1.36:WORD holds before this version

Under `#` stands what is said of the fields together: `one A B C` (exactly one of them), `most-one A B C`, `some A B C`
(one at least), and `as TYPE` (all that is said of another type holds here). Under `@` stands the function of
Kubernetes that the entry was written from.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from envcompile.check.api.formats import FORMS
from envcompile.kubernetes.tables import GROUP_PREFIXES, TYPE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.api.formats import Form

TABLES: Final = Path(__file__).parents[1] / "tables"


class Word(NamedTuple):
    """One word about a field."""

    scope: str
    """What it is about: `` for the value, `*` for items, `key` or `value` for those of a map."""
    form: Form
    argument: str
    empty: bool
    """True when an empty text is looked at, too."""


class Fields(NamedTuple):
    """What is said of one field."""

    required: bool
    present: bool
    skip: bool
    words: tuple[Word, ...]


class TypeRules(NamedTuple):
    """What is said of one type."""

    fields: Mapping[str, Fields]
    wanted: tuple[str, ...]
    """The fields that are required or must be present."""
    members: tuple[tuple[str, tuple[str, ...]], ...]
    """`one`, `most-one` or `some`, and the fields it is about."""


class _Book(Mapping[str, TypeRules]):
    """The tables, each entry read when it is asked for."""

    def __init__(self, said: Mapping[str, Mapping[str, str]], release: int) -> None:
        self._said = said
        self._release = release
        self._read: dict[str, TypeRules] = {}

    def __getitem__(self, name: str) -> TypeRules:
        found = self._read.get(name)
        if found is None:
            found = self._read[name] = _entry(self._said[name], self._release)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._said)

    def __len__(self) -> int:
        return len(self._said)


@cache
def read_book(release: int) -> Mapping[str, TypeRules]:
    """Read the tables for a minor version of Kubernetes; keys are full names of types (`io.k8s.api.core.v1.Volume`)."""
    said: dict[str, dict[str, str]] = {}
    for path in sorted(TABLES.glob("*.json")):
        if path.stem not in {"enums", "immutable", "names"}:
            for name, fields in msgspec.json.decode(path.read_bytes())["types"].items():
                said.setdefault(name, {}).update(fields)
    for name, fields in said.items():
        other = _other(fields)
        if other:
            said[name] = {**said[other], **{key: text for key, text in fields.items() if key != "#"}}
    for name, values in msgspec.json.decode((TABLES / "enums.json").read_bytes())["types"].items():
        fields = said.setdefault(name, {})
        for field, known in values.items():
            words = fields.get(field, "")
            if "one-of" not in words and "free" not in words.split():
                fields[field] = f"{words} one-of={'|'.join(map(_escaped, known))}"
    return _Book({full_name(name): fields for name, fields in said.items()}, release)


def full_name(name: str) -> str:
    """Put the prefix back that tables leave off the name of a type."""
    return GROUP_PREFIXES.get(name.partition(".")[0], TYPE_PREFIX) + name


def _other(fields: Mapping[str, str]) -> str:
    return next((text[3:] for text in fields.get("#", "").split("; ") if text.startswith("as ")), "")


def _escaped(word: str) -> str:
    return word.replace(" ", "\N{NO-BREAK SPACE}")


def _entry(fields: Mapping[str, str], release: int) -> TypeRules:
    read = {name: _fields(text, release) for name, text in fields.items() if name not in {"#", "@"}}
    members = []
    for text in filter(None, fields.get("#", "").split("; ")):
        how, *names = text.split()
        if how != "as":
            members.append((how, tuple(names)))
    wanted = tuple(name for name, field in read.items() if field.required or field.present)
    return TypeRules(read, wanted, tuple(members))


def _fields(text: str, release: int) -> Fields:
    words = [word for each in text.split(" ") if (word := in_force(each, release))]
    return Fields(
        "required" in words,
        "present" in words,
        "skip" in words,
        tuple(_words(word for word in words if word not in {"required", "present", "skip", "free"})),
    )


def in_force(word: str, release: int) -> str:
    """Leave out what a version does not know yet."""
    if not word.startswith(("since=", "until=")):
        return word
    version, _, rest = word[6:].partition(":")
    return rest if (release >= int(version.partition(".")[2])) is word.startswith("since=") else ""


def _words(words: Iterator[str]) -> Iterator[Word]:
    for word in words:
        scope = ""
        text = word
        if text.startswith("*"):
            scope, text = "*", text[1:]
        elif text.startswith(("key:", "value:")):
            scope, _, text = text.partition(":")
        name, _, argument = text.partition("=")
        empty = name.endswith("!") or name.startswith("required")
        name = name.removesuffix("!")
        form: Any = _filled if name == "required" else FORMS[name]
        yield Word(scope, form, argument.replace("\N{NO-BREAK SPACE}", " "), empty)


def _filled(value: Any, _: str = "") -> str | None:
    return "is empty" if value is None or value == "" else None
