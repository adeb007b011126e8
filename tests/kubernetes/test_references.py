"""Which objects an object names: one table, and every room that asks it gets the same answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from envcompile.kubernetes.references import object_references, pod_references, secret_keys
from tests.strategies import json_values

POD = {
    "spec": {
        "serviceAccount": "old",
        "imagePullSecrets": [{"name": "pull"}],
        "ephemeralContainers": [{"envFrom": [{"configMapRef": {"name": "debug"}}]}],
        "volumes": [
            {"name": "s", "secret": {"secretName": "files", "optional": True}},
            {"csi": {"driver": "x", "nodePublishSecretRef": {"name": "driver"}}},
            {"azureFile": {"secretName": "share"}},
        ],
    }
}


def test_pods_name_what_they_read_and_what_they_need_to_start() -> None:
    """Each with the use it is for, so that a checksum counts only what the programs read."""
    assert [(one.kind, one.name, one.use, one.pointer) for one in pod_references(POD, ("spec", "template"))] == [
        ("ServiceAccount", "old", "account", ("spec", "template", "spec", "serviceAccount")),
        ("Secret", "pull", "pull", ("spec", "template", "spec", "imagePullSecrets", 0, "name")),
        (
            "ConfigMap",
            "debug",
            "env",
            ("spec", "template", "spec", "ephemeralContainers", 0, "envFrom", 0, "configMapRef"),
        ),
        ("Secret", "files", "volume", ("spec", "template", "spec", "volumes", 0, "secret")),
        ("Secret", "driver", "driver", ("spec", "template", "spec", "volumes", 1, "csi", "nodePublishSecretRef")),
        ("Secret", "share", "driver", ("spec", "template", "spec", "volumes", 2, "azureFile")),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (
            "Ingress",
            {
                "spec": {
                    "defaultBackend": {"service": {"name": "front"}},
                    "tls": [{"secretName": "cert"}],
                    "rules": [{"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}],
                }
            },
            [("Service", "front"), ("Service", "web"), ("Secret", "cert")],
        ),
        ("ServiceAccount", {"imagePullSecrets": [{"name": "pull"}], "secrets": [{"name": "t"}]}, [("Secret", "pull")]),
        ("HorizontalPodAutoscaler", {"spec": {"scaleTargetRef": {"name": "web"}}}, [("Deployment", "web")]),
        (
            "RoleBinding",
            {"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}]},
            [("Role", "r")],
        ),
        ("ExternalSecret", {"spec": {"secretStoreRef": {"name": "vault"}}}, [("SecretStore", "vault")]),
        ("ConfigMap", {"data": {"a": "b"}}, []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_objects_name_theirs(kind: str, value: Any, expected: list[tuple[str, str]]) -> None:
    """An Ingress its certificate, a ServiceAccount what pulls its images: both have to be there first."""
    assert list(object_references(kind, value)) == expected


def test_any_kind_may_read_a_secret() -> None:
    """Custom kinds use the API's own words."""
    monitor = {"spec": {"endpoints": [{"basicAuth": {"password": {"secretKeyRef": {"name": "s", "key": "p"}}}}]}}
    assert list(secret_keys(monitor, "s")) == ["p"]
    assert list(secret_keys({"tls": [{"secretName": "s"}]}, "s")) == [None]
    assert not list(secret_keys(monitor, "other"))


@given(json_values())
def test_odd_shapes_are_read_as_far_as_they_go(value: Any) -> None:
    """Whether a resource is sound is for checks to say."""
    list(pod_references({"spec": value}))
    list(pod_references({"spec": {"containers": value, "volumes": value, "imagePullSecrets": value}}))
    list(secret_keys(value, "s"))
    for kind in ("Ingress", "RoleBinding", "ServiceAccount", "SecretStore", "ExternalSecret", "Anything"):
        list(object_references(kind, value))
        list(object_references(kind, {"spec": value, "roleRef": value, "subjects": value}))
