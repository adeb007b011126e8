"""Merging `.yaml`: maps key by key, comments and layout of the base kept."""

from __future__ import annotations

import pytest

from envcompile.compose.configtext import ConfigTextError, KeySpan, keys, merge_text

NAME = "app.yaml"
REPLACE = "to replace the whole entry, name it in the annotation `envcompile.dev/replace` of the patch"

BASE = """\
# head
a: 1 # one
b:
  # inside
  c: [1, 2]
  d: {x: 1, y: 2}
  e:
  # list
  - p
  - q: 1
  f: |
    text
      more

# about z
z:
  k: "v"
# tail
"""


def changed(*changes: tuple[str, str]) -> str:
    """The base with some pieces replaced."""
    text = BASE
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("overlay", "result"),
    [
        pytest.param("a: 2\n", changed(("a: 1", "a: 2")), id="scalar, its comment stays"),
        pytest.param("a: 0x1\nz: {k: v}\n", BASE, id="the same values spelt otherwise"),
        pytest.param(
            "b:\n    c:\n      - 7\n      - 8\n", changed((" [1, 2]", "\n    - 7\n    - 8")), id="flow list to lines"
        ),
        pytest.param(
            "b:\n  e: [z]\n", changed(("  e:\n", "  e: [z]\n"), ("  - p\n  - q: 1\n", "")), id="lines to flow list"
        ),
        pytest.param(
            "b: {d: {x: null, w: two words}}\n", changed(("{x: 1, y: 2}", '{y: 2, w: "two words"}')), id="flow map"
        ),
        pytest.param("b:\n  f: x\n", changed(("f: |\n    text\n      more\n", "f: x\n")), id="block to scalar"),
        pytest.param("a: |\n  x\n  y\n", changed(("a: 1 # one\n", "a: | # one\n  x\n  y\n")), id="scalar to block"),
        pytest.param(
            "z:\n        # why\n        n: >-\n            m\n",
            changed(('"v"\n', '"v"\n  # why\n  n: >-\n      m\n')),
            id="new key below, moved to the base's column",
        ),
        pytest.param("\n# of n\nn: 1\n", BASE + "\n# of n\nn: 1\n", id="new key at the end"),
        pytest.param(
            "n:\n  l: null\n  m:\n    k:\n    j: no\n", BASE + "n:\n  m:\n    j: no\n", id="idle nulls stay out"
        ),
        pytest.param(
            "a: null\nb: {c: , f: ~}\n",
            changed(("a: 1 # one\n", ""), ("  c: [1, 2]\n", ""), ("  f: |\n    text\n      more\n", "")),
            id="null removes",
        ),
        pytest.param("z: {k: null}\n", changed(('z:\n  k: "v"\n', "z: {}\n")), id="the last key of a map"),
        pytest.param('{"a": 2, "z": {"k": [1]}}\n', changed(("a: 1", "a: 2"), ('"v"', "[1]")), id="JSON is YAML"),
        pytest.param(
            "n: &x {p: 1}\nm: *x\n", BASE + "n:\n  p: 1\nm:\n  p: 1\n", id="anchors of the overlay are resolved"
        ),
    ],
)
def test_merge(overlay: str, result: str) -> None:
    """The overlay's values stand in the base's text."""
    assert merge_text(NAME, BASE, overlay) == result


