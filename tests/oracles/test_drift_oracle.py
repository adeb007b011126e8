"""What a real API server makes of applied objects is no drift, whoever applied them; what people do to them is."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from envcompile import yamlio
from tests.cluster.drift.cases import APPLY, EDITS, MERGE, OURS
from tests.cluster.drift.staging import APPLIERS, bring_about, read
from tests.cluster.drift.test_recorded import compared, due
from tests.harness.command import PATIENCE, run_envc
from tests.harness.repository import environment as settings
from tests.harness.repository import write_files
from tests.oracles.cluster import install_crds, running_cluster
from tests.oracles.conftest import LOCATED, unavailable
from tests.oracles.laboratory import PATIENT_SCALING
from tests.oracles.operators import definition_files
from tests.oracles.tools import OracleUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.drift.staging import Mode
    from tests.oracles.cluster import Cluster

ROOT: Final = Path(__file__).parents[2]
APPLIED: Final[dict[str, tuple[str, ...]]] = {
    "prod": ("apply",),
    "staging": ("apply", "--server-side", "--field-manager=envc", "--force-conflicts"),
}
SHARED: Final = {"adapter-config", "trafficpolicies.shop.example.com"}
"""Objects outside of the environments' namespaces, which are the last one's who applied them: one cluster has both."""
NAMESPACES: Final = {"prod": "production", "staging": "staging"}
"""Seconds until autoscalers have acted."""
SAMPLE: Final = 20
"""Edits of each way of applying that are made anew; all fifty are recorded."""


class Drifted(NamedTuple):
    """A field of a resource that `envc drift` tells of, with its manager."""

    resource: str
    field: str
    manager: str


def _running(factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = factory.mktemp("drift")
    try:
        with running_cluster(LOCATED, folder, controllers=True, controller_flags=PATIENT_SCALING) as cluster:
            yield cluster
    except OracleUnavailableError as reason:
        unavailable(reason)


@pytest.fixture(scope="module")
def controlled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose controllers work, autoscalers among them."""
    yield from _running(tmp_path_factory)


@pytest.fixture(scope="module")
def admitting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Another one that holds nothing else: what somebody applied before would be extra."""
    yield from _running(tmp_path_factory)


@pytest.fixture(scope="module")
def shop(controlled: Cluster) -> Cluster:
    """Production applied client-side and staging server-side, both until autoscalers have set replicas."""
    install_crds(controlled, definition_files())
    for environment, words in APPLIED.items():
        values = _compiled(environment)
        own = [value for value in values if value["kind"] in {"Namespace", "CustomResourceDefinition"}]
        _apply(controlled, own, words)
        install_crds(controlled, sorted((ROOT / "environments" / environment).rglob("customresourcedefinition-*")))
        _apply(controlled, values, words)
    for environment, namespace in NAMESPACES.items():
        _wait_for_scalers(controlled, environment, namespace)
    return controlled


def _compiled(environment: str) -> list[dict[str, Any]]:
    files = sorted((ROOT / "environments" / environment).rglob("*.yaml"))
    return [
        value for file in files for value in yamlio.load_all(file.read_bytes(), file.name) if isinstance(value, dict)
    ]


def _apply(cluster: Cluster, values: list[dict[str, Any]], words: tuple[str, ...]) -> None:
    cluster.kubectl(*words, "-f", "-", stdin="---\n".join(map(yamlio.dump, values)), timeout=PATIENCE).expect_success()


def _wait_for_scalers(cluster: Cluster, environment: str, namespace: str) -> None:
    """Until every Deployment that a compiled autoscaler scales has the least number of pods it may have."""
    least = {
        value["spec"]["scaleTargetRef"]["name"]: value["spec"].get("minReplicas", 1)
        for value in _compiled(environment)
        if value["kind"] == "HorizontalPodAutoscaler"
    }
    assert least
    deadline = time.monotonic() + PATIENCE
    while True:
        have = {
            name: cluster.read(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")["spec"]["replicas"]
            for name in least
        }
        if all(have[name] >= least[name] for name in least):
            return
        assert time.monotonic() < deadline, (have, least)
        time.sleep(0.5)


def _drift(cluster: Cluster, environment: str, monkeypatch: pytest.MonkeyPatch, *words: str) -> dict[str, Any]:
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    done = run_envc(ROOT, "drift", environment, "--context", "oracle", "-o", "json", *words)
    assert done.code in {0, 16}, done.err
    (found,) = json.loads(done.out)["environments"]
    assert (done.code == 16) is bool(found["objects"])
    own = [each for each in found["objects"] if each["resource"]["name"] not in SHARED]
    return {**found, "objects": own}


@pytest.mark.parametrize("method", ["read", "dry-run"])
@pytest.mark.parametrize("environment", sorted(APPLIED))
def test_the_applied_shop_does_not_drift(
    environment: str, method: str, shop: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a client-side and after a server-side apply, with autoscalers at work, by both methods."""
    found = _drift(shop, environment, monkeypatch, "--method", method)
    assert found["objects"] == []
    assert found["compared"] == len(_compiled(environment))
    if method == "dry-run":
        refused = [value for value in _compiled(environment) if value["kind"] == "CustomResourceDefinition"]
        assert found["probed"] == found["compared"] - len(refused)


