"""Items of lists without merge keys: what was added, removed, moved or changed is told, and nothing of the others."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile.actions.diff import read_keys
from envcompile.ask.difference import compare
from envcompile.ask.formats import as_json
from envcompile.ask.items import steps
from envcompile.ask.lines import resource_lines
from envcompile.ask.text import describe
from envcompile.kubernetes.sequences import Matcher, common, unified
from tests.ask.samples import API, config, resource
from tests.strategies import json_values

RULES = [{"apiGroups": [""], "resources": [f"r{number}"], "verbs": ["get", "list"]} for number in range(10)]
SECRETS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}


def told(old: Any, new: Any) -> list[str]:
    """The lines of the difference of two lists of rules."""
    before, after = (resource("Role", "a", api="rbac.authorization.k8s.io/v1", rules=rules) for rules in (old, new))
    return lines(before, after)


def lines(before: Any, after: Any) -> list[str]:
    """The lines of the difference of two resources."""
    found = compare("prod", [before], [after], API, read_keys=read_keys)
    return [f"{line.sign} {line.text}" for item in found.resources for line in resource_lines(item)]


@pytest.mark.parametrize("at", [0, 4, 10])
def test_an_inserted_rule_is_shown_alone(at: int) -> None:
    """Cases diff-unkeyed-list and diff-shows-whole-lists: the reviewer sees that `secrets: get` was added."""
    new = [*RULES[:at], SECRETS, *RULES[at:]]
    assert told(RULES, new) == [
        f"+ rules[{at}]:",
        "+   apiGroups:",
        '+   - ""',
        "+   resources:",
        "+   - secrets",
        "+   verbs:",
        "+   - get",
    ]
    assert [line[0] for line in told(new, RULES)] == ["-"] * 7
    assert told(new, RULES)[0] == f"- rules[{at}]:"


def test_a_changed_rule_beside_an_added_one() -> None:
    """The change is one of a field, the addition one of an item."""
    new = [SECRETS, *RULES[:3], {**RULES[3], "verbs": ["get"]}, *RULES[4:]]
    assert told(RULES, new)[0] == "+ rules[0]:"
    assert told(RULES, new)[7:] == ["- rules[4].verbs[1]: list"]


def test_swapped_items_are_two_lines_at_most() -> None:
    """Case diff-shows-whole-lists: one item moved, and its name or its text says which."""
    assert told(RULES, [RULES[1], RULES[0], *RULES[2:]]) == ["~ rules[1]: moved here from [0]"]
    hosts = [{"host": name} for name in "abcd"]
    before = resource("Ingress", "a", api="networking.k8s.io/v1", spec={"rules": hosts})
    after = resource("Ingress", "a", api="networking.k8s.io/v1", spec={"rules": [*hosts[1:], hosts[0]]})
    assert lines(before, after) == ["~ spec.rules[3] (host: a): moved here from [0]"]
    found = compare("prod", [before], [after], API)
    assert as_json([found])[0]["resources"][0]["fields"] == [
        {"field": "spec.rules[3]", "oldIndex": 0, "newIndex": 3, "item": {"host": "a"}}
    ]


def test_arguments_are_compared_as_diff_does() -> None:
    """One argument first is one line."""
    old = resource("Pod", "a", spec={"containers": [{"name": "app", "args": ["-v", "--x=1", "--y"]}]})
    new = resource("Pod", "a", spec={"containers": [{"name": "app", "args": ["--debug", "-v", "--x=2", "--y"]}]})
    assert lines(old, new) == [
        '+ spec.containers[name=app].args[0]: "--debug"',
        '- spec.containers[name=app].args[2]: "--x=1"',
        '+ spec.containers[name=app].args[2]: "--x=2"',
    ]


PROMETHEUS = """\
scrape_configs:
{}rule_files: [a.yml]
"""


def jobs(*names: str) -> str:
    """Scrape configurations of these names."""
    return PROMETHEUS.format(
        "".join(f"- job_name: {name}\n  static_configs:\n  - targets: ['{name}:80']\n" for name in names)
    )


def test_items_inside_of_configuration_files_are_compared_alike() -> None:
    """Case diff-shows-whole-lists: nothing shifts by one index, and the name of the item heads it."""
    old = config(jobs("a", "b", "c"), file="prometheus.yml")
    new = config(jobs("new", "a", "b", "c"), file="prometheus.yml")
    assert lines(old, new) == [
        r"+ data.prometheus\.yml#scrape_configs[0] (job_name: new):",
        "+   job_name: new",
        "+   static_configs:",
        "+   - targets:",
        "+     - new:80",
    ]
    changed = config(jobs("new", "a", "b", "c").replace("b:80", "b:90"), file="prometheus.yml")
    assert lines(old, changed)[5:] == [
        r"- data.prometheus\.yml#scrape_configs[2].static_configs[0].targets[0]: b:80",
        r"+ data.prometheus\.yml#scrape_configs[2].static_configs[0].targets[0]: b:90",
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("a.json", '{"l": [1, 2]}', '{"l": [0, 1, 2]}', ["+ data.a\\.json#l[0]: 0"]),
        ("a.toml", "[[l]]\na = 1\n", "[[l]]\na = 2\n\n[[l]]\na = 1\n", ["+ data.a\\.toml#l[0]:", "+   a: 2"]),
        ("a.yaml", "a: 1\n---\nb: 1\n", "c: 1\n---\na: 1\n---\nb: 1\n", ["+ data.a\\.yaml#[0]:", "+   c: 1"]),
    ],
)
def test_every_nested_format_has_such_lists(file: str, old: str, new: str, said: list[str]) -> None:
    """JSON, TOML and several YAML documents."""
    assert lines(config(old, file=file), config(new, file=file)) == said


def test_the_short_description_tells_moves() -> None:
    """What watching prints."""
    from envcompile.ask.changes import changes

    old, new = (
        resource("Role", "a", api="rbac.authorization.k8s.io/v1", rules=rules)
        for rules in (RULES, RULES[1:] + RULES[:1])
    )
    assert list(describe(changes([old], [new], API)))[1:] == ["    rules[9]: moved here from [0]"]


@given(st.lists(st.integers(0, 4), max_size=12), st.lists(st.integers(0, 4), max_size=12))
def test_the_common_items_are_as_many_as_can_be(left: list[int], right: list[int]) -> None:
    """As the definition of the longest common subsequence has it."""
    pairs = common(left, right)
    assert all(left[one] == right[other] for one, other in pairs)
    assert all(one < two and other < next_ for (one, other), (two, next_) in pairwise(pairs))
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for row, one in enumerate(left):
        for column, other in enumerate(right):
            above = max(table[row][column + 1], table[row + 1][column])
            table[row + 1][column + 1] = table[row][column] + 1 if one == other else above
    assert len(pairs) == table[-1][-1]


@given(st.lists(json_values(), max_size=8), st.lists(json_values(), max_size=8))
def test_every_item_has_one_step(old: list[Any], new: list[Any]) -> None:
    """Each item that is not in its place is told, and none twice."""
    found = steps(old, new)
    assert found is not None
    olds, news = (
        [step.old for step in found if step.old is not None],
        [step.new for step in found if step.new is not None],
    )
    assert len(olds) == len(set(olds))
    assert len(news) == len(set(news))
    assert len(old) - len(olds) == len(new) - len(news)


@given(st.lists(st.sampled_from("ab }"), max_size=20), st.lists(st.sampled_from("ab }"), max_size=20))
def test_a_unified_diff_leads_from_one_text_to_the_other(old: list[str], new: list[str]) -> None:
    """With all lines as context it holds both."""
    found = [line for line in unified(old, new, 100) if not line.startswith("@@")]
    if found:
        assert [line[1:] for line in found if line[0] in " -"] == old
        assert [line[1:] for line in found if line[0] in " +"] == new
    else:
        assert old == new


@pytest.mark.parametrize("kind", ["reversed", "equal", "brackets", "apart"])
def test_the_price_of_long_lists_is_bounded(kind: str) -> None:
    """Eight times the items cost about eight times as much, whatever they are; the square would be 64."""

    def price(count: int) -> float:
        numbers = [f"{number}" for number in range(count)]
        lines_of = [[line for number in numbers for line in (f"{number}{end}", "}")] for end in ("", "x")]
        items = {
            "reversed": (numbers, numbers[::-1]),
            "equal": (["}"] * count, ["}"] * (count + 9)),
            "brackets": (lines_of[0], lines_of[1]),
            "apart": (numbers, [f"-{number}" for number in numbers]),
        }[kind]
        begin = time.process_time()
        Matcher(*items).get_opcodes()
        return time.process_time() - begin

    few = max(min(price(2000), price(2000)), 0.002)
    assert min(price(16000), price(16000)) < 32 * few
