"""Edits change the lines of their value and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from envcompile.errors import EnvcError
from envcompile.values import same
from envcompile.yamlio import dump, edit, load_all
from tests.strategies import json_maps, json_values

if TYPE_CHECKING:
    from envcompile.model import Pointer

ENVIRONMENT = """\
# What production is.
apiVersion: envcompile.dev/v1   # never changes
kind: Environment

images:          # pinned by the release job
  # the web server
  - name: web    # the name
    newTag: "1.0"  # since March
  - {name: api, newTag: v2}   # short

params:
  size: 3
  text: |
    a
    b

  # about nothing
  domain: prod.example.com
replicas: {web: 2, api: 1}
empty:
components: [a, b]
nothing: {}
"""

SETS: list[tuple[str, Pointer, Any, list[str], list[str]]] = [
    (
        "quoted",
        ("images", 0, "newTag"),
        "1.1",
        ['    newTag: "1.0"  # since March'],
        ['    newTag: "1.1"  # since March'],
    ),
    (
        "in-braces",
        ("images", 1, "newTag"),
        "v3, x",
        ["  - {name: api, newTag: v2}   # short"],
        ['  - {name: api, newTag: "v3, x"}   # short'],
    ),
    ("number", ("params", "size"), 4, ["  size: 3"], ["  size: 4"]),
    ("map-for-a-number", ("params", "size"), {"a": {"b": 1}}, ["  size: 3"], ["  size:", "    a:", "      b: 1"]),
    ("list-for-a-number", ("params", "size"), ["a"], ["  size: 3"], ["  size:", "    - a"]),
    ("word-for-a-block", ("params", "text"), "x", ["  text: |", "    a", "    b"], ["  text: x"]),
    (
        "block-for-a-block",
        ("params", "text"),
        "x\ny",
        ["  text: |", "    a", "    b"],
        ["  text: |-", "    x", "    y"],
    ),
    ("new-key", ("params", "new"), "yes", [], ['  new: "yes"']),
    ("new-block", ("params", "new"), "x\ny\n", [], ["  new: |", "    x", "    y"]),
    ("new-list", ("params", "new"), [1, [2]], [], ["  new:", "    - 1", "    - - 2"]),
    ("key-in-braces", ("replicas", "web"), 4, ["replicas: {web: 2, api: 1}"], ["replicas: {web: 4, api: 1}"]),
    ("new-key-in-braces", ("replicas", "x"), 1, ["replicas: {web: 2, api: 1}"], ["replicas: {web: 2, api: 1, x: 1}"]),
    ("key-in-empty-braces", ("nothing", "x"), 1, ["nothing: {}"], ["nothing:", "  x: 1"]),
    ("key-below-nothing", ("empty", "x"), 1, [], ["  x: 1"]),
    ("value-for-nothing", ("empty",), "a", ["empty:"], ["empty: a"]),
    ("item-in-brackets", ("components", 1), "c", ["components: [a, b]"], ["components: [a, c]"]),
    ("new-item-in-brackets", ("components", 2), "c", ["components: [a, b]"], ["components: [a, b, c]"]),
    ("new-item", ("images", 2), {"name": "db"}, [], ["  - name: db"]),
    (
        "first-item",
        ("images",),
        [{"name": "db"}, {"name": "web", "newTag": "1.0"}, {"name": "api", "newTag": "v2"}],
        [],
        ["  - name: db"],
    ),
    ("new-way", ("new", "deep", 0, "er"), 1, [], ["new:", "  deep:", "  - er: 1"]),
    ("null", ("kind",), None, ["kind: Environment"], ["kind: null"]),
    (
        "comment-stays",
        ("apiVersion",),
        "v2",
        ["apiVersion: envcompile.dev/v1   # never changes"],
        ["apiVersion: v2   # never changes"],
    ),
]
DELETES: list[tuple[str, Pointer, list[str], list[str]]] = [
    ("key", ("params", "size"), ["  size: 3"], []),
    ("block", ("params", "text"), ["  text: |", "    a", "    b"], []),
    ("item", ("images", 0), ["  - name: web    # the name", '    newTag: "1.0"  # since March'], []),
    (
        "first-key-of-an-item",
        ("images", 0, "name"),
        ["  - name: web    # the name", '    newTag: "1.0"  # since March'],
        ['  - newTag: "1.0"  # since March'],
    ),
    ("last-item", ("images", 1), ["  - {name: api, newTag: v2}   # short"], []),
    (
        "key-in-braces",
        ("images", 1, "newTag"),
        ["  - {name: api, newTag: v2}   # short"],
        ["  - {name: api}   # short"],
    ),
    ("first-in-braces", ("replicas", "web"), ["replicas: {web: 2, api: 1}"], ["replicas: {api: 1}"]),
    ("first-in-brackets", ("components", 0), ["components: [a, b]"], ["components: [b]"]),
    ("last-line", ("nothing",), ["nothing: {}"], []),
    ("empty", ("empty",), ["empty:"], []),
    ("absent", ("params", "absent"), [], []),
    ("absent-item", ("images", 9), [], []),
    ("absent-way", ("kind", "a"), [], []),
]


def changed(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines that went and the lines that came between the common beginning and the common end."""
    before, after = old.split("\n"), new.split("\n")
    while before and after and before[0] == after[0]:
        del before[0], after[0]
    while before and after and before[-1] == after[-1]:
        del before[-1], after[-1]
    return before, after


