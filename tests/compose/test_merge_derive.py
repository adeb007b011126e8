"""The way back: the patch that leads from one value to another."""

import random
from copy import deepcopy
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcompile.compose.merge import MergeConflict, merge
from envcompile.compose.merge_derive import NotExpressibleError, derive
from envcompile.kubernetes import load
from envcompile.values import same

DEPLOYMENT = load("1.35").node("apps", "v1", "Deployment")
SERVICE = load("1.35").node("", "v1", "Service")


def pod(**fields: Any) -> dict[str, Any]:
    """A Deployment with a pod spec, or a patch of it."""
    return {"spec": {"template": {"spec": fields}}}


def derived_pod(base: dict[str, Any], target: dict[str, Any]) -> Any:
    """The pod spec of the patch between two Deployments; the patch is proven first."""
    patch = derive(pod(**base), pod(**target), DEPLOYMENT)
    assert patch is not None
    assert same(merge(pod(**base), patch, DEPLOYMENT), pod(**target))
    return patch["spec"]["template"]["spec"]


def test_equal_values_need_no_patch() -> None:
    """Whatever the order of their keys."""
    assert derive({"a": 1, "b": [1]}, {"b": [1], "a": 1}, None) is None


def test_only_what_differs_is_in_the_patch() -> None:
    """Null removes."""
    base = {"a": 1, "b": {"c": 1, "d": 2}, "e": [1]}
    assert derive(base, {"a": 1, "b": {"c": 3}, "f": {"g": 1}}, None) == {
        "b": {"c": 3, "d": None},
        "e": None,
        "f": {"g": 1},
    }


def test_keyed_lists_are_patched_item_by_item() -> None:
    """With the key, and deletions where items are gone."""
    base = [{"name": "a", "image": "a:1", "tty": True}, {"name": "b"}, {"name": "c"}]
    target = [{"name": "a", "image": "a:2"}, {"name": "c"}, {"name": "d"}]
    assert derived_pod({"containers": base}, {"containers": target}) == {
        "containers": [
            {"name": "b", "$patch": "delete"},
            {"name": "a", "image": "a:2", "tty": None},
            {"name": "d"},
        ]
    }


def test_another_order_is_set_with_the_directive() -> None:
    """A list that is only sorted anew has no patch of its own."""
    base = [{"name": "a"}, {"name": "b"}]
    assert derived_pod({"containers": base}, {"containers": base[::-1]}) == {
        "$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]
    }
    assert derived_pod({"containers": base}, {"containers": [{"name": "c"}, *base]}) == {
        "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}, {"name": "b"}],
        "containers": [{"name": "c"}],
    }


def test_items_that_cannot_be_told_apart_replace_the_list() -> None:
    """A variable twice, or an item without its key."""
    for target in ([{"name": "a"}, {"name": "a"}], [{"image": "x"}], ["a"], []):
        assert derived_pod({"containers": [{"name": "a", "tty": True}]}, {"containers": target})["containers"][0] in (
            {"$patch": "replace"},
            {"name": "a", "$patch": "delete"},
        )


def test_a_set_gets_its_new_items_or_is_replaced() -> None:
    """There is no smaller way to take one out."""
    base = {"metadata": {"finalizers": ["a", "b"]}}
    assert derive(base, {"metadata": {"finalizers": ["a", "b", "c"]}}, DEPLOYMENT) == {
        "metadata": {"finalizers": ["c"]}
    }
    assert derive(base, {"metadata": {"finalizers": ["b"]}}, DEPLOYMENT) == {
        "metadata": {"finalizers": [{"$patch": "replace"}, "b"]}
    }


def test_ports_keep_the_keys_they_state() -> None:
    """A protocol that is written out only in the target is one more field."""
    base = {"spec": {"ports": [{"port": 80}, {"port": 53, "protocol": "UDP"}]}}
    target = {"spec": {"ports": [{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "TCP"}]}}
    patch = derive(base, target, SERVICE)
    assert patch == {
        "spec": {
            "ports": [
                {"port": 53, "protocol": "UDP", "$patch": "delete"},
                {"port": 80, "protocol": "TCP"},
                {"port": 53, "protocol": "TCP"},
            ]
        }
    }
    assert merge(base, patch, SERVICE) == target


def test_a_change_of_shape_is_a_replacement() -> None:
    """Of the map itself, or of the map around it when the target is a scalar."""
    assert derive({"a": 1}, {"a": {"b": 1}}, None) == {"a": {"$patch": "replace", "b": 1}}
    assert derive({"a": {"b": 1}}, {"a": [1]}, None) == {"a": [{"$patch": "replace"}, 1]}
    assert derive({"x": {"a": {"b": 1}, "c": 2}}, {"x": {"a": 1, "c": 2}}, None) == {
        "x": {"$patch": "replace", "a": 1, "c": 2}
    }


