"""Plain scalars and keys mean what go-yaml v2 and sigs.k8s.io/yaml make of them."""

from __future__ import annotations

from typing import Any

import pytest

from envcompile.yamlio.scalars import KEYS, MERGE, PLAIN, NotJsonError, key_of, plain_key, resolve
from tests.yamlio.strictly import same

WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
INTEGERS = {
    "0": 0,
    "-0": 0,
    "+12": 12,
    "1_000": 1000,
    "0755": 493,
    "0o755": 493,
    "0O755": 493,
    "0x1F": 31,
    "0X1f": 31,
    "-0x10": -16,
    "0b101": 5,
    "0B1": 1,
    "+0b1": 1,
    "0b-1": -1,
    "0b+1": 1,
    "00": 0,
    "1__0": 10,
    "9223372036854775807": 2**63 - 1,
    "-9223372036854775808": -(2**63),
    "18446744073709551615": 2**64 - 1,
    "0xFFFFFFFFFFFFFFFF": 2**64 - 1,
}
FLOATS = {
    "08": 8.0,
    "09": 9.0,
    "1.": 1.0,
    "1.5": 1.5,
    "1e6": 1e6,
    "1E6": 1e6,
    "1e+6": 1e6,
    "12e03": 12e3,
    "12e0345": None,  # beyond a float: stays a text
    ".5": 0.5,
    ".5e3": 500.0,
    ".5_0": 0.5,
    "+.5": 0.5,
    "-.5": -0.5,
    "-1e3": -1000.0,
    "1_000.5": 1000.5,
    "1e3_0": 1e30,
    "1e-999": 0.0,
    "-0.0": -0.0,
    "18446744073709551616": 18446744073709551616.0,
    "+9223372036854775808": 9223372036854775808.0,
    "-9223372036854775809": -9223372036854775809.0,
    "0777777777777777777777777777": 777777777777777777777777777.0,
}
TEXTS = (
    *(
        "yEs",
        "tRUE",
        "nULL",
        "yes ",
        "=",
        "<<",
        ".",
        "..",
        "+",
        "-",
        "+_",
        "_1",
        "1_",
        "0x",
        "0b",
        "0b2",
        "0o8",
        "0B-1",
    ),
    *("1:20", "190:20:30", "2024-01-01", "2024-1-1T1:2:3Z", "12e0345", "1e", "1e+", "1e999", "-1e999", ".1e999", "._5"),
    *(".5_", "1.2.3", "0x1p3", "inf", "nan", "Infinity", "1,000", "１２", "٣", "-0b-1", "0x10000000000000000", "1a"),
)


@pytest.mark.parametrize(("text", "value"), [*WORDS.items(), *INTEGERS.items()])
def test_words_and_integers(text: str, value: Any) -> None:
    """Words of YAML 1.1 and integers in every base are values, not texts."""
    assert same(resolve(text), value)


@pytest.mark.parametrize(("text", "value"), FLOATS.items())
def test_floats(text: str, value: float | None) -> None:
    """Every notation of Go's floats is one; what does not fit stays a text."""
    assert same(resolve(text), text if value is None else value)


@pytest.mark.parametrize("text", [text for text in TEXTS if text != "1_"])
def test_texts(text: str) -> None:
    """Dates, sexagesimal numbers, `=` and everything malformed are texts."""
    assert same(resolve(text), text)


def test_underscores_are_dropped_even_at_the_end() -> None:
    """go-yaml removes every underscore before it looks at a number."""
    assert same(resolve("1_"), 1)


@pytest.mark.parametrize("text", [".inf", ".Inf", "+.INF", "-.inf", ".nan", ".NaN", ".NAN"])
def test_what_json_cannot_hold_is_refused(text: str) -> None:
    """Infinity and not-a-number end with a message that says how to mean the text."""
    with pytest.raises(NotJsonError) as caught:
        resolve(text)
    assert str(caught.value) == f"`{text}` is not a number that Kubernetes can hold"
    assert caught.value.fix == f'quote it to mean the text: "{text}"'


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("name", "name"),
        ("yes", "true"),
        ("n", "false"),
        ("0755", "493"),
        ("-1", "-1"),
        ("1.0", "1"),
        ("1.1", "1.1"),
        ("1e5", "100000"),
        ("1e6", "1e+06"),
        ("1000000.5", "1.0000005e+06"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("16777217.5", "1.6777218e+07"),
        ("1e300", ".inf"),
        ("-1e300", "-.inf"),
        (".Inf", ".inf"),
        ("+.INF", ".inf"),
        ("-.inf", "-.inf"),
        (".NaN", ".nan"),
        ("2024-01-01", "2024-01-01"),
        ("=", "="),
    ],
)
def test_keys_become_texts(text: str, key: str) -> None:
    """Keys are converted as kubectl does on the way to JSON: floats with the precision of 32 bits."""
    assert plain_key(text) == key


def test_merge_key() -> None:
    """A plain `<<` is the merge key, not a name."""
    assert plain_key("<<") is MERGE


@pytest.mark.parametrize(
    ("value", "what", "fix"),
    [
        (None, "a key is null", 'write a name before the colon, or quote the word: "null":'),
        (2**63, f"the key {2**63} is too large a number for Kubernetes", f'quote the key: "{2**63}":'),
    ],
)
def test_keys_that_kubectl_refuses(value: Any, what: str, fix: str) -> None:
    """Null and unsigned 64-bit integers cannot be keys."""
    with pytest.raises(NotJsonError) as caught:
        key_of(value)
    assert (str(caught.value), caught.value.fix) == (what, fix)


def test_the_memo_gives_what_the_rules_give() -> None:
    """Looking a word up a first and a second time gives the same value."""
    for text in [*WORDS, *INTEGERS, *TEXTS]:
        assert same(PLAIN[text], resolve(text))
        assert same(PLAIN[text], resolve(text))
        if resolve(text) is not None and text not in {"18446744073709551615", "0xFFFFFFFFFFFFFFFF"}:
            assert KEYS[text] == plain_key(text)
