"""Bad input gets a message that says what is wrong, where, and how to mend it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from envcompile.errors import EnvcError, UnavailableError
from envcompile.yamlio.load import load_all

if TYPE_CHECKING:
    from collections.abc import Sequence

UTF8 = "save the file as UTF-8"
QUOTES = "put the text in quotes"
INDENT = "indent it like the other keys of the map it belongs to"
NO_TEMPLATES = "envc renders no templates; `envc init NEW --from-helm CHART` brings a whole chart over"
QUOTED_TEMPLATE = 'put it in quotes: "{{ … }}"; envc renders no templates, so render the file first if it is one'
DIRECTIVE = "`%` at the start of a line begins a directive, and this is none that YAML 1.1 or 1.2 knows"

CASES: Sequence[tuple[str, bytes, str, tuple[int, int], str]] = (
    (
        "tab",
        b"a:\n\tb: 1\n",
        "the line is indented with a tab",
        (2, 1),
        "YAML is indented with spaces only; replace the tab",
    ),
    (
        "tab-behind-spaces",
        b"a:\n  b: 1\n \tc: 2\n",
        "the line is indented with a tab",
        (3, 2),
        "YAML is indented with spaces only; replace the tab",
    ),
    (
        "tab-in-a-block",
        b"key: |\n\ttext\n",
        "the line is indented with a tab",
        (2, 1),
        "YAML is indented with spaces only; replace the tab",
    ),
    (
        "tab-before-a-value",
        b"a:\n- \t@\n",
        "a tab stands where YAML allows spaces only",
        (2, 3),
        "replace the tab by a space",
    ),
    (
        "deeper",
        b"a: 1\n  b: 2\n",
        "the key is indented deeper than its neighbours",
        (2, 3),
        "indent the line like the keys above it",
    ),
    ("between", b"a:\n    b: 1\n  c: 2\n", "the line does not fit into the map that begins on line 1", (3, 3), INDENT),
    (
        "list-then-key",
        b"- a\nb: 1\n",
        "the line stands in the list that begins on line 1, but begins with no `-`",
        (2, 1),
        "begin the item with `- `, or indent the line like what it belongs to",
    ),
    ("key-then-list", b"a: 1\n- b\n", "the line does not fit into the map that begins on line 1", (2, 1), INDENT),
    (
        "less-than-the-first-line",
        b"  a: 1\nb: 2\n",
        "the line is not part of the document above it",
        (2, 1),
        "indent it like the document's first line, or put `---` above it to begin another document",
    ),
    (
        "two-colons",
        b"a: b: c\n",
        "there are two `: ` on one line",
        (1, 5),
        "put the value in quotes if the second one belongs to it",
    ),
    (
        "text-behind-quotes",
        b"a: 'it's'\n",
        "something follows the closing quote",
        (1, 8),
        "put the whole value in quotes; inside '…' a quote is written as ''",
    ),
    ("single-quote", b"a: 'x\nb: 1\n", "the quote ' is never closed", (1, 4), "close it at the end of the text"),
    ("double-quote", b'a: "x\n', 'the quote " is never closed', (1, 4), "close it at the end of the text"),
    (
        "quote-until-marker",
        b'a: "x\n---\nb: 1\n',
        'the quote " is never closed',
        (1, 4),
        "close it at the end of the text",
    ),
    (
        "square-bracket",
        b"a: [1, 2\nb: 1\n",
        "the bracket `[` is not closed, or a comma is missing in it",
        (1, 4),
        "close it, or add the comma",
    ),
    (
        "curly-bracket",
        b"a: {x: 1\n",
        "the bracket `{` is not closed, or a comma is missing in it",
        (1, 4),
        "close it, or add the comma",
    ),
    ("extra-comma", b"a: [1,,2]\n", "a value is missing in the brackets", (1, 7), "remove the extra comma or bracket"),
    ("lone-bracket", b"a: ]\n", "a value is missing in the brackets", (1, 4), "remove the extra comma or bracket"),
    (
        "colon-in-brackets",
        b"[a, b:]\n",
        "this is not YAML: found unexpected ':'",
        (1, 6),
        "correct the line, or put texts with special characters in quotes",
    ),
    ("at", b"a: @x\n", "a text cannot begin with `@`", (1, 4), QUOTES),
    ("backtick", b"a: `x`\n", "a text cannot begin with a backtick", (1, 4), QUOTES),
    ("percent", b"a: %x\n", "a text cannot begin with `%`", (1, 4), QUOTES),
    ("question-mark", b"a: ? b\n", "a text cannot begin with `?`", (1, 4), QUOTES),
    ("star", b"a: *.example.com\n", "a text cannot begin with `*`", (1, 4), QUOTES),
    ("ampersand", b"a: &\n", "a text cannot begin with `&`", (1, 4), QUOTES),
    (
        "alias",
        b"a: *foo\n",
        "an alias refers to no anchor above it",
        (1, 4),
        "put the text in quotes if it shall begin with a star",
    ),
    (
        "bad-tag",
        b"a: !<x\n",
        "`!` begins a tag, and this is none",
        (1, 4),
        "put the text in quotes if it shall begin with `!`",
    ),
    (
        "unknown-tag-prefix",
        b"a: !foo!bar x\n",
        "`!` begins a tag, and this is none",
        (1, 4),
        "put the text in quotes if it shall begin with `!`",
    ),
    (
        "wrong-tag",
        b"a: !!int x\n",
        "the tag `!!int` stands before something that is not of this type",
        (1, 4),
        "remove the tag",
    ),
    (
        "wrong-binary",
        b"a: !!binary '?'\n",
        "the text after `!!binary` is not base64",
        (1, 4),
        "correct it, or remove the tag",
    ),
    (
        "infinity",
        b"a: .inf\n",
        "`.inf` is not a number that Kubernetes can hold",
        (1, 4),
        'quote it to mean the text: ".inf"',
    ),
    (
        "infinity-in-a-list",
        b"- 1\n- -.INF\n",
        "`-.INF` is not a number that Kubernetes can hold",
        (2, 3),
        'quote it to mean the text: "-.INF"',
    ),
    (
        "key-is-a-list",
        b"? [a]\n: 1\n",
        "a map or list is used as a key",
        (1, 3),
        "keys are words; put the key in quotes if it is a text",
    ),
    ("null-key", b"~: 1\n", "a key is null", (1, 1), 'write a name before the colon, or quote the word: "null":'),
    ("no-key", b": 1\n", "there is no key before the colon", (1, 1), "write one, or put the text in quotes"),
    (
        "huge-key",
        b"18446744073709551615: 1\n",
        "the key 18446744073709551615 is too large a number for Kubernetes",
        (1, 1),
        'quote the key: "18446744073709551615":',
    ),
    (
        "alias-of-a-map-as-key",
        b"a: &x {}\n*x : 1\n",
        "a map or list is used as a key",
        (2, 1),
        "keys are words; put the key in quotes if it is a text",
    ),
    (
        "null-key-by-alias",
        b"a: &x\n*x : 1\n",
        "a key is null",
        (2, 1),
        'write a name before the colon, or quote the word: "null":',
    ),
    (
        "template-value",
        b"name: app\nimage: {{ image }}\n",
        "a template stands where YAML needs a value",
        (2, 9),
        QUOTED_TEMPLATE,
    ),
    ("template-key", b"{{ x }}: 1\n", "a template stands where YAML needs a value", (1, 1), QUOTED_TEMPLATE),
    (
        "helm-control",
        b"a: 1\n{{- if .Values.x }}\nb: 1\n{{- end }}\n",
        "the file is a Helm template, not plain YAML",
        (2, 1),
        NO_TEMPLATES,
    ),
    ("helm-value", b"a: {{ .Values.x }}\n", "the file is a Helm template, not plain YAML", (1, 5), NO_TEMPLATES),
    (
        "helm-include",
        b'labels:\n  {{- include "x" . | nindent 2 }}\n',
        "the file is a Helm template, not plain YAML",
        (2, 4),
        NO_TEMPLATES,
    ),
    (
        "jinja",
        b"{% if x %}\na: 1\n{% endif %}\n",
        "the file is a Jinja template, not plain YAML",
        (1, 1),
        "envc renders no templates; render it first",
    ),
    (
        "harmless-template-is-not-blamed",
        b"a: |\n  {{ if .Values.x }}\nb: 1\nc: @\n",
        "a text cannot begin with `@`",
        (4, 4),
        QUOTES,
    ),
    (
        "nul",
        b"a: 1\nb: \x00\n",
        "the file is not text: it holds a NUL byte",
        (2, 4),
        "envc reads YAML and JSON in UTF-8; move other files elsewhere",
    ),
    (
        "binary",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        "the file is not text: it holds a NUL byte",
        (3, 1),
        "envc reads YAML and JSON in UTF-8; move other files elsewhere",
    ),
    ("latin-1", b"a: caf\xe9\n", "the byte 0xE9 is not UTF-8", (1, 7), UTF8),
    ("latin-1-behind-a-mark", b"\xef\xbb\xbf\xe9\n", "the byte 0xE9 is not UTF-8", (1, 1), UTF8),
    ("truncated", b"a: 1\nb: \xc3", "the byte 0xC3 is not UTF-8", (2, 4), UTF8),
    ("utf-16", b"\xff\xfea\x00:\x00", "the file is UTF-16, not UTF-8", (1, 1), UTF8),
    ("utf-16-big", b"\xfe\xff\x00a", "the file is UTF-16, not UTF-8", (1, 1), UTF8),
    (
        "utf-16-without-mark",
        b"a\x00:\x00",
        "the file is not text: it holds a NUL byte",
        (1, 2),
        "envc reads YAML and JSON in UTF-8; move other files elsewhere",
    ),
    (
        "control",
        b"a: \x07\n",
        "the control character U+0007 is not allowed in YAML",
        (1, 4),
        'remove it, or write it in double quotes as "\\u0007"',
    ),
    (
        "control-in-a-comment",
        b"# ok\n# \x1b\na: 1\n",
        "the control character U+001B is not allowed in YAML",
        (2, 3),
        'remove it, or write it in double quotes as "\\u001b"',
    ),
    (
        "mark-inside",
        b"a: 1\n\xef\xbb\xbfb: 2\n",
        "a byte order mark stands inside the file",
        (2, 1),
        "remove it: files were joined",
    ),
    (
        "conflict",
        b"a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> x\n",
        "the file holds an unresolved merge conflict",
        (2, 1),
        "resolve it and remove the markers",
    ),
    (
        "dash-behind-key",
        b"a: - x\n",
        "a list cannot begin behind a key on the same line",
        (1, 4),
        "begin the list on the next line",
    ),
    (
        "no-colon",
        b"a: 1\nfoo\nb: 2\n",
        "the line is neither `key: value` nor `- item`",
        (2, 1),
        "add the colon and a space, or indent the line if it continues the text above",
    ),
    (
        "no-colon-first",
        b"foo\nbar: 1\n",
        "the line is neither `key: value` nor `- item`",
        (1, 1),
        "add a colon and a space",
    ),
    (
        "no-space-behind-colon",
        b"a:b\nc: 1\n",
        "the line is neither `key: value` nor `- item`",
        (1, 1),
        "put a space behind its colon",
    ),
    (
        "escape",
        b'a: "\\d"\n',
        "`\\d` is no escape of YAML",
        (1, 5),
        "use single quotes, in which a backslash is a backslash, or write it twice",
    ),
    (
        "surrogate-escape",
        b'a: "\\ud800"\n',
        "`\\u` is no escape of YAML",
        (1, 5),
        "use single quotes, in which a backslash is a backslash, or write it twice",
    ),
    (
        "hexadecimal-escape",
        b'a: "\\xzz"\n',
        "`\\x` is no escape of YAML",
        (1, 5),
        "use single quotes, in which a backslash is a backslash, or write it twice",
    ),
    (
        "block-header",
        b"a: | x\n  y\n",
        "something follows `|` on its line",
        (1, 4),
        "begin the text below `|`, or put it in quotes",
    ),
    (
        "block-indicator",
        b"a: |0\n  y\n",
        "something follows `|` on its line",
        (1, 4),
        "begin the text below `|`, or put it in quotes",
    ),
    ("directive", b"%FOO\na: 1\n", DIRECTIVE, (1, 1), "remove the line, or put the text in quotes"),
    ("directive-version", b"%YAML 3.0\n---\na: 1\n", DIRECTIVE, (1, 1), "remove the line, or put the text in quotes"),
    ("lone-percent", b"%\n", DIRECTIVE, (1, 1), "remove the line, or put the text in quotes"),
    (
        "merge-of-a-number",
        b"<<: 1\n",
        "`<<` merges something that is not a map",
        (1, 5),
        "give it an alias of a map or a list of such aliases",
    ),
    (
        "merge-of-an-alias-of-a-list",
        b"a: &x [{}]\n<<: *x\n",
        "`<<` merges something that is not a map",
        (2, 5),
        "give it an alias of a map or a list of such aliases",
    ),
    (
        "self",
        b"a: &x [*x]\n",
        "an alias stands inside of the value it refers to",
        (1, 8),
        "a value cannot hold itself; remove the alias",
    ),
    (
        "key-behind-marker",
        b"a: 1\n--- b: 1\n",
        "a key cannot follow `---` on its line",
        (2, 1),
        "begin the document on the next line",
    ),
    (
        "text-behind-the-end",
        b"a: 1\n...\nb: 1\n...\nfoo bar: x: y\n",
        "the line is not part of the document above it",
        (3, 1),
        "indent it like the document's first line, or put `---` above it to begin another document",
    ),
    (
        "json-comma",
        b'{"a": 1\n "b": 2}',
        "the bracket `{` is not closed, or a comma is missing in it",
        (1, 1),
        "close it, or add the comma",
    ),
    ("crlf", b"a: 1\r\nb: @\r\n", "a text cannot begin with `@`", (2, 4), QUOTES),
    ("cr", b"a: 1\rb: @\r", "a text cannot begin with `@`", (2, 4), QUOTES),
    (
        "column-counts-characters",
        b"\xc3\xa4: 1\n\xc3\xb6\xc3\xbc: [\xc3\xa9, @]\n",
        "a text cannot begin with `@`",
        (2, 9),
        QUOTES,
    ),
    ("line-separator-is-no-line", b'a: "x\xe2\x80\xa8y"\nb: @\n', "a text cannot begin with `@`", (2, 4), QUOTES),
)


@pytest.mark.parametrize(("data", "what", "place", "fix"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_message(data: bytes, what: str, place: tuple[int, int], fix: str) -> None:
    """The whole message, with its place."""
    with pytest.raises(EnvcError) as caught:
        load_all(data, "f.yaml")
    assert str(caught.value) == f"error: {what}\n  --> f.yaml:{place[0]}:{place[1]}\nhint: {fix}"


def test_repeated_keys_are_all_named_with_both_places() -> None:
    """One run reports every repeated key of the file, and where it stood first."""
    with pytest.raises(EnvcError) as caught:
        load_all(b"a: 1\nb:\n  c: 1\n  c: 2\n---\nyes: 1\ntrue: 2\na: {d: 1, 'd': 2}\n", "f.yaml")
    assert str(caught.value) == (
        "error: the key `c` is defined twice in one map, first on line 3\n"
        "  --> f.yaml:4:3\n  --> f.yaml:3:3\n"
        "hint: remove one of them, or rename it\n\n"
        "error: the key `true` is defined twice in one map, first on line 6\n"
        "  --> f.yaml:7:1\n  --> f.yaml:6:1\n"
        "hint: remove one of them, or rename it\n\n"
        "error: the key `d` is defined twice in one map, first on line 8\n"
        "  --> f.yaml:8:11\n  --> f.yaml:8:5\n"
        "hint: remove one of them, or rename it"
    )


def test_repeated_keys_are_named_before_a_later_error() -> None:
    """Text that is broken behind a repeated key does not hide it."""
    with pytest.raises(EnvcError) as caught:
        load_all(b"- a: 1\n  a: 2\n-: b\n c\n", "f.yaml")
    assert [problem.what for problem in caught.value.problems] == [
        "the line stands in the list that begins on line 1, but begins with no `-`"
    ]
    with pytest.raises(EnvcError) as caught:
        load_all(b"a: 1\na: 2\n---\n@\n", "f.yaml")
    assert [problem.what for problem in caught.value.problems] == [
        "the key `a` is defined twice in one map, first on line 1",
        "a text cannot begin with `@`",
    ]


def test_an_alias_bomb_is_refused() -> None:
    """Nine levels of nine aliases end in a message, not in memory."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    with pytest.raises(EnvcError) as caught:
        load_all("\n".join(lines).encode(), "f.yaml")
    assert str(caught.value) == (
        "error: aliases expand to more than 1,000,000 values\n"
        "  --> f.yaml:7:10\n"
        "hint: kubectl refuses such documents as well; write fewer aliases of aliases"
    )


