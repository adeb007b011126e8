"""Fields of what macros bind in the rules of a definition: unknown ones are refused, as the API server does.

Each expression was put to kube-apiserver 1.37 (`kubectl create --dry-run=server` of a definition with that schema).
"""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("cel_expr_python")

from envcompile.check.cel.engine import Engine
from envcompile.check.policy.crdrules import Judge

_ITEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "port": {"type": "integer"},
        "tls": {"type": "object", "properties": {"mode": {"type": "string"}}},
        "hosts": {"type": "array", "maxItems": 3, "items": {"type": "object", "properties": {"h": {"type": "string"}}}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
_FIELDS: dict[str, Any] = {
    "ports": {"type": "array", "maxItems": 3, "items": _ITEM},
    "byName": {"type": "object", "maxProperties": 3, "additionalProperties": _ITEM},
    "ints": {"type": "array", "maxItems": 3, "items": {"type": "integer"}},
}
ENGINE = Engine(37)


def _said(rule: str) -> list[str]:
    schema = {"type": "object", "properties": _FIELDS, "x-kubernetes-validations": [{"rule": rule, "message": "no"}]}
    whole = {"type": "object", "properties": {"spec": schema}}
    return [refused.words for refused in Judge(ENGINE, whole).refusals()]


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ("self.ports.all(p, p.nope > 0)", "nope"),
        ("self.ports.exists(p, p.tls.nope == 'x')", "nope"),
        ("self.ports[0].nope == 1", "nope"),
        ("self.ports.all(p, p.hosts.all(h, h.z == ''))", "z"),
        ("self.ports.all(p, p.hosts.all(h, h.h == '' && p.nope == 1))", "nope"),
        ("self.byName.all(k, self.byName[k].nope == 1)", "nope"),
        ("self.byName.all(k, v, v.nope == 1)", "nope"),
        ("self.ports.all(i, p, p.nope == 1)", "nope"),
        ("self.ports.all(p, has(p.nope))", "nope"),
        ("self.ports.filter(p, p.port > 1).all(q, q.nope > 0)", "nope"),
        ("self.ports.all(p, p.free.anything == 1)", "anything"),
        ("self.ports.all(self, self.ports == 0)", "ports"),
        ("self.ports.all(p, oldSelf.ports.exists(o, o.nope == p.port))", "nope"),
    ],
)
def test_a_field_that_is_not_there(rule: str, field: str) -> None:
    """Of an item of a list, a value of a map, what is in them, and what is left of a list."""
    assert _said(rule) == [f"compilation failed: undefined field '{field}'"]


@pytest.mark.parametrize(
    "rule",
    [
        "self.ports.all(p, p.port > 0)",
        "self.ports.exists(p, p.tls.mode == 'x')",
        "self.ports.all(i, p, p.port > i)",
        "self.ports.map(p, p.port).all(x, x > 0)",
        "self.ports.all(self, self.port > 0)",
        "self.ints.all(i, i > 0)",
        "self.byName.all(k, v, v.port > 0)",
    ],
)
def test_a_field_that_is_there(rule: str) -> None:
    """Nothing is said, whatever the name is that stands for an item."""
    assert _said(rule) == []
