"""The harness understands what the project's files use, and refuses everything else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.forge.expressions import UnknownExpressionError, evaluate, substitute

CONTEXTS: dict[str, Any] = {
    "github": {"token": "canary", "event": {"number": 7, "pull_request": {"head": {"sha": "4ead"}, "merged": False}}},
    "inputs": {"key": "", "fail-on-env": "prod"},
    "success": False,
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("github.token", "canary"),
        (" github.event.pull_request.head.sha ", "4ead"),
        ("github.event.merge_group.base_sha", None),
        ("github.event.merge_group.base_sha || github.event.number", 7),
        ("inputs.fail-on-env", "prod"),
        ("inputs.key || 'it''s empty'", "it's empty"),
        ("always() && inputs.key != ''", False),
        ("success() || github.event.number == '7'", True),
    ],
)
def test_what_is_understood(expression: str, value: Any) -> None:
    """Names, texts, functions, comparisons and both junctions."""
    assert evaluate(expression, CONTEXTS) == value


@pytest.mark.parametrize(
    "expression",
    ["", "input.key", "inputs.kye", "github.tokn", "format('{0}', 1)", "a b", "github.token ||", "1 + 1", "failure()"],
)
def test_what_is_refused(expression: str) -> None:
    """A slip of the pen is no empty value here, as it is on GitHub."""
    with pytest.raises(UnknownExpressionError):
        evaluate(expression, CONTEXTS)


def test_values_in_a_text() -> None:
    """Nothing is empty, and yes and no are words."""
    text = "n=${{ github.event.number }} e=${{ github.event.gone }} m=${{github.event.pull_request.merged}}"
    assert substitute(text, CONTEXTS) == "n=7 e= m=false"
    with pytest.raises(UnknownExpressionError):
        substitute("${{ github.event }}", CONTEXTS)
