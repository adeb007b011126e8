"""Tables of text on terminals of any width, and for programs."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile.cli.render.columns import columns

WORDS = st.text("abcdefgh -/.", max_size=60).map(lambda text: " ".join(text.split()))
TABLES = st.integers(1, 6).flatmap(lambda count: st.lists(st.lists(WORDS, min_size=count, max_size=count), min_size=1))


def on_terminal(patch: pytest.MonkeyPatch, width: int) -> None:
    """Somebody reads on a terminal of so many columns."""
    patch.setattr(sys.stdout, "isatty", lambda: True)
    patch.setenv("COLUMNS", str(width))


def test_a_program_gets_a_line_a_row() -> None:
    """However long: nothing is cut, nothing goes on in another line."""
    assert columns([("a", "b" * 500), ("cc", "d")]) == ["a   " + "b" * 500, "cc  d"]


def test_what_is_too_long_goes_on_below(monkeypatch: pytest.MonkeyPatch) -> None:
    """The widest cell gives way; the others stay as they are."""
    on_terminal(monkeypatch, 34)
    assert columns([("env", "what"), ("prod", "does not compile: no such parameter")], indent="  ") == [
        "  env   what",
        "  prod  does not compile: no such",
        "        parameter",
    ]


@given(rows=TABLES, width=st.integers(20, 120))
def test_no_line_is_wider_than_the_terminal(rows: list[list[str]], width: int) -> None:
    """Where every column can have ten characters; and every word is still there."""
    with pytest.MonkeyPatch.context() as patch:
        on_terminal(patch, width)
        lines = columns(rows)
    if len(rows[0]) * 12 <= width:
        assert max(map(len, lines)) <= width
    printed = sorted("".join(lines).replace(" ", ""))
    assert printed == sorted("".join(cell for row in rows for cell in row).replace(" ", ""))
