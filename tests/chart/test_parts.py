"""The small parts of the chart: images, scalars, lists, values, names."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile import yamlio
from envcompile.chart.configtext import pieces
from envcompile.chart.lists import pair
from envcompile.chart.names import camel, key_of, label_key, plural, shortened
from envcompile.chart.scalars import document, fits_block
from envcompile.chart.strictness import Strictness, difference, fits_values
from envcompile.chart.values import merge_patch
from envcompile.kubernetes.images import parse_exact_image
from envcompile.values import equal
from tests.chart.hostile import KEYS, texts, trees
from tests.strategies import json_maps

_DIGEST = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("mongo", ("mongo", "", "")),
        ("nginx:1.25", ("nginx", "1.25", "")),
        (f"nginx@{_DIGEST}", ("nginx", "", _DIGEST)),
        (f"reg.io:5000/a/b:v1@{_DIGEST}", ("reg.io:5000/a/b", "v1", _DIGEST)),
        ("localhost:5000/a", ("localhost:5000/a", "", "")),
    ],
)
def test_images_are_taken_apart(text: str, parts: tuple[str, str, str]) -> None:
    """A registry's port is no tag, a digest's hexadecimal is no tag."""
    assert parse_exact_image(text) == parts


@pytest.mark.parametrize("text", ["", "nginx:", "${IMAGE}", "{{ .image }}", "a b", "nginx:a b", "x@y", "nginx\n"])
def test_what_is_no_image_stays_a_text(text: str) -> None:
    """It is not forced into parts."""
    assert parse_exact_image(text) is None


@given(texts())
def test_an_image_that_is_taken_apart_can_be_put_together(text: str) -> None:
    """Nothing is lost on the way."""
    found = parse_exact_image(text)
    assert found is None or str(found) == text


@given(json_maps())
def test_documents_are_read_back_as_they_were(value: dict[str, Any]) -> None:
    """By the reader that reads as kubectl does."""
    (found,) = yamlio.load_all(document(value).encode(), "document")
    assert equal(found, value)


@given(texts())
def test_a_block_is_only_used_where_a_cut_document_keeps_its_end(text: str) -> None:
    """Helm 3 takes and Helm 4 adds line ends at the end of a document."""
    if fits_block(text):
        assert not text.endswith("\n\n")
        assert text.rstrip("\n") == text.rstrip()


@pytest.mark.parametrize(("one", "other"), [(1, "1"), (1, True), (0, False), (None, ""), ({}, []), ("", 0), (1, 1.5)])
def test_types_count(one: Any, other: Any) -> None:
    """Equal means equal for the API, which knows types."""
    assert not equal(one, other)
    assert not equal({"a": [one]}, {"a": [other]})
    assert difference({"a": one}, {"a": other}) is not None


def test_a_whole_float_is_the_integer() -> None:
    """JSON has one type of number."""
    assert equal({"a": 1.0, "b": 2}, {"b": 2.0, "a": 1})


@pytest.mark.parametrize(
    ("wanted", "found", "told"),
    [
        ({"a": {"b": 1}}, {"a": {}}, (("a", "b"), "is missing")),
        ({"a": {}}, {"a": {"b": 1}}, (("a", "b"), "should not be there")),
        ({"a": [1]}, {"a": [1, 2]}, (("a",), "has 2 items, not 1")),
        ({"a": 1}, {"a": "1"}, (("a",), "is a string, not a number")),
        ({"a": {}}, {"a": []}, (("a",), "is a list, not a map")),
        ({"a": "secret"}, {"a": "other"}, (("a",), "is a string of another value")),
    ],
)
def test_a_difference_is_told_without_the_values(wanted: Any, found: Any, told: tuple[Any, str]) -> None:
    """They could be secrets."""
    assert difference(wanted, found) == Strictness(*told)


@pytest.mark.parametrize("value", [None, 2**53, "x\x85y", "a\n\n", "a ", {"<<": 1}, [{"a": None}], "\ufffe"])
def test_what_helms_values_would_change_is_kept_out_of_them(value: Any) -> None:
    """Nulls, integers beyond 2^53, and texts that `toYaml` folds."""
    assert not fits_values(value)


def test_lists_are_paired_by_name_also_where_items_are_missing() -> None:
    """In an order that suits every environment."""
    found = pair({0: [{"name": "a"}, {"name": "c"}], 1: [{"name": "b"}, {"name": "c"}]}, "env")
    assert found is not None
    assert [(label.label, sorted(row)) for label, row in found.rows] == [("a", [0]), ("b", [1]), ("c", [0, 1])]


def test_lists_in_contradicting_orders_are_not_paired() -> None:
    """Their order may mean something."""
    assert pair({0: [{"name": "a"}, {"name": "b"}], 1: [{"name": "b"}, {"name": "a"}]}, "env") is None


def test_ports_of_one_number_are_told_apart_by_protocol() -> None:
    """DNS has one for TCP and one for UDP."""
    ports = [{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]
    found = pair({0: ports}, "ports")
    assert found is not None
    assert [label.label for label, _ in found.rows] == ["53-TCP", "53-UDP"]


def test_a_rule_whose_host_differs_is_one_rule() -> None:
    """A host is what differs, not what tells rules apart."""
    found = pair({0: [{"host": "a.dev.x"}], 1: [{"host": "a.prod.x"}]}, "rules")
    assert found is not None
    assert [(label.alone, sorted(row)) for label, row in found.rows] == [(True, [0, 1])]


@given(trees(), trees())
def test_a_merge_patch_makes_one_map_of_the_other(one: Any, other: Any) -> None:
    """RFC 7386, with nulls counting as missing keys."""
    base, wanted = _without_nulls({"x": one}), _without_nulls({"x": other})
    assert equal(_apply(base, merge_patch(base, wanted)), wanted)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


def _apply(base: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    found = dict(base) if isinstance(base, dict) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = _apply(found.get(key), value)
    return found


def test_comments_of_some_environments_are_switches() -> None:
    """Lines that follow each other in the same environments have one."""
    found = pieces("app.conf", {0: "a: 1\n# only here\n\nb: 2\nc: 3\n", 1: "a: 1\nb: 2\nc: 3\n"})
    assert found is not None
    assert [(piece.literal, piece.key, piece.values, piece.line) for piece in found] == [
        ("a: 1", "onlyHere", {0: True, 1: False}, "# only here\n"),
        ("\nb: 2\nc: 3", "", None, None),
    ]


def test_lines_are_cut_at_their_values() -> None:
    """Only where environments differ, unless the file is a list of properties."""
    yaml = {0: "a:\n  port: 80\n  host: x\n", 1: "a:\n  port: 81\n  host: x\n"}
    found = pieces("app.yaml", yaml)
    assert found is not None
    assert [(piece.literal, piece.key, piece.values) for piece in found] == [
        ("a:\n  port: ", "port", {0: "80", 1: "81"}),
        ("\n  host: x", "", None),
    ]
    assert pieces("app.yaml", {0: "a: 1\nb: 2\n"}) is None
    assert pieces("app.yaml", {0: "a: 1\n", 1: "b: 2\n"}) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("accounts-db", "accountsDb"),
        ("ENABLE_TRACING", "enableTracing"),
        ("8080", "n8080"),
        ("a.b/c", "aBC"),
        ("--", "x"),
        ("API", "api"),
    ],
)
def test_keys_are_camel_case(text: str, key: str) -> None:
    """As the conventions of Helm have it."""
    assert camel(text) == key


@given(st.sampled_from(KEYS) | texts())
def test_every_key_can_be_spelled_in_a_template(text: str) -> None:
    """A Go template reads `.Values.a.b`."""
    for key in (camel(text), key_of(text), label_key(text)):
        assert key.isascii()
        assert key.isidentifier()


def test_names_of_variables_stay_as_they_are() -> None:
    """People look for them by that name."""
    assert key_of("LOG_LEVEL") == "LOG_LEVEL"
    assert label_key("app.kubernetes.io/version") == "version"
    assert [plural(kind) for kind in ("Ingress", "NetworkPolicy", "Service")] == [
        "ingresses",
        "networkPolicies",
        "services",
    ]


def test_long_ways_are_shortened_in_the_middle() -> None:
    """What it belongs to and what it is stay readable."""
    assert shortened(tuple("abcdefg")) == ("a", "b", "cDE", "f", "g")
    assert shortened(("a", "b")) == ("a", "b")
