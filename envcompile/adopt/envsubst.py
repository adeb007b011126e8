"""What Flux makes of `${NAME}` in texts: the substitution of `postBuild`.

Source: github.com/fluxcd/pkg/envsubst (a fork of drone/envsubst), `parse/parse.go`, `parse/scan.go` and `funcs.go`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = re.compile(r"\w+")
_DEFAULT: Final = re.compile(r"=|:[=?+-]")
_CASING: Final = re.compile(r"[,^]{1,2}")
_REPLACING: Final = re.compile(r"/[/#%]?")
_REMOVING: Final = re.compile(r"#{1,2}|%{1,2}")
_PATTERN: Final = frozenset("*?[\\")
_NUMBER: Final = re.compile(r"[+-]?\d+")


class BadSubstitutionError(ValueError):
    """A text that Flux refuses, or a pattern that is not carried out here."""


class Variables(NamedTuple):
    """The variables of one Kustomization of Flux."""

    values: Mapping[str, str]
    unknown: tuple[str, ...] = ()
    """The ConfigMaps and Secrets that are not in the repository; what they hold only the cluster knows."""


def substituted(text: str, variables: Variables) -> str:
    """The text with the values of variables; what only the cluster knows, and has no default, stays as it is written.

    Raises:
        BadSubstitutionError: Flux refuses the text, or it has a pattern (`${NAME%pattern}`) that is not carried out.
    """
    return _Reader(text, variables).whole()


class _Reader:
    __slots__ = ("_at", "_text", "_variables")

    def __init__(self, text: str, variables: Variables) -> None:
        self._text = text
        self._variables = variables
        self._at = 0

    def whole(self) -> str:
        found = []
        text = self._text
        while self._at < len(text):
            if text.startswith("${", self._at):
                found.append(self._reference())
            elif text.startswith("$$", self._at):
                found.append("$")
                self._at += 2
            else:
                end = text.find("$", self._at + 1)
                end = len(text) if end < 0 else end
                found.append(text[self._at : end])
                self._at = end
        return "".join(found)

    def _reference(self) -> str:
        start = self._at
        self._at += len("${")
        if self._peek() == "#":
            self._at += 1
            name = self._match(_NAME)
            self._close()
            return self._known(name, start, str(len(self._value(name).encode())))
        name = self._match(_NAME)
        value = self._value(name)
        found = value
        follows = self._peek()
        if follows in {":", "="} and _DEFAULT.match(self._text, self._at):
            self._match(_DEFAULT)
            default = self._rest("}")
            self._close()
            return value or default
        if follows == ":":
            found = self._part(value)
        elif follows in {",", "^"}:
            found = _cased(value, self._match(_CASING))
        elif follows == "/":
            found = self._replaced(value)
        elif follows in {"#", "%"}:
            how = self._match(_REMOVING)
            found = _trimmed(value, self._argument("}"), how)
        self._close()
        return self._known(name, start, found)

    def _part(self, value: str) -> str:
        self._at += 1
        first = self._argument(":}")
        second = None
        if self._peek() == ":":
            while self._peek() == ":":
                self._at += 1
            second = self._argument("}")
        return _slice(value, first, second)

    def _replaced(self, value: str) -> str:
        how = self._match(_REPLACING)
        pattern = self._argument("/", escapes=True)
        if self._peek() != "/":
            raise BadSubstitutionError("bad substitution")
        while self._peek() == "/":
            self._at += 1
        new = None if self._peek() == "}" else self._argument("}", escapes=True)
        if how in {"/#", "/%"}:
            if new is None:
                return value
            if how == "/#":
                return value.replace(pattern, new, 1) if value.startswith(pattern) else value
            return value.removesuffix(pattern) + new if value.endswith(pattern) else value
        return value.replace(pattern, new or "", -1 if how == "//" else 1)

    def _rest(self, end: str) -> str:
        """Texts and references up to a mark."""
        found = []
        while self._peek() != end:
            found.append(self._argument(end))
        return "".join(found)

    def _argument(self, ends: str, *, escapes: bool = False) -> str:
        """One reference, or the text up to the next one or to a mark."""
        if self._text.startswith("${", self._at):
            return self._reference()
        found = []
        start = self._at
        while (mark := self._peek()) and not self._text.startswith("${", self._at):
            after = self._text[self._at + 1 : self._at + 2]
            if escapes and ((mark == "$" and after == "$") or (mark == "\\" and after in {"/", "\\"})):
                found.append(after)
                self._at += 2
            elif mark in ends:
                break
            else:
                found.append(mark)
                self._at += 1
        if self._at == start:
            raise BadSubstitutionError("unable to parse substitution within function")
        return "".join(found)

    def _value(self, name: str) -> str:
        return self._variables.values.get(name, "")

    def _known(self, name: str, start: int, found: str) -> str:
        """What was found; the reference as it is written where only the cluster knows the variable."""
        is_unknown = self._variables.unknown and name not in self._variables.values
        return self._text[start : self._at] if is_unknown else found

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise BadSubstitutionError("unable to parse variable name")
        self._at = found.end()
        return found[0]

    def _close(self) -> None:
        if self._peek() != "}":
            raise BadSubstitutionError("missing closing brace")
        self._at += 1


def _cased(value: str, how: str) -> str:
    if how == ",,":
        return value.lower()
    if how == "^^":
        return value.upper()
    if how in {",", "^"}:
        return (value[:1].lower() if how == "," else value[:1].upper()) + value[1:]
    return value


def _trimmed(value: str, pattern: str, how: str) -> str:
    if _PATTERN & set(pattern):
        raise BadSubstitutionError(f"the pattern `{pattern}` is not carried out")
    return value.removeprefix(pattern) if how[0] == "#" else value.removesuffix(pattern)


def _slice(value: str, first: str, second: str | None) -> str:
    """Bash's `${NAME:position:length}`, in bytes; a word that is no number leaves the value as it is."""
    data = value.encode()
    if _NUMBER.fullmatch(first) is None or (second is not None and _NUMBER.fullmatch(second) is None):
        return value
    position = int(first)
    if position < 0:
        position = max(len(data) + position, 0)
    end = len(data) if second is None or position + int(second) >= len(data) else position + int(second)
    if end < position < len(data):
        raise BadSubstitutionError("a length below zero")
    return data[position:end].decode("utf-8", "replace")
