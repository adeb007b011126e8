"""Which rule the lists on the way to a field follow, and which item a patch's item speaks of."""

import pytest

from envcompile.compose.merge import MergeConflict
from envcompile.compose.merge_match import ItemFinder
from envcompile.compose.merge_rules import walk
from envcompile.kubernetes import UNKNOWN_RULE, ListRule, load

DEPLOYMENT = load("1.35").node("apps", "v1", "Deployment")
VALUE = {
    "metadata": {"finalizers": ["a"]},
    "spec": {"template": {"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80}], "args": ["x"]}]}}},
}
CONTAINERS = ("spec", "template", "spec", "containers")
PORTS = ListRule("merge", ("containerPort", "protocol"), "", (("protocol", "TCP"),))


def test_each_list_on_the_way_says_how_it_merges() -> None:
    """With the words of the OpenAPI, ready to print."""
    found = list(walk(DEPLOYMENT, VALUE, (*CONTAINERS, 0, "ports", 0, "containerPort")))
    assert [(place, rule.reason) for place, rule in found] == [
        (
            CONTAINERS,
            "merged by name (x-kubernetes-list-map-keys of io.k8s.api.core.v1.PodSpec.containers, Kubernetes 1.35)",
        ),
        (
            (*CONTAINERS, 0, "ports"),
            (
                "merged by containerPort and protocol "
                "(x-kubernetes-list-map-keys of io.k8s.api.core.v1.Container.ports, Kubernetes 1.35)"
            ),
        ),
    ]


def test_a_list_at_the_end_of_the_way_counts() -> None:
    """And what is no list has no rule."""
    place, rule = list(walk(DEPLOYMENT, VALUE, (*CONTAINERS, 0, "args")))[-1]
    assert place == (*CONTAINERS, 0, "args")
    assert rule.reason == (
        "replaced (x-kubernetes-list-type is atomic, of io.k8s.api.core.v1.Container.args, Kubernetes 1.35)"
    )
    ((_, finalizers),) = walk(DEPLOYMENT, VALUE, ("metadata", "finalizers"))
    assert finalizers.strategy == "set"
    assert not list(walk(DEPLOYMENT, VALUE, ("spec",)))


def test_a_way_that_leads_nowhere_ends_where_the_value_does() -> None:
    """No error: the field may be in another layer."""
    assert [place for place, _ in walk(DEPLOYMENT, VALUE, (*CONTAINERS, 5, "env", 0))] == [CONTAINERS]
    assert not list(walk(DEPLOYMENT, VALUE, ("spec", "nothing", 0)))


def test_lists_of_an_unknown_kind_say_that_nothing_is_known() -> None:
    """The sentence tells what to do about it."""
    assert list(walk(None, {"a": [1]}, ("a", 0))) == [(("a",), UNKNOWN_RULE)]
    assert UNKNOWN_RULE.reason == (
        "replaced (nothing is known about this kind: add its CustomResourceDefinition, or mergeKeys in envc.yaml)"
    )


def test_an_item_is_found_by_its_keys() -> None:
    """The first of several, none when it is new."""
    items = [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}, {"containerPort": 80, "name": "x"}, "odd"]
    finder = ItemFinder(PORTS, list(items))
    assert finder.find({"containerPort": 80, "protocol": "TCP"}) == 0
    assert finder.find({"containerPort": 53}) is None
    assert finder.find({"containerPort": 53, "protocol": "UDP"}) == 1
    assert finder.find({"containerPort": 9}) is None
    assert ItemFinder(PORTS, list(items), only_names=True).find({"containerPort": 53}) == 1
    with pytest.raises(MergeConflict) as raised:
        finder.find({"name": "x"})
    assert raised.value.what == (
        "the item has no `containerPort` and no `protocol`, by which the items of this list are told apart"
    )
    assert raised.value.fix == "write `containerPort:` and `protocol:` of the item that is meant"
