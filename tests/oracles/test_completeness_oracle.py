"""What we call complete or not, before a real API server."""

import json
from typing import Any

import pytest

from envcompile.kubernetes import load, shortcomings
from tests.kubernetes.test_completeness import COMPLETE, INCOMPLETE
from tests.oracles.cluster import Cluster

API = load("1.37")
BUILT_IN = [value for value in COMPLETE if API.knows(value["apiVersion"].rpartition("/")[0], value["kind"])]


def _with_pod_labels(value: dict[str, Any]) -> dict[str, Any]:
    """Give a pod template the labels its selector asks for: that they fit is no matter of completeness."""
    template = (value.get("spec") or {}).get("template")
    if value["kind"] != "Deployment" or not isinstance(template, dict):
        return value
    return {**value, "spec": {**value["spec"], "template": {"metadata": {"labels": {"a": "b"}}, **template}}}


def _create(cluster: Cluster, value: Any) -> Any:
    text = json.dumps(value)
    return cluster.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text)


@pytest.mark.parametrize("value", BUILT_IN, ids=lambda value: str(value["kind"]))
def test_the_server_takes_what_we_call_complete(kube_cluster: Cluster, value: dict[str, Any]) -> None:
    """A server-side dry-run creates it."""
    assert shortcomings(API, value) == []
    result = _create(kube_cluster, _with_pod_labels(value))
    assert result.ok, result.stderr


@pytest.mark.parametrize("value", [value for value, _ in INCOMPLETE])
def test_the_server_refuses_what_we_call_incomplete(kube_cluster: Cluster, value: Any) -> None:
    """With strict validation, as kubectl asks for by default."""
    assert shortcomings(API, value)
    assert not _create(
        kube_cluster, _with_pod_labels(value) if isinstance(value, dict) and "spec" in value else value
    ).ok
