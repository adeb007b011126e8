"""Merging `.json`: members change where they stand, in the base's layout."""

from __future__ import annotations

import pytest

from envcompile.compose.configtext import ConfigTextError, KeySpan, keys, merge_text

NAME = "app.json"

BASE = """\
{
    "a": 1, "z": {"p":1},
    "b": {
        "c": [1,
           2],
        "d": {}
    },
    "e": "中\\u4e2d"
}
"""


@pytest.mark.parametrize(
    ("base", "overlay", "result"),
    [
        pytest.param(BASE, '{"a": 1e3, "e": "\\u4e2d中"}', BASE.replace('"a": 1', '"a": 1e3'), id="numbers as spelt"),
        pytest.param('{"a":1,"b":2}\n', '{"b": 3, "c": {"d": 4}}', '{"a":1,"b":3,"c":{"d": 4}}\n', id="compact"),
        pytest.param('{"a": 1}', '{"b": [1,\n2]}\n', '{"a": 1, "b": [1, 2]}', id="on one line"),
        pytest.param(
            '{\n\t"a": 1\n}\n',
            '{\n  "b": {\n    "c": [\n      2\n    ]\n  }\n}\n',
            '{\n\t"a": 1,\n\t"b": {\n\t\t"c": [\n\t\t\t2\n\t\t]\n\t}\n}\n',
            id="tabs of the base",
        ),
        pytest.param('{\r\n  "a": 1\r\n}', '{"b": 2}\n', '{\r\n  "a": 1,\r\n  "b": 2\r\n}', id="CRLF"),
        pytest.param('{\n  "a": 1,\n  "b": 2\n}\n', '{"a": null}', '{\n  "b": 2\n}\n', id="null removes the first"),
        pytest.param('{\n  "a": 1,\n  "b": 2\n}\n', '{"b": null}', '{\n  "a": 1\n}\n', id="null removes the last"),
        pytest.param('{ "a": 1 }', '{"a": null}', "{}", id="null removes all"),
        pytest.param('{"a": 1}', '{"b": null}', '{"a": 1}', id="null removes what is not there"),
        pytest.param('{"a": 1}', '{"b": {"c": null, "d": 1}}', '{"a": 1, "b": {"d": 1}}', id="no null in what is new"),
        pytest.param('{"a": [1]}', '{"a": [{"b": null}]}', '{"a": [{"b": null}]}', id="lists are replaced as written"),
        pytest.param('{"a": {"b": 1}}', '{"a": {}}', '{"a": {"b": 1}}', id="empty map changes nothing"),
        pytest.param('{"a": null}', '{"a": {"b": 1}}', '{"a": {"b": 1}}', id="map in place of null"),
        pytest.param("{}\n", '{"a": 1}', '{"a": 1}\n', id="empty object"),
        pytest.param("", '{"a": 1}\n', '{"a": 1}\n', id="empty base"),
        pytest.param("[1]", "[2, 3]\n", "[2, 3]", id="a list is replaced"),
        pytest.param('{"a": "x\\ny"}', '{"b": "{\\"c\\": 1}"}', '{"a": "x\\ny", "b": "{\\"c\\": 1}"}', id="strings"),
    ],
)
def test_merge(base: str, overlay: str, result: str) -> None:
    """Only what the overlay sets is written anew."""
    assert merge_text(NAME, base, overlay) == result


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param(
            '{"a": 1,\n  "a": 2}',
            (2, 3, "`a` is repeated; it stands on line 1 too", "keep one of the two"),
            id="repeated",
        ),
        pytest.param(
            '{"s": "NaN",\n "a": NaN}',
            (2, 7, "`NaN` is no JSON value", "write a number, a string or null"),
            id="not a number",
        ),
        pytest.param(
            '{\n  // why\n  "a": 1}',
            (2, 3, "JSON has no comments", "delete the comment, or name the file `.yaml`, which may hold JSON"),
            id="comment",
        ),
        pytest.param(
            "{'a': 1}",
            (1, 2, "expecting property name enclosed in double quotes", "write plain JSON"),
            id="single quotes",
        ),
        pytest.param(
            '{"a": {"b": 2}}',
            (
                1,
                2,
                "`a` is a number in the base and a map here",
                "to replace the whole entry, name it in the annotation `envcompile.dev/replace` of the patch",
            ),
            id="map for a number",
        ),
        pytest.param(
            "[" * 100_000,
            (
                1,
                1,
                "the text is nested too deeply",
                "to replace the whole entry, name it in the annotation `envcompile.dev/replace` of the patch",
            ),
            id="nested without end",
        ),
    ],
)
def test_mistake_is_an_error_with_its_line(text: str, error: tuple[object, ...]) -> None:
    """JSON is JSON: no comments, no repeated keys."""
    with pytest.raises(ConfigTextError) as caught:
        merge_text(NAME, '{"a": 1}', text)
    found = caught.value
    assert (found.side, found.line, found.column, found.what, found.fix) == ("overlay", *error)


def test_keys_are_paths() -> None:
    """Leaves by path, with a backslash before what would read as structure."""
    assert keys(NAME, '{\n "a.b": {"c": [1, {"d": "x"}]},\n "e": {}, "f[0]": null}') == {
        "a\\.b.c[0]": KeySpan(1, 2, 2),
        "a\\.b.c[1].d": KeySpan("x", 2, 2),
        "e": KeySpan({}, 3, 3),
        "f\\[0]": KeySpan(None, 3, 3),
    }
