"""The rules of the comparison, each on an object of a few fields."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import pytest

from envcompile import yamlio
from envcompile.check.policy.defaults import admitted
from envcompile.cluster.drift.compare import Rules, compare
from envcompile.kubernetes.api import load

if TYPE_CHECKING:
    from envcompile.cluster.drift.compare import Difference

API: Final = load("1.37")
KEY: Final = b"k" * 32
NOTHING: Final = Rules()


def entry(manager: str, fields: dict[str, Any], operation: str = "Update", at: int = 1) -> dict[str, Any]:
    """What `managedFields` say of one manager."""
    time = f"2026-01-01T00:00:{at:02}Z"
    return {"manager": manager, "operation": operation, "time": time, "fieldsType": "FieldsV1", "fieldsV1": fields}


def read(desired: str, live: str, *entries: dict[str, Any], rules: Rules = NOTHING) -> list[Difference]:
    """The differences by reading; the live object has been applied server-side, and written by others."""
    want = yamlio.load_all(desired.encode(), "desired")[0]
    have = yamlio.load_all(live.encode(), "live")[0]
    assert isinstance(want, dict)
    assert isinstance(have, dict)
    have["metadata"] |= {"uid": "1", "managedFields": [entry("envc", {"f:spec": {".": {}}}, "Apply", 0), *entries]}
    group, _, version = str(want["apiVersion"]).rpartition("/")
    node = API.node(group, version, str(want["kind"]))
    return list(compare(want, have, node, key=KEY, filled=admitted(API, want), rules=rules))


def fields(found: list[Difference]) -> list[tuple[str, str]]:
    """What differs, and how."""
    return [(one.kind, one.field) for one in found]


def deployment(spec: str) -> str:
    """A Deployment of one container with a pod's settings."""
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec: {{template: {{spec: {spec}}}}}
"""


POD: Final = "spec.template.spec"


@pytest.mark.parametrize(
    ("want", "have"),
    [
        (
            "{containers: [{name: a, resources: {limits: {cpu: 1000m}}}]}",
            "{containers: [{name: a, resources: {limits: {cpu: '1'}}}]}",
        ),
        (
            "{containers: [{name: a, resources: {limits: {cpu: 2, memory: 1024Mi}}}]}",
            "{containers: [{name: a, resources: {limits: {cpu: '2', memory: 1Gi}}}]}",
        ),
        ("{hostNetwork: false, containers: [{name: a, stdin: false}]}", "{containers: [{name: a}]}"),
        (
            "{nodeSelector: {}, tolerations: [], containers: [{name: a, env: [{name: A, value: ''}]}]}",
            "{containers: [{name: a, env: [{name: A}]}]}",
        ),
        (
            "{containers: [{name: a, ports: [{containerPort: 1}]}]}",
            "{containers: [{name: a, ports: [{containerPort: 1, protocol: TCP}]}]}",
        ),
        ("{containers: [{name: a}, {name: b}]}", "{containers: [{name: b}, {name: a}]}"),
        ("{containers: [{name: a}]}", "{dnsPolicy: ClusterFirst, containers: [{name: a, imagePullPolicy: Always}]}"),
    ],
    ids=["cores", "amounts", "false", "empty", "a key's default", "order of a joined list", "defaults"],
)
def test_what_the_server_writes_in_its_own_way_is_no_drift(want: str, have: str) -> None:
    """By the schema: amounts, what is left out when it is false or empty, keys that have a default, joined lists."""
    assert read(deployment(want), deployment(have)) == []


def test_the_order_of_variables_is_drift() -> None:
    """A variable may use those that stand before it; so may an init container what those before it have done."""
    found = read(
        deployment("{containers: [{name: a, env: [{name: A, value: x}, {name: B, value: $(A)}]}]}"),
        deployment("{containers: [{name: a, env: [{name: B, value: $(A)}, {name: A, value: x}]}]}"),
    )
    assert fields(found) == [("order", f"{POD}.containers[name=a].env")]
    found = read(
        deployment("{initContainers: [{name: a}, {name: b}]}"), deployment("{initContainers: [{name: b}, {name: a}]}")
    )
    assert fields(found) == [("order", f"{POD}.initContainers")]


def test_a_change_names_who_wrote_it_last() -> None:
    """With the time and the way; the one who applies counts only when nobody else wrote it."""
    tree: dict[str, Any] = {"f:spec": {"f:replicas": {}}}
    found = read(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 1}}",
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 5}}",
        entry("kubectl-edit", tree, at=2),
        entry("someone", tree, at=3),
    )
    assert fields(found) == [("changed", "spec.replicas")]
    assert found[0].writer == ("someone", "Update", "", "2026-01-01T00:00:03Z")
    assert (found[0].want, found[0].have) == (1, 5)


def test_an_autoscaler_owns_the_number_of_pods() -> None:
    """Whatever the managers say: a write through /scale leaves no trace where nobody owned the field."""
    found = read(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 1}}",
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: 5}}",
        rules=Rules(is_scaled=True),
    )
    assert found == []


WEBHOOK: Final = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: a}
webhooks: [{name: w.example.com, clientConfig: {%s}}]
"""


@pytest.mark.parametrize(("want", "count"), [("", 0), ("caBundle: Cg==", 0), ("caBundle: b3Ro", 1)])
def test_an_injected_certificate_is_no_drift(want: str, count: int) -> None:
    """Unless the sources name another one."""
    tree: dict[str, Any] = {"f:webhooks": {'k:{"name":"w.example.com"}': {"f:clientConfig": {"f:caBundle": {}}}}}
    assert len(read(WEBHOOK % want, WEBHOOK % "caBundle: bWluZQ==", entry("cainjector", tree, at=2))) == count


