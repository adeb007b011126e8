"""Promises of the type that holds secrets."""

import copy
import json
import pickle  # ruff: ignore[suspicious-pickle-import] - it has to refuse
import traceback
from collections.abc import Callable

import pytest

from envcompile.secrets.plaintext import Plaintext

VALUE = Plaintext(b"hunter2")


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        lambda value: f"{value}",
        lambda value: f"{value!r:>20}",
        lambda value: "%s %r" % (value, value),  # ruff: ignore[printf-string-formatting] - every way of formatting counts
        lambda value: f"{value:>20}",
        lambda value: str([value, {"key": value}]),
    ],
    ids=["repr", "str", "f-string", "f-string repr", "percent", "format spec", "inside of containers"],
)
def test_every_way_to_print_it_shows_nothing(show: Callable[[Plaintext], str]) -> None:
    """No formatting shows the value."""
    assert "hunter2" not in show(VALUE)
    assert "<redacted>" in show(VALUE)


@pytest.mark.parametrize(
    "store",
    [pickle.dumps, json.dumps, bytes, list, hash, dict, lambda value: value.__getstate__()],
    ids=["pickle", "json", "bytes", "list", "hash", "dict", "getstate"],
)
def test_every_way_to_store_it_is_refused(store: Callable[[Plaintext], object]) -> None:
    """It cannot be serialised, iterated or hashed, and the refusal does not show it."""
    with pytest.raises(TypeError) as error:
        store(VALUE)
    assert "hunter2" not in str(error.value)


def test_it_has_no_dictionary_to_look_into() -> None:
    """`vars` and debuggers that use it find nothing."""
    assert not hasattr(VALUE, "__dict__")


def test_equality_is_between_plaintexts_only() -> None:
    """Comparing with bytes tells nothing."""
    assert Plaintext(b"hunter2") == VALUE
    assert Plaintext(b"hunter3") != VALUE
    assert VALUE != b"hunter2"


def test_copies_are_the_same_object() -> None:
    """A deep copy makes no second holder of the bytes."""
    assert copy.deepcopy([VALUE])[0] is VALUE
    assert copy.copy(VALUE) is VALUE


def test_a_traceback_with_locals_shows_nothing() -> None:
    """Even a crash report with local variables stays clean."""
    secret = VALUE
    try:
        assert secret.size == 7
        raise ValueError("crash")  # ruff: ignore[raise-within-try] - a crash with the secret in scope is the point
    except ValueError as error:
        report = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "hunter2" not in report
