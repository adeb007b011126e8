"""Merging `.env`: quotes, exports and comments behind values."""

from __future__ import annotations

import pytest

from envcompile.compose.configtext import ConfigTextError, KeySpan, keys, merge_text

NAME = "app.env"


@pytest.mark.parametrize(
    ("base", "overlay", "result"),
    [
        pytest.param("A=1\nB=2\n", "B=3\nC=4\n", "A=1\nB=3\nC=4\n", id="override and add"),
        pytest.param("export A=1\n", "A=2\n", "export A=2\n", id="the base's export stays"),
        pytest.param("A=1\n", "export A=2\nexport B=3\n", "A=2\nexport B=3\n", id="export of a new key comes along"),
        pytest.param("A='x y' # why\n", "A=z\n", "A=z # why\n", id="comment behind the value stays"),
        pytest.param("A=1 # why\n", "A=1\n", "A=1 # why\n", id="the comment is no part of the value"),
        pytest.param('A="x"\n', "A=x\n", 'A="x"\n', id="quotes are no part of the value"),
        pytest.param("A=x\n", 'A="x y"\n', 'A="x y"\n', id="the overlay's quotes come along"),
        pytest.param('A="one\ntwo"\nB=1\n', "A=3\n", "A=3\nB=1\n", id="base value of two lines"),
        pytest.param(
            "A=1\nB=1\n", "A='one\n# no comment\ntwo'\n", "A='one\n# no comment\ntwo'\nB=1\n", id="lines in quotes"
        ),
        pytest.param("A=1\r\nB=1\r\n", "A='one\ntwo'\n", "A='one\r\ntwo'\r\nB=1\r\n", id="CRLF in quotes"),
        pytest.param('A="\\"q\\""\n', "A='\"q\"'\n", 'A="\\"q\\""\n', id="escapes in double quotes"),
        pytest.param("A=x#y\n", "A=x#z\n", "A=x#z\n", id="no comment without a blank"),
        pytest.param("A = 1\n", "A=#x\n", "A=#x\n", id="value that would read as a comment"),
        pytest.param("A=a=b\n", "A=c=d\n", "A=c=d\n", id="equals signs in values"),
        pytest.param("A=\n", "A=1\n", "A=1\n", id="empty base value"),
        pytest.param("A= # none\n", "A=1\n", "A=1 # none\n", id="empty base value with a comment"),
        pytest.param("A=1\n", "A=\n", "A=\n", id="empty value is a value"),
        pytest.param("A=1\n", "A\n", "A\n", id="key alone takes the value of the shell"),
        pytest.param("A\n", "A=1\n", "A=1\n", id="base key alone"),
        pytest.param("A=1\nB=2\n", "A= # envc:remove\n", "B=2\n", id="mark behind"),
        pytest.param("A=1\nB=2\n", 'A="" # envc:remove\n', "B=2\n", id="mark behind empty quotes"),
        pytest.param("A=1\nB=2\n", "# envc:remove\nA=\n", "B=2\n", id="mark above"),
        pytest.param("A=1\nA=2\n", "A=3\n", "A=3\nA=3\n", id="repeats"),
    ],
)
def test_merge(base: str, overlay: str, result: str) -> None:
    """Values change inside of the base's lines."""
    assert merge_text(NAME, base, overlay) == result


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("A=1\nB='x\n", (2, 3, "the quote that begins the value of `B` is never closed"), id="open quote"),
        pytest.param("A='x'y\n", (1, 6, "`A` has text after its closing quote"), id="text behind the quote"),
        pytest.param("A=1\n\nsome words\n", (3, 5, "a line has no `=` after its key"), id="words"),
        pytest.param("='x'\n", (1, 1, "a line is neither a comment nor `KEY=value`"), id="no key"),
    ],
)
def test_mistake_is_an_error_with_its_line(text: str, error: tuple[int, int, str]) -> None:
    """A shell would fail too."""
    with pytest.raises(ConfigTextError) as caught:
        merge_text(NAME, "A=1\n", text)
    found = caught.value
    assert (found.side, found.line, found.column, found.what) == ("overlay", *error)


def test_keys_name_the_lines() -> None:
    """A value of several lines names both ends."""
    assert keys(NAME, "# c\nexport A='x\ny' # d\nB\nC=a b # e\n") == {
        "A": KeySpan("x\ny", 2, 3),
        "B": KeySpan(None, 4, 4),
        "C": KeySpan("a b", 5, 5),
    }
