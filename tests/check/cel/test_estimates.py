"""Rules of custom kinds are estimated at what a real API server estimates them at, and refused in its words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from envcompile.check.cel.engine import Engine
from envcompile.check.policy.crdcosts import PER_DEFINITION, PER_RULE
from envcompile.check.policy.crdrules import Judge
from tests.oracles.cel_estimates import ANSWERS, RULES, rules, schema

ENGINE = Engine(37)
RECORDED = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(("text", "length", "said"), [(text, length, said) for text, length, *said in RECORDED])
def test_a_rule_is_as_dear_as_the_server_says(text: str, length: int, said: list[str]) -> None:
    """To the last digit that it tells; what else is wrong with a rule is said beside."""
    found = [refused.words for refused in Judge(ENGINE, schema(text, length)).refusals()]
    assert {word for word in found if "cost" in word} == {word for word in said if "cost" in word}
    assert len(found) == len(said)


def test_all_rules_are_recorded() -> None:
    """And most of them so that digits are told."""
    assert [(text, length) for text, length, *_ in RECORDED] == rules(), f"{RULES} changed: ask anew"
    assert sum("by factor of 1." in " ".join(said) for _, _, *said in RECORDED) > 0.9 * len(RECORDED)


def _rules(count: int, length: int) -> dict[str, Any]:
    found = schema("self.names.all(x, x == self.s)", length)
    [rule] = found["properties"]["spec"]["properties"]["list"]["items"]["x-kubernetes-validations"]
    made = [{"rule": f"{rule['rule']} || self.n == {number}"} for number in range(count)]
    found["properties"]["spec"]["properties"]["list"]["items"]["x-kubernetes-validations"] = made
    return found


def test_many_rules_together_are_too_dear_where_none_is_alone() -> None:
    """The whole schema has a budget, too, and the finding is at the schema."""
    [refused] = Judge(ENGINE, _rules(20, 100_000)).refusals()
    assert refused.pointer == ()
    assert refused.words.startswith("x-kubernetes-validations estimated rule cost total")
    assert PER_DEFINITION == 10 * PER_RULE


def test_a_message_is_counted_once() -> None:
    """However often its value may stand in an object."""
    found = schema("self.n > 0", 1000)
    [rule] = found["properties"]["spec"]["properties"]["list"]["items"]["x-kubernetes-validations"]
    rule["messageExpression"] = "self.un + self.un"
    assert Judge(ENGINE, found).refusals() == []
    rule["messageExpression"] = "self.free.map(x, x + self.un).join()"
    [refused, whole] = Judge(ENGINE, found).refusals()
    assert refused.pointer[-1] == "messageExpression"
    assert refused.words.startswith("estimated messageExpression cost exceeds budget")
    assert whole.pointer == ()
