"""Where a field stands in its file: the text is read again, with marks, only when somebody asks."""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from envcompile.yamlio.nodes import compose

if TYPE_CHECKING:
    from envcompile.model import Pointer
    from envcompile.yamlio.nodes import Node, Root

_FILES_KEPT: Final = 32


class _Stream:
    """A file's text, its documents, and where its lines begin."""

    __slots__ = ("_documents", "_rest", "_starts", "text")

    def __init__(self, data: bytes) -> None:
        self.text = data.decode("utf-8", "replace").removeprefix("\ufeff")
        self._documents: list[Root] = []
        self._rest = compose(self.text)
        self._starts = line_starts(self.text)

    def document(self, index: int) -> Root | None:
        """A document of the stream, which is read no further than that; None for one that is not there, or no YAML."""
        from yaml import YAMLError

        try:
            while len(self._documents) <= index:
                self._documents.append(next(self._rest))
        except (StopIteration, YAMLError):
            return None
        return self._documents[index] if index >= 0 else None

    def place(self, index: int) -> tuple[int, int]:
        """Line and column from 1 of a character."""
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def find(self, index: int, pointer: Pointer) -> tuple[Node, Node, bool] | None:
        """The innermost field that exists on the way: its key (of a map's field), its value, whether it is the goal."""
        document = self.document(index)
        if document is None:
            return None
        name = node = document.value
        for step in pointer:
            found = node.find(step)
            if found is None:
                return name, node, False
            name, node = found
        return name, node, True

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its line break."""
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[self._starts[number - 1] : end].rstrip("\r\n")


def line_starts(text: str) -> list[int]:
    """The characters that lines begin with; lines end at LF, CRLF or a lone CR."""
    starts = [0]
    if "\r" not in text:
        *lines, _ = text.split("\n")
        return list(accumulate(map(len, lines), _behind, initial=0))
    previous = ""
    for number, character in enumerate(text):
        if character == "\n" and previous == "\r":
            starts[-1] = number + 1
        elif character in "\r\n":
            starts.append(number + 1)
        previous = character
    return starts


def _behind(start: int, length: int) -> int:
    """Where the line after one begins."""
    return start + length + 1


@lru_cache(maxsize=_FILES_KEPT)
def _stream(data: bytes) -> _Stream:
    """The marks of a file that was loaded. A pure cache of the files asked for last."""
    return _Stream(data)


def locate(data: bytes, index: int, pointer: Pointer, *, key: bool = False) -> tuple[int, int] | None:
    """Line and column, from 1, of a value in document `index`; with `key`, of the key that names it.

    Through an alias or `<<` the place is where the value is written. None when the field does not exist.
    """
    stream = _stream(data)
    found = stream.find(index, pointer)
    if found is None or not found[2]:
        return None
    name, node, _ = found
    if _is_absent(node) and not pointer:
        document = stream.document(index)
        return stream.place(document.start) if document is not None else None
    return stream.place((name if key else node).start)


def locate_nearest(data: bytes, index: int, pointer: Pointer) -> tuple[int, int]:
    """As `locate`; for a field that does not exist the key of the innermost field around it, at last the document."""
    stream = _stream(data)
    found = stream.find(index, pointer)
    if found is None:
        return 1, 1
    name, node, exact = found
    document = stream.document(index)
    if document is not None and name is document.value and _is_absent(name):
        return stream.place(document.start)
    return stream.place((node if exact else name).start)


def _is_absent(node: Node) -> bool:
    """Whether a document holds nothing at all: the empty value has no place of its own."""
    return node.start == node.end and not node.style


def block_lines(data: bytes, index: int, pointer: Pointer) -> tuple[int, int] | None:
    """Line and column, from 1, where the text of a literal block begins: line n of the text, from 0, is n lines below.

    None for any other value.
    """
    stream = _stream(data)
    found = stream.find(index, pointer)
    if found is None or not found[2]:
        return None
    node = found[1].real
    if node.style != "|":
        return None
    first, _ = stream.place(stream.text.index("|", node.start))
    for number, line in enumerate(node.text.split("\n")):
        if line:
            return first + 1, len(stream.line(first + number + 1)) - len(line) + 1
    return first + 1, 1
