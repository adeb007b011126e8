"""The quick reader: plain block YAML, one line at a time, as people and tools write it for Kubernetes.

A line is classified once and remembered, because generated and hand-written manifests repeat their lines. Whatever is
not certain raises `UnusualError`, and the caller reads the stream with `events` instead: a wrong value is never worth
the speed. Left to the complete reader are among others: flow maps, multi-line plain or quoted scalars, anchors,
aliases, tags, merge keys, tabs, directives, unusual escapes, repeated keys, and everything that is an error.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from envcompile.yamlio.scalars import KEYS, MERGE, PLAIN, NotJsonError, resolve

_MEMO_LIMIT: Final = 1 << 14
_LONGEST_MEMO_LINE: Final = 400
_LONGEST_KEY: Final = 1000
_DEEPEST: Final = 500

_LINE: Final = re.compile(
    r"""([ ]*)((?:-[ ]+)*)(?:
      ([A-Za-z0-9_./][^\s:#,\[\]{}&*!|>'"%@`]*|"[^"\\\n]*"|'[^'\n]*'):(?:[ ]+(.*))?
    | (-)
    | (.+))""",
    re.VERBOSE,
).fullmatch
_COMMON: Final = re.compile(
    r"""([ ]*)((?:-[ ])*)([A-Za-z_][A-Za-z0-9_./-]*):(?:[ ](?:([A-Za-z_/][A-Za-z0-9_./=@%+-]*)|"([^"\\]*)"))?"""
).fullmatch
"""Nearly every line: a key, and a word or a text in quotes behind it."""
_DASH: Final = re.compile(r"-[ ]+")
_MARKER: Final = re.compile(r"---[ ]*(?:[ ]#.*)?").fullmatch
_PLAIN: Final = re.compile(r"""(?:[^\s\-?:,\[\]{}#&*!|>'"%@`]|-[^\s])[^\n]*""").fullmatch
_TAIL: Final = r"[ ]*(?:[ ]#.*)?"
_DOUBLE: Final = re.compile(rf'("[^"\\]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}})[^"\\]*+)*+"){_TAIL}').fullmatch
_SINGLE: Final = re.compile(rf"'([^']*+(?:''[^']*+)*+)'{_TAIL}").fullmatch
_EMPTY: Final = re.compile(rf"(\{{[ ]*\}}|\[[ ]*\]){_TAIL}").fullmatch
_BLOCK: Final = re.compile(rf"([|>][+-]?){_TAIL}").fullmatch
_ITEM: Final = r"""(?:"[^"\\]*"|'[^']*'|[A-Za-z0-9_./][A-Za-z0-9_./+=-]*)"""
_ITEMS: Final = re.compile(rf"\[[ ]*({_ITEM}(?:[ ]*,[ ]*{_ITEM})*)[ ]*\]{_TAIL}").fullmatch
_EACH_ITEM: Final = re.compile(_ITEM).findall

# What stands behind the key or the dash of a line.
_SCALAR, _PENDING, _COPIED, _TEXT, _DOCUMENT = range(5)


class UnusualError(Exception):
    """The text holds something that this reader leaves to the complete one."""


# What one line says: what stands behind the key or dash; the columns of its dashes; the column of the key, of the
# item's text, or behind a lone dash; the key, None for a list item that is no map; the value. Plain tuples unpack
# fastest.
_Line = tuple[int, tuple[int, ...], int, "str | None", Any]


class _Memo(dict[str, "_Line | None"]):  # ruff: ignore[subclass-builtin] - a lookup that hits must not leave C
    """Line of text to what it says, None for blank lines and comments. A pure cache."""

    __slots__ = ()

    def __missing__(self, line: str) -> _Line | None:
        found = _classify(line)
        if len(line) < _LONGEST_MEMO_LINE:
            if len(self) >= _MEMO_LIMIT:
                self.clear()  # lines of one service fill it; those of all come back at once
            self[line] = found
        return found


_LINES: Final = _Memo()


def _classify(line: str) -> _Line | None:
    common = _COMMON(line)
    if common is None or not line.isprintable() or len(line) > _LONGEST_KEY:
        return _classify_any(line)
    indent, dashes, key, word, text = common.groups()
    column = len(indent)
    columns: tuple[int, ...] = ()
    if dashes:
        columns = tuple(range(column, column + len(dashes), 2))
        column += len(dashes)
    if text is not None:
        return _SCALAR, columns, column, _key(key), text
    if word is None:
        return _PENDING, columns, column, _key(key), None
    return _SCALAR, columns, column, _key(key), resolve(word)


def _classify_any(line: str) -> _Line | None:
    content = line.lstrip(" ")
    if not content:
        return None
    if content[0] == "#":
        if not line.replace("\t", "").isprintable():
            raise UnusualError
        return None
    if not line.isprintable():
        raise UnusualError
    match = _LINE(line)
    if match is None:
        raise UnusualError
    indent, dashes, key, value, bare, text = match.groups()
    column = len(indent)
    if text and not dashes:
        if not column and _MARKER(text):
            return _DOCUMENT, (), 0, None, None
        raise UnusualError
    columns: tuple[int, ...] = ()
    if dashes:
        columns = tuple(column + dash.start() for dash in _DASH.finditer(dashes))
        column += len(dashes)
    if bare:
        return _PENDING, (*columns, column), column + 1, None, None
    if key is None:
        return _line(columns, column, None, text)
    if len(key) > _LONGEST_KEY:
        raise UnusualError
    return _line(columns, column, _key(key), value)


def _line(columns: tuple[int, ...], column: int, key: str | None, text: str | None) -> _Line:
    kind, value = _value(text) if text else (_PENDING, None)
    return kind, columns, column, key, value


def _key(text: str) -> str:
    if text[0] in "\"'":
        return text[1:-1]
    try:
        key = KEYS[text]
    except NotJsonError:
        raise UnusualError from None
    if key is MERGE:
        raise UnusualError
    return key  # type: ignore[no-any-return]


def _value(text: str) -> tuple[int, Any]:
    """What the text behind `key: ` or `- ` says."""
    first = text[0]
    if first == '"':
        return _SCALAR, _double_quoted(text)
    if first == "'":
        if match := _SINGLE(text):
            return _SCALAR, match[1].replace("''", "'")
        raise UnusualError
    if first in "{[":
        if match := _EMPTY(text):
            return _COPIED, {} if first == "{" else []
        if match := _ITEMS(text):
            return _COPIED, [_flow_item(item) for item in _EACH_ITEM(match[1])]
        raise UnusualError
    if first == "#":
        return _PENDING, None
    if first in "|>":
        if match := _BLOCK(text):
            return _TEXT, match[1]
        raise UnusualError
    if not _PLAIN(text):
        raise UnusualError
    comment = text.find(" #")
    if comment >= 0:
        text = text[:comment]
    text = text.rstrip(" ")
    if ": " in text or text[-1] == ":":
        raise UnusualError
    return _SCALAR, _plain(text)


def _plain(text: str) -> Any:
    try:
        return PLAIN[text]
    except NotJsonError:
        raise UnusualError from None


def _flow_item(text: str) -> Any:
    return text[1:-1] if text[0] in "\"'" else _plain(text)


def _double_quoted(text: str) -> str:
    match = _DOUBLE(text)
    if match is None:
        raise UnusualError
    quoted: str = match[1]
    if "\\" not in quoted:
        return quoted[1:-1]
    # YAML has no surrogate pairs: each half is an error of its own.
    if "\\ud" in quoted.lower():
        raise UnusualError
    try:
        return msgspec.json.decode(quoted, type=str)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        raise UnusualError from None


def _block_text(lines: list[str], start: int, header: str, parent: int) -> tuple[str, int]:
    """The text of a literal or simple folded block whose header stands before line `start`, and the line behind it.

    Args:
        lines: all lines of the stream; the last one is empty when the stream ends with a line break.
        start: number of the line behind the header.
        header: `|` or `>` with an optional chomping indicator.
        parent: column of the collection that the block is a value of.
    """
    end = len(lines)
    first = start
    while first < end and not lines[first].strip(" "):
        first += 1
    if first == end:
        raise UnusualError
    indent = len(lines[first]) - len(lines[first].lstrip(" "))
    if indent <= parent or lines[first][indent] == "\t":
        raise UnusualError
    if any(len(line) > indent for line in lines[start:first]):
        raise UnusualError
    pad = lines[first][:indent]
    found = [""] * (first - start)
    at = first
    while at < end:
        line = lines[at]
        if line.startswith(pad):
            found.append(line[indent:])
        elif not line.strip(" "):
            found.append("")
        else:
            break
        at += 1
    if at == end:
        if lines[-1]:
            raise UnusualError  # the last line has no line break, which chomping would have to know
        found.pop()
    elif len(lines[at]) - len(lines[at].lstrip(" ")) > parent:
        raise UnusualError
    body = "\n".join(found)
    core = body.rstrip("\n")
    if not core.strip(" ") or not body.replace("\n", "").replace("\t", "").isprintable():
        raise UnusualError
    if header[0] == ">":
        if body[0] in " \t\n" or "\n\n" in core or "\n " in core or "\n\t" in core:
            raise UnusualError
        body = core.replace("\n", " ") + body[len(core) :]
        core = body[: len(core)]
    if header[1:] == "-":
        return core, at
    return (core if not header[1:] else body) + "\n", at


def load_lines(text: str) -> list[Any]:
    """The documents of a stream in order, None for an empty one.

    Raises:
        UnusualError: when the stream holds anything this reader does not know for certain.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    memo = _LINES
    documents: list[Any] = []
    lines = text.split("\n")
    # The open containers: a stack of (column, container) around the current one, which stands at column `indent`.
    # `pending` is the key or, in a list, True when the container's latest value may still begin on a later line.
    stack: list[tuple[int, Any]] = []
    root: list[Any] = [None]
    current: Any = root
    indent = -1
    is_map = False
    pending: Any = True
    started = False
    number, end = 0, len(lines)
    while number < end:
        line = memo[lines[number]]
        number += 1
        if line is None:
            continue
        kind, dashes, at, key, value = line
        if kind:
            if kind == _COPIED:
                value = value.copy()
            elif kind == _TEXT:
                value, number = _block_text(lines, number, value, dashes[-1] if key is None else at)
            elif kind == _DOCUMENT:
                if started or root[0] is not None:
                    documents.append(root[0])
                started = True
                current = root = [None]
                stack = []
                indent = -1
                is_map = False
                pending = True
                continue
        elif at == indent and is_map and not dashes:  # the next scalar of the same map
            if key in current:
                raise UnusualError
            current[key] = value
            pending = None
            continue
        for dash in dashes:
            if pending is not None and (dash > indent or (dash == indent and is_map)):
                stack.append((indent, current))
                if is_map:
                    current[pending] = current = []
                    is_map = False
                else:
                    current[-1] = current = []
                indent = dash
                if len(stack) > _DEEPEST:
                    raise UnusualError
            else:
                while indent > dash:
                    indent, current = stack.pop()
                is_map = type(current) is dict
                if indent != dash or is_map:
                    raise UnusualError
            current.append(None)
            pending = True
        if key is None:
            if kind != _PENDING:
                current[-1] = value
                pending = None
            continue
        if at > indent:
            if pending is None:
                raise UnusualError
            stack.append((indent, current))
            new: dict[str, Any] = {}
            if is_map:
                current[pending] = new
            else:
                current[-1] = new
                is_map = True
            current = new
            indent = at
            if len(stack) > _DEEPEST:
                raise UnusualError
        elif at < indent or not is_map:
            while indent > at or (indent == at and not is_map):
                indent, current = stack.pop()
                is_map = type(current) is dict
            if indent != at or not is_map:
                raise UnusualError
        if key in current:
            raise UnusualError
        current[key] = value
        pending = key if kind == _PENDING else None
    if started or root[0] is not None:
        documents.append(root[0])
    return documents
