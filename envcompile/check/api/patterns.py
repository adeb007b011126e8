"""Go's regular expressions (RE2) as the API server reads a `pattern`; `automata` beside it matches them.

Source: regexp/syntax/parse.go and perl_groups.go of Go, with the flags of `regexp.Compile`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

_LAST: Final = 0x10FFFF
_MOST_REPEATS: Final = 1000
_DEEPEST: Final = 200
"""How deep groups may stand in each other here; Go takes 1000."""

_PERL: Final = {"d": "0-9", "s": "\t\n\f\r ", "w": "0-9A-Za-z_"}
_POSIX: Final = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": "\0-\x7f", "blank": "\t ", "cntrl": "\0-\x1f\x7f", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@[-`{-~", "space": "\t-\r ", "upper": "A-Z",
    "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_ESCAPES: Final = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ASSERTIONS: Final = {"A": "begin", "b": "edge", "B": "inside", "z": "end"}
_REPEAT: Final = re.compile(r"\{(0|[1-9]\d{0,7})(?:(,)(0|[1-9]\d{0,7})?)?\}", re.ASCII)
_NAMED: Final = re.compile(r"\(\?P?<([^>]*)>")
_FLAGS: Final = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])")
_CATEGORIES: Final = frozenset({
    "C", "Cc", "Cf", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl", "No",
    "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
})  # fmt: skip
_SCRIPTS: Final = frozenset({
    "Arabic", "Armenian", "Bengali", "Common", "Cyrillic", "Devanagari", "Greek", "Han", "Hangul", "Hebrew", "Hiragana",
    "Katakana", "Latin", "Thai",
})  # fmt: skip
"""Scripts of Unicode that are told from a name that there is not; which characters are of them is not known here."""


class PatternError(ValueError):
    """A text that is no regular expression for Go, and why."""


class Chars(NamedTuple):
    """A set of characters."""

    spans: tuple[tuple[int, int], ...]
    categories: tuple[tuple[str, bool], ...] = ()
    """Categories of Unicode, each with whether it is left out; a script has the name of one."""
    is_negated: bool = False
    folds: bool = False
    """True when capitals do not matter."""


class Node(NamedTuple):
    """A part of an expression: `chars`, `assert`, `join`, `either` or `repeat`."""

    kind: str
    parts: tuple[Node, ...] = ()
    chars: Chars | None = None
    word: str = ""
    """What is asserted: `begin`, `end`, `line-begin`, `line-end`, `edge` or `inside`."""
    least: int = 0
    most: int | None = None


def bad_pattern(pattern: str) -> str | None:
    """Say why a regular expression is none for Go (RE2); None for one that is."""
    try:
        read_pattern(pattern)
    except PatternError as error:
        return str(error)
    return None


@lru_cache(maxsize=512)
def read_pattern(pattern: str) -> Node:
    """Read a regular expression of Go's.

    Raises:
        PatternError: it is none.
    """
    reader = _Reader(pattern)
    found = reader.either(0)
    if reader.at < len(pattern):
        raise PatternError("closes a group that is not open")
    return found


class _Reader:
    """Reads a pattern from the left to the right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.folds = self.lines = self.dots = False
        self._names: set[str] = set()

    def either(self, depth: int) -> Node:
        """Alternatives up to the end of the group; flags that are set in it end with it."""
        if depth > _DEEPEST:
            raise PatternError("has more groups in each other than can be read")
        flags = self.folds, self.lines, self.dots
        ways = [self._join(depth)]
        while self._takes("|"):
            ways.append(self._join(depth))
        self.folds, self.lines, self.dots = flags
        return ways[0] if len(ways) == 1 else Node("either", tuple(ways))

    def _takes(self, word: str) -> bool:
        if self.text.startswith(word, self.at):
            self.at += len(word)
            return True
        return False

    def _join(self, depth: int) -> Node:
        parts: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            if self._takes(r"\Q"):
                quoted, _, _ = self.text[self.at :].partition(r"\E")
                self.at = min(self.at + len(quoted) + 2, len(self.text))
                parts += [self._literal(char) for char in quoted]
            elif (part := self._one(depth)) is not None:
                parts.append(self._repeated(part))
        return parts[0] if len(parts) == 1 else Node("join", tuple(parts))

    def _literal(self, char: str) -> Node:
        return Node("chars", chars=Chars(((ord(char), ord(char)),), folds=self.folds))

    def _one(self, depth: int) -> Node | None:
        """One thing that can be repeated; None for flags."""
        char = self.text[self.at]
        if char == "(":
            return self._group(depth)
        if char == "[":
            return Node("chars", chars=self._class())
        if char == "\\":
            return self._escape()
        if char in "*+?" or (char == "{" and _REPEAT.match(self.text, self.at)):
            raise PatternError("repeats nothing")
        self.at += 1
        if char == "^":
            return Node("assert", word="line-begin" if self.lines else "begin")
        if char == "$":
            return Node("assert", word="line-end" if self.lines else "end")
        if char == ".":
            return Node("chars", chars=Chars(((10, 10),) if not self.dots else (), is_negated=True))
        return self._literal(char)

    def _repeated(self, part: Node) -> Node:
        count = 0
        while (found := self._repetition()) is not None:
            count += 1
            if count > 1:
                raise PatternError("repeats a repetition")
            part = Node("repeat", (part,), least=found[0], most=found[1])
            if _times(part) > _MOST_REPEATS:
                raise PatternError("repeats more than 1000 times")
        return part

    def _repetition(self) -> tuple[int, int | None] | None:
        char = self.text[self.at : self.at + 1]
        known: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        if char in known:
            self.at += 1
            self._takes("?")
            return known[char]
        match = _REPEAT.match(self.text, self.at)
        if match is None:
            return None
        least = int(match[1])
        most = least if not match[2] else int(match[3]) if match[3] else None
        if max(least, most or 0) > _MOST_REPEATS:
            raise PatternError("repeats more than 1000 times")
        if most is not None and most < least:
            raise PatternError("repeats at most fewer times than at least")
        self.at = match.end()
        self._takes("?")
        return least, most

    def _group(self, depth: int) -> Node | None:
        if self.text.startswith("(?", self.at):
            named = _NAMED.match(self.text, self.at)
            flags = _FLAGS.match(self.text, self.at)
            if named is not None and not named[1].startswith(("=", "!")):
                if re.fullmatch(r"\w+", named[1], re.ASCII) is None or named[1] in self._names:
                    raise PatternError("has a group without a name of its own")
                self._names.add(named[1])
                self.at = named.end()
                return self._closed(self.either(depth + 1))
            if flags is None:
                ahead = re.match(r"\(\?<?[=!]", self.text[self.at :])
                raise PatternError(
                    "looks ahead or behind, which RE2 cannot" if ahead else "has a group of a sort that RE2 lacks"
                )
            before = self.folds, self.lines, self.dots
            self.at = flags.end()
            for letters, on in ((flags[1], True), (flags[2] or "", False)):
                self.folds = on if "i" in letters else self.folds
                self.lines = on if "m" in letters else self.lines
                self.dots = on if "s" in letters else self.dots
            if flags[3] == ")":
                return None
            found = self._closed(self.either(depth + 1))
            self.folds, self.lines, self.dots = before
            return found
        self.at += 1
        return self._closed(self.either(depth + 1))

    def _closed(self, found: Node) -> Node:
        if not self._takes(")"):
            raise PatternError("leaves a group open")
        return Node("join", (found,))

    def _escape(self) -> Node:
        letter = self.text[self.at + 1 : self.at + 2]
        if letter in _ASSERTIONS and letter:
            self.at += 2
            return Node("assert", word=_ASSERTIONS[letter])
        if (chars := self._shorthand()) is not None:
            return Node("chars", chars=chars)
        return self._literal(self._character())

    def _shorthand(self) -> Chars | None:
        r"""`\d`, `\pL`, `\p{Greek}` and their negations."""
        letter = self.text[self.at + 1 : self.at + 2]
        if letter.lower() in _PERL and letter:
            self.at += 2
            return Chars(_spans(_PERL[letter.lower()]), is_negated=letter.isupper())
        if letter not in {"p", "P"}:
            return None
        match = re.compile(r"\{(\^?)(\w*)\}|()(\w)").match(self.text, self.at + 2)
        name = (match[2] or match[4] or "") if match else ""
        if match is None or name not in _CATEGORIES | _SCRIPTS | {"Any"}:
            raise PatternError("names a class of characters that there is not")
        self.at = match.end()
        is_negated = (letter == "P") != bool(match[1])
        if name == "Any":
            return Chars(((0, _LAST),), is_negated=is_negated)
        return Chars((), ((name, False),), is_negated=is_negated, folds=self.folds)

    def _character(self) -> str:
        r"""A character after a backslash: `\n`, `\x41`, `\101`, or one that means nothing else."""
        rest = self.text[self.at + 1 :]
        if not rest:
            raise PatternError("ends in a backslash")
        for form in (r"x\{([0-9a-fA-F]{1,6})\}", r"x([0-9a-fA-F]{2})"):
            if match := re.match(form, rest):
                self.at += 1 + match.end()
                return _char(int(match[1], 16))
        if match := re.match(r"0[0-7]{0,2}|[1-7][0-7]{1,2}", rest):
            self.at += 1 + match.end()
            return _char(int(match[0], 8))
        self.at += 2
        if rest[0] in _ESCAPES:
            return _ESCAPES[rest[0]]
        if rest[0].isascii() and not rest[0].isalnum():
            return rest[0]
        if rest[0] in "123456789":
            raise PatternError("refers back to a group, which RE2 cannot")
        raise PatternError(f"has `\\{rest[0]}`, which means nothing")

    def _class(self) -> Chars:
        self.at += 1
        is_negated = self._takes("^")
        spans: list[tuple[int, int]] = []
        named: list[tuple[str, bool]] = []
        is_first = True
        while is_first or not self._takes("]"):
            is_first = False
            if self.at >= len(self.text):
                raise PatternError("leaves a class of characters open")
            if (posix := re.compile(r"\[:(\^?)(\w+):\]").match(self.text, self.at)) is not None:
                if posix[2] not in _POSIX:
                    raise PatternError("names a class of characters that there is not")
                self.at = posix.end()
                found: Chars | None = Chars(_spans(_POSIX[posix[2]]), is_negated=bool(posix[1]))
            else:
                found = self._shorthand() if self.text[self.at] == "\\" else None
            if found is None:
                spans.append(self._span())
            elif found.categories:
                named += [(found.categories[0][0], found.is_negated)]
            else:
                spans += _without(found.spans) if found.is_negated else found.spans
        return Chars(tuple(spans), tuple(named), is_negated, self.folds)

    def _span(self) -> tuple[int, int]:
        first = last = self._member()
        if self.text[self.at : self.at + 1] == "-" and self.text[self.at + 1 : self.at + 2] not in {"]", ""}:
            self.at += 1
            last = self._member()
        if last < first:
            raise PatternError("has a range of characters that runs backwards")
        return ord(first), ord(last)

    def _member(self) -> str:
        char = self.text[self.at : self.at + 1]
        if not char:
            raise PatternError("leaves a class of characters open")
        if char == "\\":
            return self._character()
        self.at += 1
        return char


def _char(number: int) -> str:
    if number > _LAST:
        raise PatternError("names a character that there is not")
    return chr(number)


def _spans(text: str) -> tuple[tuple[int, int], ...]:
    found = []
    at = 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            found.append((ord(text[at]), ord(text[at + 2])))
            at += 3
        else:
            found.append((ord(text[at]), ord(text[at])))
            at += 1
    return tuple(found)


def _without(spans: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    found = []
    least = 0
    for first, last in sorted(spans):
        if least < first:
            found.append((least, first - 1))
        least = max(least, last + 1)
    return [*found, (least, _LAST)] if least <= _LAST else found


def _times(node: Node) -> int:
    """How often the innermost part is written out at most; source: repeatIsValid."""
    own = max(node.least, node.most or 0, 1) if node.kind == "repeat" else 1
    return own * max((_times(part) for part in node.parts), default=1)
