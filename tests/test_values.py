"""Plain values: what is the same, where something stands, and what stands for nothing."""

from __future__ import annotations

import copy
import json
import math
import pickle  # ruff: ignore[suspicious-pickle-import] - markers cross processes
from typing import Any

import pytest
from hypothesis import given

from envcompile.values import ABSENT, REMOVED, dotted, equal, leaves, same, value_at
from tests.strategies import json_values


@pytest.mark.parametrize(
    ("left", "right"),
    [(1, True), (0, False), (1, 1.0), ("1", 1), (None, False), (None, ABSENT), (ABSENT, REMOVED), ([], {}), ("", None)],
    ids=repr,
)
def test_values_of_other_types_are_not_the_same(left: Any, right: Any) -> None:
    """Alone and inside of lists and maps, whichever comes first."""
    for one, other in ((left, right), (right, left)):
        assert not same(one, other)
        assert not same({"a": [one]}, {"a": [other]})


@given(json_values(), json_values())
def test_the_same_is_what_json_says_in_any_order_of_keys(left: Any, right: Any) -> None:
    """Two values are the same exactly when their JSON with sorted keys is."""
    texts = [json.dumps(value, sort_keys=True) for value in (left, right)]
    assert same(left, right) is (texts[0] == texts[1])
    assert same(left, copy.deepcopy(left))
    assert equal(left, right) or not same(left, right)


def test_not_a_number_is_the_same_as_itself() -> None:
    """TOML and YAML have it: a text that holds it has not changed when it still does."""
    assert same({"a": math.nan}, {"a": float("nan")})
    assert not same(math.nan, 1.0)


def test_numbers_may_be_compared_by_their_worth() -> None:
    """RFC 6902, 4.6: numerically equal; a boolean is no number."""
    assert equal({"a": [1]}, {"a": [1.0]})
    assert not equal(1, True)
    assert not equal(1.0, "1.0")
    assert not equal({"a": 1}, {"a": 1, "b": 1})
    assert equal(ABSENT, ABSENT)


@pytest.mark.parametrize("marker", [ABSENT, REMOVED])
def test_a_marker_stays_itself(marker: Any) -> None:
    """Copied, or sent to another process."""
    assert copy.deepcopy({"a": marker})["a"] is marker
    assert pickle.loads(pickle.dumps(marker)) is marker  # ruff: ignore[suspicious-pickle-usage] - its own bytes
    assert copy.copy(marker) is marker
    assert str({"a": marker}) in {"{'a': absent}", "{'a': removed}"}


@given(json_values())
def test_leaves_lead_back_to_their_values(value: Any) -> None:
    """Each holds nothing else, and all together are everything."""
    found = list(leaves(value))
    for pointer, leaf in found:
        assert value_at(value, pointer) is leaf
        assert not (isinstance(leaf, dict | list) and leaf)
    assert len({json.dumps(pointer) for pointer, _ in found}) == len(found) > 0


def test_a_place_that_is_not_there_is_absent() -> None:
    """A key of a list, a position behind its end or before its start, anything below a scalar."""
    value = {"a": [{"b": None}]}
    assert value_at(value, ("a", 0, "b")) is None
    for pointer in (("b",), ("a", 1), ("a", -1), ("a", "0"), ("a", 0, "b", "c"), (0,)):
        assert value_at(value, pointer) is ABSENT


def test_places_read_as_people_write_them() -> None:
    """Items in brackets."""
    assert dotted(("images", 0, "newTag")) == "images[0].newTag"
    assert dotted((0, "a")) == "[0].a"
    assert dotted(()) == ""
