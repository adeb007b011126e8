"""How lists merge: keyed ones, sets, lists that are one thing."""

import time
from typing import Any

import pytest

from envcompile.compose.merge import MergeConflict, merge
from tests.compose.test_merge import DEPLOYMENT, INGRESS, NAMES_AND_IMAGES, SERVICE, merged_pod, pod


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

    def test_a_port_without_protocol_is_a_tcp_port(self) -> None:
        """Case merge-port-without-protocol-swallowed (b): server-side apply adds 443/TCP to 443/UDP."""
        base = {"spec": {"ports": [{"port": 443, "protocol": "UDP"}]}}
        assert merge(base, {"spec": {"ports": [{"name": "https", "port": 443}]}}, SERVICE) == {
            "spec": {"ports": [{"port": 443, "protocol": "UDP"}, {"name": "https", "port": 443}]}
        }
        pod_ports = {"containers": [{"name": "app", "ports": [{"containerPort": 443, "protocol": "UDP"}]}]}
        more = {"containers": [{"name": "app", "ports": [{"containerPort": 443, "name": "https"}]}]}
        assert merged_pod(pod_ports, more)["containers"][0]["ports"] == [
            {"containerPort": 443, "protocol": "UDP"},
            {"containerPort": 443, "name": "https"},
        ]

    @pytest.mark.parametrize("has_tcp", [True, False])
    @pytest.mark.parametrize("udp_first", [True, False])
    def test_two_ports_of_one_number_in_one_patch_stay_two(self, *, has_tcp: bool, udp_first: bool) -> None:
        """Case merge-port-without-protocol-swallowed: no item of a patch lands on another item of it."""
        base = [{"name": "https", "port": 443}] if has_tcp else [{"name": "web", "port": 80}]
        patch: list[dict[str, Any]] = [
            {"name": "https", "port": 443},
            {"name": "http3", "port": 443, "protocol": "UDP"},
        ]
        if udp_first:
            patch.reverse()
        merged = merge({"spec": {"ports": base}}, {"spec": {"ports": patch}}, SERVICE)["spec"]["ports"]
        assert sorted((port["port"], port.get("protocol", "TCP"), port["name"]) for port in merged) == sorted({
            (443, "TCP", "https"),
            (443, "UDP", "http3"),
            *(() if has_tcp else ((80, "TCP", "web"),)),
        })

    def test_what_takes_a_port_away_may_leave_its_protocol_open(self) -> None:
        """A removal that hits nothing would be silent."""
        base = {"spec": {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 80}]}}
        gone = {"spec": {"ports": [{"port": 53, "$patch": "delete"}]}}
        assert merge(base, gone, SERVICE) == {"spec": {"ports": [{"port": 80}]}}

    def test_an_item_without_a_key_never_takes_one_that_the_patch_names_in_full(self) -> None:
        """`whenUnsatisfiable` has no default: leaving it out means the only one, but not one named beside it."""
        base = {"topologySpreadConstraints": [{"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]}
        both = [
            {"topologyKey": "zone", "maxSkew": 3},
            {"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 1},
        ]
        merged = merged_pod(base, {"topologySpreadConstraints": both})["topologySpreadConstraints"]
        assert [item["maxSkew"] for item in merged] == [1, 3]
        alone = merged_pod(base, {"topologySpreadConstraints": both[:1]})["topologySpreadConstraints"]
        assert alone == [{"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 3}]

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


@pytest.mark.parametrize("kind", ["deletions", "additions", "order", "set"])
def test_the_price_of_a_list_grows_with_its_length(kind: str) -> None:
    """Eight times the items cost about eight times as much (2,500 deletions in 5,000 items); the square would be 64."""

    def price(count: int) -> float:
        items = [{"name": f"v{number}", "emptyDir": {}} for number in range(count)]
        names = [{"name": item["name"]} for item in items]
        patches: dict[str, dict[str, Any]] = {
            "deletions": {"volumes": [{**name, "$patch": "delete"} for name in names[::2]]},
            "additions": {"volumes": [{"name": f"w{number}"} for number in range(count)]},
            "order": {"$setElementOrder/volumes": names[::-1]},
            "set": {"$deleteFromPrimitiveList/finalizers": [f"f{number}" for number in range(count)]},
        }
        patch = patches[kind]
        base = pod(volumes=items)
        begin = time.process_time()
        if kind == "set":
            merge({"metadata": {"finalizers": [f"f{n}" for n in range(count)]}}, {"metadata": patch}, DEPLOYMENT)
        else:
            merge(base, pod(**patch), DEPLOYMENT)
        return time.process_time() - begin

    assert min(price(5000), price(5000)) < 32 * max(min(price(625), price(625)), 0.001)
