"""Custom kinds: schemas, merge keys of envc.yaml, scopes."""

from copy import deepcopy
from typing import Any

import pytest

from envcompile.kubernetes import KubeApi, MergeKeyError, Node, load, shortcomings
from envcompile.settings import MergeKeyRule

BACKENDS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["port"],
        "properties": {"port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}},
    },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["port", "protocol"],
}
NO_LIST_TYPE = "replaced (no x-kubernetes-list-type of {} {}; mergeKeys in envc.yaml can name its keys)"
SCHEMA = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": {
            "type": "object",
            "properties": {
                "routes": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"name": {"type": "string"}, "matches": {"type": "array", "items": {}}},
                    },
                },
                "backends": BACKENDS,
                "hosts": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                "whole": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "atomic"},
                "weight": {"x-kubernetes-int-or-string": True},
                "pause": {"type": "boolean", "nullable": True},
                "limits": {"type": "object", "additionalProperties": {"type": "integer"}},
                "anything": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "template": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {}},
            },
        },
    },
}


def crd(kind: str = "Route", scope: str = "Namespaced", **versions: Any) -> dict[str, Any]:
    """A CustomResourceDefinition of example.com."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": kind},
            "scope": scope,
            "versions": [
                {"name": name, "schema": {"openAPIV3Schema": schema}}
                for name, schema in (versions or {"v1": SCHEMA}).items()
            ],
        },
    }


@pytest.fixture
def api() -> KubeApi:
    """A cluster that knows Routes."""
    return load("1.35").with_crds([crd(), None, {"kind": "ConfigMap"}, "text"])


def at(api: KubeApi, *path: str | int, kind: str = "Route", version: str = "v1") -> Node:
    """The node at the end of a path in a Route; an integer steps into the items of a list."""
    node = api.node("example.com", version, kind)
    for part in path:
        assert node is not None
        node = node.items if isinstance(part, int) else node.child(part)
    assert node is not None
    return node


def rule(path: str = "spec.routes", *keys: str, kind: str = "Route", group: str = "") -> MergeKeyRule:
    """One entry of envc.yaml's mergeKeys."""
    return MergeKeyRule(kind=kind, path=path, keys=keys, group=group)


def route(**spec: Any) -> dict[str, Any]:
    """A Route."""
    return {"apiVersion": "example.com/v1", "kind": "Route", "metadata": {"name": "r"}, "spec": spec}


def test_list_types_come_from_the_definition(api: KubeApi) -> None:
    """Maps with their defaults, sets, atomic lists, and lists it says nothing of."""
    where = "in the CustomResourceDefinition of Route.example.com"
    assert at(api, "spec", "backends").rule[:4] == (
        "merge",
        ("port", "protocol"),
        f"merged by port and protocol (x-kubernetes-list-map-keys of spec.backends {where})",
        (("protocol", "TCP"),),
    )
    hosts, whole, matches = (
        at(api, "spec", "hosts").rule,
        at(api, "spec", "whole").rule,
        at(api, "spec", "routes", 0, "matches").rule,
    )
    assert hosts[:3] == ("set", (), f"united as a set (x-kubernetes-list-type of spec.hosts {where})")
    assert whole[:3] == ("atomic", (), f"replaced (x-kubernetes-list-type is atomic, of spec.whole {where})")
    assert (matches.strategy, matches.reason) == (
        "atomic",
        NO_LIST_TYPE.format("spec.routes[].matches", where),
    )


def test_every_custom_object_has_kubernetes_metadata(api: KubeApi) -> None:
    """A definition may not describe them; embedded objects have them as well."""
    assert at(api, "metadata", "finalizers").rule.strategy == "set"
    assert at(api, "spec", "template", "metadata").name == "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    assert api.node("example.com", "v1", "Route") is api.node("example.com", "v1", "Route")


@pytest.mark.parametrize("change", [{"type": ["array"]}, {"x-kubernetes-list-map-keys": [False]}], ids=["type", "keys"])
def test_a_definition_that_kubernetes_would_refuse_is_read_all_the_same(change: dict[str, Any]) -> None:
    """Its lists are replaced; it is for the API server to say what is wrong with it."""
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {
            "group": "example.com",
            "names": {"kind": "Thing"},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"list": {**BACKENDS, **change}}}},
                }
            ],
        },
    }
    node = load("1.35").with_crds([definition]).node("example.com", "v1", "Thing")
    assert node is not None
    child = node.child("list")
    assert child is not None
    assert child.rule.strategy == "atomic"


def test_scopes_come_from_the_definition() -> None:
    """And win over what the name suggests."""
    api = load("1.35").with_crds([crd("Plan", "Cluster"), crd("ClusterPlan", "Namespaced"), crd()])
    assert [api.is_namespaced("example.com", kind) for kind in ("Plan", "ClusterPlan", "Route")] == [False, True, True]
    assert ("example.com", "Plan") in api.kinds()


def test_each_version_has_its_schema() -> None:
    """A version that is not defined merges like the first."""
    newer = deepcopy(SCHEMA)
    newer["properties"]["spec"]["properties"]["hosts"]["x-kubernetes-list-type"] = "atomic"  # type: ignore[index]
    api = load("1.35").with_crds([crd(v2=newer, v1=SCHEMA)])
    assert [at(api, "spec", "hosts", version=version).rule.strategy for version in ("v1", "v2", "v3")] == [
        "set",
        "atomic",
        "atomic",
    ]
    assert api.versions("example.com", "Route") == ("v2", "v1")


def test_adding_definitions_leaves_the_api_as_it_was(api: KubeApi) -> None:
    """Apis are shared between environments."""
    assert load("1.35").node("example.com", "v1", "Route") is None
    assert api.with_crds([{"kind": "Service"}]) is api
    assert not load("1.35").knows("example.com", "Route")
    assert api.knows("example.com", "Route")


