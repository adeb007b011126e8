"""The built-in kinds: versions, scopes, fields, merge rules, size."""

import json

import pytest

from envcompile.kubernetes import Node, UnknownVersionError, load, supported_versions
from envcompile.kubernetes.tables import DATA

VERSIONS = ("1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37")


def at(node: Node | None, *path: str | int) -> Node:
    """The node at the end of a path; an integer steps into the items of a list."""
    for part in path:
        assert node is not None
        node = node.items if isinstance(part, int) else node.child(part)
    assert node is not None
    return node


def pod_of(version: str) -> Node:
    """The pod spec of a Deployment."""
    return at(load(version).node("apps", "v1", "Deployment"), "spec", "template", "spec")


def test_every_minor_version_has_a_table() -> None:
    """Oldest first."""
    assert supported_versions() == VERSIONS


@pytest.mark.parametrize("version", ["1.29", "1.35.4", "../1.35", ""])
def test_an_unknown_version_is_refused_with_those_known(version: str) -> None:
    """The whole message; a version never leads out of the folder of tables."""
    with pytest.raises(UnknownVersionError) as raised:
        load(version)
    assert str(raised.value) == f"Kubernetes {version} is not known (known: 1.30 to 1.37)"
    assert raised.value.known == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_tables_stay_small(version: str) -> None:
    """They are read at every cold start."""
    assert (DATA / f"{version}.json").stat().st_size < 200_000


@pytest.mark.parametrize("version", VERSIONS)
def test_every_field_of_every_type_can_be_read(version: str) -> None:
    """No reference leads nowhere, every rule has its keys."""
    api = load(version)
    seen: set[str] = set()
    pending: list[Node] = []
    for group, kind in api.kinds():
        pending += (at(api.node(group, served, kind)) for served in api.versions(group, kind))
    while pending:
        node = pending.pop()
        if node.type == "list":
            items = at(node, 0)
            if node.rule.strategy == "merge":
                assert node.rule.keys
                assert set(node.rule.keys) <= set(items.fields), node.name
            pending.append(items)
        elif node.name not in seen:
            seen.add(node.name)
            assert set(node.required) <= set(node.fields)
            pending.extend(at(node, field) for field in node.fields)
    assert len(seen) > 400


def test_the_release_a_table_was_made_from_is_in_it() -> None:
    """So that a reader can check it."""
    for version in VERSIONS:
        release = json.loads((DATA / f"{version}.json").read_text(encoding="utf-8"))["kubernetes"]
        assert release.startswith(f"{version}.")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_lists_of_a_pod_merge_by_the_apis_keys(version: str) -> None:
    """The same in every supported version."""
    pod = pod_of(version)
    rules = {
        "containers": ("merge", ("name",)),
        "volumes": ("merge", ("name",)),
        "topologySpreadConstraints": ("merge", ("topologyKey", "whenUnsatisfiable")),
        "hostAliases": ("merge", ("ip",)),
        "tolerations": ("atomic", ()),
    }
    assert {name: at(pod, name).rule[:2] for name in rules} == rules
    container = at(pod, "containers", 0)
    rules = {
        "env": ("merge", ("name",)),
        "envFrom": ("atomic", ()),
        "ports": ("merge", ("containerPort", "protocol")),
        "volumeMounts": ("merge", ("mountPath",)),
        "args": ("atomic", ()),
    }
    assert {name: at(container, name).rule[:2] for name in rules} == rules
    assert at(container, "ports").rule.defaults == (("protocol", "TCP"),)


def test_the_reason_of_a_rule_names_its_source() -> None:
    """The attribute, the type, the version: what `explain` prints."""
    api = load("1.36")
    meta = at(api.node("", "v1", "ConfigMap"), "metadata")
    crd = at(api.node("apiextensions.k8s.io", "v1", "CustomResourceDefinition"), "spec", "versions")
    job = at(api.node("batch", "v1", "Job"), "status", "conditions")
    assert at(meta, "finalizers").rule.reason == (
        "united as a set (x-kubernetes-list-type of io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.finalizers, "
        "Kubernetes 1.36)"
    )
    assert crd.rule.reason == (
        "replaced (x-kubernetes-list-type is atomic, "
        "of io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec.versions, "
        "Kubernetes 1.36)"
    )
    assert job.rule.reason == (
        "merged by type (x-kubernetes-patch-merge-key of io.k8s.api.batch.v1.JobStatus.conditions, Kubernetes 1.36)"
    )


def test_a_kind_is_found_by_group_version_and_name() -> None:
    """The core group is the empty one; unknown kinds have no node."""
    api = load("1.35")
    assert at(api.node("", "v1", "Service")).name == "io.k8s.api.core.v1.Service"
    assert at(api.node("autoscaling", "v1", "HorizontalPodAutoscaler")).name.endswith(
        "autoscaling.v1.HorizontalPodAutoscaler"
    )
    assert api.versions("autoscaling", "HorizontalPodAutoscaler") == ("v2", "v1")
    assert api.node("example.com", "v1", "Service") is None
    assert api.versions("example.com", "Service") == ()
    assert api.version == "1.35"


def test_a_version_no_longer_served_merges_like_the_preferred_one() -> None:
    """Old manifests keep their merge rules."""
    api = load("1.35")
    assert api.node("policy", "v1beta1", "PodDisruptionBudget") is api.node("policy", "v1", "PodDisruptionBudget")
    assert api.node("extensions", "v1beta1", "Deployment") is api.node("apps", "v1", "Deployment")
    assert api.node("extensions", "v1beta1", "PodSecurityPolicy") is None


def test_scopes_come_from_the_paths_of_the_api() -> None:
    """What lives in a namespace and what does not."""
    api = load("1.35")
    assert [api.is_namespaced("", kind) for kind in ("ConfigMap", "Namespace", "Node", "PersistentVolume")] == [
        True,
        False,
        False,
        False,
    ]
    assert api.is_namespaced("rbac.authorization.k8s.io", "ClusterRole") is False
    assert api.is_namespaced("rbac.authorization.k8s.io", "Role") is True
    assert api.is_namespaced("example.com", "Thing") is None


def test_only_what_people_apply_is_known() -> None:
    """No lists, no reviews, no subresources."""
    api = load("1.35")
    kinds = {kind for _, kind in api.kinds()}
    assert {"Deployment", "ConfigMap", "CustomResourceDefinition", "APIService"} <= kinds
    assert not kinds & {"DeploymentList", "TokenReview", "Scale", "Binding", "Status"}
    assert api.knows("apps", "Deployment")
    assert not api.knows("apps", "Scale")


def test_loading_twice_gives_the_same_api() -> None:
    """One table for all environments of a version."""
    assert load("1.35") is load("1.35")
