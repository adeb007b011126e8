"""Fields are found where they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from envcompile.errors import EnvcError
from envcompile.yamlio import block_lines, dump, load_all, locate, locate_nearest
from envcompile.yamlio.nodes import compose
from envcompile.yamlio.quoting import KEY_WORDS
from envcompile.yamlio.scalars import MERGE
from tests.strategies import json_maps, yaml_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.model import Pointer

STREAM = """\
# a comment
---
a: &x
  b: 1
  t: !!str |2

     x
    y
c: *x
d:
  <<: *x
  e: [1, {f: 2}]
---
---
- g
-
  - h
  - "i": j
ö: {ü: é, k: l}
""".replace("ö:", "- ö:").encode()


@pytest.mark.parametrize(
    ("index", "pointer", "value", "key"),
    [
        (0, (), (3, 1), (3, 1)),
        (0, ("a",), (3, 4), (3, 1)),
        (0, ("a", "b"), (4, 6), (4, 3)),
        (0, ("c",), (9, 4), (9, 1)),
        (0, ("c", "b"), (4, 6), (4, 3)),
        (0, ("d", "b"), (4, 6), (4, 3)),
        (0, ("d", "e", 0), (12, 7), (12, 7)),
        (0, ("d", "e", 1, "f"), (12, 14), (12, 11)),
        (1, (), (13, 1), (13, 1)),
        (2, (0,), (15, 3), (15, 3)),
        (2, (1, 1, "i"), (18, 10), (18, 5)),
        (2, (2, "ö", "k"), (19, 16), (19, 13)),
    ],
)
def test_fields(index: int, pointer: Pointer, value: tuple[int, int], key: tuple[int, int]) -> None:
    """Line and column count characters from 1; aliases and merges lead to where the value is written."""
    assert locate(STREAM, index, pointer) == value
    assert locate(STREAM, index, pointer, key=True) == key
    assert locate_nearest(STREAM, index, pointer) == value


@pytest.mark.parametrize(
    ("index", "pointer", "nearest"),
    [
        (0, ("z",), (3, 1)),
        (0, ("a", "z", "y"), (3, 1)),
        (0, ("d", "e", 2), (12, 3)),
        (0, ("d", "e", 1, "g"), (12, 10)),
        (0, ("d", "e", "f"), (12, 3)),
        (0, ("a", 0), (3, 1)),
        (1, ("a",), (13, 1)),
        (2, (7,), (15, 1)),
        (3, (), (1, 1)),
    ],
)
def test_fields_that_do_not_exist(index: int, pointer: Pointer, nearest: tuple[int, int]) -> None:
    """A missing field has no place; the nearest one is the field around it, at last the document."""
    assert locate(STREAM, index, pointer) is None
    assert locate_nearest(STREAM, index, pointer) == nearest


def test_lines_of_blocks() -> None:
    """The text of a literal block begins below its header, at the column of its own first character."""
    assert block_lines(STREAM, 0, ("a", "t")) == (6, 5)
    assert block_lines(STREAM, 0, ("c", "t")) == (6, 5)
    assert block_lines(b"- a: |  # why\n\n    b\n", 0, (0, "a")) == (2, 5)
    assert block_lines(b"a: |+\n\n\n", 0, ("a",)) == (2, 1)
    for pointer in (("a", "b"), ("a",), ("z",), ()):
        assert block_lines(STREAM, 0, pointer) is None
    assert block_lines(b"a: >\n  b\n", 0, ("a",)) is None
    assert block_lines(STREAM, 9, ()) is None


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", b"a: 1\rb: 2\r", "a: '\u2028'\nb: 2\n".encode()])
def test_line_ends_of_editors(data: bytes) -> None:
    """CRLF and a lone CR end a line, the line separator of Unicode does not; a byte order mark takes no column."""
    assert locate(data, 0, ("b",)) == (2, 4)


def test_json_that_is_no_yaml() -> None:
    """A JSON file that YAML readers refuse still has a first line."""
    data = b'{"a": "\\ud83d\\ude00"}'
    assert load_all(data, "f.json") == [{"a": "😀"}]
    assert locate(data, 0, ("a",)) is None
    assert locate_nearest(data, 0, ("a",)) == (1, 1)
    assert block_lines(data, 0, ("a",)) is None


def pointers(value: Any, way: Pointer = ()) -> Iterator[Pointer]:
    """Every way into a value."""
    yield way
    if type(value) is dict:
        for key, item in value.items():
            yield from pointers(item, (*way, key))
    elif type(value) is list:
        for number, item in enumerate(value):
            yield from pointers(item, (*way, number))


@settings(deadline=None)
@given(yaml_texts())
def test_whatever_is_loaded_is_found(text: str) -> None:
    """Every field of every document that the loader gives has a place, and there are as many documents."""
    data = text.encode()
    try:
        documents = load_all(data, "f")
    except EnvcError:
        return
    assert len(list(compose(text.removeprefix("\ufeff")))) == len(documents)
    lines = data.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for index, document in enumerate(documents):
        for pointer in pointers(document):
            place = locate(data, index, pointer)
            assert place is not None
            assert place == locate_nearest(data, index, pointer)
            assert 1 <= place[0] <= len(lines)
            assert 1 <= place[1] <= len(lines[place[0] - 1]) + 1


@settings(deadline=None)
@given(json_maps())
def test_keys_stand_where_they_are_found(value: dict[str, Any]) -> None:
    """At the place of a key its own rendering is written."""
    text = dump(value)
    lines = text.split("\n")
    for pointer in pointers(value):
        if pointer and type(pointer[-1]) is str:
            place = locate(text.encode(), 0, pointer, key=True)
            assert place is not None
            assert lines[place[0] - 1][place[1] - 1 :].startswith(KEY_WORDS[pointer[-1]].lstrip("? ").split("\0")[0])


def test_merged_keys_are_marked() -> None:
    """The tree of nodes tells merge entries from fields."""
    (root,) = compose("<<: {a: 1}\nb: 2\n")
    assert [entry.key for entry in root.value.entries] == [MERGE, "b"]
