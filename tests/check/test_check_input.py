"""One environment as rules look at it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.check.references import references_of
from tests.check.rules.inputs import found_in, good, inputs, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.model import Pointer
    from tests.check.rules.inputs import Document


def _pods(documents: list[Document], name: str) -> Any:
    found = inputs(documents)
    return found, next(pods for pods in found.pods if pods.resource.id.name == name)


def _deployment(name: str = "web", **spec: Any) -> Document:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [], **spec}}},
    }


@pytest.mark.parametrize(
    ("environment", "due"),
    [
        ("prod", True),
        ("eu-production", True),
        ("PRD", True),
        ("live", True),
        ("prod2", True),
        ("nonprod", False),
        ("non-prod", False),
        ("pre-production", False),
        ("dev", False),
        ("staging", False),
        ("reproduction", False),
        ("alive", False),
    ],
)
def test_production_is_told_by_its_name(environment: str, due: bool) -> None:  # ruff: ignore[boolean-type-hint-positional-argument]
    """A word of the name begins with prod, prd or live, and none is non or pre."""
    found = inputs([], environment=environment)
    assert found.is_production is due
    assert found.in_production("warning") == ("warning" if due else "info")


def test_resources_are_found_by_kind_and_by_name() -> None:
    """In the environment's order; absent ones are None."""
    found = inputs(good())
    assert [each.id.name for each in found.of_kind("", "Service")] == ["api", "store"]
    assert [each.id.kind for each in found.of_kind("apps", "StatefulSet", "Deployment")][:1] == ["StatefulSet"]
    assert found.named("apps", "Deployment", "shop", "api") is found.of_kind("apps", "Deployment")[0]
    assert found.named("apps", "Deployment", "elsewhere", "api") is None


def test_pods_know_their_places() -> None:
    """The pointer of a container leads to it; the template of a CronJob is deeper, that of a Pod is the Pod."""
    documents = read("""
apiVersion: batch/v1
kind: CronJob
metadata: {name: job}
spec:
  jobTemplate: {spec: {template: {spec: {initContainers: [{name: a}], containers: [{name: b}]}}}}
---
apiVersion: v1
kind: Pod
metadata: {name: pod, labels: {app: pod}}
spec:
  initContainers: [{name: side, restartPolicy: Always}]
  containers: [{name: main}]
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: roll}
spec: {template: {metadata: {labels: {app: roll}}, spec: {containers: [{name: main}]}}}
---
apiVersion: example.com/v1
kind: Thing
metadata: {name: thing}
spec: {template: {}}
""")
    found = inputs(documents)
    assert [pods.name for pods in found.pods] == ["CronJob/job", "Pod/pod", "Rollout/roll"]
    job, pod, roll = found.pods
    way = ("spec", "jobTemplate", "spec", "template", "spec")
    assert [container.pointer for container in job.containers] == [(*way, "initContainers", 0), (*way, "containers", 0)]
    assert [container.name for container in job.running] == ["b"]
    assert [container.name for container in pod.running] == ["side", "main"]
    assert (pod.spec_pointer, pod.labels, pod.serves, job.serves) == (("spec",), {"app": "pod"}, True, False)
    assert found.pods_of(roll.resource.id) is roll


def test_services_and_budgets_of_pods() -> None:
    """Selectors are followed both ways, within a namespace."""
    found, pods = _pods(good(), "api")
    assert [service.id.name for service in found.services_of(pods)] == ["api"]
    assert [budget.id.name for budget in found.budgets_of(pods)] == ["api"]
    assert [each.name for each in found.behind(found.named("", "Service", "shop", "store"))] == ["StatefulSet/store"]


def test_labels_that_controllers_give_do_not_keep_a_service_from_its_pods() -> None:
    """A Service of one pod of a StatefulSet names the pod by a label that no template has."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "first"},
        "spec": {"selector": {"app": "web", "statefulset.kubernetes.io/pod-name": "web-0"}},
    }
    found = inputs([_deployment(), service])
    assert [each.name for each in found.behind(found.of_kind("", "Service")[0])] == ["Deployment/web"]


def test_the_fewest_pods() -> None:
    """The scaler's minimum wins over replicas; without either it is one."""
    documents = good()
    found = inputs(documents)
    fewest = {pods.resource.id.name: found.fewest(pods) for pods in found.pods}
    assert fewest == {"api": 3, "store": 3, "worker": 2}
    alone = inputs([_deployment()])
    assert alone.fewest(alone.pods[0]) == 1
    quoted = _deployment()
    quoted["spec"]["replicas"] = "2"
    found = inputs([quoted])
    assert found.fewest(found.pods[0]) == 2


def test_references_with_their_places() -> None:
    """Everything a pod can name, with the field that names it."""
    workload = _deployment(
        serviceAccountName="web",
        imagePullSecrets=[{"name": "pull"}],
        containers=[
            {
                "name": "web",
                "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": True}}}],
                "envFrom": [{"secretRef": {"name": "s"}}],
                "volumeMounts": [{"name": "files", "mountPath": "/x", "subPath": "x"}],
            }
        ],
        volumes=[
            {"name": "files", "configMap": {"name": "files", "items": [{"key": "x", "path": "x"}]}},
            {"name": "all", "projected": {"sources": [{"secret": {"name": "p", "optional": True}}]}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        ],
    )
    found = [
        (each.kind, each.name, each.key, each.optional, each.is_whole, each.pointer[3:])
        for each in references_of(inputs([workload]).pods[0])
    ]
    assert found == [
        ("ServiceAccount", "web", "", False, False, ("serviceAccountName",)),
        ("Secret", "pull", "", True, False, ("imagePullSecrets", 0, "name")),
        ("ConfigMap", "c", "k", True, True, ("containers", 0, "env", 0, "valueFrom", "configMapKeyRef")),
        ("Secret", "s", "", False, True, ("containers", 0, "envFrom", 0, "secretRef")),
        ("ConfigMap", "files", "", False, True, ("volumes", 0, "configMap")),
        ("ConfigMap", "files", "x", False, True, ("volumes", 0, "configMap", "items", 0)),
        ("Secret", "p", "", True, False, ("volumes", 1, "projected", "sources", 0, "secret")),
        ("PersistentVolumeClaim", "data", "", False, False, ("volumes", 2, "persistentVolumeClaim", "claimName")),
    ]


