"""Whether a text holds a match of a regular expression of Go's, in time linear in the text.

Python's `re` reads some patterns in another way, and on some needs time that doubles with each character: a pattern and
the text both come from a checkout. The expression becomes a machine whose states are looked at together, and each step
is remembered, so that a text costs a look-up a character.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.check.api.patterns import PatternError, read_pattern

if TYPE_CHECKING:
    from envcompile.check.api.patterns import Chars, Node

_MOST_STATES: Final = 20_000
_MOST_STEPS: Final = 50_000
"""Steps that are remembered of one machine."""


class _State(NamedTuple):
    """One state: it takes a character, goes one of two ways, or asserts something of the place it is at."""

    chars: Chars | None = None
    word: str = ""
    following: tuple[int, ...] = ()


class Automaton:
    """A machine that searches texts."""

    def __init__(self, node: Node) -> None:
        self._states: list[_State] = [_State(word="match")]
        self._start = self._build(node, 0)
        self._steps: dict[tuple[frozenset[int], str, str], frozenset[int] | None] = {}

    def searches(self, text: str) -> bool:
        """Tell whether the text holds a match."""
        held: frozenset[int] = frozenset((self._start,))
        before = ""
        for char in (*text, ""):
            key = (held, _side(before), char)
            if key in self._steps:
                following = self._steps[key]
            else:
                following = self._step(held, before, char)
                if len(self._steps) < _MOST_STEPS:
                    self._steps[key] = following
            if following is None:
                return True
            held, before = following, char
        return False

    def _step(self, held: frozenset[int], before: str, char: str) -> frozenset[int] | None:
        """The states behind a character; None when a match ends before it."""
        reached: set[int] = set()
        waiting = list(held)
        found = {self._start}
        while waiting:
            at = waiting.pop()
            if at in reached:
                continue
            reached.add(at)
            state = self._states[at]
            if state.word == "match":
                return None
            if state.chars is not None:
                if char and _holds(state.chars, char):
                    found.update(state.following)
            elif not state.word or _is_there(state.word, before, char):
                waiting += state.following
        return frozenset(found)

    def _put(self, state: _State) -> int:
        if len(self._states) >= _MOST_STATES:
            raise PatternError("is too large to be matched here")
        self._states.append(state)
        return len(self._states) - 1

    def _build(self, node: Node, following: int) -> int:
        """Add the states of a part before those that follow it, and tell the first one."""
        match node.kind:
            case "chars":
                return self._put(_State(node.chars, following=(following,)))
            case "assert":
                return self._put(_State(word=node.word, following=(following,)))
            case "join":
                for part in reversed(node.parts):
                    following = self._build(part, following)
                return following
            case "either":
                return self._put(_State(following=tuple(self._build(part, following) for part in node.parts)))
        return self._repeat(node, following)

    def _repeat(self, node: Node, following: int) -> int:
        part = node.parts[0]
        if node.most is None:
            loop = self._put(_State())
            self._states[loop] = _State(following=(self._build(part, loop), following))
            first = loop
        else:
            first = following
            for _ in range(node.most - node.least):
                first = self._put(_State(following=(self._build(part, first), following)))
        for _ in range(node.least):
            first = self._build(part, first)
        return first


@lru_cache(maxsize=512)
def automaton(pattern: str) -> Automaton | None:
    """The machine of a pattern; None for one that cannot be read, is too large, or names a script of Unicode."""
    try:
        found = Automaton(read_pattern(pattern))
    except PatternError:
        return None
    return None if _names_script(read_pattern(pattern)) else found


def _names_script(node: Node) -> bool:
    if node.chars is not None:
        return any(len(name) > 2 for name, _ in node.chars.categories)
    return any(map(_names_script, node.parts))


def _side(char: str) -> str:
    """What assertions ask of the character before: nothing else of it matters."""
    return char if char in {"", "\n"} else "a" if _is_word(char) else "-"


def _is_word(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isalnum())


def _is_there(word: str, before: str, after: str) -> bool:
    match word:
        case "begin":
            return not before
        case "end":
            return not after
        case "line-begin":
            return before in {"", "\n"}
        case "line-end":
            return after in {"", "\n"}
    return (_is_word(before) != _is_word(after)) is (word == "edge")


def _holds(chars: Chars, char: str) -> bool:
    same = {char, *(char.lower(), char.upper(), char.casefold())} if chars.folds else {char}
    return any(_is_in(chars, one) for one in same if len(one) == 1) is not chars.is_negated


def _is_in(chars: Chars, char: str) -> bool:
    number = ord(char)
    if any(first <= number <= last for first, last in chars.spans):
        return True
    kind = unicodedata.category(char)
    return any(kind.startswith(name) is not left_out for name, left_out in chars.categories)
