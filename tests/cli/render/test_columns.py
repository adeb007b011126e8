"""Tables of text on terminals of any width, and for programs."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile.cli.render.columns import columns, with_last_below

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


def test_a_table_without_rows_is_no_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, too."""
    on_terminal(monkeypatch, 80)
    assert columns([]) == []


def test_names_stay_whole_while_sentences_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name in two halves is none that somebody could copy."""
    on_terminal(monkeypatch, 50)
    assert columns([("tests-service-mesh-istio", "3 warning, 26 info", "2026-11-30 ab12cd")]) == [
        "tests-service-mesh-istio  3 warning,   2026-11-30",
        "                          26 info      ab12cd",
    ]


def test_the_last_cell_goes_below_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file and line before it stay in one piece; with room it is a table."""
    rows = [
        ("* base", "base/frontend/deployment.yaml:1:13", "apps/v1 of all"),
        ("  prod", "overlays/prod/x.yaml:1:1", "b"),
    ]
    on_terminal(monkeypatch, 56)
    assert with_last_below(rows, indent="  ") == [
        "  * base  base/frontend/deployment.yaml:1:13",
        "      apps/v1 of all",
        "    prod  overlays/prod/x.yaml:1:1",
        "      b",
    ]
    on_terminal(monkeypatch, 80)
    assert with_last_below(rows, indent="  ") == columns(rows, indent="  ")