@pytest.mark.parametrize(
    ("base", "overlay", "result"),
    [
        pytest.param("", "a: 1\n", "a: 1\n", id="empty base"),
        pytest.param("# c\n", "a: 1\n", "# c\na: 1\n", id="base of comments"),
        pytest.param("a: 1", "b: 2\n", "a: 1\nb: 2", id="no final line break"),
        pytest.param("a: 1\r\n", "b:\n  c: 2\n", "a: 1\r\nb:\r\n  c: 2\r\n", id="CRLF"),
        pytest.param("a:\nb: 1\n", "a: 2\n", "a: 2\nb: 1\n", id="value that was not written"),
        pytest.param("a: # why\nb: 1\n", "a:\n- 1\n", "a: # why\n- 1\nb: 1\n", id="list below a comment"),
        pytest.param("a: {}\n", "a: {b: 1}\n", "a: {b: 1}\n", id="empty map"),
        pytest.param("a: |+\n  x\n\n\n", "b: 1\n", "a: |+\n  x\n\n\nb: 1\n", id="block that keeps its blank lines"),
        pytest.param("x: &A {k: 1}\ny: *A\n", "y: {k: 2}\n", "x: &A {k: 1}\ny: {k: 2}\n", id="through an alias"),
        pytest.param(
            "x: &A {k: 1}\ny:\n  <<: *A\n  l: 1\n",
            "y: {k: 2}\n",
            "x: &A {k: 1}\ny:\n  <<: *A\n  l: 1\n  k: 2\n",
            id="beside a merge key",
        ),
        pytest.param("---\na: 1\n...\n", "b: 2\n", "---\na: 1\nb: 2\n...\n", id="before the end of the document"),
        pytest.param("y: 1\n", "n: 2\n", "y: 1\nn: 2\n", id="keys as written"),
        pytest.param("- 1\n", "- 2\n", "- 2\n", id="a list is replaced"),
    ],
)
def test_merge_of_special_bases(base: str, overlay: str, result: str) -> None:
    """Layouts that people have."""
    assert merge_text(NAME, base, overlay) == result


@pytest.mark.parametrize(
    ("base", "overlay", "error"),
    [
        pytest.param(
            "a: 1\n",
            "b: 1\n---\na: 2\n",
            ("overlay", 2, 1, "the text holds 2 YAML documents, which cannot be merged key by key", REPLACE),
            id="documents",
        ),
        pytest.param(
            "a: 1\n",
            "b: 1\na: {x: 1}\n",
            ("overlay", 2, 1, "`a` is a number in the base and a map here", REPLACE),
            id="map for a number",
        ),
        pytest.param(
            "x: &A {k: 1}\ny: *A\n",
            "x: {k: 2}\n",
            (
                "overlay",
                1,
                1,
                "the base shares values by anchors or merge keys, which the overlay would change elsewhere too",
                REPLACE,
            ),
            id="anchor",
        ),
    ],
)
def test_mistake_is_an_error_with_its_line(base: str, overlay: str, error: tuple[object, ...]) -> None:
    """What has no one meaning is not guessed at."""
    with pytest.raises(ConfigTextError) as caught:
        merge_text(NAME, base, overlay)
    found = caught.value
    assert (found.side, found.line, found.column, found.what, found.fix) == error


@pytest.mark.parametrize(("text", "line"), [("a: 1\nb: [\n", 3), ("a: 1\na: 2\n", 2), ("a: 1\n\tb: 2\n", 2)])
def test_text_that_is_no_yaml_is_an_error(text: str, line: int) -> None:
    """The line is that of the text."""
    with pytest.raises(ConfigTextError) as caught:
        merge_text(NAME, text, "c: 1\n")
    assert (caught.value.side, caught.value.line) == ("base", line)


def test_keys_are_paths() -> None:
    """Keys as written, values as kubectl reads them."""
    assert keys(NAME, BASE + "s.t: yes\n") == {
        "a": KeySpan(1, 2, 2),
        "b.c[0]": KeySpan(1, 5, 5),
        "b.c[1]": KeySpan(2, 5, 5),
        "b.d.x": KeySpan(1, 6, 6),
        "b.d.y": KeySpan(2, 6, 6),
        "b.e[0]": KeySpan("p", 9, 9),
        "b.e[1].q": KeySpan(1, 10, 10),
        "b.f": KeySpan("text\n  more\n", 11, 13),
        "z.k": KeySpan("v", 17, 17),
        "s\\.t": KeySpan(value=True, line=19, end_line=19),
    }
    assert keys(NAME, "a: 1\n---\na: 2\n") == {"[0].a": KeySpan(1, 1, 1), "[1].a": KeySpan(2, 3, 3)}
