"""A look at the text of CEL expressions: whether it parses, and which names it uses; nothing is evaluated.

The grammar is that of the language definition (github.com/google/cel-spec, doc/langdef.md, Grammar). What a name means
is left to whoever asks; types are guessed for what is plain: literals, comparisons, sums.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN: Final = re.compile(
    r"""\s+|//[^\n]*
      | (?P<string>[bBrR]{0,2}(?:\"{3}(?:[^\\]|\\.)*?\"{3}
          |'{3}(?:[^\\]|\\.)*?'{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
      | (?P<number>0x[0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+[uU]?)
      | (?P<name>`[^`]+`|[_a-zA-Z]\w*)
      | (?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%!<>?:,.()\[\]{}])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_RESERVED: Final = frozenset({
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
    "namespace", "return", "var", "void", "while",
})  # fmt: skip
_MACROS: Final = frozenset({
    "all", "exists", "exists_one", "existsOne", "map", "filter", "transformList", "transformMap", "transformMapEntry",
})  # fmt: skip
_DEEPEST: Final = 200


class Chain(NamedTuple):
    """A name with the fields that are read behind it: `object.spec.replicas`."""

    name: str
    fields: tuple[str, ...]
    is_called: bool
    """True for a function, or a namespace of one: `size(x)`, `math.greatest(x)`."""


class Parsed(NamedTuple):
    """What an expression says."""

    error: str | None
    """Why it does not parse."""
    chains: tuple[Chain, ...]
    """Every name that is not bound by a macro, in their order."""
    type: str | None
    """`bool`, `string`, `number`, `list`, `map`, `null` or the name of a message; None where it is not plain."""
    patterns: tuple[str, ...]
    """The literal regular expressions of `matches`."""


class _SyntaxError(Exception):
    """The expression does not parse; the message says where."""


def parse(text: str) -> Parsed:
    """Parse an expression."""
    parser = _Parser()
    try:
        parser.tokens = [*_tokens(text), ("end", "", len(text))]
        kind = parser.expression()
        if parser.peek() != "":
            parser.fail()
    except _SyntaxError as error:
        return Parsed(str(error), (), None, ())
    return Parsed(None, tuple(parser.chains), kind, tuple(parser.patterns))


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _SyntaxError(f"cannot be read from character {position + 1} on")
        if match.lastgroup is not None:
            yield match.lastgroup, match[0], position
        position = match.end()


class _Tokens:
    """The tokens of one expression and where among them one is."""

    def __init__(self) -> None:
        self.tokens: list[tuple[str, str, int]] = []
        self.position = 0

    def peek(self) -> str:
        kind, text, _ = self.tokens[self.position]
        return "" if kind == "end" else text if kind == "sign" else kind if kind != "name" else text

    def kind(self) -> str:
        return self.tokens[self.position][0]

    def take(self) -> tuple[str, str]:
        kind, text, _ = self.tokens[self.position]
        self.position += 1
        return kind, text

    def accept(self, sign: str) -> bool:
        if self.kind() == "sign" and self.peek() == sign:
            self.position += 1
            return True
        return False

    def expect(self, sign: str) -> None:
        if not self.accept(sign):
            self.fail()

    def fail(self) -> NoReturn:
        kind, text, at = self.tokens[self.position]
        where = "ends too early" if kind == "end" else f"has `{text}` at character {at + 1} where it does not belong"
        raise _SyntaxError(where)


class _Parser(_Tokens):
    """Recursive descent over the tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.bound: list[str] = []
        self.chains: list[Chain] = []
        self.patterns: list[str] = []

    def expression(self) -> str | None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _SyntaxError("is nested too deep")
        kind = self.logic()
        if self.accept("?"):
            left = self.logic()
            self.expect(":")
            right = self.expression()
            kind = left if left == right else None
        self.depth -= 1
        return kind

    def logic(self) -> str | None:
        kind = self.relation()
        while self.peek() in {"&&", "||"} and self.kind() == "sign":
            self.take()
            self.relation()
            kind = "bool"
        return kind

    def relation(self) -> str | None:
        kind = self.sum()
        while self.peek() in {"<", "<=", ">", ">=", "==", "!=", "in"}:
            self.take()
            self.sum()
            kind = "bool"
        return kind

    def sum(self) -> str | None:
        kind = self.unary()
        while self.kind() == "sign" and self.peek() in {"+", "-", "*", "/", "%"}:
            self.take()
            right = self.unary()
            kind = kind if kind == right else kind or right
        return kind

    def unary(self) -> str | None:
        if self.kind() == "sign" and self.peek() in {"!", "-"}:
            _, sign = self.take()
            inner = self.unary()
            return "bool" if sign == "!" else inner
        return self.member()

    def member(self) -> str | None:
        chain: list[str] | None = None
        start = len(self.chains)
        kind: str | None
        if self.kind() == "name" and self.peek() not in {"true", "false", "null"}:
            _, name = self.take()
            if name == "in" or name in _RESERVED:
                self.position -= 1
                self.fail()
            if self.accept("("):
                self.arguments(name)
                self.chains.insert(start, Chain(name, (), is_called=True))
                kind = "bool" if name == "has" else None
            elif self.peek() == "{" and self.kind() == "sign":
                self.take()
                self.message()
                kind = name
            else:
                chain, kind = [name], None
        elif self.accept("."):
            _, name = self.take() if self.kind() == "name" else self.fail()
            kind = None
        else:
            kind = self.primary()
        while True:
            if self.accept("."):
                self.accept("?")
                if self.kind() != "name":
                    self.fail()
                _, name = self.take()
                if self.accept("("):
                    if chain is not None:
                        self.note(chain, start, is_called=len(chain) == 1)
                        chain = None
                    kind = self.call(name)
                elif self.kind() == "sign" and self.peek() == "{" and chain is not None:
                    self.take()
                    self.message()
                    kind, chain = ".".join([*chain, name]), None
                else:
                    kind = None
                    if chain is not None:
                        chain.append(name)
            elif self.accept("["):
                self.accept("?")
                if chain is not None:
                    self.note(chain, start, is_called=False)
                    chain = None
                self.expression()
                self.expect("]")
                kind = None
            else:
                break
        if chain is not None:
            self.note(chain, start, is_called=False)
        return kind

    def note(self, chain: list[str], start: int, *, is_called: bool) -> None:
        if chain[0] not in self.bound:
            self.chains.insert(start, Chain(chain[0], tuple(chain[1:]), is_called))

    def call(self, name: str) -> str | None:
        """Read the arguments of a function of a value, and what macros bind in them."""
        if name == "bind" or name in _MACROS:
            return self.macro(name)
        if name == "matches" and self.kind() == "string":
            self.patterns.append(self.tokens[self.position][1])
        self.arguments(name)
        return "bool" if name in {"matches", "startsWith", "endsWith", "contains"} else None

    def macro(self, name: str) -> str | None:
        bound = 0
        if name == "bind" and self.kind() == "name":
            _, variable = self.take()
            self.expect(",")
            self.expression()
            self.expect(",")
            self.bound.append(variable)
            bound = 1
        else:
            while self.kind() == "name" and self.tokens[self.position + 1][1] == "," and bound < 2:
                self.bound.append(self.take()[1])
                self.take()
                bound += 1
        kind = self.expression()
        while self.accept(","):
            kind = self.expression()
        self.expect(")")
        del self.bound[len(self.bound) - bound :]
        return (
            "bool"
            if name.startswith(("all", "exists"))
            else "list"
            if name in {"map", "filter"}
            else kind
            if name == "bind"
            else None
        )

    def arguments(self, name: str) -> None:
        del name
        if self.accept(")"):
            return
        self.expression()
        while self.accept(","):
            self.expression()
        self.expect(")")

    def message(self) -> None:
        """Read the fields of a message: `Object{spec: ...}`."""
        while not self.accept("}"):
            self.accept("?")
            if self.kind() != "name":
                self.fail()
            self.take()
            self.expect(":")
            self.expression()
            if not self.accept(","):
                self.expect("}")
                return

    def primary(self) -> str | None:
        kind, text = self.take()
        match kind, text:
            case "string", _:
                return "string"
            case "number", _:
                return "number"
            case "name", "true" | "false":
                return "bool"
            case "name", "null":
                return "null"
            case "sign", "(":
                inner = self.expression()
                self.expect(")")
                return inner
            case "sign", "[":
                return self.list()
            case "sign", "{":
                return self.map()
        self.position -= 1
        return self.fail()

    def list(self) -> str:
        while not self.accept("]"):
            self.accept("?")
            self.expression()
            if not self.accept(","):
                self.expect("]")
                break
        return "list"

    def map(self) -> str:
        while not self.accept("}"):
            self.accept("?")
            self.expression()
            self.expect(":")
            self.expression()
            if not self.accept(","):
                self.expect("}")
                break
        return "map"
