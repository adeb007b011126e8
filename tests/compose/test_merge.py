"""The merge table, row by row, and what holds for every merge."""

from copy import deepcopy
from typing import Any

import pytest

from envcompile.compose.merge import MergeConflict, merge
from envcompile.kubernetes import Node, load

API = load("1.35")
NAMES_AND_IMAGES = [{"name": "app", "image": "app:1"}, {"name": "proxy", "image": "proxy:1"}]


def kind(group: str, version: str, name: str) -> Node:
    """The schema of a built-in kind."""
    node = API.node(group, version, name)
    assert node is not None
    return node


DEPLOYMENT = kind("apps", "v1", "Deployment")
SERVICE = kind("", "v1", "Service")
INGRESS = kind("networking.k8s.io", "v1", "Ingress")
ACCOUNT = kind("", "v1", "ServiceAccount")


def pod(**fields: Any) -> dict[str, Any]:
    """A Deployment with a pod spec, or a patch of it."""
    return {"spec": {"template": {"spec": fields}}}


def merged_pod(base: dict[str, Any], patch: dict[str, Any]) -> Any:
    """What the pod spec of a merged Deployment is."""
    return merge(pod(**base), pod(**patch), DEPLOYMENT)["spec"]["template"]["spec"]


class TestMaps:
    """Map + map, null, scalars."""

    def test_maps_are_merged_key_by_key_in_the_order_of_the_base(self) -> None:
        """What the patch does not name stays, and new keys follow."""
        base = {"metadata": {"labels": {"app": "web", "tier": "front"}}, "spec": {"replicas": 1}}
        patch = {"metadata": {"labels": {"team": "shop", "app": "api"}}}
        result = merge(base, patch, DEPLOYMENT)
        assert result == {
            "metadata": {"labels": {"app": "api", "tier": "front", "team": "shop"}},
            "spec": {"replicas": 1},
        }
        assert list(result["metadata"]["labels"]) == ["app", "tier", "team"]

    def test_null_removes_the_key(self) -> None:
        """Also when the base's value is a map."""
        assert merge({"a": 1, "b": {"c": 2}, "d": 3}, {"a": None, "b": None}, None) == {"d": 3}

    def test_null_for_a_key_that_is_not_there_changes_nothing(self) -> None:
        """The base itself comes back."""
        base = {"a": 1}
        assert merge(base, {"b": None}, None) is base

    def test_an_explicit_null_of_the_base_stays_until_the_patch_speaks_of_it(self) -> None:
        """A null is a value the author wrote."""
        assert merge({"a": None, "b": 1}, {"b": 2}, None) == {"a": None, "b": 2}
        assert merge({"a": None}, {"a": {"b": 1}}, None) == {"a": {"b": 1}}
        assert merge({"a": None}, {"a": None}, None) == {}

    def test_scalars_are_replaced_whatever_their_types(self) -> None:
        """The patch wins."""
        assert merge({"a": 1, "b": "x", "c": True}, {"a": "one", "b": 2.5, "c": False}, None) == {
            "a": "one",
            "b": 2.5,
            "c": False,
        }

    def test_values_python_calls_equal_are_not_the_same(self) -> None:
        """`true` is not 1, and 1.0 is not 1."""
        result = merge({"a": 1, "b": 1}, {"a": True, "b": 1.0}, None)
        assert (result["a"], type(result["b"])) == (True, float)
        assert type(result["a"]) is bool

    def test_a_scalar_and_a_list_replace_each_other(self) -> None:
        """Types differ, no map is lost."""
        assert merge({"a": 1, "b": [1]}, {"a": [1], "b": 1}, None) == {"a": [1], "b": 1}


