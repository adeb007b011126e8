"""What makes two documents speak of the same object."""

from __future__ import annotations

from typing import Any

import pytest

from envcompile.compose.identity import Identifier, select
from envcompile.kubernetes import load
from envcompile.model import ResourceId

API = load("1.35")


def identifier(namespace: str | None = "prod", *, forced: bool = False) -> Identifier:
    """The identities of an environment with this namespace."""
    return Identifier(API, namespace, forced=forced)


def document(api_version: str = "v1", kind: str = "ConfigMap", **metadata: Any) -> dict[str, Any]:
    """A document that says no more than which resource it is."""
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (document(name="a"), ("", "ConfigMap", "prod", "a")),
        (document(name="a", namespace="other"), ("", "ConfigMap", "other", "a")),
        (document(name="a", namespace=None), ("", "ConfigMap", "prod", "a")),
        (document(name="a", namespace=""), ("", "ConfigMap", "prod", "a")),
        (document("apps/v1", "Deployment", name="a"), ("apps", "Deployment", "prod", "a")),
        (document("apps/v1beta2", "Deployment", name="a"), ("apps", "Deployment", "prod", "a")),
        (document(kind="Namespace", name="a"), ("", "Namespace", "", "a")),
        (
            document("rbac.authorization.k8s.io/v1", "ClusterRole", name="a:b"),
            ("rbac.authorization.k8s.io", "ClusterRole", "", "a:b"),
        ),
        (document(kind="Node", name="a", namespace="ignored"), ("", "Node", "", "a")),
        (document("example.com/v1", "Unknown", name="a"), ("example.com", "Unknown", "prod", "a")),
    ],
)
def test_group_kind_namespace_and_name(value: dict[str, Any], expected: tuple[str, ...]) -> None:
    """The version is no part of it, and a namespace left out means the environment's."""
    assert identifier().identify(value) == ResourceId(*expected)


def test_an_environment_may_force_its_namespace() -> None:
    """Cluster-scoped kinds still have none."""
    forced = identifier(forced=True)
    assert forced.identify(document(name="a", namespace="other")).namespace == "prod"
    assert forced.identify(document(kind="Namespace", name="a")).namespace == ""


def test_without_a_namespace_resources_have_their_own_or_none() -> None:
    """There is nothing to force."""
    for forced in (False, True):
        bare = identifier(None, forced=forced)
        assert bare.identify(document(name="a")).namespace == ""
        assert bare.identify(document(name="a", namespace="other")).namespace == "other"


def test_generated_names_are_told_apart_by_content() -> None:
    """Two Jobs of one prefix are two resources, however their keys are ordered."""
    jobs = [document("batch/v1", "Job", generateName="once-") | {"spec": {"a": number}} for number in range(2)]
    first, second = (identifier().identify(job) for job in jobs)
    assert first != second
    assert first.name.startswith("once-")
    assert identifier().identify(dict(reversed(jobs[0].items()))) == first


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({}, True),
        ({"apiVersion": "apps/v1beta1"}, True),
        ({"spec": None}, True),
        ({"apiVersion": "v1"}, False),
        ({"apiVersion": None}, False),
        ({"kind": "StatefulSet"}, False),
        ({"kind": 1}, False),
        ({"metadata": None}, False),
        ({"metadata": {}}, False),
        ({"metadata": {"name": "b"}}, False),
        ({"metadata": {"name": ""}}, False),
        ({"metadata": {"name": "a", "namespace": "prod"}}, True),
        ({"metadata": {"name": "a", "namespace": "other"}}, False),
        ({"metadata": {"generateName": "a"}}, False),
    ],
)
def test_a_change_keeps_the_identity_or_not(change: dict[str, Any], *, kept: bool) -> None:
    """Group, kind, namespace and name are what a resource is."""
    value = document("apps/v1", "Deployment", name="a")
    identity = identifier().identify(value)
    assert identifier().keeps(identity, {**value, **change}) is kept
    assert not identifier().keeps(identity, None)


def test_a_generated_name_stays_itself_when_its_content_changes() -> None:
    """Patches of an object that the API server will name are no other objects."""
    job = document("batch/v1", "Job", generateName="once-")
    identity = identifier().identify(job)
    assert identifier().keeps(identity, {**job, "spec": {"a": 1}})
    assert not identifier().keeps(identity, document("batch/v1", "Job", generateName="twice-"))


KNOWN = [
    ResourceId("", "Service", "prod", "web"),
    ResourceId("", "Service", "other", "web"),
    ResourceId("serving.knative.dev", "Service", "prod", "web"),
    ResourceId("serving.knative.dev", "Service", "prod", "only"),
    ResourceId("apps", "Deployment", "prod", "web"),
    ResourceId("networking.k8s.io", "Ingress", "prod", "web"),
    ResourceId("extensions", "Ingress", "prod", "web"),
]


@pytest.mark.parametrize(
    ("wanted", "positions"),
    [
        ("service/web", [0, 1]),
        ("SERVICE/web", [0, 1]),
        ("Service/WEB", []),
        ("service/other/web", [1]),
        ("service/nowhere/web", []),
        ("service.serving.knative.dev/web", [2]),
        ("service.serving/web", [2]),
        ("service.serv/web", []),
        ("service/only", [3]),
        ("deployment.apps/web", [4]),
        ("ingress/web", [5, 6]),
        ("ingress.extensions/web", [6]),
        ("web", []),
        ("service", []),
        ("", []),
    ],
)
def test_kind_and_name_on_a_command_line(wanted: str, positions: list[int]) -> None:
    """The kind in any case, a group or its beginning, a namespace; the core API wins where no group is named."""
    assert select(wanted, KNOWN) == [KNOWN[position] for position in positions]
