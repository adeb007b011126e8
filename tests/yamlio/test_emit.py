"""What is written reads back as the same value, by every kind of reader."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from envcompile.errors import EnvcError
from envcompile.yamlio import Renderer, dump, load_all
from envcompile.yamlio.events import load_events
from tests.strategies import HOSTILE_TEXTS, json_values, texts
from tests.yamlio.strictly import same

ORDINARY = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "app", "labels": {"app.kubernetes.io/name": "app", "tier": "web-1"}, "annotations": {}},
    "data": {
        "size": "10",
        "enabled": "yes",
        "memory": "512Mi",
        "url": "http://app.example.com:80/a?b=c",
        "greeting": "Hello, world (again)",
        "app.conf": "[server]\n  port = 80\n\nname = app\n",
        "no-line-break": "a\nb",
        "indented": "  a\nb\n",
        "many-line-breaks": "a\n\n\n",
        "empty": "",
    },
    "list": [1, -2.5, True, None, {"a": 1, "b": [["c"], []]}, "12e0345", "1.2.3", "größe"],
}
ORDINARY_TEXT = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: app
  labels:
    app.kubernetes.io/name: app
    tier: web-1
  annotations: {}
data:
  size: "10"
  enabled: "yes"
  memory: 512Mi
  url: http://app.example.com:80/a?b=c
  greeting: Hello, world (again)
  app.conf: |
    [server]
      port = 80

    name = app
  no-line-break: |-
    a
    b
  indented: |2
      a
    b
  many-line-breaks: "a\\n\\n\\n"
  empty: ""
list:
- 1
- -2.5
- true
- null
- a: 1
  b:
  - - c
  - []
- "12e0345"
- "1.2.3"
- "größe"
"""


def test_the_form_on_the_page() -> None:
    """Lists are not indented, keys keep their order, texts of several lines are literal blocks."""
    assert dump(ORDINARY) == ORDINARY_TEXT


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null\n"),
        ({}, "{}\n"),
        ([], "[]\n"),
        ("a", "a\n"),
        ("a\nb\n", "|\n  a\n  b\n"),
        (1e16, "1.0e+16\n"),
        (1e-7, "1.0e-07\n"),
        (-0.0, "-0.0\n"),
        (1.0, "1.0\n"),
        (2**64 - 1, "18446744073709551615\n"),
        ("\x07\x7f\x85\u2028\ufeff\uffff😀", '"\\u0007\\x7f\\x85\\u2028\\ufeff\\uffff😀"\n'),
        ('a "b" \\c\t', '"a \\"b\\" \\\\c\\t"\n'),
        ({"k" * 1200: {"a": [1]}}, f"? {'k' * 1200}\n:\n  a:\n  - 1\n"),
        ([{"k" * 1200: 1}], f"- ? {'k' * 1200}\n  : 1\n"),
    ],
)
def test_single_values(value: Any, text: str) -> None:
    """Values at the root, numbers that readers dispute, and characters that must be escaped."""
    assert dump(value) == text


def half_a_pair(code: str) -> str:
    """The message about half of a surrogate pair."""
    return (
        f"error: a text holds U+{code}, one half of a surrogate pair, which YAML cannot hold\n"
        "hint: write the whole character, or U+FFFD in its place"
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            float("inf"),
            "error: inf is not a number that Kubernetes can hold\nhint: write a finite number, or a text in quotes",
        ),
        (
            {"a": ["\ud800"]},
            half_a_pair("D800"),
        ),
        (
            {"a": "b\nc\udfff"},
            half_a_pair("DFFF"),
        ),
    ],
)
def test_what_yaml_cannot_hold(value: Any, message: str) -> None:
    """Infinity and halves of surrogate pairs end in a message."""
    for write in (dump, lambda value: Renderer().render(value, value)):
        with pytest.raises(EnvcError) as caught:
            write(value)
        assert str(caught.value) == message


def test_values_of_no_yaml_type_are_a_mistake_of_the_caller() -> None:
    """A tuple or bytes is never guessed at."""
    with pytest.raises(TypeError, match="tuple is not a value of YAML"):
        dump({"a": (1, 2)})


