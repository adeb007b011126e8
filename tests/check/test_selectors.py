"""Label selectors mean what the API server makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from envcompile.check.selectors import is_empty, matches, spell

LABELS = {"app": "api", "tier": "backend"}


def _expression(operator: str, key: str = "app", *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "due"),
    [
        pytest.param(None, False, id="none-selects-nothing"),
        pytest.param({}, True, id="an-empty-one-everything"),
        pytest.param({"matchLabels": {"app": "api"}}, True, id="label"),
        pytest.param({"matchLabels": {"app": "api", "tier": "frontend"}}, False, id="every-label-counts"),
        pytest.param(_expression("In", "app", "web", "api"), True, id="in"),
        pytest.param(_expression("In", "zone", "a"), False, id="in-without-the-label"),
        pytest.param(_expression("NotIn", "app", "web"), True, id="not-in"),
        pytest.param(_expression("NotIn", "zone", "a"), True, id="not-in-without-the-label"),
        pytest.param(_expression("Exists"), True, id="exists"),
        pytest.param(_expression("DoesNotExist"), False, id="does-not-exist"),
        pytest.param(_expression("Near", "app", "api"), False, id="unknown-operator"),
        pytest.param({"matchLabels": {"app": "api"}, **_expression("DoesNotExist", "zone")}, True, id="both"),
    ],
)
def test_a_selector_matches(selector: object, due: bool) -> None:  # ruff: ignore[boolean-type-hint-positional-argument]
    """The operators of LabelSelector, on pods with the labels app=api and tier=backend."""
    assert matches(selector, LABELS) is due


def test_only_an_empty_selector_is_empty() -> None:
    """What selects everything is told from what selects nothing."""
    assert is_empty({})
    assert is_empty({"matchLabels": {}})
    assert not is_empty(None)
    assert not is_empty({"matchLabels": {"app": "api"}})


def test_a_selector_is_spelt_as_kubectl_does() -> None:
    """The text can be given to `kubectl get -l`."""
    expressions = [
        {"key": "tier", "operator": "In", "values": ["a", "b"]},
        {"key": "zone", "operator": "NotIn", "values": ["c"]},
        {"key": "old", "operator": "DoesNotExist"},
        {"key": "new", "operator": "Exists"},
    ]
    selector = {"matchLabels": {"app": "api"}, "matchExpressions": expressions}
    assert spell(selector) == "app=api,tier in (a,b),zone notin (c),!old,new"