PEM: Final = "-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n"
BUNDLE: Final = base64.b64encode(PEM.replace("\\n", "\n").encode()).decode()
ASKED: Final = WEBHOOK.replace("{name: a}", "{name: a, annotations: {cert-manager.io/inject-ca-from: n/c}}")


@pytest.mark.parametrize(
    ("have", "manager", "count"),
    [(BUNDLE, "some-injector", 0), ("bWluZQ==", "some-injector", 1), (BUNDLE, "kubectl-edit", 1)],
)
def test_whoever_asks_for_certificates_gets_them(have: str, manager: str, count: int) -> None:
    """Whatever the sources say in their place: by a controller, whichever; not by hand, and nothing else."""
    tree: dict[str, Any] = {"f:webhooks": {'k:{"name":"w.example.com"}': {"f:clientConfig": {"f:caBundle": {}}}}}
    wrote = entry(manager, tree, at=2)
    assert len(read(ASKED % "caBundle: b3Ro", ASKED % f"caBundle: {have}", wrote)) == count
    assert len(read(WEBHOOK % "caBundle: b3Ro", WEBHOOK % f"caBundle: {have}", wrote)) == 1


CONFIG: Final = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {x.io/inject-bundle: '%s'}}, data: %s}"


@pytest.mark.parametrize(
    ("asked", "data", "manager", "fields"),
    [
        ("true", f'{{k: "{PEM}"}}', "some-operator", []),
        ("true", f'{{k: "# Some CA\\n{PEM}\\n{PEM}"}}', "some-operator", []),
        ("true", f'{{k: "{PEM}", other: text}}', "some-operator", ["data.other"]),
        ("true", f'{{k: "{PEM}"}}', "kubectl-patch", ["data.k"]),
        ("false", f'{{k: "{PEM}"}}', "some-operator", ["data.k"]),
    ],
)
def test_certificates_in_a_config_map(asked: str, data: str, manager: str, fields: list[str]) -> None:
    """A key of any name, as OpenShift's `inject-cabundle` and `inject-trusted-cabundle` fill it; no other text."""
    tree: dict[str, Any] = {"f:data": {"f:k": {}, "f:other": {}}}
    found = read(CONFIG % (asked, "{}"), CONFIG % (asked, data), entry(manager, tree, at=2))
    assert [one.field for one in found] == fields


def test_a_trusted_manager_may_write() -> None:
    """`*` stands for other letters; what it changes and what it adds."""
    want = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '1'}}"
    have = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {o: w}}, data: {x: '2'}}"
    tree: dict[str, Any] = {"f:data": {"f:x": {}}, "f:metadata": {"f:annotations": {".": {}, "f:o": {}}}}
    wrote = entry("cert-manager-cainjector", tree, at=2)
    assert fields(read(want, have, wrote)) == [("extra", "metadata.annotations.o"), ("changed", "data.x")]
    assert read(want, have, wrote, rules=Rules(trusted=("cert-manager-*",))) == []


POLICY: Final = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a}
spec: {podSelector: {}, ingress: %s}
"""


def test_an_empty_item_of_a_list_means_something() -> None:
    """`- {}` allows all; so does an empty selector of namespaces beside one of pods."""
    want = POLICY % "[{from: [{podSelector: {matchLabels: {a: b}}}], ports: [{port: 1}]}]"
    have = POLICY % "[{from: [{podSelector: {matchLabels: {a: b}}}], ports: [{port: 1, protocol: TCP}]}, {}]"
    by_hand = entry("kubectl-edit", {"f:spec": {"f:ingress": {}}}, at=2)
    assert fields(read(want, have, by_hand)) == [("changed", "spec.ingress")]
    have = (
        POLICY
        % "[{from: [{podSelector: {matchLabels: {a: b}}, namespaceSelector: {}}], ports: [{port: 1, protocol: TCP}]}]"
    )
    assert fields(read(want, have, by_hand)) == [("extra", "spec.ingress[0].from[0].namespaceSelector")]
    have = POLICY % "[{from: [{podSelector: {matchLabels: {a: b}}}], ports: [{port: 1, protocol: TCP}]}]"
    assert read(want, have, by_hand) == []


def test_secrets_are_compared_and_never_seen() -> None:
    """`stringData` is folded in, base64 is compared by what it stands for, and a difference shows no value."""
    want = "{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {k: aGVsbG8}, stringData: {p: one}}"
    have = "{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {k: aGVsbG8=, p: %s}}"
    assert read(want.replace("aGVsbG8}", "'aGVs bG8='}").replace("aGVsbG8,", "aGVsbG8=,"), have % "b25l") == []
    found = read(want.replace("aGVsbG8}", "aGVsbG8=}"), have % "dHdv")
    assert fields(found) == [("changed", "data.p")]
    assert "b25l" not in repr(found)
    assert "dHdv" not in repr(found)


def test_what_was_applied_by_hand_is_found_by_its_copy() -> None:
    """A client-side apply leaves the whole object in an annotation: what it had more is extra."""
    import json

    more = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1", "y": "2"}}
    want: dict[str, Any] = {**more, "data": {"x": "1"}}
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(more)}
    who = entry("kubectl-client-side-apply", {"f:data": {".": {}, "f:x": {}, "f:y": {}}})
    metadata = {"name": "a", "uid": "1", "annotations": annotations, "managedFields": [who]}
    found = compare(want, {**more, "metadata": metadata}, API.node("", "v1", "ConfigMap"), key=KEY, filled=want)
    assert [(one.kind, one.field, one.have) for one in found] == [("extra", "data.y", "2")]