@pytest.mark.parametrize("mode", ["client-side", "server-side"])
def test_edits_are_told_as_they_were_when_recorded(mode: Mode, controlled: Cluster) -> None:
    """Every second or third of the fifty, by both methods: exactly these fields, and the right manager."""
    chosen = EDITS[:: 2 if mode == "client-side" else 3][:SAMPLE]
    spaces = bring_about(controlled, mode, chosen)
    for case in chosen:
        row = read(controlled, mode, case, spaces[case.name])
        for method in ("read", "dry-run"):
            if method == "read" and mode in case.blind:
                continue
            found, wanted = compared(row, method), due(row, case)
            assert found.fields == wanted.fields, (case.name, method)
            if case.writer != "?":
                assert found.writers == wanted.writers, (case.name, method)
    assert APPLIERS[mode] != OURS


DEFAULTS: Final = """\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: usual, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}
spec: {controller: example.com/c}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: usual, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: example.com/p
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: usual}
globalDefault: true
value: 7
---
apiVersion: v1
kind: Namespace
metadata: {name: SPACE}
---
apiVersion: v1
kind: LimitRange
metadata: {name: usual, namespace: SPACE}
spec: {limits: [{type: Container, default: {cpu: 500m}, defaultRequest: {cpu: 100m}}]}
"""
ADMITTED: Final = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
  - host: a.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: w, port: {number: 80}}}}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: bare}
spec: {containers: [{name: app, image: "example.invalid/a:1"}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: SPACE, annotations: {cert-manager.io/inject-ca-from: SPACE/hook}}
webhooks:
- name: w.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  clientConfig: {service: {name: w, namespace: SPACE}, caBundle: Cg==}
  rules: [{apiGroups: [example.com], apiVersions: [v1], operations: [CREATE], resources: [things]}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: trust, annotations: {service.beta.openshift.io/inject-cabundle: "true"}}
data: {own: "1"}
---
apiVersion: torture.example.com/v1
kind: Bundle
metadata: {name: filled}
spec: {}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: filled}
data: {own: "1"}
"""
OWNING: Final = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: bundles.torture.example.com}
spec:
  group: torture.example.com
  scope: Namespaced
  names: {kind: Bundle, plural: bundles, singular: bundle, listKind: BundleList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


def _put_in(cluster: Cluster, space: str) -> None:
    """What an injector, an operator that fills on request, and the operator of an owner write, each in its own way."""
    pem = next(iter(Path(cluster.certificate_authority).read_text("utf-8").split("\n\n")))
    encoded = base64.b64encode(pem.encode()).decode()
    hook = f"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{space}"
    change: Any = [{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": encoded}]
    maps = f"/api/v1/namespaces/{space}/configmaps"
    owner = cluster.read(f"/apis/torture.example.com/v1/namespaces/{space}/bundles/filled")
    assert owner is not None
    reference = {
        "apiVersion": "torture.example.com/v1",
        "kind": "Bundle",
        "name": "filled",
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }
    filled = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "filled", "ownerReferences": [reference], "annotations": {"bundle/hash": "x"}},
        "data": {"any": "thing"},
    }
    for path, manager, body, content in (
        (hook, "an-injector", change, "application/json-patch+json"),
        (f"{maps}/trust", "an-operator", {"data": {"whatever.crt": pem}}, MERGE),
        (f"{maps}/filled", "a-bundler", filled, APPLY),
    ):
        status, said = cluster.send("PATCH", f"{path}?fieldManager={manager}", body, content)
        assert status == 200, said


@pytest.mark.parametrize("mode", ["client-side", "server-side"])
def test_what_a_cluster_puts_in_by_itself(
    mode: Mode, admitting: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Classes, priorities and limits that admission fills in, certificates on request, what an owner's operator writes.

    By neither method, and nobody is trusted by name. What a person writes beside is told.
    """
    space = f"admitted-{mode}"
    root = write_files(
        tmp_path / "project",
        {
            "envc.yaml": "environments: [prod]\n",
            "base/all.yaml": ADMITTED.replace("SPACE", space),
            "base/definition.yaml": OWNING,
            "overlays/prod/environment.yaml": settings(f"namespace: {space}\n"),
        },
    )
    assert run_envc(root, "build").code == 0
    admitting.kubectl("apply", "-f", "-", stdin=DEFAULTS.replace("SPACE", space)).expect_success()
    values = [
        value
        for file in sorted((root / "environments" / "prod").rglob("*.yaml"))
        for value in yamlio.load_all(file.read_bytes(), file.name)
        if isinstance(value, dict)
    ]
    words = ("apply",) if mode == "client-side" else APPLIED["staging"]
    _apply(admitting, [value for value in values if value["kind"] == "CustomResourceDefinition"], words)
    admitting.kubectl("wait", "--for=condition=Established", "crd/bundles.torture.example.com").expect_success()
    _apply(admitting, values, words)
    _put_in(admitting, space)
    monkeypatch.setenv("KUBECONFIG", str(admitting.kubeconfig))
    for method in ("read", "dry-run"):
        done = run_envc(root, "drift", "prod", "--context", "oracle", "--method", method)
        assert done.code == 0, done.out + done.err
    admitting.kubectl(
        "--namespace", space, "patch", "configmap", "filled", "--type", "merge", "-p", '{"data": {"hand": "1"}}'
    ).expect_success()
    done = run_envc(root, "drift", "prod", "--context", "oracle")
    assert done.code == 16
    assert 'data.hand: "1" is extra' in done.out