def _secret(text: str) -> Any:
    provided = inputs(read(text)).provisions.find("Secret", "shop", "due")
    return "absent" if provided is None else provided.keys and sorted(provided.keys)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        pytest.param(
            "{apiVersion: v1, kind: Secret, metadata: {name: due}, data: {a: ''}, stringData: {b: c}}", ["a", "b"]
        ),
        pytest.param(
            "{apiVersion: v1, kind: Secret, metadata: {name: due}, type: kubernetes.io/service-account-token}", None
        ),
        pytest.param(
            "{apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, metadata: {name: due},"
            " spec: {encryptedData: {a: A}, template: {data: {b: c}}}}",
            ["a", "b"],
        ),
        pytest.param(
            "{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: x},"
            " spec: {target: {name: due}, data: [{secretKey: a}]}}",
            ["a"],
        ),
        pytest.param(
            "{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: due},"
            " spec: {dataFrom: [{extract: {key: x}}]}}",
            None,
        ),
        pytest.param(
            "{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: due},"
            " spec: {target: {template: {data: {url: x}}}, data: [{secretKey: a}]}}",
            ["url"],
        ),
        pytest.param(
            "{apiVersion: external-secrets.io/v1, kind: ClusterExternalSecret, metadata: {name: due}, spec: {}}", None
        ),
        pytest.param(
            "{apiVersion: cert-manager.io/v1, kind: Certificate, metadata: {name: x}, spec: {secretName: due}}", None
        ),
        pytest.param(
            "{apiVersion: networking.k8s.io/v1, kind: Ingress,"
            " metadata: {name: x, annotations: {cert-manager.io/cluster-issuer: y}}, spec: {tls: [{secretName: due}]}}",
            None,
        ),
        pytest.param(
            "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: x}, spec: {tls: [{secretName: due}]}}",
            "absent",
        ),
        pytest.param("{apiVersion: v1, kind: Secret, metadata: {name: due, namespace: elsewhere}}", "absent"),
    ],
    ids=[
        "secret",
        "token",
        "sealed",
        "external",
        "external-of-unknown-keys",
        "external-by-template",
        "cluster-external",
        "certificate",
        "ingress-shim",
        "only-a-reference",
        "elsewhere",
    ],
)
def test_who_provides_a_secret(text: str, due: object) -> None:
    """What operators make counts as there; None stands for keys that only the operator knows."""
    assert _secret(text) == due


def test_every_namespace_has_the_clusters_certificates() -> None:
    """`kube-root-ca.crt` is published by the cluster itself."""
    assert inputs([]).provisions.find("ConfigMap", "anywhere", "kube-root-ca.crt") is not None


def test_a_statefulset_makes_its_claims() -> None:
    """`TEMPLATE-SET-ORDINAL` is there without being written down."""
    provisions = inputs(good()).provisions
    assert provisions.has_claim("shop", "files")
    assert provisions.has_claim("shop", "data-store-0")
    assert not provisions.has_claim("shop", "data-other-0")


def test_an_operator_may_make_the_pods() -> None:
    """In a namespace with a custom resource that stands for pods, a selector without pods is no warning."""
    kafka = {"apiVersion": "kafka.strimzi.io/v1beta2", "kind": "Kafka", "metadata": {"name": "kafka"}}
    found = inputs([kafka])
    assert found.unless_operated("shop", "warning") == "info"
    assert found.unless_operated("elsewhere", "warning") == "warning"


def test_sealing_is_told_by_what_is_there() -> None:
    """SealedSecrets, or the controller's own account."""
    assert inputs(good()).uses_sealing
    assert not inputs([_deployment()]).uses_sealing
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    account["metadata"] = {"name": "sealed-secrets-controller", "namespace": "kube-system"}  # type: ignore[assignment]
    assert inputs([account]).uses_sealing


def _ways(value: Any, way: Pointer = ()) -> Iterator[Pointer]:
    """The way to every value inside of a value."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*way, key)
        yield from _ways(part, (*way, key))


@pytest.mark.parametrize("seed", range(20))
def test_rules_survive_values_of_any_shape(seed: int) -> None:
    """A value of another shape than its kind's is the schema's business; no rule falls over it."""
    chance = random.Random(seed)
    shapes: list[Any] = [None, "text", 7, True, [], {}, [None, "x", {}], [["a"], {"b": []}], {"x": [1]}]
    identity = {("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"), ("metadata", "namespace")}
    documents = good()
    for document in documents:
        ways = [way for way in _ways(document) if way not in identity]
        if not ways:
            continue
        way = chance.choice(ways)
        holder: Any = document
        for part in way[:-1]:
            holder = holder[part]
        holder[way[-1]] = chance.choice(shapes)
    assert all(hit.what and hit.fix for _, hit in found_in(inputs(documents)))
