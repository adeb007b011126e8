"""The client against a real API server: what it serves is found, listed, and asked for without leaving a trace."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.cluster.answers import ApiError
from envcompile.cluster.client import PAGE, Cluster
from envcompile.cluster.kubeconfig import find_access
from tests.harness.command import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oracles.cluster import Cluster as Server

SCHEMA = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
GEARS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gears.client.example.com"},
    "spec": {
        "group": "client.example.com",
        "scope": "Namespaced",
        "names": {"kind": "Gear", "plural": "gears", "singular": "gear", "listKind": "GearList", "shortNames": ["gr"]},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": SCHEMA},
            {"name": "v2", "served": True, "storage": False, "schema": SCHEMA},
        ],
    },
}


def _config_map(name: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": data,
    }


@pytest.fixture
def client(kube_cluster: Server) -> Iterator[Cluster]:
    """A client of the administrator."""
    with Cluster(find_access(None, {"KUBECONFIG": str(kube_cluster.kubeconfig)})) as cluster:
        yield cluster


def test_all_kinds_are_found(client: Cluster) -> None:
    """Each kind once, by every word that kubectl knows; namespaced or not; the version too."""
    found = client.discover()
    assert client.version().startswith("v1.")
    assert len({(one.group, one.plural) for one in found.kinds}) == len(found.kinds) > 50
    for word in ("deploy", "Deployment", "deployments", "deployments.apps", "DEPLOYMENT"):
        assert found.find(word).path("shop", "web") == "/apis/apps/v1/namespaces/shop/deployments/web"
    assert found.find("ns").path("", "shop") == "/api/v1/namespaces/shop"
    assert not found.find("clusterrole").namespaced
    assert {"list", "watch"} <= {*found.find("cm").verbs}
    assert found.silent == ()


def test_the_version_in_storage_is_taken(client: Cluster) -> None:
    """A watch of any other version falls silent when its conversion webhook dies."""
    definitions = client.discover().find("crd")
    client.create(definitions, GEARS, dry_run=False)
    deadline = time.monotonic() + PATIENCE
    while client.discover().of("client.example.com/v1", "Gear") is None:
        assert time.monotonic() < deadline
        client.forget()
        time.sleep(0.1)
    found = client.discover()
    assert found.find("gr").version == "v1"
    assert found.of("client.example.com/v2", "Gear") is not None


def test_a_list_of_several_pages(client: Cluster) -> None:
    """Every object is there once, with its kind, and selectors pick."""
    kind = client.discover().find("configmap")
    for number in range(PAGE + 20):
        value = _config_map(f"page-{number}")
        value["metadata"]["labels"] = {"odd": str(number % 2)}
        client.create(kind, value, dry_run=False)
    listing = client.objects(kind, namespace="default", labels="odd")
    names = [one["metadata"]["name"] for one in listing.items]
    assert sorted(names) == sorted(f"page-{number}" for number in range(PAGE + 20))
    assert {(one["apiVersion"], one["kind"]) for one in listing.items} == {("v1", "ConfigMap")}
    assert listing.resource_version
    assert len(client.objects(kind, labels="odd=1").items) == (PAGE + 20) // 2
    assert [one["metadata"]["name"] for one in client.objects(kind, fields="metadata.name=page-7").items] == ["page-7"]


def test_a_dry_run_leaves_nothing(client: Cluster, kube_cluster: Server) -> None:
    """The server's defaults are told, and nothing is there afterwards."""
    kind = client.discover().find("deploy")
    value = json.loads(
        kube_cluster.kubectl(
            "create", "deployment", "dry", "--image=nginx:1", "--dry-run=client", "--output=json"
        ).stdout
    )
    value["metadata"]["namespace"] = "default"
    made = client.create(kind, value, dry_run=True)
    assert made["spec"]["progressDeadlineSeconds"] == 600
    applied = client.apply(kind, value, dry_run=True)
    assert applied["metadata"]["managedFields"][0]["manager"] == "envc"
    assert client.get(kind, "dry", "default") is None


def test_an_object_is_applied_and_read(client: Cluster) -> None:
    """What is applied is there."""
    kind = client.discover().find("cm")
    client.apply(kind, _config_map("applied", color="blue"), dry_run=False)
    found = client.get(kind, "applied", "default")
    assert found is not None
    assert found["data"] == {"color": "blue"}


def test_refusals_have_their_reasons(client: Cluster) -> None:
    """What is invalid, there already, or nonsense is refused in the server's words."""
    kind = client.discover().find("cm")
    wrong = _config_map("Wrong Name")
    with pytest.raises(ApiError, match="Invalid value") as refused:
        client.create(kind, wrong, dry_run=True)
    assert (refused.value.status, refused.value.reason) == (422, "Invalid")
    assert refused.value.details["causes"][0]["field"] == "metadata.name"
    client.apply(kind, _config_map("there"), dry_run=False)
    with pytest.raises(ApiError) as refused:
        client.create(kind, _config_map("there"), dry_run=True)
    assert (refused.value.status, refused.value.reason) == (409, "AlreadyExists")


def test_a_person_without_rights(client: Cluster, kube_cluster: Server) -> None:
    """403 says what is forbidden; a token that is none, 401."""
    made = client.request(
        "POST", "/api/v1/namespaces/default/serviceaccounts", what="make", body={"metadata": {"name": "nobody"}}
    )
    token = client.request(
        "POST",
        f"/api/v1/namespaces/default/serviceaccounts/{made['metadata']['name']}/token",
        what="make a token",
        body={"spec": {"expirationSeconds": 600}},
    )["status"]["token"]
    config = json.loads(kube_cluster.kubeconfig.read_text("utf-8"))
    for given, status, words in ((token, 403, "forbids to list pods"), ("abc", 401, "does not take the credentials")):
        config["users"][0]["user"] = {"token": given}
        file = kube_cluster.folder / "other.kubeconfig"
        file.write_text(json.dumps(config), encoding="utf-8")
        with Cluster(find_access(None, {"KUBECONFIG": str(file)})) as other:
            with pytest.raises(ApiError, match=words) as refused:
                other.objects(client.discover().find("pod"))
            assert refused.value.status == status
