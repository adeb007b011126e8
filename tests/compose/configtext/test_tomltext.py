"""Merging `.toml`: tables in all their spellings, arrays whole."""

from __future__ import annotations

import pytest

from envcompile.compose.configtext import ConfigTextError, KeySpan, keys, merge_text

NAME = "app.toml"

BASE = '''\
# head
title = "x" # t
a.b = 1
a.c = 2

[server]
port = 80
  # in
hosts = [
  "a", # first
  "b",
]
pt = {x = 1, y = {z = 2}}

# about db
[db.main]
url = """
multi [x]
"""

[[job]]
n = 1
[job.sub]
q = 1
[[job]]
n = 2
'''


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
        pytest.param('title = "y"\n', changed(('"x"', '"y"')), id="the comment behind the value stays"),
        pytest.param("[a]\nb = 3\n", changed(("a.b = 1", "a.b = 3")), id="header for dotted keys"),
        pytest.param("a.d = 3\n", changed(("a.c = 2\n", "a.c = 2\na.d = 3\n")), id="beside dotted keys"),
        pytest.param(
            "[a]\nd = 3\n", changed(("a.c = 2\n", "a.c = 2\na.d = 3\n")), id="new under a header, dotted below"
        ),
        pytest.param("# n\nnew = 1\n", changed(("a.c = 2\n", "a.c = 2\n# n\nnew = 1\n")), id="new key of the root"),
        pytest.param("server.port = 81\n", changed(("port = 80", "port = 81")), id="dotted for a header"),
        pytest.param(
            "[server]\n# why\nnew = 1 # n\n",
            changed(("{z = 2}}\n", "{z = 2}}\n# why\nnew = 1 # n\n")),
            id="new key of a table",
        ),
        pytest.param(
            "[server.pt]\nx = 5\nw = 6\n",
            changed(("{x = 1, y = {z = 2}}", "{x = 5, y = {z = 2}, w = 6}")),
            id="inside of an inline table",
        ),
        pytest.param("[server]\npt = {y = {z = 3}}\n", changed(("z = 2", "z = 3")), id="inline table over another"),
        pytest.param('[server]\nhosts = ["c"]\n', changed(('[\n  "a", # first\n  "b",\n]', '["c"]')), id="array whole"),
        pytest.param("[db.main]\nurl = 'u'\n", changed(('"""\nmulti [x]\n"""', "'u'")), id="string of several lines"),
        pytest.param("[db]\npool = 5\n", BASE + "\n[db]\npool = 5\n", id="header above an existing one"),
        pytest.param("# of n\n[n.t]\nk = 1\n", BASE + "\n# of n\n[n.t]\nk = 1\n", id="new table"),
        pytest.param("[[j]]\nk = 1\n[[j]]\nk = 2\n", BASE + "\n[[j]]\nk = 1\n[[j]]\nk = 2\n", id="new array of tables"),
        pytest.param(
            "[[job]]\nn = 3\n",
            changed(("[[job]]\nn = 1\n[job.sub]\nq = 1\n[[job]]\nn = 2\n", "[[job]]\nn = 3\n")),
            id="array of tables whole",
        ),
        pytest.param('[server]\nport = "" # envc:remove\n', changed(("port = 80\n", "")), id="mark behind"),
        pytest.param(
            "[server]\n# envc:remove\nhosts = []\n",
            changed(('hosts = [\n  "a", # first\n  "b",\n]\n', "")),
            id="mark above",
        ),
        pytest.param(
            '[server.pt]\ny = "" # envc:remove\n', changed((", y = {z = 2}", "")), id="out of an inline table"
        ),
        pytest.param(
            "[db.main] # envc:remove\n", changed(('[db.main]\nurl = """\nmulti [x]\n"""\n\n', "")), id="table"
        ),
        pytest.param('# c\ntitle = "x"\n[server]\nport = 80\n', BASE, id="nothing new"),
    ],
)
def test_merge(overlay: str, result: str) -> None:
    """Each key goes where the base keeps it, or where the overlay has it."""
    assert merge_text(NAME, BASE, overlay) == result


def test_line_ends_of_the_base_stay() -> None:
    """CRLF, and no final line break."""
    assert merge_text(NAME, "a = 1\r\n[t]\r\nb = 1", "c = 1\n[t]\nd = [\n 1,\n]\n") == (
        "a = 1\r\nc = 1\r\n[t]\r\nb = 1\r\nd = [\r\n 1,\r\n]"
    )


@pytest.mark.parametrize(
    ("overlay", "error"),
    [
        pytest.param("a.b = 1\nx = \n", (2, 5, "invalid value"), id="no TOML"),
        pytest.param("\na = 1\n", (2, 1, "`a` is a map in the base and a number here"), id="number for a table"),
        pytest.param(
            "[server.port]\nx = 1\n", (2, 1, "`server.port` is a number in the base and a map here"), id="table"
        ),
        pytest.param("# envc:remove\n\na.b = 1\n", (1, 1, "`# envc:remove` stands above no key"), id="mark alone"),
        pytest.param("# envc:remove\na.b = 1\n", (2, 1, "`a.b` is marked `# envc:remove` but has a value"), id="value"),
        pytest.param(
            '[[job]]\nn = "" # envc:remove\n',
            (2, 1, "an array of tables is replaced whole, nothing in it can be removed"),
            id="in an array",
        ),
    ],
)
def test_mistake_is_an_error_with_its_line(overlay: str, error: tuple[object, ...]) -> None:
    """What TOML refuses is refused with its place."""
    with pytest.raises(ConfigTextError) as caught:
        merge_text(NAME, BASE, overlay)
    found = caught.value
    assert (found.side, found.line, found.column, found.what) == ("overlay", *error)


def test_keys_are_paths() -> None:
    """Tables, dotted keys and inline tables all come down to paths."""
    found = keys(NAME, BASE)
    assert found["a.b"] == KeySpan(1, 3, 3)
    assert found["server.hosts[1]"] == KeySpan("b", 9, 12)
    assert found["server.pt.y.z"] == KeySpan(2, 13, 13)
    assert found["job[0].sub.q"] == KeySpan(1, 24, 24)
