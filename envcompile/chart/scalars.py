"""Writes scalars and constant parts as YAML that every reader of Helm's chain takes for the same value."""

from __future__ import annotations

import re
from typing import Any, Final

_PLAIN = re.compile(
    r"[A-Za-z_/][A-Za-z0-9_./@-]*(?::[A-Za-z0-9_./@-]+)*(?: [A-Za-z0-9_./@(-][A-Za-z0-9_./@,()-]*)*",
)
_WORDS = frozenset(
    word
    for name in ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
    for word in (name, name.upper(), name.capitalize())
) | {"nan", "inf", "NaN", "NAN"}
_LONG_KEY = 120
_LONGEST_KEY = 1000
_LONG_LINE = 120
_MOST_REMEMBERED: Final = 1 << 14
_ESCAPED = re.compile(r'[\x00-\x1f"\\\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]')
_NOT_IN_BLOCKS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _SHORT_ESCAPES.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def quoted(text: str) -> str:
    """A text between double quotes, on one line, in printable characters."""
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def plain(text: str) -> bool:
    """Whether a text may stand without quotes: it then means itself to every YAML reader."""
    return text not in _WORDS and _PLAIN.fullmatch(text) is not None and not text.endswith(" ")


class _Keys(dict[str, str]):  # ruff: ignore[subclass-builtin] - a lookup that hits must not leave C
    """Memo from a key to its text with the colon, empty for one that is too long for it. A pure cache."""

    __slots__ = ()

    def __missing__(self, key: str) -> str:
        is_plain = len(key) < _LONG_KEY and plain(key) and not key.startswith("/")
        text = key if is_plain else quoted(key)
        found = f"{text}:" if len(text) < _LONGEST_KEY else ""
        if len(self) < _MOST_REMEMBERED:
            self[key] = found
        return found


class _Words(dict[str, str]):  # ruff: ignore[subclass-builtin] - as _Keys
    """Memo from a short text of one line to the same with a blank before it, in quotes where it needs them.

    Empty for any other text. A pure cache: texts of resources come again and again, as names, labels, ports, kinds.
    """

    __slots__ = ()

    def __missing__(self, text: str) -> str:
        if len(text) > _LONG_LINE or "\n" in text:
            return ""
        found = f" {text}" if plain(text) else f" {quoted(text)}"
        if len(self) < _MOST_REMEMBERED:
            self[text] = found
        return found


_KEYS: Final = _Keys()
_WORDS_BEHIND_KEYS: Final = _Words()


def key_text(key: str, indent: int) -> str:
    """A key of a map at this indent, as YAML, with its colon; a very long one needs the form with a `?`."""
    return _KEYS[key] or f"? {quoted(key)}\n{' ' * indent}:"


def fits_block(text: str) -> bool:
    """Whether a text survives as a block scalar, also at the end of a document that Helm cuts out of a stream."""
    body = text.rstrip()
    return bool(body) and text in {body, body + "\n"} and text[0] not in "\n\t" and _NOT_IN_BLOCKS.search(text) is None


def block_header(text: str) -> str:
    """The `|` line of a block scalar for a text that `fits_block`."""
    return "|" + ("2" if text[0] == " " else "") + ("" if text.endswith("\n") else "-")


def scalar(value: Any, indent: int) -> str:
    """What follows `key:` for a scalar, with its leading blank; `indent` is where a block would stand."""
    if isinstance(value, str):
        if word := _WORDS_BEHIND_KEYS[value]:
            return word
        if ("\n" in value.rstrip("\n") or len(value) > _LONG_LINE) and fits_block(value):
            padding = " " * indent
            lines = value.rstrip("\n").split("\n")
            return f" {block_header(value)}\n" + "\n".join([padding + line if line else "" for line in lines])
        return " " + quoted(value)
    if value is None:
        return " null"
    if isinstance(value, bool):
        return " true" if value else " false"
    return f" {value}" if isinstance(value, int) else f" {value!r}"


def tree(value: Any, indent: int) -> str:
    """What follows `key:` for any value: a leading blank and a scalar, or a newline and a block."""
    kind = type(value)
    if kind is dict:
        if not value:
            return " {}"
        newline, below = "\n" + " " * indent, indent + 2
        texts = []
        for key, item in value.items():
            word = _WORDS_BEHIND_KEYS[item] if type(item) is str else ""
            texts.append(f"{newline}{_KEYS[key] or key_text(key, indent)}{word or tree(item, below)}")
        return "".join(texts)
    if kind is list:
        if not value:
            return " []"
        newline, below = "\n" + " " * indent, indent + 2
        return "".join([f"{newline}-{beside_dash(tree(item, below), below)}" for item in value])
    return scalar(value, indent)


def beside_dash(text: str, indent: int) -> str:
    """Moves a block that starts on its own line up beside the `-` of its item."""
    if not text.startswith("\n"):
        return text
    return " " + text[1 + indent :]


def document(value: dict[str, Any]) -> str:
    """One whole document, with a final newline and without `---`."""
    return tree(value, 0).lstrip("\n") + "\n" if value else "{}\n"
