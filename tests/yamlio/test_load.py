"""Whole files are read as kubectl reads them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings

from envcompile.errors import EnvcError
from envcompile.yamlio.events import ContainerKeyError, RefusedError, RepeatedKeyError, load_events
from envcompile.yamlio.lines import UnusualError, load_lines
from envcompile.yamlio.load import load_all
from tests.strategies import yaml_texts
from tests.yamlio.strictly import same


def read(text: str) -> list[Any]:
    """The documents of a text."""
    return load_all(text.encode(), "f.yaml")


@pytest.mark.parametrize(
    ("text", "documents"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("# comment\n", [], id="only-a-comment"),
        pytest.param("---\n", [None], id="only-a-marker"),
        pytest.param("---\n---\na: 1\n", [None, {"a": 1}], id="empty-documents-count"),
        pytest.param("# comment\n---\na: 1\n", [{"a": 1}], id="comment-before-the-first-marker"),
        pytest.param("a: 1\n---\n# nothing\n---\n- b\n", [{"a": 1}, None, ["b"]], id="comment-between-markers"),
        pytest.param("--- # why\na: 1\n", [{"a": 1}], id="comment-behind-a-marker"),
        pytest.param("a: 1\n...\n---\nb: 2\n", [{"a": 1}, {"b": 2}], id="document-end"),
        pytest.param("%YAML 1.1\n---\na: 1\n", [{"a": 1}], id="directive"),
        pytest.param("\ufeffa: 1\n", [{"a": 1}], id="byte-order-mark"),
        pytest.param("a: 1\r\nb: |\r\n  x\r\n  y\r\n", [{"a": 1, "b": "x\ny\n"}], id="crlf"),
        pytest.param("a: 1\rb: 2\r", [{"a": 1, "b": 2}], id="cr"),
        pytest.param("enum: [=, '=']\nx: =\n", [{"enum": ["=", "="], "x": "="}], id="plain-equals-sign"),
        pytest.param("a: '<<'\nb: <<\n", [{"a": "<<", "b": "<<"}], id="merge-sign-as-a-value"),
        pytest.param("a: 2024-01-01\nb: 12:30\n", [{"a": "2024-01-01", "b": "12:30"}], id="dates-and-times-are-texts"),
        pytest.param("yes: on\n0x10: 1.5\n", [{"true": True, "16": 1.5}], id="keys-become-texts"),
        pytest.param("a: &x 1\nb: *x\nc: &x 2\nd: *x\n", [{"a": 1, "b": 1, "c": 2, "d": 2}], id="anchor-redefined"),
        pytest.param("&x 1: a\nb: *x\n", [{"1": "a", "b": 1}], id="anchor-on-a-key"),
        pytest.param("a: &x b\n*x : c\n", [{"a": "b", "b": "c"}], id="alias-as-a-key"),
        pytest.param(
            "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n", [{"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}], id="merge"
        ),
        pytest.param(
            "a: &x {b: 1}\nd:\n  b: 2\n  <<: *x\n", [{"a": {"b": 1}, "d": {"b": 1}}], id="merge-overrides-what-is-above"
        ),
        pytest.param("<<: [{a: 1, b: 1}, {b: 2, c: 2}]\n", [{"b": 1, "c": 2, "a": 1}], id="first-of-merged-maps-wins"),
        pytest.param("<<: {a: 1}\n<<: {b: 2}\n", [{"a": 1, "b": 2}], id="two-merges"),
        pytest.param('"<<": {a: 1}\n', [{"<<": {"a": 1}}], id="quoted-merge-key-is-a-name"),
        pytest.param("!!merge <<: {a: 1}\n", [{"a": 1}], id="tagged-merge-key"),
        pytest.param(
            "a: !!str 1\nb: !!int '2'\nc: !!float 3\nd: !!bool 'yes'\ne: !!null ''\nf: ! 4\ng: !mine 5\n",
            [{"a": "1", "b": 2, "c": 3.0, "d": True, "e": None, "f": "4", "g": "5"}],
            id="tags",
        ),
        pytest.param("a: !!binary aGk=\nb: !!binary /w==\n", [{"a": "hi", "b": "\ufffd"}], id="binary"),
        pytest.param(
            "a: !!timestamp 2024-01-01\nb: !!set {c, d}\n",
            [{"a": "2024-01-01", "b": {"c": None, "d": None}}],
            id="more-tags",
        ),
        pytest.param("? a\n: b\n", [{"a": "b"}], id="explicit-key"),
        pytest.param("a: b\n  c\n\n  d\n", [{"a": "b c\nd"}], id="plain-over-several-lines"),
        pytest.param("a: >-\n  b\n  c\n", [{"a": "b c"}], id="folded"),
        pytest.param("a: |2\n    b\n   c\n", [{"a": "  b\n c\n"}], id="indentation-indicator"),
        pytest.param("a: |\n  b", [{"a": "b"}], id="block-without-a-last-line-break"),
        pytest.param("a: |+\n  b\n\n---\nc: 1\n", [{"a": "b\n\n"}, {"c": 1}], id="kept-line-breaks"),
        pytest.param("- a\n-\n  b: 1\n- - c\n  - d\n", [["a", {"b": 1}, ["c", "d"]]], id="lists"),
        pytest.param(
            '{"a": [1, 1.5, true, null, "\\ud83d\\ude00\\/"]}', [{"a": [1, 1.5, True, None, "😀/"]}], id="json"
        ),
        pytest.param('[{"a": 18446744073709551616, "b": 1e999}]', [[{"a": 2.0**64, "b": "1e999"}]], id="json-numbers"),
        pytest.param('{"a": 1} # no JSON\n', [{"a": 1}], id="nearly-json"),
    ],
)
def test_documents(text: str, documents: list[Any]) -> None:
    """Each text has exactly these documents."""
    assert same(read(text), documents)


@settings(deadline=None)
@given(yaml_texts())
def test_the_quick_reader_never_differs(text: str) -> None:
    """Whatever the line reader accepts, the complete reader reads the same."""
    try:
        quick = load_lines(text)
    except UnusualError:
        return
    assert same(quick, load_events(text))


@settings(deadline=None)
@given(yaml_texts())
def test_every_text_is_read_or_explained(text: str) -> None:
    """Any text gives the complete reader's documents, or an error with place and hint."""
    from yaml import YAMLError

    try:
        complete = load_events(text.removeprefix("\ufeff"))
    except (YAMLError, RefusedError, RepeatedKeyError, ContainerKeyError):
        with pytest.raises(EnvcError) as caught:
            read(text)
        assert all(problem.where and problem.fix for problem in caught.value.problems)
    else:
        assert same(read(text), complete)