BY_HAND: Final = (
    ("scale", "deployment/app", "--replicas=9"),
    ("set", "image", "deployment/user-service", "user-service=example.invalid/u:2"),
    ("set", "env", "deployment/order-service", "--containers=order-service", "DEBUG=1"),
    ("set", "resources", "deployment/product-service", "--limits=cpu=7"),
    ("label", "deployment/video-service", "hand=made"),
    ("annotate", "configmap/redis-config", "why=because"),
    ("patch", "service/user-service", "--type=merge", "-p", '{"spec":{"publishNotReadyAddresses":true}}'),
    ("patch", "hpa/user-service-hpa", "--type=merge", "-p", '{"spec":{"maxReplicas":60}}'),
    ("rollout", "restart", "statefulset/redis"),
    ("delete", "pdb", "app-pdb"),
    ("create", "configmap", "left", "--from-literal=a=b"),
)
"""What somebody does to production; all but the last is drift, and the last with --all."""


@pytest.fixture(scope="module")
def after_people(shop: Cluster) -> Cluster:
    """The shop after somebody was at it."""
    for words in BY_HAND:
        shop.kubectl("--namespace", "production", *words).expect_success()
    return shop


@pytest.mark.parametrize("method", ["read", "dry-run"])
def test_what_somebody_did_to_production_is_told_and_nothing_else(
    method: str, after_people: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the manager who did it; a new object that nobody tracks only with --all."""
    found = _drift(after_people, "prod", monkeypatch, "--method", method)
    told = {
        Drifted(
            f"{each['resource']['kind']}/{each['resource']['name']}",
            field["field"],
            (field["writer"] or {}).get("manager", ""),
        )
        for each in found["objects"]
        for field in each["fields"]
    }
    container = "spec.template.spec.containers[name=%s]"
    assert told == {
        Drifted("Deployment/app", "spec.replicas", "kubectl"),
        Drifted("Deployment/user-service", f"{container % 'user-service'}.image", "kubectl-set"),
        Drifted("Deployment/order-service", f"{container % 'order-service'}.env[name=DEBUG]", "kubectl-set"),
        Drifted("Deployment/product-service", f"{container % 'product-service'}.resources.limits.cpu", "kubectl-set"),
        Drifted("Deployment/video-service", "metadata.labels.hand", "kubectl-label"),
        Drifted("ConfigMap/redis-config", "metadata.annotations.why", "kubectl-annotate"),
        Drifted("Service/user-service", "spec.publishNotReadyAddresses", "kubectl-patch"),
        Drifted("HorizontalPodAutoscaler/user-service-hpa", "spec.maxReplicas", "kubectl-patch"),
        Drifted(
            "StatefulSet/redis",
            r"spec.template.metadata.annotations.kubectl\.kubernetes\.io/restartedAt",
            "kubectl-rollout",
        ),
    }
    whole = {(each["drift"], each["resource"]["name"]) for each in found["objects"] if each["drift"] != "changed"}
    assert whole == {("missing", "app-pdb")}
    every = _drift(after_people, "prod", monkeypatch, "--method", method, "--all")
    assert [each["resource"]["name"] for each in every["objects"] if each["drift"] == "extra"] == ["left"]
