"""Expressions of GitHub's workflow files, as far as this project uses them; any other one is an error."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<sign>\|\||&&|!=|==|\(\))|(?P<name>[A-Za-z_][\w.-]*))")


class UnknownExpressionError(Exception):
    """An expression that the runner would not understand, or that nobody has needed so far."""


def substitute(text: str, contexts: Mapping[str, Any]) -> str:
    """Replace every `${{ … }}` of a text by its value."""
    return _EXPRESSION.sub(lambda found: written(evaluate(found[1], contexts)), text)


def written(value: Any) -> str:
    """A value as it stands in a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return str(value)
    raise UnknownExpressionError(f"a {type(value).__name__} cannot stand in a text")


def evaluate(expression: str, contexts: Mapping[str, Any]) -> Any:
    """The value of an expression.

    `a || b`, `a && b`, `a == b`, `a != b`, texts, `always()`, `success()`, and names. The first part of a name must be
    a context, and so must the second one be known to it, except within the event: what an event has not is empty.

    Source: docs.github.com/actions/reference/evaluate-expressions-in-workflows-and-actions.
    """
    words = _words(expression)
    value = _alternatives(words, contexts)
    if words:
        raise UnknownExpressionError(f"`{words[0]}` is not expected in `{expression}`")
    return value


def _words(expression: str) -> list[str]:
    words = []
    at = 0
    rest = expression.rstrip()
    while at < len(rest):
        found = _TOKEN.match(rest, at)
        if found is None:
            raise UnknownExpressionError(f"`{rest[at:]}` of `{expression}`")
        words.append(found[0].strip())
        at = found.end()
    if not words:
        raise UnknownExpressionError("an expression without any content")
    return words


def _alternatives(words: list[str], contexts: Mapping[str, Any]) -> Any:
    value = _conjunction(words, contexts)
    while words[:1] == ["||"]:
        del words[0]
        other = _conjunction(words, contexts)
        value = value or other
    return value


def _conjunction(words: list[str], contexts: Mapping[str, Any]) -> Any:
    value = _comparison(words, contexts)
    while words[:1] == ["&&"]:
        del words[0]
        other = _comparison(words, contexts)
        value = value and other
    return value


def _comparison(words: list[str], contexts: Mapping[str, Any]) -> Any:
    value = _operand(words, contexts)
    if words[:1] in (["=="], ["!="]):
        sign = words.pop(0)
        same = written(value) == written(_operand(words, contexts))
        return same if sign == "==" else not same
    return value


def _operand(words: list[str], contexts: Mapping[str, Any]) -> Any:
    word = words.pop(0) if words else ""
    if word.startswith("'"):
        return word[1:-1].replace("''", "'")
    if words[:1] == ["()"]:
        del words[0]
        if word not in {"always", "success"}:
            raise UnknownExpressionError(f"the function `{word}`")
        return True if word == "always" else contexts["success"]
    return _look_up(word, contexts)


def _look_up(name: str, contexts: Mapping[str, Any]) -> Any:
    value: Any = contexts
    for depth, part in enumerate(name.split(".")):
        if not isinstance(value, dict):
            return None
        if part not in value and not (name.startswith("github.event.") and depth > 1):
            raise UnknownExpressionError(f"there is no `{name}`")
        value = value.get(part)
    return value
