"""Whatever a policy or a definition looks like, the rules about them say something or nothing."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.check.rules.catalogue import RULES
from tests.check.rules.inputs import inputs, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.rule import Rule

ASKED = [rule for rule in RULES if rule.id in {"admission-policy", "not-evaluated", "custom-kind-rule"}]
ASKED += [rule for rule in RULES if rule.id in {"admission-policy-expression", "custom-kind-rule-expression"}]
OTHERS: list[Any] = [None, "", 0, True, [], {}, "x", [1], {"a": 1}, [None], 1.5, [{}], "'a'", "object.spec.x"]


def _ways(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield before
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield from _ways(item, (*before, key))


@pytest.mark.parametrize("rule", ASKED, ids=[rule.id for rule in ASKED])
def test_no_shape_of_a_document_is_a_bug(rule: Rule) -> None:
    """Every part of the rule's own example is put another way, one at a time."""
    documents = read(rule.fires)
    asked = 0
    for number, document in enumerate(documents):
        ways = [way for way in _ways(document) if way and way[0] == "spec" and len(way) > 1]
        for way in ways:
            for other in OTHERS[asked % 3 :: 3]:
                changed = copy.deepcopy(documents)
                holder = changed[number]
                for step in way[:-1]:
                    holder = holder[step]
                holder[way[-1]] = other
                asked += 1
                assert all(hit.what for one in ASKED for hit in one.find(inputs(changed)))
    assert asked > 10