@pytest.mark.parametrize(("pointer", "value", "gone", "come"), [pytest.param(*case[1:], id=case[0]) for case in SETS])
def test_set(pointer: Pointer, value: Any, gone: list[str], come: list[str]) -> None:
    """Exactly these lines go, and exactly these come."""
    assert changed(ENVIRONMENT, edit.set_value(ENVIRONMENT, 0, pointer, value)) == (gone, come)


@pytest.mark.parametrize(("pointer", "gone", "come"), [pytest.param(*case[1:], id=case[0]) for case in DELETES])
def test_delete(pointer: Pointer, gone: list[str], come: list[str]) -> None:
    """Exactly these lines go, and exactly these come."""
    assert changed(ENVIRONMENT, edit.delete(ENVIRONMENT, 0, pointer)) == (gone, come)


def test_only_the_document_asked_for() -> None:
    """Other documents of the stream stay as they are."""
    text = "# one\na: 1\n---\n# two\na: 1 # x\n---\na: 1\n"
    assert edit.set_value(text, 1, ("a",), 2) == "# one\na: 1\n---\n# two\na: 2 # x\n---\na: 1\n"
    assert edit.set_value("a: 1\n---\n---\nb: 1\n", 1, ("c",), 2) == "a: 1\n---\nc: 2\n---\nb: 1\n"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", "a: 1\n"),
        ("# only a comment\n", "# only a comment\na: 1\n"),
        ("# no line break", "# no line break\na: 1"),
        ("---\n", "---\na: 1\n"),
        ("b: 2", "b: 2\na: 1"),
        ("\ufeffb: 2\r\nc: 3\r\n", "\ufeffb: 2\r\nc: 3\r\na: 1\r\n"),
        ("{}\n", "a: 1\n"),
    ],
)
def test_beginnings(text: str, result: str) -> None:
    """Empty files, files without a last line break, and files of other systems can be edited."""
    assert edit.set_value(text, 0, ("a",), 1) == result


def test_the_last_key_leaves_an_empty_map() -> None:
    """A map or list that loses its last entry is written as empty, not as null."""
    assert edit.delete("a:\n  b: 1\nc: 2\n", 0, ("a", "b")) == "a: {}\nc: 2\n"
    assert edit.delete("a:  # why\n- 1\n", 0, ("a", 0)) == "a: []  # why\n"


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        pytest.param("a: &x {b: 1}\nc: *x\n", ("c", "b"), id="alias"),
        pytest.param("a: &x {b: 1}\nc: *x\n", ("a",), id="anchor"),
        pytest.param("a: &x {b: 1}\nc:\n  <<: *x\n", ("c", "b"), id="merge"),
        pytest.param("--- {} # nothing\n", ("a",), id="braces-behind-a-marker"),
        pytest.param("  # why\n  {}\n", ("a", "b"), id="indented-braces"),
    ],
)
def test_what_would_reach_further_is_refused(text: str, pointer: Pointer) -> None:
    """An edit that would change another field, or the whole notation, is an error and not a surprise."""
    with pytest.raises(EnvcError) as caught:
        edit.set_value(text, 0, pointer, 2, file="f.yaml")
    (problem,) = caught.value.problems
    assert problem.what == f"`{'.'.join(map(str, pointer))}` cannot be changed without changing how the file is written"
    assert problem.fix == "change it by hand; aliases, merge keys and values in unusual notation are left alone"
    assert problem.where[0].file == "f.yaml"


@settings(deadline=None)
@given(json_maps(), json_values(), st.data())
def test_any_value_at_any_place(document: dict[str, Any], value: Any, data: st.DataObject) -> None:
    """After an edit the place holds the value, and the text of the other fields of the root is what it was."""
    assume(document)
    text = dump(document)
    key = data.draw(st.sampled_from(sorted(document)))
    result = edit.set_value(text, 0, (key,), value)
    assert same(load_all(result.encode(), "f"), [{**document, key: value}])
    for other, item in document.items():
        if other != key:
            assert f"\n{dump({other: item})}" in f"\n{result}"


@settings(deadline=None)
@given(json_maps(), st.data())
def test_deletion_at_any_place(document: dict[str, Any], data: st.DataObject) -> None:
    """After a deletion the other fields stand as before."""
    assume(len(document) > 1)
    key = data.draw(st.sampled_from(sorted(document)))
    rest = {other: item for other, item in document.items() if other != key}
    assert edit.delete(dump(document), 0, (key,)) == dump(rest)


@settings(deadline=None)
@given(json_maps(), json_maps())
def test_from_any_map_to_any_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    """A map can be turned into any other map, below a key, change by change."""
    text = f"# first\na: 1 # x\n{dump({'b': old})}# last\nc: 2\n"
    result = edit.set_value(text, 0, ("b",), new)
    (document,) = load_all(result.encode(), "f")
    assert document == {"a": 1, "b": new, "c": 2}
    assert result.startswith("# first\na: 1 # x\n")
    assert result.endswith("# last\nc: 2\n")