def test_malformed_definitions_are_passed_over() -> None:
    """The checks on resources speak of them."""
    odd = [
        {"apiVersion": "apiextensions.k8s.io/v1beta1", "kind": "CustomResourceDefinition", "spec": crd()["spec"]},
        {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": []},
        {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": {"group": 1}},
    ]
    assert not load("1.35").with_crds(odd).knows("example.com", "Route")
    bare = crd()
    bare["spec"]["versions"] = ["v1", {"schema": 1}, {"name": "v1", "schema": {"openAPIV3Schema": 1}}]
    api = load("1.35").with_crds([bare])
    assert at(api).child("spec") is None
    bare["spec"]["versions"] = None
    assert load("1.35").with_crds([bare]).node("example.com", "v1", "Route") is None


class TestMergeKeys:
    """`mergeKeys` of envc.yaml."""

    def test_a_rule_names_the_keys_of_a_list_the_definition_is_silent_about(self, api: KubeApi) -> None:
        """Also below the items of another list."""
        keyed = api.with_merge_keys([rule("spec.routes", "name"), rule("spec.routes[].matches", "host", "path")])
        assert at(keyed, "spec", "routes").rule[:3] == (
            "merge",
            ("name",),
            "merged by name (mergeKeys of envc.yaml for spec.routes of Route)",
        )
        assert at(keyed, "spec", "routes", 0, "matches").rule.keys == ("host", "path")
        assert at(api, "spec", "routes").rule.strategy == "atomic"
        assert at(keyed, "spec", "backends").rule.keys == ("port", "protocol")
        below = api.with_merge_keys([rule("spec.anything.deep[].lists", "id")])
        assert at(below, "spec", "anything", "deep", 0, "lists").rule.keys == ("id",)

    def test_the_definition_wins(self, api: KubeApi) -> None:
        """Where it states a list type."""
        keyed = api.with_merge_keys([rule("spec.backends", "name"), rule("spec.whole", "name")])
        assert at(keyed, "spec", "backends").rule == at(api, "spec", "backends").rule
        assert at(keyed, "spec", "whole").rule.strategy == "atomic"

    def test_a_kind_without_definition_gets_its_keys(self) -> None:
        """In whatever group, or in the one the rule names; nothing else is known of the kind."""
        api = load("1.35").with_merge_keys([
            rule("spec.routes", "name"),
            rule("spec.a[].b", "id", kind="X", group="x.io"),
        ])
        assert at(api, "spec", "routes").rule.keys == ("name",)
        assert at(api, "metadata", "finalizers").rule.strategy == "set"
        node = api.node("x.io", "v7", "X")
        assert node is not None
        assert api.node("y.io", "v7", "X") is None
        assert not api.knows("example.com", "Route")
        assert api.is_namespaced("example.com", "Route") is None
        assert shortcomings(api, route(nonsense=1)) == []

    def test_rules_may_be_laid_on_again_after_more_definitions(self, api: KubeApi) -> None:
        """The second time changes nothing."""
        rules = [rule("spec.routes", "name")]
        once = load("1.35").with_merge_keys(rules)
        twice = once.with_crds([crd()]).with_merge_keys(rules).with_merge_keys(rules)
        assert at(twice, "spec", "routes").rule == at(api.with_merge_keys(rules), "spec", "routes").rule
        assert twice.knows("example.com", "Route")

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            (
                rule("spec.rules", "host", kind="Ingress", group="networking.k8s.io"),
                "Ingress.networking.k8s.io is built in: its lists merge by Kubernetes' rules",
            ),
            (
                rule("spec.rules", "host", kind="Ingress"),
                "Ingress is built in: its lists merge by Kubernetes' rules (a custom Ingress needs its group)",
            ),
            (
                rule("spec.rout", "name"),
                "the CustomResourceDefinition of Route has no `rout` on the way to `spec.rout`",
            ),
            (rule("spec.weight", "name"), "`spec.weight` of Route is no list"),
            (rule("spec.pause", "name"), "`spec.pause` of Route is no list"),
            (
                rule("spec.routes[]", "name"),
                "`spec.routes[]` does not name a list: write it like `spec.routes[].matches`",
            ),
            (
                rule("spec..routes", "name"),
                "`spec..routes` does not name a list: write it like `spec.routes[].matches`",
            ),
            (rule("spec.routes"), "`spec.routes` has no keys"),
        ],
    )
    def test_a_rule_that_cannot_hold_is_refused(self, api: KubeApi, wrong: MergeKeyRule, why: str) -> None:
        """The error carries the rule, so that the caller can find its line."""
        with pytest.raises(MergeKeyError) as raised:
            api.with_merge_keys([wrong])
        assert (str(raised.value), raised.value.rule) == (why, wrong)


def test_custom_resources_are_judged_by_their_schema(api: KubeApi) -> None:
    """Types, required fields, unknown fields; what the schema leaves open is left alone."""
    assert shortcomings(api, route(weight="50%", pause=None, limits={"a": 1}, anything={"x": 1}, hosts=["a"])) == []
    assert [(found.pointer, found.what) for found in shortcomings(api, route(host=["a"], limits={"a": "1"}))] == [
        (("spec", "host"), "`host` is not a field of Route.example.com spec: did you mean `hosts`?"),
        (("spec", "limits", "a"), "`a` is a string where an integer belongs"),
    ]
    bare = {"apiVersion": "example.com/v1", "kind": "Route", "metadata": {"name": "r"}}
    assert [(found.pointer, found.what) for found in shortcomings(api, bare)] == [
        (("spec",), "`spec` is missing in Route.example.com")
    ]