def test_nesting() -> None:
    """What may be read may be written, 500 levels deep; endless nesting ends in a message."""
    deep: Any = "a"
    for _ in range(250):
        deep = {"b": [deep]}
    (read,) = load_all(dump(deep).encode(), "f")
    for _ in range(250):
        read = read["b"][0]
    assert read == "a"
    for _ in range(5000):
        deep = [deep]
    for write in (dump, lambda value: Renderer().render(value, value)):
        with pytest.raises(EnvcError) as caught:
            write(deep)
        assert str(caught.value) == (
            "error: a value is nested too deeply to be written as YAML\n"
            "hint: flatten it; no Kubernetes resource nests so deeply"
        )


def test_a_text_of_five_megabytes() -> None:
    """Large texts are written and read back, as a block and in quotes."""
    lines = "some words that fill a line of a large configuration file\n" * 90_000
    for text in (lines, lines.replace("\n", " "), lines + "\x07", f" {lines}\n"):
        assert load_all(dump({"data": {"large": text}}).encode(), "f") == [{"data": {"large": text}}]


@settings(deadline=None)
@given(json_values())
def test_round_trip(value: Any) -> None:
    """Both readers of envc read the same value and types."""
    text = dump(value)
    assert same(load_all(text.encode(), "f"), [value])
    assert same(load_events(text), [value])


@settings(deadline=None)
@given(json_values())
def test_other_readers(value: Any) -> None:
    """A reader of plain YAML 1.1 reads the same value and types."""
    assert same(yaml.load(dump(value), Loader=yaml.CSafeLoader), value)


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_texts(text: str) -> None:
    """Texts that look like something else stay texts, as value, as item and as key."""
    value = {"value": text, "items": [text, [text]], "key": {text: text}}
    written = dump(value)
    assert same(load_all(written.encode(), "f"), [value])
    assert same(load_events(written), [value])
    assert same(yaml.load(written, Loader=yaml.CSafeLoader), value)


@settings(deadline=None)
@given(st.lists(texts(), min_size=1, max_size=3))
def test_documents_can_be_joined(values: list[str]) -> None:
    """Documents with `---` between them stay what they were, whatever their last text is."""
    joined = "".join(f"---\n{dump({'a': value})}" for value in values)
    assert same(load_all(joined.encode(), "f"), [{"a": value} for value in values])


@settings(deadline=None)
@given(json_values())
def test_writing_twice_is_writing_once(value: Any) -> None:
    """What was read back is written to the same bytes."""
    text = dump(value)
    assert dump(load_all(text.encode(), "f")[0]) == text


class TestRenderer:
    """The renderer that remembers writes the bytes of the one that does not."""

    @settings(deadline=None)
    @given(json_values(), json_values(), st.data())
    def test_equals_dump(self, shared: Any, other: Any, data: st.DataObject) -> None:
        """Whatever is shared, at whatever depth, and whatever it was made from."""
        named = {"name": "app", "a": shared}
        values = [
            {"a": shared, "b": [shared, {"c": shared}], "d": other},
            [[shared], shared, {"e": {"f": shared}}],
            shared,
            {"a": shared, "b": [other]},
            {"b": [named, shared, named, {"name": "app"}]},
            {"b": [shared, {**named, "b": other}, {"name": shared}], "d": None, "e": named},
            {"e": [named]},
        ]
        renderer = Renderer()
        for value in data.draw(st.lists(st.sampled_from(values))):
            assert renderer.render(value, data.draw(st.sampled_from(values))) == dump(value)

    def test_remembered_values_stay_alive(self) -> None:
        """A value that nobody else holds cannot lend its identity to another."""
        renderer = Renderer()
        for number in range(1000):
            assert renderer.render(value := {"a": {"b": number}}, value) == f"a:\n  b: {number}\n"

    def test_a_shared_value_is_rendered_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The second environment that shares a subtree does not walk it again."""
        from envcompile.yamlio import emit

        shared = {"spec": {"containers": [{"name": "app"}]}}
        renderer = Renderer()
        original = {"env": "none", "shared": shared}
        renderer.render({"env": "dev", "shared": shared}, original)
        monkeypatch.setattr(emit, "_map", None)
        monkeypatch.setattr(emit, "_list", None)
        assert renderer.render({"env": "prod", "shared": shared}, original) == dump_of_second


dump_of_second = "env: prod\nshared:\n  spec:\n    containers:\n    - name: app\n"
