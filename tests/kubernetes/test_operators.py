"""Well-known custom kinds: their lists merge by key without a CustomResourceDefinition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile.compose.merge import merge
from envcompile.kubernetes import load
from envcompile.kubernetes.operators import FAMILIES
from envcompile.kubernetes.tables import supported_versions
from envcompile.settings import MergeKeyRule

if TYPE_CHECKING:
    from envcompile.kubernetes import Node

API = load("1.35")


def at(node: Node | None, way: str) -> Node | None:
    """The schema at a way of the table."""
    for part in way.split("."):
        node = node.child(part.removesuffix("[]").replace("*", "any")) if node is not None else None
        if part.endswith("[]"):
            node = node.items if node is not None else None
    return node


def crd(containers: dict[str, Any]) -> dict[str, Any]:
    """The CustomResourceDefinition of a Rollout whose containers have this schema."""
    schema: dict[str, Any] = {"type": "array", "items": {"type": "object"}, **containers}
    for key in reversed(("spec", "template", "spec", "containers")):
        schema = {"type": "object", "properties": {key: schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {
            "group": "argoproj.io",
            "names": {"kind": "Rollout"},
            "scope": "Namespaced",
            "versions": [{"name": "v1alpha1", "schema": {"openAPIV3Schema": schema}}],
        },
    }


@pytest.mark.parametrize("version", supported_versions())
def test_every_entry_of_the_table_leads_to_a_schema(version: str) -> None:
    """In each Kubernetes version: a type that is renamed there would be noticed here."""
    api = load(version)
    for family in FAMILIES:
        for kind in family.kinds:
            node = api.node(family.group, "v1", kind)
            for way, what in family.lists.items():
                found = at(node, way)
                if found is None and api.project(family.group, kind):
                    continue  # kinds that share the entry differ; see test_shipped
                assert found is not None, (kind, way)
                if "." not in what or found.type == "list":
                    assert found.rule.strategy == "merge", (kind, way)


def test_containers_of_a_rollout_merge_by_name() -> None:
    """Case rollout-list-replaced-silently: neither sidecar nor image is lost."""
    base = {"spec": {"template": {"spec": {"containers": [{"name": "shop", "image": "a:1"}, {"name": "sidecar"}]}}}}
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "shop", "env": [{"name": "A", "value": "1"}]}]}}}}
    merged = merge(base, patch, API.node("argoproj.io", "v1alpha1", "Rollout"))
    assert merged["spec"]["template"]["spec"]["containers"] == [
        {"name": "shop", "image": "a:1", "env": [{"name": "A", "value": "1"}]},
        {"name": "sidecar"},
    ]


@pytest.mark.parametrize(
    ("group", "version", "kind", "way"),
    [
        ("argoproj.io", "v1alpha1", "Application", "spec.source.helm.fileParameters"),
        ("pkg.crossplane.io", "v1beta1", "ImageConfig", "spec.verification.cosign.authorities"),
    ],
)
def test_a_list_that_only_the_projects_code_names_merges_by_name(group: str, version: str, kind: str, way: str) -> None:
    """AddFileParameter of Argo CD replaces the one of the same name; authorities of Crossplane must have a name."""
    node = at(API.node(group, version, kind), way)
    assert node is not None
    assert (node.rule.strategy, node.rule.keys) == ("merge", ("name",))


@pytest.mark.parametrize(
    ("containers", "strategy", "words"),
    [
        ({}, "merge", "core.v1.PodSpec.containers"),
        ({"x-kubernetes-list-type": "atomic"}, "atomic", "x-kubernetes-list-type is atomic"),
        (
            {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["image"]},
            "merge",
            "x-kubernetes-list-map-keys",
        ),
    ],
    ids=["silent", "atomic", "other keys"],
)
def test_what_a_definition_states_goes_before_the_table(containers: dict[str, Any], strategy: str, words: str) -> None:
    """And where it states nothing, having the definition changes nothing."""
    node = at(
        API.with_crds([crd(containers)]).node("argoproj.io", "v1alpha1", "Rollout"), "spec.template.spec.containers"
    )
    assert node is not None
    assert node.rule.strategy == strategy
    assert words in node.rule.reason
    assert node.type == "list"


def test_merge_keys_of_the_project_go_before_the_table() -> None:
    """Who names a key knows better."""
    rule = MergeKeyRule(kind="Rollout", group="argoproj.io", path="spec.template.spec.containers", keys=("image",))
    node = at(API.with_merge_keys([rule]).node("argoproj.io", "v1alpha1", "Rollout"), rule.path)
    assert node is not None
    assert node.rule.keys == ("image",)
    volumes = at(API.with_merge_keys([rule]).node("argoproj.io", "v1alpha1", "Rollout"), "spec.template.spec.volumes")
    assert volumes is not None
    assert volumes.rule.keys == ("name",), "the rest of the table holds"


def test_the_reason_names_the_source() -> None:
    """`explain` prints it."""
    node = at(API.node("flagger.app", "v1beta1", "Canary"), "spec.analysis.metrics")
    assert node is not None
    assert node.rule.reason == (
        "merged by name (spec.analysis.metrics of Canary in fluxcd/flagger pkg/apis/flagger/v1beta1/canary.go)"
    )
    assert API.node("flagger.app", "v1beta1", "Other") is None