def test_a_null_that_was_there_before_is_left_alone() -> None:
    """The patch does not touch it."""
    assert derive({"a": None, "b": 1}, {"a": None, "b": 2}, None) == {"b": 2}


@pytest.mark.parametrize(
    ("base", "target", "what", "pointer"),
    [
        ({}, {"a": {"b": [{"c": None}]}}, "an explicit null", ("a", "b", 0, "c")),
        ({"a": 1}, {"a": None}, "an explicit null", ("a",)),
        ({"a": {"b": {}, "c": None}}, {"a": {"b": 1, "c": None}}, "an explicit null", ("a", "c")),
        ({}, {"a": {"$patch": 1}}, "a field named like a directive", ("a", "$patch")),
        ({"$patch": 1}, {"$patch": 2}, "a field named like a directive", ("$patch",)),
    ],
)
def test_what_no_patch_can_say_is_refused(base: Any, target: Any, what: str, pointer: Any) -> None:
    """The caller takes a JSON patch then."""
    with pytest.raises(NotExpressibleError) as raised:
        derive(base, target, None)
    assert (raised.value.what, raised.value.pointer) == (what, pointer)


SCALARS = st.one_of(
    st.booleans(), st.integers(-1, 2), st.sampled_from(["", "a", "b"]), st.sampled_from([0.0, 1.0, 2.5])
)
KEYS = st.sampled_from(["a", "b", "c", "name", "$ref", "$patch", "$setElementOrder/a"])
VALUES = st.recursive(
    st.one_of(SCALARS, st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=4)


def _maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


PORTS = _maybe(containerPort=st.sampled_from([53, 80, True]), protocol=st.sampled_from(["TCP", "UDP"]), name=SCALARS)
VARIABLES = _maybe(name=st.sampled_from(["A", "B"]), value=SCALARS, valueFrom=DOCUMENTS)
CONTAINERS = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b", "c", "d"])},
    optional={
        "args": st.lists(SCALARS, max_size=2),
        "env": st.lists(VARIABLES, max_size=3),
        "image": SCALARS,
        "ports": st.lists(PORTS, max_size=3),
    },
)
DISTINCT_CONTAINERS = st.lists(CONTAINERS, max_size=4, unique_by=itemgetter("name"))


@st.composite
def deployments(draw: st.DrawFn) -> dict[str, Any]:
    """Deployments with well-formed keyed lists, and now and then with lists no API server would take."""
    containers = draw(st.one_of(DISTINCT_CONTAINERS, DISTINCT_CONTAINERS, st.lists(CONTAINERS, max_size=3), SCALARS))
    made = pod(containers=containers, tolerations=draw(st.lists(DOCUMENTS, max_size=1)))
    made["metadata"] = {"finalizers": draw(st.lists(SCALARS, max_size=3)), "labels": draw(_maybe(a=SCALARS, b=SCALARS))}
    return made


def _check_law(base: dict[str, Any], target: dict[str, Any], node: Any) -> dict[str, Any] | None:
    before = deepcopy((base, target))
    try:
        patch = derive(base, target, node)
    except NotExpressibleError:
        return None
    if patch is None:
        assert same(base, target)
        return None
    stated = deepcopy(patch)
    assert same(merge(base, patch, node), target)
    assert same(patch, stated)
    assert same([base, target], list(before))
    return patch


@settings(deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_any_document_is_reached(base: dict[str, Any], target: dict[str, Any]) -> None:
    """merge(base, derive(base, target)) is the target, or derive says that it cannot be."""
    _check_law(base, target, None)


@settings(deadline=None)
@given(deployments(), deployments())
def test_any_deployment_is_reached(base: dict[str, Any], target: dict[str, Any]) -> None:
    """With the lists and keys of a Deployment."""
    _check_law(base, target, DEPLOYMENT)


@settings(deadline=None)
@given(DISTINCT_CONTAINERS, st.randoms(use_true_random=False), CONTAINERS)
def test_any_order_is_reached(items: list[Any], chance: random.Random, new: dict[str, Any]) -> None:
    """Sorted anew, thinned out, with one item more."""
    target = [item for item in items if chance.random() < 0.8 and item["name"] != new["name"]]
    target.insert(chance.randint(0, len(target)), new)
    chance.shuffle(target)
    _check_law(pod(containers=items), pod(containers=target), DEPLOYMENT)


@settings(deadline=None)
@given(deployments(), deployments())
def test_a_merge_mutates_nothing_and_merging_nothing_changes_nothing(
    base: dict[str, Any], patch: dict[str, Any]
) -> None:
    """Whatever the patch says, also when it is refused."""
    before = deepcopy((base, patch))
    try:
        result = merge(base, patch, DEPLOYMENT)
    except MergeConflict:
        result = base
    assert same([base, patch], list(before))
    assert merge(result, {}, DEPLOYMENT) is result
