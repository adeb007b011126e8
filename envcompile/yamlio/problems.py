"""Bad input in people's words: what is wrong, at which line and column, and how to mend it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.errors import EnvcError, Problem, fail
from envcompile.model import Location
from envcompile.yamlio.encoding import place
from envcompile.yamlio.events import ContainerKeyError, RefusedError, RepeatedKeyError
from envcompile.yamlio.templates import container_problem, template_problem

if TYPE_CHECKING:
    from collections.abc import Callable

_FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONFLICT: Final = re.compile(r"^(<<<<<<< |>>>>>>> |=======$)", re.MULTILINE)


def explained(error: Exception, text: str, file: str) -> EnvcError:
    """The error to raise for what a loader raised."""
    if isinstance(error, RefusedError):
        return fail(error.what, error.fix, Location(file, *place(text, error.index)))
    if isinstance(error, ContainerKeyError):
        what, fix = container_problem(text, error.index)
        return fail(what, fix, Location(file, *place(text, error.index)))
    if isinstance(error, RepeatedKeyError):
        return _repeated(text, file)
    if conflict := _CONFLICT.search(text):
        where = Location(file, *place(text, conflict.start()))
        return fail("the file holds an unresolved merge conflict", "resolve it and remove the markers", where)
    if found := template_problem(text, _index(error, "problem_mark")):
        what, fix, index = found
        return fail(what, fix, Location(file, *place(text, index)))
    if (forbidden := _FORBIDDEN.search(text)) and not hasattr(error, "problem_mark"):
        return fail(
            f"the control character U+{ord(forbidden[0]):04X} is not allowed in YAML",
            f'remove it, or write it in double quotes as "\\u{ord(forbidden[0]):04x}"',
            Location(file, *place(text, forbidden.start())),
        )
    what, fix, index = _syntax(error, text)
    return fail(what, fix, Location(file, *place(text, index)))


def _repeated(text: str, file: str) -> EnvcError:
    """Every key of the stream that its map has already, with both places; and the first error behind them."""
    from yaml import YAMLError

    from envcompile.yamlio.nodes import compose, repeated

    problems: list[Problem] = []
    try:
        for root in compose(text):
            for key, first, second in repeated(root.value):
                places = Location(file, *place(text, second)), Location(file, *place(text, first))
                what = f"the key `{key}` is defined twice in one map, first on line {places[1].line}"
                problems.append(Problem(what, "remove one of them, or rename it", places))
    except YAMLError as error:
        problems += explained(error, text, file).problems
    return EnvcError(problems)


def _index(error: Exception, name: str) -> int:
    mark: Any = getattr(error, name, None)
    return mark.index if mark is not None else 0


class _Excerpt(NamedTuple):
    """What the parser said, and the text around the place."""

    text: str
    at: int
    """The character the parser stopped at."""
    since: int
    """The character that what it was reading began with."""
    context: str

    @property
    def character(self) -> str:
        return self.text[self.at : self.at + 1]

    @property
    def line(self) -> str:
        """The line it stopped in, up to where it stopped."""
        return self.text[self.text.rfind("\n", 0, self.at) + 1 : self.at]

    @property
    def since_line(self) -> int:
        return place(self.text, self.since)[0]


_Explanation = tuple[str, str, int]


def _syntax(error: Exception, text: str) -> _Explanation:
    problem = str(getattr(error, "problem", error) or error)
    at = _index(error, "problem_mark")
    since = _index(error, "context_mark") if getattr(error, "context_mark", None) else at
    inputs = _Excerpt(text, at, since, str(getattr(error, "context", "")))
    tab = re.match(r"[ ]*\t[ \t]*", text[text.rfind("\n", 0, at) + 1 :])
    if "tab" in problem or (tab and not inputs.line.strip()):
        index = at - len(inputs.line) + (tab[0].index("\t") if tab else inputs.line.find("\t"))
        return "the line is indented with a tab", "YAML is indented with spaces only; replace the tab", index
    said = f"{inputs.context}: {problem}"
    for words, explain in _EXPLANATIONS:
        if words in said:
            return explain(inputs)
    return f"this is not YAML: {problem}", "correct the line, or put texts with special characters in quotes", at


def _cannot_start(inputs: _Excerpt) -> _Explanation:
    if inputs.character == "\t":
        return "a tab stands where YAML allows spaces only", "replace the tab by a space", inputs.at
    return _not_plain(inputs.character), "put the text in quotes", inputs.at


def _not_plain(character: str) -> str:
    return f"a text cannot begin with {'a backtick' if character == '`' else f'`{character}`'}"


def _not_a_mapping(inputs: _Excerpt) -> _Explanation:
    line = inputs.line
    begin = inputs.at - len(line.lstrip(" "))
    if line.startswith("---"):
        return "a key cannot follow `---` on its line", "begin the document on the next line", begin
    if re.search(r":\s", line):
        return "there are two `: ` on one line", "put the value in quotes if the second one belongs to it", inputs.at
    above_end = len(inputs.text[: inputs.at - len(line)].rstrip())
    above_start = inputs.text.rfind("\n", 0, above_end) + 1
    above = inputs.text[above_start:above_end]
    indent, indent_above = (len(each) - len(each.lstrip(" ")) for each in (line, above))
    if above.lstrip(" ")[:1] not in {"#", "-"} and indent <= indent_above:
        fix = "put a space behind its colon" if ":" in above else "add a colon and a space"
        return "the line is neither `key: value` nor `- item`", fix, above_end - len(above.lstrip(" "))
    return "the key is indented deeper than its neighbours", "indent the line like the keys above it", begin


def _no_colon(inputs: _Excerpt) -> _Explanation:
    return (
        "the line is neither `key: value` nor `- item`",
        "add the colon and a space, or indent the line if it continues the text above",
        inputs.since,
    )


def _no_key(inputs: _Excerpt) -> _Explanation:
    if inputs.character == ":":
        return "there is no key before the colon", "write one, or put the text in quotes", inputs.at
    if re.search(r"""["'][^"']*["']\s*$""", inputs.line):
        return (
            "something follows the closing quote",
            "put the whole value in quotes; inside '…' a quote is written as ''",
            inputs.at,
        )
    return (
        f"the line does not fit into the map that begins on line {inputs.since_line}",
        "indent it like the other keys of the map it belongs to",
        inputs.at,
    )


def _no_dash(inputs: _Excerpt) -> _Explanation:
    return (
        f"the line stands in the list that begins on line {inputs.since_line}, but begins with no `-`",
        "begin the item with `- `, or indent the line like what it belongs to",
        inputs.at,
    )


def _no_document(inputs: _Excerpt) -> _Explanation:
    return (
        "the line is not part of the document above it",
        "indent it like the document's first line, or put `---` above it to begin another document",
        inputs.at,
    )


def _not_closed(inputs: _Excerpt) -> _Explanation:
    opening = inputs.text[inputs.since : inputs.since + 1]
    if opening in {'"', "'"}:
        return f"the quote {opening} is never closed", "close it at the end of the text", inputs.since
    return (
        f"the bracket `{opening}` is not closed, or a comma is missing in it",
        "close it, or add the comma",
        inputs.since,
    )


def _bad_dash(inputs: _Excerpt) -> _Explanation:
    return "a list cannot begin behind a key on the same line", "begin the list on the next line", inputs.at


def _bad_escape(inputs: _Excerpt) -> _Explanation:
    slash = inputs.text.rfind("\\", 0, inputs.at + 1)
    return (
        f"`{inputs.text[slash : slash + 2]}` is no escape of YAML",
        "use single quotes, in which a backslash is a backslash, or write it twice",
        max(slash, 0),
    )


def _bad_name(inputs: _Excerpt) -> _Explanation:
    return _not_plain(inputs.text[inputs.since : inputs.since + 1]), "put the text in quotes", inputs.since


def _bad_directive(inputs: _Excerpt) -> _Explanation:
    return (
        "`%` at the start of a line begins a directive, and this is none that YAML 1.1 or 1.2 knows",
        "remove the line, or put the text in quotes",
        inputs.at - len(inputs.line),
    )


def _bad_header(inputs: _Excerpt) -> _Explanation:
    sign = inputs.text[inputs.since : inputs.since + 1]
    return (
        f"something follows `{sign}` on its line",
        f"begin the text below `{sign}`, or put it in quotes",
        inputs.since,
    )


def _bad_tag(inputs: _Excerpt) -> _Explanation:
    return "`!` begins a tag, and this is none", "put the text in quotes if it shall begin with `!`", inputs.since


def _bad_flow(inputs: _Excerpt) -> _Explanation:
    return "a value is missing in the brackets", "remove the extra comma or bracket", inputs.at


_EXPLANATIONS: Final[tuple[tuple[str, Callable[[_Excerpt], _Explanation]], ...]] = (
    ("directive", _bad_directive),
    ("incompatible YAML document", _bad_directive),
    ("scanning a tag", _bad_tag),
    ("tag handle", _bad_tag),
    ("cannot start any token", _cannot_start),
    ("mapping keys are not allowed", _cannot_start),
    ("mapping values are not allowed", _not_a_mapping),
    ("could not find expected ':'", _no_colon),
    ("did not find expected key", _no_key),
    ("did not find expected '-' indicator", _no_dash),
    ("did not find expected <document start>", _no_document),
    ("found unexpected end of stream", _not_closed),
    ("found unexpected document indicator", _not_closed),
    ("did not find expected ',' or", _not_closed),
    ("block sequence entries are not allowed", _bad_dash),
    ("found unknown escape character", _bad_escape),
    ("did not find expected hexdecimal number", _bad_escape),
    ("found invalid Unicode character escape code", _bad_escape),
    ("did not find expected alphabetic or numeric character", _bad_name),
    ("scanning a block scalar", _bad_header),
    ("did not find expected node content", _bad_flow),
)
