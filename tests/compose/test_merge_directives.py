"""The directives a patch may hold."""

from typing import Any

import pytest

from envcompile.compose.directives import is_deletion
from envcompile.compose.merge import MergeConflict, merge
from tests.compose.test_merge import DEPLOYMENT, NAMES_AND_IMAGES, merged_pod


class TestDirectives:
    """`$patch`, `$deleteFromPrimitiveList`, `$retainKeys`."""

    def test_replace_puts_the_map_in_the_place_of_the_bases(self) -> None:
        """Nothing of the base survives."""
        patch = {"spec": {"strategy": {"$patch": "replace", "type": "Recreate", "x": None}}}
        base = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
        assert merge(base, patch, DEPLOYMENT) == {"spec": {"strategy": {"type": "Recreate"}}}

    def test_delete_removes_the_map(self) -> None:
        """As kustomize does; kubectl would leave an empty one."""
        assert merge({"a": {"b": 1}, "c": 1}, {"a": {"$patch": "delete"}}, None) == {"c": 1}
        assert merge({"c": 1}, {"a": {"$patch": "delete"}}, None) == {"c": 1}

    def test_merge_is_what_happens_anyway(self) -> None:
        """The word itself goes."""
        assert merge({"a": {"b": 1}}, {"a": {"$patch": "merge", "c": 2}}, None) == {"a": {"b": 1, "c": 2}}

    def test_an_item_is_deleted_by_its_keys(self) -> None:
        """The others keep their order, and an item that is not there is no error."""
        patch = [{"name": "app", "$patch": "delete"}, {"name": "gone", "$patch": "delete"}, {"name": "new"}]
        assert merged_pod({"containers": NAMES_AND_IMAGES}, {"containers": patch}) == {
            "containers": [{"name": "proxy", "image": "proxy:1"}, {"name": "new"}]
        }

    def test_deleting_removes_every_item_of_that_key(self) -> None:
        """Kubernetes lets a container name a variable twice."""
        base = {"containers": [{"name": "app", "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}]}
        patch = {"containers": [{"name": "app", "env": [{"name": "A", "$patch": "delete"}]}]}
        assert merged_pod(base, patch) == {"containers": [{"name": "app", "env": []}]}

    def test_an_item_is_replaced_where_it_stands(self) -> None:
        """Other items stay: kustomize's meaning."""
        patch = [{"name": "app", "$patch": "replace", "command": ["x"]}]
        assert merged_pod({"containers": NAMES_AND_IMAGES}, {"containers": patch}) == {
            "containers": [{"name": "app", "command": ["x"]}, {"name": "proxy", "image": "proxy:1"}]
        }

    def test_an_item_that_is_only_replace_replaces_the_list(self) -> None:
        """Wherever in the list it is."""
        patch = [{"name": "new"}, {"$patch": "replace"}]
        assert merged_pod({"containers": NAMES_AND_IMAGES}, {"containers": patch}) == {"containers": [{"name": "new"}]}

    def test_an_item_that_is_only_delete_removes_the_list(self) -> None:
        """The field goes."""
        assert merged_pod({"containers": NAMES_AND_IMAGES, "a": 1}, {"containers": [{"$patch": "delete"}]}) == {"a": 1}

    def test_two_commands_for_one_list_are_a_conflict(self) -> None:
        """Nobody can tell which is meant."""
        with pytest.raises(MergeConflict) as raised:
            merge({"a": [1]}, {"a": [{"$patch": "delete"}, {"$patch": "replace"}]}, None)
        assert raised.value.what == "the list is asked to `$patch: delete` and to `$patch: replace`"
        assert raised.value.fix == "keep one of them"

    @pytest.mark.parametrize("patch", [{"a": {"$patch": "remove"}}, {"a": {"$patch": None}}, {"a": {"$patch": {}}}])
    def test_an_unknown_command_is_a_conflict(self, patch: Any) -> None:
        """A slip of the pen must not end up in the output."""
        for base in ({"a": {"b": 1}}, {}):
            with pytest.raises(MergeConflict) as raised:
                merge(base, patch, None)
            assert raised.value.what == "`$patch` has a value that is no directive"
            assert raised.value.fix == "write `replace`, `delete` or `merge`"
            assert raised.value.pointer == ("a",)

    def test_scalars_are_taken_out_of_a_list(self) -> None:
        """Whether the list is a set or not, and before the patch's own items are added."""
        base = {"metadata": {"finalizers": ["a", "b"]}}
        patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a", "x"], "finalizers": ["c"]}}
        assert merge(base, patch, DEPLOYMENT) == {"metadata": {"finalizers": ["b", "c"]}}
        assert merge({"a": [1, 2]}, {"$deleteFromPrimitiveList/a": [1]}, None) == {"a": [2]}
        assert merge({"b": 1}, {"$deleteFromPrimitiveList/a": [1]}, None) == {"b": 1}

    def test_retain_keys_drops_what_it_does_not_name(self) -> None:
        """A volume has one source."""
        base = {"volumes": [{"name": "v", "emptyDir": {}}]}
        patch = {"volumes": [{"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}]}
        assert merged_pod(base, patch) == {"volumes": [{"name": "v", "configMap": {"name": "c"}}]}

    def test_retain_keys_must_name_the_keys_of_the_patch(self) -> None:
        """As the API server demands."""
        with pytest.raises(MergeConflict) as raised:
            merge({"a": 1}, {"$retainKeys": ["a"], "b": 2, "c": None}, None)
        assert (raised.value.what, raised.value.pointer) == ("`b` is not in `$retainKeys`", ("b",))
        assert raised.value.fix == "name every key of the patch there"

    @pytest.mark.parametrize("directive", ["$retainKeys", "$setElementOrder/a", "$deleteFromPrimitiveList/a"])
    def test_a_directive_that_takes_a_list_refuses_anything_else(self, directive: str) -> None:
        """The pointer leads to the directive."""
        with pytest.raises(MergeConflict) as raised:
            merge({"a": [1]}, {directive: "x"}, None)
        assert (raised.value.what, raised.value.pointer) == (f"`{directive}` needs a list", (directive,))

    def test_other_keys_with_a_dollar_are_fields(self) -> None:
        """A CustomResourceDefinition has `$ref` in its schema."""
        assert merge({"$ref": "a"}, {"$ref": "b", "$x": {"$schema": 1}}, None) == {"$ref": "b", "$x": {"$schema": 1}}

    def test_a_patch_of_the_whole_resource_may_delete_or_replace_it(self) -> None:
        """None stands for a resource that is gone."""
        assert merge({"a": 1}, {"$patch": "delete"}, None) is None
        assert merge({"a": 1}, {"$patch": "replace", "b": 2}, None) == {"b": 2}
        assert is_deletion({"$patch": "delete", "kind": "Service"})
        assert not is_deletion({"$patch": "replace"})
        assert not is_deletion([{"$patch": "delete"}])
