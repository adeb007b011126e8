"""Objects of custom kinds get the verdict of a real API server: formats, numbers, lists, nulls, metadata."""

from __future__ import annotations

from typing import Any

import pytest

from envcompile.check.schema import complaints
from envcompile.kubernetes import load

FORMATS: dict[str, tuple[list[str], list[str]]] = {
    "date-time": (
        ["2024-01-01T00:00:00Z", "2024-01-01t00:00:00z", "2024-01-01T00:00:00.123456789012Z"],
        ["2024-01-01 00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:60Z", "2024-02-30T00:00:00Z", ""],
    ),
    "duration": (["1h30m", "1d", "1 day", "1.5h", "10 seconds", ".5s", "0"], ["5", "", "abc"]),
    "email": (["a@b", "A <a@b.c>"], ["a", "", "a@", "a b@c.d", "a@b..c"]),
    "hostname": (["a.de", "\u00e4.de"], ["a.b", "a_b", "-a", "a.", "", "1.2.3.4", "a..b"]),
    "ipv4": (["1.2.3.4", "01.2.3.4", "::ffff:1.2.3.4"], ["::1", "1.2.3", "", "256.1.1.1", "1.2.3.4/8"]),
    "ipv6": (["::1", "::ffff:1.2.3.4"], ["1.2.3.4", "", "fe80::1%eth0", "1::2::3"]),
    "cidr": (["1.2.3.4/8", "01.2.3.4/8", "::/0"], ["1.2.3.0/33", "1.2.3.4", ""]),
    "uri": (["http://a", "/x", "mailto:x@y", "http://[::1]:80"], ["a", "", "http://a b", "://", "http://%zz", "?x"]),
    "mac": (["01:23:45:67:89:ab", "0123.4567.89ab", "01:23:45:67:89:ab:cd:ef"], ["zz", "01:23", ""]),
    "uuid": (["123e4567e89b12d3a456426614174000"], ["x", ""]),
    "uuid4": (["123e4567-e89b-42d3-a456-426614174000"], ["123e4567-e89b-32d3-a456-426614174000"]),
    "byte": (["YQ=="], ["", "YQ", "_-8=", "YQ==\n", "===="]),
    "hexcolor": (["#fff", "ffffff"], ["#ggg", "#ffff", ""]),
    "rgbcolor": (["rgb(1, 2,3)"], ["rgb(300,1,1)", "x"]),
    "k8s-short-name": (["a-b", "1a"], ["A", "a.b", "", "-a"]),
    "k8s-long-name": (["a.b"], ["A", "", "a..b"]),
    "nobody-knows-it": (["x"], []),
}
TEXT = {"type": "string"}
FIELDS: dict[str, tuple[dict[str, Any], list[Any], list[Any]]] = {
    "tenths": ({"type": "number", "multipleOf": 0.1}, [0.3, 1.1, 0.7], [0.35]),
    "enum": ({"type": "integer", "enum": [1, 2]}, [1, 1.0], [3]),
    "whole": ({"type": "integer"}, [1.0, 1e3], [2**63, 1e30, 1.5]),
    "float": ({"type": "number", "format": "float"}, [1.5], [1e39]),
    "set": (
        {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "number"}},
        [[1, 1.0], [1, 2]],
        [[1, 1]],
    ),
    "free": ({"type": "object", "additionalProperties": {"type": "integer"}}, [{"a": None}, {"": 1}], [{"a": "x"}]),
    "punctuation": ({**TEXT, "pattern": "^[[:alpha:]]+$"}, ["abc"], ["a1"]),
}


def errors(field: dict[str, Any], value: Any) -> list[str]:
    """What is called an error of an object with one field."""
    spec = {"type": "object", "properties": {"field": field}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"spec": spec, "status": {"type": "object", "properties": {"n": TEXT}}},
                        }
                    },
                }
            ],
        },
    }
    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, **value}
    found = complaints(load("1.37").with_crds([definition]), thing)
    return [".".join(map(str, one.pointer)) for one in found if one.severity == "error"]


@pytest.mark.parametrize("name", FORMATS)
def test_formats_are_those_of_the_server(name: str) -> None:
    """Addresses with leading zeros, too, which Go once took."""
    right, wrong = FORMATS[name]
    field = {**TEXT, "format": name}
    assert [text for text in right if errors(field, {"spec": {"field": text}})] == []
    assert [text for text in wrong if not errors(field, {"spec": {"field": text}})] == []


@pytest.mark.parametrize("name", FIELDS)
def test_values_are_taken_and_refused_as_the_server_does_it(name: str) -> None:
    """Numbers are compared with a tolerance, 1 and 1.0 are one value of an enum and two of a set."""
    field, right, wrong = FIELDS[name]
    assert [value for value in right if errors(field, {"spec": {"field": value}})] == []
    assert [value for value in wrong if not errors(field, {"spec": {"field": value}})] == []


@pytest.mark.parametrize(
    ("metadata", "wrong"),
    [
        ({"finalizers": ["resources-finalizer.argocd.argoproj.io"]}, []),
        ({"finalizers": ["a b"]}, ["metadata.finalizers.0"]),
        ({"labels": {"a": None}}, []),
        ({"labels": {"a": "b c"}}, ["metadata.labels.a"]),
        ({"creationTimestamp": "yesterday"}, ["metadata.creationTimestamp"]),
    ],
)
def test_metadata_are_those_of_any_object(metadata: dict[str, Any], wrong: list[str]) -> None:
    """A finalizer of a custom resource needs no `/`."""
    assert errors(TEXT, {"metadata": {"name": "a", **metadata}}) == wrong


def test_what_is_dropped_below_status_is_no_error() -> None:
    """But for an unknown field, which a strict server refuses there, too."""
    assert errors(TEXT, {"status": {"n": 5}}) == []
    assert errors(TEXT, {"status": {"m": "a"}}) == ["status.m"]


def test_an_unknown_field_hides_no_wrong_value() -> None:
    """A server that is not strict drops the field, and refuses the rest; counts are those without it."""
    spec = {"spec": {"field": "abc", "fild": 1}}
    assert errors({**TEXT, "maxLength": 2}, spec) == ["spec.fild", "spec.field"]
    few = {"type": "object", "properties": {"a": TEXT}, "maxProperties": 1}
    assert errors(few, {"spec": {"field": {"a": "x", "b": "y"}}}) == ["spec.field.b"]
