"""Policies, objects and schemas get the verdict and the words that a real API server gave them."""

from __future__ import annotations

import copy
import operator
from typing import Any

import pytest

from envcompile.check.cel.engine import Engine
from envcompile.check.policy.admission import compile_policy
from envcompile.check.policy.crdrules import Judge, Problem
from envcompile.check.policy.structural import defaulted
from tests.check.policy.corpus import lines, say, whole

ENGINE = Engine(37)
POLICIES = [*lines("policies.jsonl"), *lines("facts.jsonl"), *lines("matching.jsonl")]
IMPOSSIBLE = {"authorizer", "match-equivalent-version", "z-auth", "z-auth-cond"}
"""What only a cluster can say: who may do what, and an object in another version."""
SCHEMAS = {name: {"type": "object", "properties": {"spec": whole(f"{name}-schema.json")}} for name in ("box", "crate")}
OF_THE_SCHEMA = ("some validation rules were not checked", "Duplicate value")
"""Findings of the schema, not of its rules."""
BOXES = [
    (name, box)
    for name, file in (("box", "boxes.jsonl"), ("crate", "crates.jsonl"))
    for box in lines(file)
    if not any(word in box["verdict"].get("message", "") for word in OF_THE_SCHEMA)
]


@pytest.mark.parametrize("record", POLICIES, ids=[record["id"] for record in POLICIES])
def test_a_policy_says_what_the_server_says(record: dict[str, Any]) -> None:
    """Whether it is taken, whom it denies, and in which words; several params come in no fixed order."""
    policy, refusals = compile_policy(ENGINE, record["id"], record["spec"])
    if record["creation"]["status"] >= 300:
        assert refusals
        return
    assert not refusals
    for case in record["cases"]:
        found, verdict = say(record, policy, case), case["verdict"]
        if found.unknown:
            assert record["id"] in IMPOSSIBLE, (case["name"], found.unknown)
            continue
        assert bool(found.denied) is not verdict["allowed"], (case["name"], found, verdict.get("message"))
        assert verdict["allowed"] or any(verdict["message"].endswith(words) for words in found.denied), case["name"]
        assert list(found.warnings) == verdict.get("warnings", [])
        written = verdict.get("auditAnnotations", {}).items()
        own = {key.partition("/")[2]: value for key, value in written if key.startswith(record["id"])}
        assert found.annotations == own


def test_nothing_impossible_is_passed() -> None:
    """What cannot be told here is told as that."""
    for record in POLICIES:
        if record["id"] in IMPOSSIBLE:
            policy, _ = compile_policy(ENGINE, record["id"], record["spec"])
            assert any(say(record, policy, case).unknown for case in record["cases"])


@pytest.mark.parametrize(("kind", "box"), BOXES, ids=[f"{kind}-{box['name']}" for kind, box in BOXES])
def test_a_rule_of_a_custom_kind_says_what_the_server_says(kind: str, box: dict[str, Any]) -> None:
    """Which objects and changes it refuses, where, and in which words."""
    schema = SCHEMAS[kind]
    value = defaulted(schema, {"metadata": {"name": "x"}, "spec": copy.deepcopy(box["object"])})
    old = box["oldObject"] and defaulted(schema, {"metadata": {"name": "x"}, "spec": copy.deepcopy(box["oldObject"])})
    found = list(Judge(ENGINE, schema).problems(value, old))
    assert bool(found) is not box["verdict"]["allowed"]
    for problem in found:
        assert isinstance(problem, Problem)
        way = ".".join(map(str, problem.pointer))
        said = box["verdict"]["message"]
        assert problem.words in said
        assert f"{way}: " in said.replace("[", ".").replace("]", "")


@pytest.mark.parametrize("record", whole("refused-schemas.json"), ids=operator.itemgetter("name"))
def test_a_rule_that_the_server_refuses_is_refused(record: dict[str, Any]) -> None:
    """Also one whose cost it estimates as too high."""
    found = Judge(ENGINE, record["schema"]).refusals()
    assert found
    for refusal in found:
        assert refusal.words.replace("ERROR: ", "").splitlines()[0].rpartition(": ")[2][:30] in record["message"]


@pytest.mark.parametrize("rule", ["self.namespace == 'a'", "self.__namespace__ == 'a'", "has(self.if.else)"])
def test_a_field_called_as_a_word_of_the_language_is_written_either_way(rule: str) -> None:
    """With underscores, or as it is: the server takes both."""
    fields = {"namespace": {"type": "string"}, "if": {"type": "object", "properties": {"else": {"type": "string"}}}}
    spec = {"type": "object", "properties": fields, "x-kubernetes-validations": [{"rule": rule}]}
    judge = Judge(ENGINE, {"type": "object", "properties": {"spec": spec}})
    assert judge.refusals() == []
    right, wrong = {"namespace": "a", "if": {"else": "b"}}, {"namespace": "b", "if": {}}
    assert [bool(list(judge.problems({"spec": value}))) for value in (right, wrong)] == [False, True]
