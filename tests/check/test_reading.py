"""Reading values of any shape: what is not there, or of another shape, is absent."""

from __future__ import annotations

from envcompile.check.reading import (
    at,
    list_at,
    map_at,
    maps_at,
    number_at,
    strings_at,
    text_at,
    texts_at,
)

VALUE = {"a": {"b": ["x", 1, {"c": "y"}]}, "n": 3, "t": True, "none": None}


def test_a_path_ends_where_the_shape_is_another() -> None:
    """Keys go into maps, positions into lists; anything else is None."""
    assert at(VALUE, "a", "b", 2, "c") == "y"
    assert at(VALUE, "a", "b", 7) is None
    assert at(VALUE, "n", "b") is None
    assert at(VALUE, "none", "b") is None


def test_what_is_of_another_shape_is_absent() -> None:
    """No rule falls over a list where a map belongs."""
    assert map_at(VALUE, "a", "b") == {}
    assert text_at(VALUE, "n") == ""
    assert list_at(VALUE, "a") == []
    assert number_at(VALUE, "n") == 3
    assert number_at(VALUE, "t") is None
    assert texts_at(VALUE, "a", "b") == ["x"]
    assert list(maps_at(VALUE, "a", "b")) == [(2, {"c": "y"})]
    assert strings_at({"m": {"a": "b", "c": 1}}, "m") == {"a": "b"}