def test_repeated_keys_may_be_resolved_as_kubectl_does() -> None:
    """With `last_wins` the last value of a repeated key is taken, in files that were never envc's."""
    text = b"a: 1\nb: {c: 1, c: 2}\na: 3\n"
    assert load_all(text, "f.yaml", last_wins=True) == [{"a": 3, "b": {"c": 2}}]


def test_a_stream_may_mix_plain_and_unusual_documents() -> None:
    """Documents that need the complete reader do not change how their neighbours are read."""
    documents = ["a: 1\n", "b: &x [1]\nc: *x\n", "d: |\n  e\n", "", "f: {g: h}\n"]
    text = "".join(f"---\n{document}" for document in documents)
    assert read(text) == load_events(text) == [{"a": 1}, {"b": [1], "c": [1]}, {"d": "e\n"}, None, {"f": {"g": "h"}}]


def test_twenty_megabytes() -> None:
    """A file of 20 MB is read by either reader."""
    item = "- name: service-{}\n  image: registry.example.com/service:{}\n  text: 'some words to fill the line, {}'\n"
    text = "".join(item.format(number, number, number) for number in range(180_000))
    assert len(text) > 20_000_000
    documents = read(text)
    assert len(documents[0]) == 180_000
    assert load_events(text[: text.index("- name: service-1000\n")]) == [documents[0][:1000]]


def test_one_line_of_many_megabytes() -> None:
    """A text of 20 MB on one line, in a block and in quotes is no trouble."""
    text = "a" * 20_000_000
    assert read(f"a: {text}\n") == [{"a": text}]
    assert read(f'a: "{text}"\n') == [{"a": text}]
    assert read(f"a: |\n  {text}\n") == [{"a": f"{text}\n"}]


def test_five_hundred_levels_are_read() -> None:
    """Maps and lists may nest 500 deep, in every notation."""
    for text in ("[" * 500 + "]" * 500, "- " * 500 + "a\n", "".join(f"{' ' * n}a:\n" for n in range(500))):
        value = read(text)[0]
        depth = 0
        while value and type(value) in {dict, list}:
            value = next(iter(value.values())) if type(value) is dict else value[0]
            depth += 1
        assert depth >= 499


def test_loading_plain_files_does_not_import_the_parser() -> None:
    """What the line reader can read never pays for importing PyYAML."""
    code = (
        "import sys; from envcompile import yamlio; yamlio.load_all(b'a: 1\\n', 'f'); yamlio.dump({'a': 1});"
        "sys.exit('yaml' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
