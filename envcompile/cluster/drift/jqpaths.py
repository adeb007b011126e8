"""Which fields a jq path expression names: the part of jq that `ignoreDifferences` are written in.

Paths (`.spec.template`, `."a.b"`, `["a/b"]`, `[0]`, `[1:3]`, `[]`, `..`, `?`), pipes, several paths with commas
between, and `select(…)` with comparisons, `and`, `or`, `not`, `test`, `startswith`, `endswith`, `contains` and `has`.
Everything else is refused by name: nothing that a repository says is run.

Source: jq's manual, "Basic filters" and `select`; Argo CD, "Diff Customization".
"""

from __future__ import annotations

import json
import operator
import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envcompile.model import Pointer

    Path = Callable[[Any], Iterator[tuple[Pointer, Any]]]
    """A value -> the places in it that an expression names, with what is there."""
    Test = Callable[[Any], bool]

_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<text>"(?:[^"\\]|\\.)*")
  | (?P<number>-?\d+(?:\.\d+)?)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<sign>==|!=|<=|>=|\.\.|[.\[\]()|,?<>:])
  | (?P<other>\S)
)""",
    re.VERBOSE,
)
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": lambda left, right: _rank(left) < _rank(right),
    "<=": lambda left, right: _rank(left) <= _rank(right),
    ">": lambda left, right: _rank(left) > _rank(right),
    ">=": lambda left, right: _rank(left) >= _rank(right),
}
_WORDS: Final = {"true": True, "false": False, "null": None}
MOST_LETTERS: Final = 2000
"""Letters of an expression that are read, and of a text that a pattern is tried on."""


class ExpressionError(Exception):
    """An expression that is no path of the kind that is understood."""


def read_paths(text: str) -> Path:
    """An expression as a function that finds the places it names.

    Raises:
        ExpressionError: it is not understood; the message names the word.
    """
    if len(text) > MOST_LETTERS:
        raise ExpressionError(f"it is longer than {MOST_LETTERS} letters")
    reader = _Reader(text)
    found = reader.paths()
    reader.expect_end()
    return found


class _Reader:
    """One expression, token by token."""

    def __init__(self, text: str) -> None:
        self._tokens = [(match.lastgroup or "", match[match.lastgroup or 0]) for match in _TOKEN.finditer(text.strip())]
        self._position = 0

    def paths(self) -> Path:
        """Read paths with commas between them, each a pipe of steps."""
        parts = [self._pipe()]
        while self._takes(","):
            parts.append(self._pipe())
        return parts[0] if len(parts) == 1 else _together(parts)

    def expect_end(self) -> None:
        """Refuse what is left."""
        if self._position < len(self._tokens):
            raise ExpressionError(f"`{self._tokens[self._position][1]}` is not understood")

    def _pipe(self) -> Path:
        found = self._step()
        while self._takes("|"):
            found = _then(found, self._step())
        return found

    def _step(self) -> Path:
        if self._takes("("):
            found = self.paths()
            self._expect(")")
            return self._suffixes(found)
        if self._takes("select"):
            self._expect("(")
            test = self._either()
            self._expect(")")
            return self._suffixes(_only(test))
        if self._takes("..") or self._takes("recurse"):
            return self._suffixes(_everything)
        if self._peek() != ".":
            raise ExpressionError(f"`{self._peek() or 'its end'}` is not understood")
        return self._suffixes(_itself)

    def _suffixes(self, found: Path) -> Path:
        while True:
            if self._takes("."):
                kind, word = self._token()
                if kind in {"name", "text"}:
                    self._position += 1
                    found = _then(found, _field(json.loads(word) if kind == "text" else word))
            elif self._takes("["):
                found = _then(found, self._brackets())
            elif not self._takes("?"):
                return found

    def _brackets(self) -> Path:
        if self._takes("]"):
            return _each
        kind, word = self._token()
        if word == ":" or self._next_is(":"):
            return self._slice()
        self._position += 1
        self._expect("]")
        if kind == "text":
            return _field(json.loads(word))
        if kind == "number" and word.lstrip("-").isdecimal():
            return _place(int(word))
        raise ExpressionError(f"`[{word}]` is not understood")

    def _slice(self) -> Path:
        start = self._bound()
        self._expect(":")
        end = self._bound()
        self._expect("]")
        return _places(start, end)

    def _bound(self) -> int | None:
        kind, word = self._token()
        if kind != "number" or not word.lstrip("-").isdecimal():
            return None
        self._position += 1
        return int(word)

    # ---- conditions

    def _either(self) -> Test:
        tests = [self._both()]
        while self._takes("or"):
            tests.append(self._both())
        return lambda value: any(test(value) for test in tests)

    def _both(self) -> Test:
        tests = [self._condition()]
        while self._takes("and"):
            tests.append(self._condition())
        return lambda value: all(test(value) for test in tests)

    def _condition(self) -> Test:
        if self._takes("("):
            inner = self._either()
            self._expect(")")
            return self._maybe_not(inner)
        path = self._suffixes(_itself) if self._peek() == "." else _itself
        if self._peek() not in {"|", *_COMPARE} and path is _itself:
            return self._maybe_not(self._function(_itself))
        while self._peek() == "|" and self._next_is("."):
            self._position += 1
            path = _then(path, self._suffixes(_itself))
        if self._peek() in _COMPARE:
            compare = _COMPARE[self._token()[1]]
            self._position += 1
            literal = self._literal()
            return self._maybe_not(lambda value: any(compare(item, literal) for item in _values(path, value)))
        if self._peek() == "|" and not self._next_is("not"):
            self._position += 1
            return self._maybe_not(self._function(path))
        return self._maybe_not(lambda value: any(item not in {None, False} for item in _plain(path, value)))

    def _maybe_not(self, test: Test) -> Test:
        if self._peek() == "|" and self._next_is("not"):
            self._position += 2
            return lambda value: not test(value)
        return test

    def _function(self, path: Path) -> Test:
        _, name = self._token()
        self._position += 1
        if name not in {"test", "startswith", "endswith", "contains", "has"}:
            raise ExpressionError(f"`{name or 'its end'}` is not understood")
        self._expect("(")
        given = self._literal()
        self._expect(")")
        if not isinstance(given, str):
            raise ExpressionError(f"`{name}` needs a text")
        if name == "test":
            given = _pattern(given)
        return lambda value: any(_holds(name, item, given) for item in _values(path, value))

    def _literal(self) -> Any:
        kind, word = self._token()
        self._position += 1
        if kind in {"text", "number"}:
            return json.loads(word)
        if word in _WORDS:
            return _WORDS[word]
        raise ExpressionError(f"`{word or 'its end'}` is not understood")

    # ---- tokens

    def _token(self) -> tuple[str, str]:
        return self._tokens[self._position] if self._position < len(self._tokens) else ("", "")

    def _peek(self) -> str:
        return self._token()[1]

    def _next_is(self, word: str) -> bool:
        return self._position + 1 < len(self._tokens) and self._tokens[self._position + 1][1] == word

    def _takes(self, word: str) -> bool:
        if self._peek() != word:
            return False
        self._position += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._takes(word):
            raise ExpressionError(f"`{self._peek() or 'its end'}` stands where `{word}` is expected")


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, OverflowError) as error:
        raise ExpressionError(f"the pattern `{text}` cannot be read: {error}") from error


def _holds(name: str, item: Any, given: Any) -> bool:
    if name == "has":
        return isinstance(item, dict) and given in item
    if not isinstance(item, str):
        return False
    match name:
        case "test":
            return given.search(item[:MOST_LETTERS]) is not None
        case "startswith":
            return item.startswith(given)
        case "endswith":
            return item.endswith(given)
    return given in item


def _values(path: Path, value: Any) -> Iterator[Any]:
    """What is at a path; null where nothing is, as jq has it."""
    found = [item for _, item in path(value)]
    yield from found or [None]


def _plain(path: Path, value: Any) -> Iterator[Any]:
    return (item if not isinstance(item, dict | list) else True for item in _values(path, value))


def _itself(value: Any) -> Iterator[tuple[Pointer, Any]]:
    yield (), value


def _each(value: Any) -> Iterator[tuple[Pointer, Any]]:
    if isinstance(value, list):
        yield from (((position,), item) for position, item in enumerate(value))
    elif isinstance(value, dict):
        yield from (((name,), item) for name, item in value.items())


def _field(name: str) -> Path:
    def find(value: Any) -> Iterator[tuple[Pointer, Any]]:
        found = value.get(name, ABSENT) if isinstance(value, dict) else ABSENT
        if found is not ABSENT:
            yield (name,), found

    return find


def _place(position: int) -> Path:
    def find(value: Any) -> Iterator[tuple[Pointer, Any]]:
        if isinstance(value, list) and -len(value) <= position < len(value):
            yield (position % len(value),), value[position]

    return find


def _places(start: int | None, end: int | None) -> Path:
    def find(value: Any) -> Iterator[tuple[Pointer, Any]]:
        if isinstance(value, list):
            yield from (((position,), value[position]) for position in range(len(value))[start:end])

    return find


def _everything(value: Any) -> Iterator[tuple[Pointer, Any]]:
    """A value and all within it."""
    yield (), value
    for first, item in _each(value):
        for rest, inner in _everything(item):
            yield (*first, *rest), inner


def _rank(value: Any) -> tuple[int, Any]:
    """By what jq orders values: null, false, true, numbers, texts, lists, maps; those of the last two are alike."""
    if value is None or isinstance(value, bool):
        return ({None: 0, False: 1, True: 2}[value], 0)
    if isinstance(value, int | float):
        return (3, value)
    if isinstance(value, str):
        return (4, value)
    return (5 if isinstance(value, list) else 6, 0)


def _only(test: Test) -> Path:
    def find(value: Any) -> Iterator[tuple[Pointer, Any]]:
        if test(value):
            yield (), value

    return find


def _then(first: Path, second: Path) -> Path:
    def find(value: Any) -> Iterator[tuple[Pointer, Any]]:
        for before, item in first(value):
            for after, inner in second(item):
                yield (*before, *after), inner

    return find


def _together(paths: list[Path]) -> Path:
    def find(value: Any) -> Iterator[tuple[Pointer, Any]]:
        for path in paths:
            yield from path(value)

    return find