class TestMapConflicts:
    """A map is never replaced by something else, or the reverse, unless the patch says so."""

    @pytest.mark.parametrize(
        ("base", "patch", "what"),
        [
            ({"a": {"b": 1}}, {"a": 1}, "a scalar cannot take the place of a map"),
            ({"a": {"b": 1}}, {"a": [1]}, "a list cannot take the place of a map"),
            ({"a": 1}, {"a": {"b": 1}}, "a map cannot take the place of a scalar"),
            ({"a": [1]}, {"a": {"b": 1}}, "a map cannot take the place of a list"),
            ({"a": [1]}, {"a": {"b": 1, "$patch": "merge"}}, "a map cannot take the place of a list"),
            ({"a": {"b": 1}}, {"a": [{"$patch": "merge"}]}, "a list cannot take the place of a map"),
        ],
    )
    def test_a_change_of_shape_is_a_conflict(self, base: Any, patch: Any, what: str) -> None:
        """The pointer leads to the field in the patch."""
        with pytest.raises(MergeConflict) as raised:
            merge(base, patch, None)
        assert (raised.value.what, raised.value.pointer) == (what, ("a",))

    def test_the_hint_says_how_to_do_it_on_purpose(self) -> None:
        """Each of the three cases has a way."""
        for base, patch, fix in (
            ({"a": 1}, {"a": {}}, "write `$patch: replace` into the map to put it there all the same"),
            ({"a": {}}, {"a": []}, "begin the list with the item `$patch: replace` to put it there all the same"),
            ({"a": {}}, {"a": 1}, "remove the field with null, or replace the map around it with `$patch: replace`"),
        ):
            with pytest.raises(MergeConflict) as raised:
                merge(base, patch, None)
            assert raised.value.fix == fix

    def test_replace_changes_the_shape(self) -> None:
        """On a map, and on a list."""
        assert merge({"a": 1}, {"a": {"$patch": "replace", "b": 1}}, None) == {"a": {"b": 1}}
        assert merge({"a": {"b": 1}}, {"a": [{"$patch": "replace"}, 1]}, None) == {"a": [1]}

    def test_the_pointer_counts_items_of_the_patch(self) -> None:
        """So that the caller finds the line in the overlay."""
        with pytest.raises(MergeConflict) as raised:
            merged_pod(
                {"containers": NAMES_AND_IMAGES},
                {"containers": [{"name": "new"}, {"name": "proxy", "image": {"tag": 2}}]},
            )
        assert raised.value.pointer == ("spec", "template", "spec", "containers", 1, "image")


class TestSharing:
    """Nothing is mutated, and what did not change is the base's own object."""

    def test_an_empty_patch_gives_the_base_itself(self) -> None:
        """Also one that says what is there already."""
        base = pod(containers=NAMES_AND_IMAGES, tolerations=[{"key": "a"}])
        assert merge(base, {}, DEPLOYMENT) is base
        assert merge(base, deepcopy(base), DEPLOYMENT) is base
        assert merge(base, {"$patch": "replace", **deepcopy(base)}, DEPLOYMENT) is base

    def test_untouched_subtrees_are_shared(self) -> None:
        """Only the way to the change is new."""
        base = {"metadata": {"labels": {"a": "b"}}, **pod(containers=NAMES_AND_IMAGES, volumes=[{"name": "v"}])}
        before = deepcopy(base)
        result = merge(base, pod(containers=[{"name": "proxy", "image": "proxy:2"}]), DEPLOYMENT)
        old, new = base["spec"]["template"]["spec"], result["spec"]["template"]["spec"]
        assert result["metadata"] is base["metadata"]
        assert new["volumes"] is old["volumes"]
        assert new["containers"][0] is old["containers"][0]
        assert base == before

    def test_a_value_the_patch_adds_is_the_patchs_own_object(self) -> None:
        """Nothing is copied that need not be."""
        patch: dict[str, Any] = {"a": {"b": [1, {"c": 2}]}}
        assert merge({}, patch, None)["a"] is patch["a"]

    def test_an_account_lists_secrets_by_name(self) -> None:
        """A keyed list right below the root."""
        assert merge({"secrets": [{"name": "a"}]}, {"secrets": [{"name": "b"}]}, ACCOUNT) == {
            "secrets": [{"name": "a"}, {"name": "b"}]
        }
