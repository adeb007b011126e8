"""Long texts in comments of limited size: whole resources, closed fences, nothing lost without a word."""

from __future__ import annotations

from itertools import starmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile.ask.markdown import Block
from envcompile.forge.parts import is_key, marker, parts, read_marker

OVERFLOW = "are elsewhere."


def block(number: int, lines: int) -> Block:
    """A block with lines of three bytes a sign."""
    return Block(f"resource {number}", tuple(f"+ value {line} €" for line in range(lines)))


@given(st.lists(st.integers(0, 700), max_size=12), st.integers(5_000, 20_000), st.integers(1, 4))
def test_parts_keep_the_limit_and_lose_nothing_silently(sizes: list[int], limit: int, most: int) -> None:
    """Each part fits, ends with its marker and closes what it opens; each block is there or counted."""
    blocks = list(starmap(block, enumerate(sizes)))
    found, is_whole = parts("head", blocks, key="k", commit="ab12", limit=limit, most=most, overflow=OVERFLOW)
    assert len(found) <= most
    for number, text in enumerate(found, 1):
        assert len(text.encode()) <= limit
        assert text.endswith(f"\n{marker('k', number, len(found), 'ab12')}\n")
        assert text.count("```") % 2 == 0
        assert text.count("<details>") == text.count("</details>")
    shown = sum(text.count("<details>") for text in found)
    left_out = len(sizes) - shown
    assert is_whole == (not left_out and not any("more lines are not shown" in text for text in found))
    assert (f"\n{left_out} more resources {OVERFLOW}\n" in found[-1]) == (left_out > 0)


def test_markers_are_read_back() -> None:
    """What was written is found again; upper limits and hashes are only for people."""
    mark = read_marker(f"text\n\n{marker('team/a', 2, 3, 'ab')}\n")
    assert mark is not None
    assert mark == ("team/a", 2, "ab")


@pytest.mark.parametrize("body", ["", "text", f"{marker('a', 1, 1, '')} tail", f"> {marker('a', 1, 1, '')}"])
def test_other_texts_have_no_marker(body: str) -> None:
    """Only a line of its own at the end counts."""
    assert read_marker(body) is None


@pytest.mark.parametrize(
    ("key", "fine"), [("envc", True), ("a/b.c_d", True), ("a--b", False), ("a b", False), ("", False)]
)
def test_keys_can_stand_in_a_comment(key: str, fine: bool) -> None:  # ruff: ignore[boolean-type-hint-positional-argument] - a parameter of the test
    """Two hyphens would end the HTML comment."""
    assert is_key(key) is fine


@given(st.integers(0, 2_000), st.text("a/é", min_size=1, max_size=300), st.integers(1, 4))
def test_a_table_of_very_many_environments_keeps_the_limit(rows: int, key: str, most: int) -> None:
    """Its first lines are there, and how many are not; so it is with a long key."""
    head = "\n".join(["### heading", *(f"| **environment-{row}** | 1 | é |" for row in range(rows)), ""])
    found, is_whole = parts(head, [block(0, 3)], key=key, commit="ab" * 20, limit=20_000, most=most, overflow=OVERFLOW)
    assert all(len(text.encode()) <= 20_000 for text in found)
    if rows < 400:
        assert is_whole
        assert found[0].startswith(head)
    if rows > 700:
        shown = found[0].count("| **environment-")
        assert not is_whole
        assert f"\n{rows - shown + 1} more lines are not shown\n" in found[0]
