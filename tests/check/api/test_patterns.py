"""Regular expressions of Go's are read and matched as Go does it: the answers are a real API server's."""

from __future__ import annotations

import time

import pytest

from envcompile.check.api.automata import automaton
from envcompile.check.api.patterns import bad_pattern

ANSWERS = [
    ("^[[:alpha:]]+$", {"abc": True, "a1": False, "[:alpha:]": False, "": False}),
    (r"^\d+$", {"12": True, "\u0661\u0662": False, "12\n": False}),
    (r"^\w+$", {"ab_": True, "\u00e4": False, "a-": False}),
    (r"^a\sb$", {"a b": True, "a\u00a0b": False, "a\tb": True, "a\x0bb": False}),
    ("^abc$", {"abc": True, "abc\n": False, "abcd": False}),
    (r"\Aabc\z", {"abc": True, "abc\n": False}),
    (r"^\pL+$", {"\u00e4b": True, "1": False}),
    ("^(?i)abc$", {"ABC": True, "x": False}),
    ("^(?i:a)b$", {"Ab": True, "AB": False}),
    ("a(?i)b|c", {"aB": True, "C": True, "Ab": False}),
    ("^(?P<y>a)$", {"a": True, "b": False}),
    ("^(?<y>a)$", {"a": True, "b": False}),
    ("(?U)^a+$", {"aa": True, "b": False}),
    ("(?m)^a$", {"b\na": True, "b": False}),
    ("(?s)^a.b$", {"a\nb": True, "ab": False}),
    ("^a.b$", {"a\nb": False, "axb": True, "a\rb": True}),
    (r"^\Qa.b\E$", {"a.b": True, "axb": False}),
    (r"^\x{61}\x62$", {"ab": True, "b": False}),
    ("^[^a-z]+$", {"ABC": True, "abc": False, "A\n": True}),
    (r"\bfoo\b", {"a foo b": True, "\u00e4foo": True, "foobar": False}),
    (r"^\141$", {"a": True, "b": False}),
    ("^a{,2}$", {"a{,2}": True, "aa": False}),
    ("^(|a|bb)$", {"": True, "a": True, "bb": True, "c": False}),
    ("^[[:^digit:]]+$", {"ab": True, "1": False}),
    ("^[[:punct:]a-c]+$", {"a!": True, "d": False}),
    (r"^[\w-]+$", {"a-b": True, "a b": False}),
    ("^[a&&b]+$", {"a&": True, "ab": True}),
    ("^[]a]+$", {"]a": True, "b": False}),
    ("^a{1000}$", {"a" * 1000: True, "a": False}),
    ("^a{2,3}?b*c+$", {"aac": True, "aaabc": True, "aaaac": False, "aab": False}),
    ("(?i)^k$", {"K": True, "k": True, "\u212a": True}),
    (r"^[^\d]$", {"a": True, "1": False}),
    (r"^[^\PL]$", {"a": True, "1": False}),
]


@pytest.mark.parametrize(("pattern", "texts"), ANSWERS, ids=[pattern for pattern, _ in ANSWERS])
def test_texts_match_as_go_matches_them(pattern: str, texts: dict[str, bool]) -> None:
    """Classes, escapes, anchors and flags."""
    machine = automaton(pattern)
    assert machine is not None
    assert {text: machine.searches(text) for text in texts} == texts


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a(?=b)", "looks ahead"),
        ("(?<!a)b", "looks ahead or behind"),
        (r"(a)\1", "refers back"),
        ("a**", "repeats a repetition"),
        ("a{1001}", "more than 1000"),
        ("(a{100}){100}", "more than 1000"),
        ("*a", "repeats nothing"),
        ("(a", "leaves a group open"),
        ("a)", "closes a group"),
        ("[a", "leaves a class"),
        ("[z-a]", "runs backwards"),
        ("[[:nope:]]", "names a class"),
        (r"\p{Nope}", "names a class"),
        (r"^a\Cb$", "means nothing"),
        (r"a\Z", "means nothing"),
        ("a\\", "ends in a backslash"),
        ("a{3,2}", "fewer times"),
        ("(?<a>b)(?<a>c)", "without a name of its own"),
        ("(?x)a", "of a sort"),
        ("(" * 300 + ")" * 300, "more groups"),
    ],
)
def test_what_go_refuses_is_told(pattern: str, why: str) -> None:
    """With the reason."""
    assert why in (bad_pattern(pattern) or "")
    assert automaton(pattern) is None


def test_a_script_of_unicode_is_read_and_not_matched() -> None:
    """Which characters are of it is not known here: nothing is said of a text."""
    assert bad_pattern(r"^\p{Greek}+$") is None
    assert automaton(r"^\p{Greek}+$") is None


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|aa)+$", "^(a*)*b$", "(.*)*(.*)*(.*)*$x"])
def test_no_pattern_takes_longer_than_the_text(pattern: str) -> None:
    """Where Python's own search would need years."""
    machine = automaton(pattern)
    assert machine is not None
    began = time.process_time()
    assert not machine.searches("a" * 20_000 + "!")
    assert time.process_time() - began < 2
