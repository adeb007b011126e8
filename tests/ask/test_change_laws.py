"""The laws of a difference: applying it gives the target, and where nothing changed there is none."""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from envcompile.ask.changes import changes, field_changes, root_node
from envcompile.model import Resource, ResourceId
from envcompile.values import ABSENT
from tests.ask.apply import apply_fields
from tests.ask.samples import API
from tests.oracles.random_resources import Chance
from tests.strategies import json_maps

POD = ResourceId("", "Pod", "shop", "web")
KINDS = {"Deployment": "apps", "Service": "", "Ingress": "networking.k8s.io"}


def shuffled(value: Any, order: random.Random) -> Any:
    """The value with the keys of its maps in another order."""
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        return {key: shuffled(value[key], order) for key in keys}
    return [shuffled(held, order) for held in value] if isinstance(value, list) else value


def drawn(kind: str, seed: int) -> dict[str, Any]:
    """A resource of a kind; the same seed draws the same one."""
    return Chance(seed).resource("web", is_patch=False, kind=kind)


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 10**6), st.integers(0, 10**6))
def test_applying_the_difference_gives_the_target(kind: str, one: int, other: int) -> None:
    """Every change is told, and told in full: the older version and the difference make the newer one."""
    identity = ResourceId(KINDS[kind], kind, "shop", "web")
    old, new = drawn(kind, one), drawn(kind, other)
    before = deepcopy(old)
    fields = field_changes(identity, old, new, API)
    assert apply_fields(old, fields, root_node(identity, new, API)) == new
    assert old == before


@given(json_maps(), json_maps())
def test_applying_the_difference_of_anything_gives_the_target(old: dict[str, Any], new: dict[str, Any]) -> None:
    """The law holds for whatever a resource may hold, also where the schema expects something else."""
    left = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": old}
    right = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": new}
    fields = field_changes(POD, left, right, API)
    assert apply_fields(left, fields, root_node(POD, right, API)) == right


@given(json_maps(), json_maps())
def test_hidden_values_are_applied_like_others(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Hiding a secret keeps it from eyes, not from the law."""
    identity = ResourceId("", "Secret", "shop", "keys")
    left, right = ({"apiVersion": "v1", "kind": "Secret", "data": data, "stringData": data} for data in (old, new))
    assert apply_fields(left, field_changes(identity, left, right, API), None) == right


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 10**6), st.integers(0, 10**6))
def test_nothing_changed_gives_no_difference(kind: str, seed: int, order: int) -> None:
    """The order of keys means nothing, and equal values are no change."""
    identity = ResourceId(KINDS[kind], kind, "shop", "web")
    value = drawn(kind, seed)
    chance = random.Random(order)
    again = shuffled(value, chance)
    assert changes([Resource(identity, value, "app", ())], [Resource(identity, again, "app", ())], API) == []


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_difference_names_each_field_once(one: int, other: int) -> None:
    """Nobody reads the same change twice."""
    identity = ResourceId("apps", "Deployment", "shop", "web")
    fields = field_changes(identity, drawn("Deployment", one), drawn("Deployment", other), API)
    told = [(field.path, type(field.new).__name__ == "Order", field.new is ABSENT) for field in fields]
    assert len(told) == len(set(told))


def test_true_and_one_are_not_the_same() -> None:
    """YAML tells a boolean from a number, and so does Kubernetes."""
    old = {"apiVersion": "v1", "kind": "Pod", "spec": {"hostNetwork": True}}
    new = {"apiVersion": "v1", "kind": "Pod", "spec": {"hostNetwork": 1}}
    assert [field.field for field in field_changes(POD, old, new, API)] == ["spec.hostNetwork"]
