"""`$setElementOrder`: the order of a merged list, as kubectl sends it and the API server obeys it."""

from typing import Any

import pytest

from envcompile.compose.merge import MergeConflict, merge
from envcompile.kubernetes import load

DEPLOYMENT = load("1.35").node("apps", "v1", "Deployment")
SERVICE = load("1.35").node("", "v1", "Service")


def containers(*names: str) -> list[dict[str, str]]:
    """Items of a keyed list."""
    return [{"name": name} for name in names]


def order_after(base: list[Any], patch: list[Any] | None, order: list[Any]) -> list[str]:
    """The names of a merged pod's containers."""
    stated: dict[str, Any] = {"$setElementOrder/containers": order}
    if patch is not None:
        stated["containers"] = patch
    spec = {"template": {"spec": {"containers": base}}}
    result = merge({"spec": spec}, {"spec": {"template": {"spec": stated}}}, DEPLOYMENT)
    return [item["name"] for item in result["spec"]["template"]["spec"]["containers"]]


def test_items_come_in_the_order_that_is_set() -> None:
    """Old and new ones."""
    assert order_after(containers("a", "b"), containers("c"), containers("c", "b", "a")) == ["c", "b", "a"]


def test_an_order_without_a_list_only_sorts() -> None:
    """The items stay what they are."""
    assert order_after(containers("a", "b", "c"), None, containers("c", "a", "b")) == ["c", "a", "b"]


def test_items_the_order_does_not_name_stay_among_their_neighbours() -> None:
    """An item goes before the first named one that followed it in the base."""
    assert order_after(containers("a", "x", "b", "y"), None, containers("b", "a")) == ["x", "b", "a", "y"]
    assert order_after(containers("x", "a"), containers("n"), containers("n", "a")) == ["n", "x", "a"]


def test_an_order_that_is_there_already_changes_nothing() -> None:
    """The base itself comes back."""
    base = {"spec": {"template": {"spec": {"containers": containers("a", "b")}}}}
    patch = {"spec": {"template": {"spec": {"$setElementOrder/containers": containers("a", "b")}}}}
    assert merge(base, patch, DEPLOYMENT) is base


def test_ports_may_be_ordered_by_their_number_alone() -> None:
    """That is what kubectl sends."""
    base = {"spec": {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 80}]}}
    patch = {"spec": {"$setElementOrder/ports": [{"port": 80}, {"port": 53}]}}
    assert merge(base, patch, SERVICE) == {"spec": {"ports": [{"port": 80}, {"port": 53, "protocol": "UDP"}]}}


def test_sets_can_be_ordered() -> None:
    """Their items are named as they are."""
    base = {"metadata": {"finalizers": ["a", "b"]}}
    patch = {"metadata": {"finalizers": ["c"], "$setElementOrder/finalizers": ["c", "b", "a"]}}
    assert merge(base, patch, DEPLOYMENT) == {"metadata": {"finalizers": ["c", "b", "a"]}}


def test_the_order_of_a_replaced_list_is_its_own() -> None:
    """The directive has no meaning there, and is not put into the result."""
    assert merge({"a": [1]}, {"a": [2, 3], "$setElementOrder/a": [3, 2]}, None) == {"a": [2, 3]}


def test_items_on_their_way_out_need_no_place() -> None:
    """The API server ignores deletions as well."""
    patch = [{"name": "a", "$patch": "delete"}, {"name": "c"}]
    assert order_after(containers("a", "b"), patch, containers("c", "b")) == ["c", "b"]


@pytest.mark.parametrize(
    ("order", "what"),
    [
        (containers("a"), "it does not name item 0 of the list in the patch"),
        (containers("d", "c"), "it contradicts the order of item 1 of the list in the patch"),
    ],
)
def test_the_order_must_agree_with_the_patch(order: list[Any], what: str) -> None:
    """As the API server demands; the pointer leads to the order."""
    with pytest.raises(MergeConflict) as raised:
        order_after(containers("a"), containers("c", "d"), order)
    assert raised.value.what == what
    assert raised.value.fix == "name every item of the patch, in the patch's order, and the base's items in between"
    assert raised.value.pointer == ("spec", "template", "spec", "$setElementOrder/containers")


def test_an_order_of_scalars_for_a_keyed_list_is_a_conflict() -> None:
    """The message shows the form."""
    with pytest.raises(MergeConflict) as raised:
        order_after(containers("a"), None, ["a"])
    assert raised.value.what == "an item of the order must be a map of merge keys"
    assert raised.value.fix == "write it like `name: …` after the dash"
    assert raised.value.pointer == ("spec", "template", "spec", "$setElementOrder/containers", 0)
