"""Hypothesis strategies for the values and texts that all rooms handle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from envcompile.yamlio import dump

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

HOSTILE_TEXTS: Final = (
    *("", " ", "~", "null", "Null", "NULL", "true", "True", "yes", "Yes", "on", "off", "no", "y", "Y", "n", "N"),
    *("0", "1", "-1", "+1", "08", "09", "0755", "0o755", "0O755", "0x1F", "0X1F", "0b1", "0B1", "0b-1", "1_000", "_1"),
    *("1e6", "1E6", "1e+6", "1e-6", "+1e3", "-1e3", ".5e3", "1.e3", "1.5e3", "12e03", "1e3_0", "+.5", "-.5", ".5", "."),
    *(
        "12e0345",
        "1.2.3",
        "10.0.0.1",
        "1:20",
        "190:20:30",
        "2024-01-01",
        "2024-01-01T00:00:00Z",
        ".inf",
        "-.INF",
        ".nan",
    ),
    *(
        "=",
        "<<",
        "-",
        "- a",
        "-a",
        "--",
        "---",
        "...",
        "--- a",
        "? a",
        "?",
        ":",
        ": a",
        "a:",
        "a: b",
        "a:b",
        "a #b",
        "#a",
    ),
    *("a#b", "!a", "!!str a", "&a", "*a", "@a", "`a`", "%a", "|", ">", "|-", "'a'", '"a"', "a'b", 'a"b', "\\", "a\\nb"),
    *("{", "}", "[", "]", "{}", "[]", "{a}", "[a]", "{{ a }}", "a, b", "a,b", "{a: b}", "100m", "1.5Gi", "30s", "5E"),
    *(" a", "a ", "\ta", "a\t", "a\tb", "\n", "\n\n", "a\n", "a\n\n", "\na", " a\nb", "a\n b", "a\n\nb\n", "a\n\n\n"),
    *(
        "a\n \nb",
        "a\n  ",
        "\ta\nb",
        "\n a\n",
        "\n\n\ta\n",
        "a\r\nb",
        "a\rb",
        "---\na",
        "a\n---\nb\n",
        "# a\nb",
        "a\n...\n",
    ),
    *(
        "é",
        "größe",
        "日本語",
        "😀",
        "a😀\nb",
        "\u00a0",
        "a\u00a0b",
        "\x00",
        "\x07",
        "\x1b[0m",
        "\x7f",
        "\x80",
        "\x85",
        "a\x85b",
    ),
    *(
        "\u2028",
        "a\u2028b\n",
        "\u2029",
        "\ufeff",
        "a\ufeffb",
        "\ufeff\nb",
        "\ufffe",
        "\uffff",
        "\U0010ffff",
        "a" * 1200,
    ),
)
"""Texts that some reader of YAML takes for something else, or that break careless writers."""

_LARGE_INTEGERS: Final = (2**63 - 1, 2**63, 2**64 - 1, -(2**63), 2**53, 2**53 + 1, -(2**53) - 1)
_HARD_FLOATS: Final = (0.0, -0.0, 1.0, 1e16, 1e22, 1e-7, 5e-324, 1.7976931348623157e308, 0.1, 123456789.125)


def texts() -> SearchStrategy[str]:
    """Any text that UTF-8 can hold, with a liking for hostile ones."""
    encodable = st.text(st.characters(codec="utf-8"), max_size=30)
    lines = st.lists(st.sampled_from(("", " ", "a", "  b", "# c", "- d", "e: f", "\tg", "---")), max_size=6)
    return st.one_of(st.sampled_from(HOSTILE_TEXTS), encodable, lines.map("\n".join))


def scalars() -> SearchStrategy[Any]:
    """Any scalar that a Kubernetes resource can hold."""
    return st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.sampled_from(_LARGE_INTEGERS),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(_HARD_FLOATS),
        texts(),
    )


def json_values(max_leaves: int = 20) -> SearchStrategy[Any]:
    """Any value that a Kubernetes resource can hold: maps with texts as keys, lists, scalars."""
    return st.recursive(
        scalars(),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts(), inner, max_size=4)),
        max_leaves=max_leaves,
    )


def json_maps(max_leaves: int = 20) -> SearchStrategy[dict[str, Any]]:
    """As `json_values`, with a map at the root."""
    return st.dictionaries(texts(), json_values(max_leaves), max_size=5)


_FRAGMENTS: Final = (
    *("a: 1", "b: x", "c:", "- d", "-", "- e: 1", "- f:", "- - g", '"h": "i"', "'j': 'k'", "l: |", "m: |-", "n: |+"),
    *("- |", "o: >-", "p: []", "q: {}", "r: [a, 'b', \"c\", 1]", "s: {t: u}", "# comment", "v: w # comment", "", "x"),
    *("y: yes", "z: 0755", "<<: *a", "aa: &a {b: c}", "bb: *a", "&a cc: 1", "? dd", ": ee", "---", "...", "--- # c"),
    *("ff: !!str 1", "gg: ! 2", "hh: ~", "ii: 1e3", "jj: 'k''l'", 'mm: "n\\no"', 'pp: "\\u00e9"', "qq: r: s", "tt:u"),
    *('"unclosed', "[", "{", "%YAML 1.1", "vv: a #b", "ww: a#b", "xx: |2", "\tyy: 1", "zz:\t1", "é: è", "1: 2", "~: 1"),
)
_INSERTS: Final = (
    *(" ", "  ", "\n", "\n  ", "\t", "\r\n", ":", ": ", "- ", "#", " #", "'", '"', "{", "}", "[", "]", ",", "|", ">"),
    *("&a ", "*a", "!", "?", "%", "@", "`", "\\", "\u2028", "\x85", "\ufeff", "\x07", "---\n", "...\n", "<<: ", "~"),
)


@st.composite
def yaml_texts(draw: DrawFn) -> str:
    """Texts that are YAML, nearly YAML, or were YAML before somebody edited them."""
    if draw(st.booleans()):
        text = dump(draw(json_values(10)))
    else:
        lines = draw(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(_FRAGMENTS)), max_size=12))
        text = "".join(f"{'  ' * depth}{fragment}\n" for depth, fragment in lines)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        if draw(st.booleans()):
            text = text[:at] + draw(st.sampled_from(_INSERTS)) + text[at:]
        else:
            text = text[:at] + text[at + draw(st.integers(1, 4)) :]
    return text