def test_many_honest_aliases_are_read() -> None:
    """A thousand uses of one anchor are no bomb."""
    text = "a: &a {b: 1, c: [1, 2]}\nd:\n" + "- *a\n" * 1000
    assert len(load_all(text.encode(), "f.yaml")[0]["d"]) == 1000


@pytest.mark.parametrize("text", ["[" * 200_000, "{a: " * 200_000, "- " * 200_000, "[" * 600 + "]" * 600])
def test_endless_nesting_is_refused(text: str) -> None:
    """Nesting without end ends in a message."""
    with pytest.raises(EnvcError) as caught:
        load_all(text.encode(), "f.yaml")
    assert [(problem.what, problem.fix) for problem in caught.value.problems] == [
        (
            "maps and lists are nested more than 512 levels deep",
            "no Kubernetes resource is; look for a bracket that is never closed",
        )
    ]


def test_a_parser_without_libyaml_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PyYAML without its C parser is a clear message, not a slow and different reading."""
    monkeypatch.setitem(sys.modules, "yaml._yaml", None)
    with pytest.raises(UnavailableError) as caught:
        load_all(b"a: &x 1\n", "f.yaml")
    assert str(caught.value) == (
        "error: PyYAML is installed without libyaml\n"
        "hint: install a wheel of PyYAML, or libyaml's headers before building it: "
        "pip install --force-reinstall --only-binary :all: pyyaml"
    )


def test_the_text_of_a_document_is_never_in_a_message() -> None:
    """A broken line that holds a secret does not carry it into the log."""
    for text in (
        "password: hunter2: x\n",
        "password: 'hunter2\n",
        "password: hunter2\n\tx: 1\n",
        "a: {hunter2\n",
        "a: *hunter2\n",
    ):
        with pytest.raises(EnvcError) as caught:
            load_all(text.encode(), "f.yaml")
        assert "hunter2" not in str(caught.value)
