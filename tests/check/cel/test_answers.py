"""Expressions come to what the API server says they come to, in its words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from envcompile.check.cel.engine import Engine, RefusedError
from envcompile.check.cel.values import CostError
from envcompile.check.policy.admission import compile_policy, decide
from envcompile.check.policy.matching import Namespace, Request
from tests.oracles.cel_admission import OBJECT, USER

ENGINE = Engine(37)
ANSWERS: list[list[Any]] = [
    json.loads(line) for line in Path(__file__).with_name("answers.jsonl").read_text(encoding="utf-8").splitlines()
]
REQUEST = Request(
    "CREATE",
    "",
    "v1",
    "ConfigMap",
    "configmaps",
    "x",
    Namespace("n", {"metadata": {"name": "n"}}),
    OBJECT,
    None,
    USER,
    is_dry=True,
)


def ours(text: str) -> list[Any]:
    """What an expression comes to here."""
    is_text = text.startswith("TEXT ")
    bare = text.removeprefix("TEXT ")
    item = {"expression": "false", "messageExpression": bare, "message": "-"} if is_text else {"expression": bare}
    policy, refusals = compile_policy(ENGINE, "p", {"validations": [item]})
    if refusals:
        return ["refused", refusals[0].words]
    verdict = decide(policy, REQUEST, None)
    if verdict.unknown:
        return ["unknown", verdict.unknown[0][1]]
    said = verdict.denials[0].message if verdict.denials else ""
    if is_text:
        return ours(f"({bare}) == 'zz'") if said == "-" else ["value", said]
    before = f"expression '{bare}' resulted in error: "
    return ["error", said.removeprefix(before)] if said.startswith(before) else ["value", not verdict.denials]


@pytest.mark.parametrize(("text", "kind", "said"), ANSWERS, ids=[answer[0][:60] for answer in ANSWERS])
def test_an_expression_comes_to_what_the_server_says(text: str, kind: str, said: Any) -> None:
    """The value, or the words of the error; of a refused one that it is refused."""
    found = ours(text)
    assert found[0] == kind, found
    if kind != "refused":
        assert found[1] == said


def test_the_words_of_a_refusal_are_the_servers() -> None:
    """For what people mistype most: names, types of results, names of functions."""
    told = {text: said for text, kind, said in ANSWERS if kind == "refused"}
    for text in ("object.data.a.foo()", "object.data.a", "request.uid == ''"):
        first = told[text].partition("\n")[0].replace("ERROR: ", "").replace("<input>:1:8: ", "")
        assert first in ours(text)[1].replace("ERROR: ", "")


def test_what_costs_too_much_is_stopped() -> None:
    """An expression ends, however much it asks for."""
    program = Engine(37).compile("lists.range(1000).all(x, lists.range(1000).all(y, x + y >= 0))", {}, ("bool",))
    with pytest.raises(CostError, match="actual cost limit exceeded"):
        program.run({})


def test_a_variable_that_costs_too_much_is_named() -> None:
    """In the server's words, at the expression that uses it."""
    variables = [{"name": "big", "expression": "lists.range(1000).map(x, lists.range(1000).map(y, y))"}]
    spec = {"variables": variables, "validations": [{"expression": "variables.big.size() == 1"}]}
    policy, _ = compile_policy(ENGINE, "p", spec)
    (denial,) = decide(policy, REQUEST, None).denials
    assert denial.message == (
        "expression 'variables.big.size() == 1' resulted in error: composited variable \"big\" fails to evaluate: "
        "operation cancelled: actual cost limit exceeded"
    )


@pytest.mark.parametrize(
    ("minor", "text"),
    [(37, "[1].includes(1)"), (34, "[[1]].flatten() == [1]"), (32, "{'a': 1}.all(k, v, v > 0)"), (30, "isIP('a')")],
)
def test_a_version_knows_what_the_one_before_it_knew(minor: int, text: str) -> None:
    """A function that comes with a version may be used from the next one on."""
    with pytest.raises(RefusedError):
        Engine(minor).compile(text, {})
    assert Engine(minor + 1).compile(text, {}).run({}).error is None


@pytest.mark.parametrize("text", ["{[1]: 1}.size() == 1", "{object.data.m: 1}.size() == 1"])
def test_a_map_with_keys_that_are_lists_or_maps_is_not_evaluated(text: str) -> None:
    """The server makes one of most; here it is told as what cannot be said, never passed."""
    assert ours(text) == ["unknown", "a key of a map is a list or a map"]
