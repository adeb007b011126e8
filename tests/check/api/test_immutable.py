"""Changes of what cannot change are found, and no others."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from envcompile.check.api.immutable import can_refuse, is_made_anew, refused_changes
from envcompile.kubernetes import load
from tests.check.api.samples import VALID, put

API = load("1.37")
POD = "spec.template.spec"

REFUSED = [
    ("deployment", "spec.selector.matchLabels.tier", "a", "spec.selector"),
    ("statefulset", "spec.serviceName", "other", "spec.serviceName"),
    ("statefulset", "spec.podManagementPolicy", "Parallel", "spec.podManagementPolicy"),
    ("statefulset", "spec.volumeClaimTemplates.0.metadata.name", "other", "spec.volumeClaimTemplates"),
    ("daemonset", "spec.selector.matchLabels.app", "b", "spec.selector"),
    ("job", "spec.completions", 4, "spec.completions"),
    ("job", "spec.completionMode", "NonIndexed", "spec.completionMode"),
    ("job", "spec.podFailurePolicy", None, "spec.podFailurePolicy"),
    ("job", f"{POD}.containers.0.image", "registry.example/db:2", f"{POD}.containers.0.image"),
    ("pod", "spec.containers.0.command", ["a"], "spec.containers.0.command"),
    ("pod", "spec.nodeName", "one", "spec.nodeName"),
    ("service", "spec.clusterIP", "None", "spec.clusterIP"),
    ("service", "spec.loadBalancerClass", "a.b/c", "spec.loadBalancerClass"),
    ("claim", "spec.accessModes", ["ReadWriteMany"], "spec.accessModes.0"),
    ("claim", "spec.volumeMode", "Block", "spec.volumeMode"),
    ("claim", "spec.resources.requests.storage", "1Mi", "spec.resources.requests.storage"),
    ("volume", "spec.csi.volumeHandle", "two", "spec.csi.volumeHandle"),
    ("class", "provisioner", "other.example.com", "provisioner"),
    ("class", "parameters", {"type": "fast"}, "parameters"),
    ("class", "reclaimPolicy", "Retain", "reclaimPolicy"),
    ("secret", "type", "Opaque", "type"),
    ("binding", "roleRef.name", "writer", "roleRef"),
    ("priority", "value", 5, "value"),
    ("definition", "spec.scope", "Cluster", "spec.scope"),
    ("definition", "spec.names.kind", "Stuff", "spec.names.kind"),
    ("quota", "spec.scopes", [], "spec.scopes"),
    ("runtime", "handler", "other", "handler"),
    ("slice", "addressType", "FQDN", "addressType"),
]

TAKEN = [
    ("deployment", "spec.replicas", 5),
    ("deployment", f"{POD}.containers.0.image", "registry.example/web:2"),
    ("statefulset", "spec.podManagementPolicy", "OrderedReady"),
    ("statefulset", f"{POD}.containers.0.image", "registry.example/db:2"),
    ("statefulset", "spec.volumeClaimTemplates.0.spec.resources.requests.storage", "1024Mi"),
    ("statefulset", "spec.volumeClaimTemplates.0.spec.volumeMode", "Filesystem"),
    ("job", "spec.parallelism", 2),
    ("job", f"{POD}.containers.0.terminationMessagePath", "/dev/termination-log"),
    ("job", f"{POD}.containers.0.imagePullPolicy", "IfNotPresent"),
    ("job", f"{POD}.schedulerName", "default-scheduler"),
    ("pod", "spec.containers.0.image", "registry.example/one:2"),
    ("pod", "spec.tolerations", [{"key": "a", "operator": "Exists"}]),
    ("pod", "spec.activeDeadlineSeconds", 5),
    ("service", "spec.ports.0.port", 81),
    ("service", "spec.type", "ClusterIP"),
    ("claim", "spec.resources.requests.storage", "2Gi"),
    ("claim", "spec.storageClassName", "fast"),
    ("volume", "spec.persistentVolumeReclaimPolicy", "Retain"),
    ("volume", "spec.capacity.storage", "2Gi"),
    ("class", "reclaimPolicy", "Delete"),
    ("class", "allowVolumeExpansion", True),
    ("config", "data.key", "other"),
    ("secret", "data.password", "cQ=="),
    ("binding", "subjects.0.name", "other"),
    ("definition", "spec.names.shortNames", ["th"]),
]


def _found(name: str, path: str, item: Any) -> list[str]:
    new = copy.deepcopy(VALID[name])
    put(new, path, item)
    return [".".join(map(str, pointer)) for pointer, _ in refused_changes(API, VALID[name], new)]


@pytest.mark.parametrize(("name", "path", "item", "at"), REFUSED)
def test_a_change_that_the_server_refuses_is_found(name: str, path: str, item: Any, at: str) -> None:
    """At the field that the server names, or the first one below it that differs."""
    assert at in _found(name, path, item)


@pytest.mark.parametrize(("name", "path", "item"), TAKEN)
def test_a_change_that_the_server_takes_is_not_found(name: str, path: str, item: Any) -> None:
    """Defaults that are written out are no changes."""
    assert _found(name, path, item) == []


@pytest.mark.parametrize("name", VALID)
def test_what_did_not_change_is_never_found(name: str) -> None:
    """For every kind."""
    assert list(refused_changes(API, VALID[name], copy.deepcopy(VALID[name]))) == []


def test_an_immutable_configmap_keeps_its_data() -> None:
    """Only while it says so."""
    old = {**VALID["config"], "immutable": True}
    new = copy.deepcopy(old)
    new["data"]["key"] = "other"
    assert [pointer for pointer, _ in refused_changes(API, old, new)] == [("data",)]
    assert [pointer for pointer, _ in refused_changes(API, old, VALID["config"])] == [("immutable",)]


def test_what_is_empty_is_there() -> None:
    """A key with an empty text, and the class that means none; source: ValidatePersistentVolumeClaimUpdate."""
    old = {**VALID["config"], "immutable": True, "data": {"key": "", "other": "a"}}
    new = {**old, "data": {"other": "a"}}
    assert [pointer for pointer, _ in refused_changes(API, old, new)] == [("data",)]
    old, new = (copy.deepcopy(VALID["claim"]) for _ in range(2))
    old["spec"]["storageClassName"], new["spec"]["storageClassName"] = "", "fast"
    assert [pointer for pointer, _ in refused_changes(API, old, new)] == [("spec", "storageClassName")]
    assert list(refused_changes(API, old, copy.deepcopy(old))) == []


def test_the_addresses_of_a_nodes_pods_stay() -> None:
    """As a list, of which the single field says the first; source: ValidateNodeUpdate."""
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}}
    both = {**node, "spec": {"podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24", "fd01::/64"]}}
    single = {**node, "spec": {"podCIDR": "10.1.0.0/24"}}
    listed = {**node, "spec": {"podCIDRs": ["10.1.0.0/24"]}}
    assert [pointer for pointer, _ in refused_changes(API, both, single)] == [("spec", "podCIDRs")]
    assert list(refused_changes(API, single, {**node, "spec": {}})) == []
    assert list(refused_changes(API, single, listed)) == []


def test_an_indexed_job_grows_with_its_parallelism() -> None:
    """Source: validateCompletions."""
    new = copy.deepcopy(VALID["job"])
    new["spec"] |= {"completions": 5, "parallelism": 5}
    assert list(refused_changes(API, VALID["job"], new)) == []


def test_what_is_made_anew_can_change() -> None:
    """Hooks, and resources that Argo CD replaces by force."""
    for notes in (
        {"argocd.argoproj.io/hook": "PreSync"},
        {"argocd.argoproj.io/sync-options": "Force=true, Replace=true"},
    ):
        assert is_made_anew({"metadata": {"annotations": notes}})
    assert not is_made_anew({"metadata": {"annotations": {"argocd.argoproj.io/sync-options": "Replace=true"}}})
    assert not is_made_anew({})


def test_a_custom_kind_has_no_such_fields() -> None:
    """Nothing is known of it."""
    assert not can_refuse("example.com", "Thing")
    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}}
    assert list(refused_changes(API, thing, {**thing, "spec": {}})) == []


def test_what_the_server_keeps_by_itself_is_no_change() -> None:
    """A claim's source and what a whole pod asks for: taken out they stay, written otherwise they are refused."""
    claim = copy.deepcopy(VALID["claim"])
    claim["spec"]["dataSourceRef"] = {"apiGroup": "a.example.com", "kind": "Copy", "name": "one"}
    assert list(refused_changes(API, claim, VALID["claim"])) == []
    other = copy.deepcopy(claim)
    other["spec"]["dataSourceRef"]["name"] = "two"
    assert [pointer for pointer, _ in refused_changes(API, claim, other)] == [("spec", "dataSourceRef", "name")]
    pod = copy.deepcopy(VALID["pod"])
    pod["spec"]["resources"] = {"requests": {"cpu": "1"}}
    assert list(refused_changes(API, pod, VALID["pod"])) == []
    more = copy.deepcopy(pod)
    more["spec"]["resources"] = {"requests": {"cpu": "2"}}
    assert [pointer for pointer, _ in refused_changes(API, pod, more)] == [("spec", "resources", "requests", "cpu")]
