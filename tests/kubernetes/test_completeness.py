"""What a new resource lacks."""

from operator import itemgetter
from typing import Any

import pytest

from envcompile.kubernetes import load, shortcomings

API = load("1.35")
CONTAINERS = [{"name": "app", "image": "app:1"}]


def resource(api_version: str, kind: str, **fields: Any) -> dict[str, Any]:
    """A resource with a name."""
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **fields}


def deployment(**spec: Any) -> dict[str, Any]:
    """A Deployment that is complete unless a field says otherwise."""
    whole = {"selector": {"matchLabels": {"a": "b"}}, "template": {"spec": {"containers": CONTAINERS}}}
    return resource("apps/v1", "Deployment", spec={**whole, **spec})


def found(value: Any) -> list[tuple[str, str]]:
    """Pointers as dotted text, and what is said."""
    return [(".".join(map(str, item.pointer)), item.what) for item in shortcomings(API, value)]


COMPLETE = [
    deployment(replicas=3, strategy={"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}),
    deployment(replicas=3.0, paused=None),
    resource("v1", "ConfigMap", data={"a": "b"}),
    resource("v1", "Service", spec={"ports": [{"port": 80, "targetPort": "http"}]}),
    resource("v1", "Service", spec={"clusterIP": "None", "selector": {"a": "b"}}),
    resource("v1", "Service", spec={"type": "ExternalName", "externalName": "example.com"}),
    resource(
        "networking.k8s.io/v1", "Ingress", spec={"defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}}
    ),
    resource("v1", "Namespace"),
    resource("v1", "ResourceQuota", spec={"hard": {"cpu": 4, "memory": "1Gi"}}),
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}},
    resource("example.com/v1", "Unknown", whatever=[1]),
]


@pytest.mark.parametrize("value", COMPLETE, ids=itemgetter("kind"))
def test_a_complete_resource_has_no_shortcomings(value: Any) -> None:
    """Also with what OpenAPI allows in several forms."""
    assert found(value) == []


INCOMPLETE: list[tuple[Any, list[tuple[str, str]]]] = [
    (
        resource("apps/v1", "Deployment", spec={"replicas": 3}),
        [
            ("spec.selector", "`selector` is missing in io.k8s.api.apps.v1.DeploymentSpec"),
            ("spec.template", "`template` is missing in io.k8s.api.apps.v1.DeploymentSpec"),
        ],
    ),
    (
        resource("apps/v1", "Deployment"),
        [
            ("spec.selector", "`spec.selector` is missing or empty"),
            ("spec.template", "`spec.template` is missing or empty"),
            ("spec.template.spec.containers", "`spec.template.spec.containers` is missing or empty"),
        ],
    ),
    (
        deployment(template={"spec": {"containers": []}}),
        [("spec.template.spec.containers", "`spec.template.spec.containers` is missing or empty")],
    ),
    (
        deployment(template={"spec": {"containers": CONTAINERS, "initContainers": [{"name": "i"}]}}),
        [("spec.template.spec.initContainers.0.image", "`image` of container `i` is missing or empty")],
    ),
    (
        deployment(template={"spec": {"containers": CONTAINERS, "initContainers": [{}]}}),
        [
            ("spec.template.spec.initContainers.0.name", "`name` is missing in io.k8s.api.core.v1.Container"),
            ("spec.template.spec.initContainers.0.image", "`image` of item 0 of `initContainers` is missing or empty"),
        ],
    ),
    (
        deployment(replicas="3", replica=1, paused=1, minReadySeconds=1.5),
        [
            ("spec.replicas", "`replicas` is a string where an integer belongs"),
            ("spec.replica", "`replica` is not a field of io.k8s.api.apps.v1.DeploymentSpec: did you mean `replicas`?"),
            ("spec.paused", "`paused` is an integer where a boolean belongs"),
            ("spec.minReadySeconds", "`minReadySeconds` is a number where an integer belongs"),
        ],
    ),
    (
        deployment(template={"spec": {"containers": {"name": "a"}}}),
        [("spec.template.spec.containers", "`containers` is a map where a list belongs")],
    ),
    (
        deployment(template={"spec": {"containers": [None, *CONTAINERS]}}),
        [("spec.template.spec.containers.0.name", "`name` is missing in io.k8s.api.core.v1.Container")],
    ),
    (
        resource("v1", "ConfigMap", data={"a": 1, "b": None}),
        [
            ("data.a", "`a` is an integer where a string belongs"),
        ],
    ),
    (
        resource("v1", "Service", spec={"type": "LoadBalancer"}),
        [("spec.ports", "`spec.ports` is missing or empty: only a headless Service has none")],
    ),
    (
        resource("v1", "Service", spec={"type": "ExternalName"}),
        [("spec.externalName", "`spec.externalName` is missing: the Service is of type ExternalName")],
    ),
    (
        resource("networking.k8s.io/v1", "Ingress", spec={"tls": [{"hosts": ["a"]}]}),
        [("spec.rules", "either `spec.rules` or `spec.defaultBackend` must be there")],
    ),
    (
        resource("batch/v1", "Job", spec={"template": {"spec": {"containers": CONTAINERS}}}),
        [("spec.template.spec.restartPolicy", "`restartPolicy` of a Job must be Never or OnFailure")],
    ),
    (
        resource(
            "batch/v1",
            "CronJob",
            spec={"schedule": "", "jobTemplate": {"spec": {"template": {"spec": {"containers": CONTAINERS}}}}},
        ),
        [
            ("spec.schedule", "`spec.schedule` is missing or empty"),
            (
                "spec.jobTemplate.spec.template.spec.restartPolicy",
                "`restartPolicy` of a Job must be Never or OnFailure",
            ),
        ],
    ),
    (
        resource("autoscaling/v2", "HorizontalPodAutoscaler", spec={"maxReplicas": 3}),
        [
            (
                "spec.scaleTargetRef",
                "`scaleTargetRef` is missing in io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec",
            )
        ],
    ),
    (
        resource("v1", "PersistentVolumeClaim", spec={"resources": {"requests": {"storage": "1Gi"}}}),
        [("spec.accessModes", "`spec.accessModes` is missing or empty")],
    ),
    (
        resource(
            "rbac.authorization.k8s.io/v1",
            "Role",
            rules=[{"verbs": [], "resources": ["pods"]}, {"verbs": ["get"], "nonResourceURLs": ["/"]}],
        ),
        [
            ("rules.0.verbs", "`verbs` of the rule is missing or empty"),
            ("rules.0.apiGroups", "`apiGroups` of the rule is missing or empty"),
        ],
    ),
    (
        resource("autoscaling/v2beta2", "HorizontalPodAutoscaler", spec={}),
        [
            (
                "apiVersion",
                (
                    "HorizontalPodAutoscaler is not served as `autoscaling/v2beta2` "
                    "(Kubernetes 1.35 serves autoscaling/v2 and autoscaling/v1)"
                ),
            )
        ],
    ),
    (
        {"kind": "Service", "metadata": {}},
        [("apiVersion", "`apiVersion` is missing"), ("metadata.name", "`metadata.name` is missing")],
    ),
    (
        {"apiVersion": "v1", "kind": "Service"},
        [
            ("metadata.name", "`metadata.name` is missing"),
            ("spec.ports", "`spec.ports` is missing or empty: only a headless Service has none"),
        ],
    ),
    ([], [("", "a resource is a map, not a list")]),
]


@pytest.mark.parametrize(("value", "expected"), INCOMPLETE)
def test_what_is_missing_or_wrong_is_said_with_its_place(value: Any, expected: list[tuple[str, str]]) -> None:
    """Whole messages, in the order of the fields; one complaint about one field."""
    assert found(value) == expected
