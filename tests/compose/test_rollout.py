"""Which workloads restart when which configuration changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from envcompile.compose.rollout import CHECKSUM_ANNOTATION, RELOADER_ANNOTATION, configuration_of
from envcompile.model import Resource, ResourceId
from tests.compose.linking import with_rollout
from tests.strategies import json_values

SPEC: dict[str, Any] = {"containers": [{"name": "a", "envFrom": [{"configMapRef": {"name": "one"}}]}]}


def resource(kind: str, name: str = "a", namespace: str = "n", group: str = "", **value: Any) -> Resource:
    """A resource as the stage before leaves it."""
    return Resource(ResourceId(group, kind, namespace, name), {"metadata": {"name": name}, **value}, "app", ())


def workload(spec: Any, kind: str = "Deployment", **metadata: Any) -> Resource:
    """A workload with this pod spec."""
    made = resource(kind, group="apps", spec={"template": {"spec": spec}})
    return made._replace(value={**made.value, "metadata": {"name": "a", **metadata}})


def checksum(*resources: Resource) -> str | None:
    """The checksum that the first of the resources, a workload, gets."""
    after = with_rollout(resources, "checksum", "overlays/prod")[0].value["spec"]["template"]
    found = after.get("metadata", {}).get("annotations", {}).get(CHECKSUM_ANNOTATION)
    assert found is None or isinstance(found, str)
    return found


BOTH = [("ConfigMap", "c"), ("Secret", "s")]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (SPEC, [("ConfigMap", "one")]),
        ({"initContainers": [{"envFrom": [{"secretRef": {"name": "s"}}]}]}, [("Secret", "s")]),
        (
            {
                "containers": [
                    {"env": [{"valueFrom": {"configMapKeyRef": {"name": "c"}}}]},
                    {"env": [{"valueFrom": {"secretKeyRef": {"name": "s"}}}]},
                ]
            },
            BOTH,
        ),
        ({"volumes": [{"configMap": {"name": "c"}}, {"secret": {"secretName": "s"}}]}, BOTH),
        ({"volumes": [{"projected": {"sources": [{"configMap": {"name": "c"}}, {"secret": {"name": "s"}}]}}]}, BOTH),
        ({"containers": [{"env": [{"name": "A", "value": "b"}, {"valueFrom": {"fieldRef": {}}}]}]}, []),
        ({"volumes": [{"emptyDir": {}}]}, []),
        (None, []),
    ],
)
def test_what_pods_read(spec: Any, expected: list[tuple[str, str]]) -> None:
    """Environment, single keys, volumes and projected volumes, in all containers."""
    made = workload(spec)
    assert list(configuration_of(made.id, made.value)) == expected


@given(json_values())
def test_odd_shapes_are_read_as_far_as_they_go(spec: Any) -> None:
    """Whether a workload is sound is for checks to say."""
    for mode in ("reloader", "checksum"):
        with_rollout([workload(spec)], mode, "overlays/prod")
    made = workload({"containers": spec, "volumes": spec})
    list(configuration_of(made.id, made.value))


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_reloader_is_asked_on_the_workloads_own_metadata(kind: str) -> None:
    """Its README wants the annotation there, as text."""
    [after] = with_rollout([workload(SPEC, kind)], "reloader", "overlays/prod")
    assert after.value["metadata"]["annotations"] == {RELOADER_ANNOTATION: "true"}
    assert [(step.role, step.layer, step.within) for step in after.steps] == [
        ("setting", "overlays/prod", ("rollout",))
    ]


@pytest.mark.parametrize(
    "name", [RELOADER_ANNOTATION, "configmap.reloader.stakater.com/reload", "secret.reloader.stakater.com/auto"]
)
def test_a_workload_that_speaks_to_reloader_itself_is_left_alone(name: str) -> None:
    """Its own choice stays, even when it is no."""
    before = workload(SPEC, annotations={name: "false"})
    assert with_rollout([before], "reloader", "overlays/prod") == (before,)


@pytest.mark.parametrize("mode", ["none", "reloader", "checksum"])
def test_what_reads_nothing_or_does_not_restart_is_the_same_object(mode: str) -> None:
    """Jobs run once, and other kinds have no pods."""
    config = resource("ConfigMap", "one", data={"a": "b"})
    job = resource("Job", group="batch", spec={"template": {"spec": SPEC}})
    others = [
        workload({"containers": []}),
        job,
        config,
        workload(SPEC)._replace(id=ResourceId("x", "Deployment", "n", "a")),
    ]
    after = with_rollout(others, mode, "overlays/prod")
    assert all(new is old for new, old in zip(after, others, strict=True))


def test_the_checksum_follows_the_content_alone() -> None:
    """Data changes it; labels and the order of keys do not; nor does what other namespaces hold."""
    first = checksum(workload(SPEC), resource("ConfigMap", "one", data={"a": "1", "b": "2"}))
    assert first is not None
    assert checksum(workload(SPEC), resource("ConfigMap", "one", data={"b": "2", "a": "1"})) == first
    labelled = resource("ConfigMap", "one", data={"a": "1", "b": "2"})
    labelled.value["metadata"]["labels"] = {"x": "y"}
    assert checksum(workload(SPEC), labelled) == first
    assert checksum(workload(SPEC), resource("ConfigMap", "one", data={"a": "1", "b": "3"})) != first
    assert checksum(workload(SPEC), resource("ConfigMap", "one", binaryData={"a": "1"})) not in {first, None}
    assert checksum(workload(SPEC), resource("ConfigMap", "one", "other", data={"a": "1"})) is None
    assert checksum(workload(SPEC)) is None


def test_a_sealed_secret_counts_by_its_sealed_bytes() -> None:
    """What is sealed again restarts; no plaintext is looked at."""
    reads = workload({"volumes": [{"secret": {"secretName": "s"}}]})
    sealed = [resource("SealedSecret", "s", group="bitnami.com", spec={"encryptedData": {"k": text}}) for text in "ab"]
    first, second = (checksum(reads, one) for one in sealed)
    assert first is not None
    assert first != second


def test_nothing_that_went_in_is_changed() -> None:
    """Resources are shared between environments."""
    resources = [workload(SPEC, annotations={"a": "b"}), resource("ConfigMap", "one", data={"a": "1"})]
    before = json.dumps([item.value for item in resources])
    for mode in ("reloader", "checksum"):
        with_rollout(resources, mode, "overlays/prod")
    assert json.dumps([item.value for item in resources]) == before
