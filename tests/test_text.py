"""Text of others is shown and does nothing: in a terminal, in a pipeline's log, in JSON, in a comment."""

from __future__ import annotations

import html
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile.errors import Problem
from envcompile.model import Location
from envcompile.text import address, escaped, in_json, in_xml, markdown, one_line, visible, without_passwords

ANY = st.text(st.characters(codec=None, categories=None))
ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
KEPT = "\n\t\u200c\u200d"


@given(ANY)
def test_nothing_that_acts_is_left(text: str) -> None:
    """Neither control nor format characters nor lone surrogates; so it can be encoded, too (law)."""
    for shown in (visible(text), one_line(text), escaped(text), markdown(text)):
        assert not [c for c in shown if unicodedata.category(c) in ACTING and c not in KEPT]
        shown.encode()
    assert "\n" not in one_line(text)
    assert visible(text).count("\n") == text.count("\n")


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp"), exclude_characters="#:\\")))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    """Every script of the world (law)."""
    assert visible(text) == one_line(text) == escaped(text) == text


@given(ANY)
def test_no_line_is_a_command_to_a_runner(text: str) -> None:
    """GitHub's runner passes over spaces before `::`, and finds `##[` anywhere (law)."""
    for line in visible(f"\n::{text}\n  ::error::{text}##[group]{text}##vso[task]").split("\n"):
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
        assert "##vso[" not in line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31m\n::error::x", r"a\x1b[31m\n::error::x"),
        ("::add-mask::x", r"\::add-mask::x"),
        ("\t ::stop-commands::x", "\t " + r"\::stop-commands::x"),
        ("##[error]x", r"#\#[error]x"),
        ("a\rb\x9b2J\x7f", r"a\x0db\x9b2J\x7f"),
        ("user\u202etxt.exe", r"user\u202etxt.exe"),
        ("\u2066a\u2069\ufeff\U000e0041", r"\u2066a\u2069\ufeff\U000e0041"),
        ("caf\udce9", r"caf\xe9"),
        ("a\u2028::error::x\u2029\x85b", r"a\u2028::error::x\u2029\x85b"),
        ("\ud800", r"\ud800"),
        ("std::string, a::b", "std::string, a::b"),
        ("می‌خواهم 👩‍💻 größe\tx", "می‌خواهم 👩‍💻 größe\tx"),
    ],
)
def test_how_it_is_shown(text: str, shown: str) -> None:
    """As an escape that says which character it was."""
    assert one_line(text) == shown


def test_a_problem_is_made_of_lines_of_its_own() -> None:
    """A line break in a name, a place or a trace begins no line of the message."""
    problem = Problem("`a\n::error::x`", "write\n::error::y", (Location("f\n::z", 1, 2),), ("t\n::error::u\x1b[0m",))
    assert str(problem).split("\n") == [
        r"error: `a\n::error::x`",
        r"  --> f\n::z:1:2",
        r"      t\n::error::u\x1b[0m",
        "hint: write",
        r"\::error::y",
    ]


@given(st.recursive(ANY, lambda inner: st.lists(inner) | st.dictionaries(ANY, inner)))
def test_json_reads_as_before_and_acts_on_nothing(value: object) -> None:
    """Characters are written as JSON's own escapes (law)."""
    text = in_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(text) == json.loads(json.dumps(value))
    assert not [c for c in text if unicodedata.category(c) in ACTING and c not in KEPT]


@given(st.text(st.characters(exclude_categories=("Cc", "Cn", "Cs"))))
def test_a_report_holds_no_command_to_a_runner(text: str) -> None:
    """Neither JSON nor XML, which runners read as they pass by, and whose readers get the same (law)."""
    words = f"{text}##[error]{text}##vso[task]\u202e"
    written = in_json(json.dumps(words, ensure_ascii=False))
    assert json.loads(written) == words
    marked = in_xml(html.escape(words))
    assert html.unescape(marked) == words
    for command in ("##[", "##vso[", "\u202e"):
        assert command not in written + marked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@octocat", "@<!-- -->octocat"),
        ("see https://evil.example/x", "see https:<!-- -->//evil.example/x"),
        ("www.evil.example", "www<!-- -->.evil.example"),
        ("#12 and !3", r"\#<!-- -->12 and \!<!-- -->3"),
        ("<b>x</b>&", "&lt;b&gt;x&lt;/b&gt;&amp;"),
        ("a\n\n# b | `c` [d](e)", r"a \#<!-- --> b \| \`c\` \[d\](e)"),
    ],
)
def test_in_a_comment_it_is_plain_text(text: str, shown: str) -> None:
    """No markup, no link, and nobody is notified."""
    assert markdown(text) == shown


PASSWORDS = st.text("aA9@:/?#%!$&=+-._~", min_size=1).map(lambda text: f"S3{text}cr3t")


@given(PASSWORDS)
def test_an_address_is_shown_without_its_password(password: str) -> None:
    """However it is written; not even the part behind a character that should have been encoded (law)."""
    for scheme in ("https", "postgresql", "redis"):
        shown = address(f"{scheme}://user:{password}@host.example:5432/name?password={password}#{password}")
        assert shown in {f"{scheme}://host.example:5432/name", f"{scheme}://…"}
        said = without_passwords(f"cannot reach {scheme}://user:{password}@host, password={password} was refused")
        assert "S3" not in said
        assert "cr3t" not in said


def test_words_without_passwords() -> None:
    """What libraries quote."""
    assert without_passwords("bad dsn: host=h password='a b' dbname=x") == "bad dsn: host=h password=… dbname=x"
    assert (
        without_passwords('connection to server at "h", port 1 failed') == 'connection to server at "h", port 1 failed'
    )
