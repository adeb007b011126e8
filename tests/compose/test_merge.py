"""The merge table, row by row, and what holds for every merge."""

from copy import deepcopy
from typing import Any

import pytest

from envcompile.compose.directives import is_deletion
from envcompile.compose.merge import MergeConflict, merge
from envcompile.kubeapi import Node, load

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


class TestKeyedLists:
    """Lists of built-in kinds merge by the keys of the OpenAPI."""

    def test_items_are_merged_by_name_in_the_order_of_the_base(self) -> None:
        """New items follow in the patch's order."""
        patch = [{"name": "b", "image": "b:1"}, {"name": "proxy", "image": "proxy:2"}, {"name": "a", "image": "a:1"}]
        assert merged_pod({"containers": NAMES_AND_IMAGES}, {"containers": patch}) == {
            "containers": [
                {"name": "app", "image": "app:1"},
                {"name": "proxy", "image": "proxy:2"},
                {"name": "b", "image": "b:1"},
                {"name": "a", "image": "a:1"},
            ]
        }

    def test_an_empty_patch_list_changes_a_keyed_list_in_nothing(self) -> None:
        """There is nothing to merge, as for kubectl."""
        base = pod(containers=NAMES_AND_IMAGES)
        assert merge(base, pod(containers=[]), DEPLOYMENT) is base

    def test_volumes_and_mounts_have_keys_of_their_own(self) -> None:
        """`mountPath` tells mounts apart, `name` volumes."""
        base = {"containers": [{"name": "app", "volumeMounts": [{"name": "v", "mountPath": "/a"}]}]}
        patch = {
            "containers": [
                {
                    "name": "app",
                    "volumeMounts": [{"mountPath": "/a", "readOnly": True}, {"name": "v", "mountPath": "/b"}],
                }
            ],
            "volumes": [{"name": "v", "emptyDir": {}}],
        }
        assert merged_pod(base, patch) == {
            "containers": [
                {
                    "name": "app",
                    "volumeMounts": [
                        {"name": "v", "mountPath": "/a", "readOnly": True},
                        {"name": "v", "mountPath": "/b"},
                    ],
                }
            ],
            "volumes": [{"name": "v", "emptyDir": {}}],
        }

    def test_ports_are_told_apart_by_number_and_protocol(self) -> None:
        """TCP and UDP may share a number."""
        base = {"spec": {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}}
        patch = {"spec": {"ports": [{"port": 53, "protocol": "TCP", "name": "tcp"}]}}
        assert merge(base, patch, SERVICE) == {
            "spec": {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP", "name": "tcp"}]}
        }

    @pytest.mark.parametrize(
        ("base", "patch"),
        [
            ({"port": 80}, {"port": 80, "protocol": "TCP", "targetPort": 8080}),
            ({"port": 80, "protocol": "TCP"}, {"port": 80, "targetPort": 8080}),
        ],
    )
    def test_a_key_left_out_has_the_schemas_default(self, base: Any, patch: Any) -> None:
        """The default protocol is TCP, on either side."""
        result = merge({"spec": {"ports": [base]}}, {"spec": {"ports": [patch]}}, SERVICE)
        assert result == {"spec": {"ports": [{**base, **patch}]}}

    def test_a_port_without_protocol_finds_the_only_port_of_its_number(self) -> None:
        """Nobody means a second port here."""
        base = {"spec": {"ports": [{"port": 53, "protocol": "UDP"}]}}
        assert merge(base, {"spec": {"ports": [{"port": 53, "name": "dns"}]}}, SERVICE) == {
            "spec": {"ports": [{"port": 53, "protocol": "UDP", "name": "dns"}]}
        }

    def test_a_port_with_another_protocol_is_a_new_port(self) -> None:
        """Even though the number is known."""
        base = {"spec": {"ports": [{"port": 53, "protocol": "UDP"}]}}
        patch = {"spec": {"ports": [{"port": 53, "protocol": "TCP"}]}}
        assert len(merge(base, patch, SERVICE)["spec"]["ports"]) == 2

    def test_an_item_that_fits_several_must_state_more_keys(self) -> None:
        """`whenUnsatisfiable` has no default."""
        spread = [
            {"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 1},
            {"topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 1},
        ]
        with pytest.raises(MergeConflict) as raised:
            merged_pod({"topologySpreadConstraints": spread}, {"topologySpreadConstraints": [{"topologyKey": "zone"}]})
        assert raised.value.what == "2 items of the list have `topologyKey: zone`"
        assert raised.value.fix == "add `whenUnsatisfiable:` to say which of them is meant"
        assert raised.value.pointer == ("spec", "template", "spec", "topologySpreadConstraints", 0)

    def test_an_item_without_its_key_is_a_conflict(self) -> None:
        """The message names the key."""
        with pytest.raises(MergeConflict) as raised:
            merged_pod({"containers": NAMES_AND_IMAGES}, {"containers": [{"image": "app:2"}]})
        assert raised.value.what == "the item has no `name`, by which the items of this list are told apart"
        assert raised.value.fix == "write `name:` of the item that is meant"
        assert raised.value.pointer == ("spec", "template", "spec", "containers", 0)

    def test_an_item_that_is_no_map_is_a_conflict(self) -> None:
        """A scalar has no keys."""
        with pytest.raises(MergeConflict) as raised:
            merged_pod({"containers": NAMES_AND_IMAGES}, {"containers": ["app"]})
        assert raised.value.what == "an item of this list must be a map"

    def test_a_key_that_is_a_map_is_a_conflict(self) -> None:
        """It could never be found again."""
        with pytest.raises(MergeConflict) as raised:
            merged_pod({"containers": NAMES_AND_IMAGES}, {"containers": [{"name": {"a": 1}}]})
        assert raised.value.what == "`name` tells the items of this list apart and must be a scalar"
        assert raised.value.pointer == ("spec", "template", "spec", "containers", 0, "name")

    def test_keys_of_different_types_are_different_keys(self) -> None:
        """A port `"80"` is not the port 80."""
        base = {"spec": {"ports": [{"port": 80}]}}
        assert len(merge(base, {"spec": {"ports": [{"port": "80"}, {"port": True}]}}, SERVICE)["spec"]["ports"]) == 3

    def test_two_items_of_a_patch_with_one_key_are_laid_on_one_after_the_other(self) -> None:
        """As the API server does."""
        patch = [{"name": "app", "image": "app:2"}, {"name": "app", "tty": True}, {"name": "n"}, {"name": "n", "a": 1}]
        result = merged_pod({"containers": NAMES_AND_IMAGES[:1]}, {"containers": patch})
        assert result == {"containers": [{"name": "app", "image": "app:2", "tty": True}, {"name": "n", "a": 1}]}

    def test_a_list_the_base_does_not_have_is_taken_as_it_is(self) -> None:
        """Without its nulls and directives."""
        patch = [{"name": "a", "value": None}, {"name": "b", "$patch": "delete"}, {"$patch": "merge"}, {"name": "a"}]
        assert merged_pod({}, {"volumes": patch}) == {"volumes": [{"name": "a"}, {"name": "a"}]}


class TestOtherLists:
    """Sets, atomic lists, lists nobody knows."""

    def test_a_set_is_united_in_the_order_of_the_base(self) -> None:
        """Finalizers are a set."""
        base = {"metadata": {"finalizers": ["b", "a"]}}
        patch = {"metadata": {"finalizers": ["a", "c", "c"]}}
        assert merge(base, patch, DEPLOYMENT) == {"metadata": {"finalizers": ["b", "a", "c"]}}

    def test_an_atomic_list_is_replaced(self) -> None:
        """The arguments of a container are one thing."""
        base = {"containers": [{"name": "app", "args": ["a", "b"]}]}
        patch = {"containers": [{"name": "app", "args": ["c"]}]}
        assert merged_pod(base, patch) == {"containers": [{"name": "app", "args": ["c"]}]}

    def test_ingress_rules_are_replaced_as_kubernetes_does(self) -> None:
        """They have no merge key."""
        base = {"spec": {"rules": [{"host": "a"}, {"host": "b"}]}}
        assert merge(base, {"spec": {"rules": [{"host": "b"}]}}, INGRESS) == {"spec": {"rules": [{"host": "b"}]}}

    def test_lists_of_an_unknown_kind_are_replaced(self) -> None:
        """Maps still merge."""
        base = {"spec": {"routes": [{"name": "a"}], "x": {"y": 1}}}
        patch = {"spec": {"routes": [{"name": "b"}], "x": {"z": 2}}}
        assert merge(base, patch, None) == {"spec": {"routes": [{"name": "b"}], "x": {"y": 1, "z": 2}}}

    def test_a_deletion_in_a_list_without_keys_is_a_conflict(self) -> None:
        """Written into the output it would be refused by the cluster, or worse."""
        with pytest.raises(MergeConflict) as raised:
            merge(
                {"spec": {"rules": [{"host": "a"}]}}, {"spec": {"rules": [{"host": "a", "$patch": "delete"}]}}, INGRESS
            )
        assert raised.value.what == "`$patch` speaks of an item, but nothing tells the items of this list apart"
        assert raised.value.fix == (
            "write the whole list as it shall be; for a custom resource, `mergeKeys` of envc.yaml can name its keys"
        )
        assert raised.value.pointer == ("spec", "rules")

    def test_nulls_in_a_replaced_list_keep_their_place(self) -> None:
        """Only fields can be removed by null."""
        assert merge({"a": [1]}, {"a": [None, {"b": None, "c": 1}]}, None) == {"a": [None, {"c": 1}]}


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
