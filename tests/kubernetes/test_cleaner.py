"""Live objects become the manifests somebody would apply; what only a cluster makes is left out."""

# ruff: file-ignore[line-too-long] - samples are written whole

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile import yamlio
from envcompile.kubernetes.cleaner import clean, is_live, sort_live
from tests.harness.command import run_envc

if TYPE_CHECKING:
    from pathlib import Path

LIVE = {
    "uid": "1f0e4b1c-0000-4000-8000-000000000001",
    "resourceVersion": "5",
    "creationTimestamp": "2026-01-02T03:04:05Z",
}
COPY = "kubectl.kubernetes.io/last-applied-configuration"

DUMP = """\
apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: api
    namespace: team
    uid: 1f0e4b1c-0000-4000-8000-000000000001
    resourceVersion: "812345"
    generation: 7
    creationTimestamp: "2026-01-02T03:04:05Z"
    annotations:
      deployment.kubernetes.io/revision: "7"
      kubectl.kubernetes.io/last-applied-configuration: |
        {"apiVersion":"apps/v1","kind":"Deployment"}
    managedFields: [{manager: kubectl, operation: Update}]
  spec:
    replicas: 2
    selector: {matchLabels: {app: api}}
    template:
      metadata: {creationTimestamp: null, labels: {app: api}}
      spec: {containers: [{name: api, image: "registry.example.com/api:1.2.3"}]}
  status: {replicas: 2}
- apiVersion: v1
  kind: Service
  metadata: {name: api, namespace: team, uid: a, resourceVersion: "812346"}
  spec:
    clusterIP: 10.96.12.34
    clusterIPs: [10.96.12.34]
    ipFamilies: [IPv4]
    ipFamilyPolicy: SingleStack
    type: NodePort
    selector: {app: api}
    ports: [{name: http, port: 80, protocol: TCP, targetPort: 8080, nodePort: 31234}]
  status: {loadBalancer: {}}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: kube-root-ca.crt, namespace: team, resourceVersion: "5"}
  data: {ca.crt: xyz}
- apiVersion: v1
  kind: Endpoints
  metadata: {name: api, namespace: team, resourceVersion: "812350"}
  subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 8080}]}]
- apiVersion: apps/v1
  kind: ReplicaSet
  metadata: {name: api-5d9c7b8d9f, namespace: team, ownerReferences: [{kind: Deployment, name: api, controller: true}]}
  spec: {replicas: 2}
"""
SERVERS = (
    "uid|resourceVersion|managedFields|creationTimestamp|status|clusterIP|generation|last-applied|nodePort|revision"
)


def live(kind: str, name: str = "x", version: str = "v1", **fields: Any) -> dict[str, Any]:
    """An object as an API server answers it."""
    metadata = {"name": name, "namespace": "team", **LIVE, **fields.pop("metadata", {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


@pytest.mark.parametrize("command", ["convert", "init"])
def test_convert_keeps_server_fields(command: str, tmp_path: Path) -> None:
    """Case convert-keeps-server-fields: charts and bases hold what can be installed, and one line says what went."""
    (tmp_path / "dump").mkdir()
    (tmp_path / "dump/live.yaml").write_text(DUMP)
    made = tmp_path / "made"
    if command == "convert":
        done = run_envc(None, "convert", str(tmp_path / "dump"), "-o", str(made), "--no-verify")
        folder = made / "templates"
    else:
        done = run_envc(None, "init", str(made), "--from-manifests", str(tmp_path / "dump"))
        folder = made / "base"
    assert done.code == 0, done.err
    said = done.out + done.err
    assert "taken out of 2 objects, because only a cluster writes them: annotation deployment" in said
    assert "makes them by itself: ConfigMap/kube-root-ca.crt, Endpoints/api, ReplicaSet/api-5d9c7b8d9f" in said
    texts = [path.read_text() for path in folder.rglob("*.yaml")]
    assert texts
    for name in SERVERS.split("|"):
        assert not [text for text in texts if name in text], name
    assert any("replicas" in text for text in texts)


def test_convert_external_leaks_last_applied(tmp_path: Path) -> None:
    """Case convert-external-leaks-last-applied: no byte of the values is in the chart; `immutable` stays."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "s",
            "namespace": "team",
            "annotations": {COPY: '{"stringData":{"pw":"hush-hush"}}', "a": "b"},
        },
        "data": {"pw": "aHVzaC1odXNo"},
        "immutable": True,
    }
    (tmp_path / "secret.yaml").write_text(yamlio.dump(secret))
    for mode in ("external", "inline", "skip"):
        made = tmp_path / mode
        done = run_envc(
            None, "convert", str(tmp_path / "secret.yaml"), "-o", str(made), "--secrets", mode, "--no-verify"
        )
        assert done.code == 0, done.err
        texts = "".join(path.read_text() for path in made.rglob("*") if path.is_file())
        assert "hush-hush" not in texts
        assert "last-applied" not in texts
        assert ("aHVzaC1odXNo" in texts) is (mode == "inline")
        assert ("immutable: true" in texts) is (mode != "skip")


def test_a_manifest_that_never_was_in_a_cluster_stays_as_it_is() -> None:
    """Its author may have meant every field; only the copy of the object goes."""
    value = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "x", "creationTimestamp": None, "labels": {"pod-template-hash": "a"}},
        "spec": {"clusterIP": "10.0.0.1", "ports": [{"port": 80, "nodePort": 30080}]},
        "status": {},
    }
    assert not is_live(value)
    assert clean(value).value is value
    copied = {**value, "metadata": {"name": "x", "annotations": {COPY: "{}", "a": "b"}}}
    assert clean(copied).value["metadata"] == {"name": "x", "annotations": {"a": "b"}}
    assert clean({"kind": "X", "metadata": {"annotations": {COPY: "{}"}}}).value == {"kind": "X", "metadata": {}}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (live("Service", spec={"clusterIP": "None", "clusterIPs": ["None"]}), {"spec": {"clusterIP": "None"}}),
        (
            live("Service", spec={"ipFamilyPolicy": "PreferDualStack", "ipFamilies": ["IPv4"], "clusterIP": "10.0.0.1"}),
            {"spec": {"ipFamilyPolicy": "PreferDualStack"}},
        ),
        (live("PersistentVolumeClaim", spec={"volumeName": "pv-1", "storageClassName": "a"}), {"spec": {"storageClassName": "a"}}),
        (live("Namespace", spec={"finalizers": ["kubernetes"]}, status={"phase": "Active"}), {}),
        (live("ServiceAccount", secrets=[{"name": "x-token-ab1cd"}]), {}),
        (live("ServiceAccount", secrets=[{"name": "x-token-ab1cd"}, {"name": "mine"}]), {"secrets": [{"name": "mine"}]}),
        (
            live(
                "Job",
                version="batch/v1",
                spec={
                    "selector": {"matchLabels": {"controller-uid": "u"}},
                    "template": {"metadata": {"labels": {"controller-uid": "u", "job-name": "x", "app": "a"}}},
                },
            ),
            {"spec": {"template": {"metadata": {"labels": {"app": "a"}}}}},
        ),
        (
            live(
                "StatefulSet",
                version="apps/v1",
                spec={"volumeClaimTemplates": [{"metadata": {"name": "d", "creationTimestamp": None}, "status": {"phase": "Pending"}}]},
            ),
            {"spec": {"volumeClaimTemplates": [{"metadata": {"name": "d"}}]}},
        ),
        (
            live(
                "Pod",
                spec={
                    "nodeName": "n",
                    "volumes": [{"name": "kube-api-access-x1"}, {"name": "mine"}],
                    "containers": [{"name": "c", "volumeMounts": [{"name": "kube-api-access-x1"}]}],
                },
            ),
            {"spec": {"volumes": [{"name": "mine"}], "containers": [{"name": "c"}]}},
        ),
        (live("ClusterRole", aggregationRule={"a": 1}, rules=[{"verbs": ["get"]}]), {"aggregationRule": {"a": 1}, "rules": []}),
        (live("Secret", type="kubernetes.io/service-account-token", data={"token": "x"}), {"type": "kubernetes.io/service-account-token"}),
        (live("ConfigMap", metadata={"ownerReferences": [{"uid": "u"}], "finalizers": ["orphan"]}, data={"a": "b"}), {"data": {"a": "b"}}),
        (live("Namespace", metadata={"labels": {"kubernetes.io/metadata.name": "x"}}), {}),
        (live("Namespace", metadata={"annotations": {"openshift.io/sa.scc.mcs": "s0:c26,c0", "openshift.io/requester": "me"}}), {}),
        (
            live(
                "Namespace",
                metadata={
                    "labels": {"security.openshift.io/scc.podSecurityLabelSync": "false", "field.cattle.io/projectId": "p-1"},
                    "annotations": {"field.cattle.io/projectId": "c-1:p-1", "k8s.ovn.org/acl-logging": "{}", "k8s.ovn.org/external-gw-pod-ips": "x", "lifecycle.cattle.io/create.namespace-auth": "true"},
                },
            ),
            {
                "metadata": {
                    "name": "x",
                    "namespace": "team",
                    "labels": {"security.openshift.io/scc.podSecurityLabelSync": "false"},
                    "annotations": {"field.cattle.io/projectId": "c-1:p-1", "k8s.ovn.org/acl-logging": "{}"},
                }
            },
        ),
        (live("ServiceAccount", imagePullSecrets=[{"name": "x-dockercfg-ab1cd"}, {"name": "mine"}]), {"imagePullSecrets": [{"name": "mine"}]}),
        (live("Route", version="route.openshift.io/v1", metadata={"annotations": {"openshift.io/host.generated": "true"}}, spec={"host": "x-team.apps.example.com", "to": {"name": "x"}}), {"spec": {"to": {"name": "x"}}}),
        (live("Service", metadata={"finalizers": ["service.k8s.aws/resources", "gke.networking.io/l4-ilb-v2"], "annotations": {"cloud.google.com/neg-status": "{}", "service.kubernetes.io/tcp-forwarding-rule": "k8s2", "service.kubernetes.io/firewall-rule-deny-ipv6": "k8s2", "k8s.ovn.org/unidled-at": "x"}}, spec={"type": "LoadBalancer"}), {"spec": {"type": "LoadBalancer"}}),
        (live("Ingress", version="networking.k8s.io/v1", metadata={"finalizers": ["networking.gke.io/ingress-finalizer-V2", "group.ingress.k8s.aws/shop"], "annotations": {"ingress.kubernetes.io/backends": "{}", "ingress.kubernetes.io/https-forwarding-rule": "a"}}, spec={}), {"spec": {}}),
        (live("Deployment", version="apps/v1", metadata={"labels": {"objectset.rio.cattle.io/hash": "a", "kustomize.toolkit.fluxcd.io/name": "apps"}, "annotations": {"objectset.rio.cattle.io/applied": "H4s", "meta.helm.sh/release-name": "x", "kapp.k14s.io/identity": "v1;x", "kapp.k14s.io/original": "{}", "banzaicloud.com/last-applied": "UEs", "argocd.argoproj.io/tracking-id": "a", "autopilot.gke.io/warden-version": "2.7", "field.cattle.io/publicEndpoints": "[]"}}, spec={}), {"spec": {}}),
        (
            live(
                "Pod",
                spec={
                    "volumes": [{"name": "aws-iam-token"}, {"name": "azure-identity-token"}, {"name": "azure-workload-identity-reserved-5e88"}, {"name": "kube-api-access-x1234"}],
                    "containers": [{"name": "c", "env": [{"name": "AWS_ROLE_ARN"}, {"name": "MINE"}], "volumeMounts": [{"name": "aws-iam-token"}]}],
                },
            ),
            {"spec": {"containers": [{"name": "c", "env": [{"name": "MINE"}]}]}},
        ),
        (live("MutatingWebhookConfiguration", version="admissionregistration.k8s.io/v1", metadata={"annotations": {"cert-manager.io/inject-ca-from": "a/b", "meta.helm.sh/release-name": "x"}}, webhooks=[{"name": "w", "clientConfig": {"caBundle": "QQ==", "url": "u"}}]), {"metadata": {"name": "x", "namespace": "team", "annotations": {"cert-manager.io/inject-ca-from": "a/b"}}, "webhooks": [{"name": "w", "clientConfig": {"url": "u"}}]}),
        (live("ConfigMap", metadata={"labels": {"config.openshift.io/inject-trusted-cabundle": "true", "kapp.k14s.io/app": "1"}}, data={"ca-bundle.crt": "x"}), {"metadata": {"name": "x", "namespace": "team", "labels": {"config.openshift.io/inject-trusted-cabundle": "true"}}}),
        (
            live(
                "HorizontalPodAutoscaler",
                version="autoscaling/v1",
                metadata={"annotations": {f"autoscaling.alpha.kubernetes.io/{name}": "[]" for name in ("metrics", "behavior", "conditions", "current-metrics")}},
                spec={"maxReplicas": 3},
            ),
            {
                "metadata": {"name": "x", "namespace": "team", "annotations": {f"autoscaling.alpha.kubernetes.io/{name}": "[]" for name in ("metrics", "behavior")}},
                "spec": {"maxReplicas": 3},
            },
        ),
        (
            live("Pod", metadata={"annotations": {f"cni.projectcalico.org/{name}": "x" for name in ("ipv4pools", "ipAddrs", "podIP", "podIPs", "containerID")}}, spec={}),
            {"metadata": {"name": "x", "namespace": "team", "annotations": {f"cni.projectcalico.org/{name}": "x" for name in ("ipv4pools", "ipAddrs")}}, "spec": {}},
        ),
        (live("Job", version="batch/v1", metadata={"labels": {"controller-uid": "u", "batch.kubernetes.io/job-name": "x"}}, spec={"selector": {}}), {"spec": {}}),
    ],
)  # fmt: skip
def test_what_a_cluster_fills_in_goes(value: dict[str, Any], kept: dict[str, Any]) -> None:
    """Kind by kind; what people chose stays."""
    cleaned = clean(value)
    head = {"apiVersion": value["apiVersion"], "kind": value["kind"], "metadata": {"name": "x", "namespace": "team"}}
    assert cleaned.value == {**head, **kept}
    assert cleaned.removed
    assert value["metadata"]["uid"], "what was given is not changed"


def test_what_somebody_had_applied_stays() -> None:
    """The last client-side apply tells a chosen address and port from an allocated one."""
    asked = '{"spec":{"clusterIP":"10.0.0.9","ports":[{"port":80,"nodePort":30080},{"port":81}]}}'
    spec = {"clusterIP": "10.0.0.9", "ports": [{"port": 80, "nodePort": 30080}, {"port": 81, "nodePort": 31111}]}
    cleaned = clean(live("Service", metadata={"annotations": {COPY: asked}}, spec=spec)).value
    assert cleaned["spec"] == {"clusterIP": "10.0.0.9", "ports": [{"port": 80, "nodePort": 30080}, {"port": 81}]}


@pytest.mark.parametrize(
    "value",
    [
        live("Event"),
        live("Lease", version="coordination.k8s.io/v1"),
        live("Node"),
        live("Pod", metadata={"ownerReferences": [{"kind": "ReplicaSet", "controller": True}]}),
        live("Secret", metadata={"ownerReferences": [{"kind": "SealedSecret", "controller": True}]}),
        live("Secret", "sh.helm.release.v1.shop.v1", type="helm.sh/release.v1"),
        live("Secret", "default-token-ab1cd", type="kubernetes.io/service-account-token"),
        live("Secret", metadata={"annotations": {"cert-manager.io/certificate-name": "x"}}, type="kubernetes.io/tls"),
        live("Secret", "web-dockercfg-ab1cd", metadata={"annotations": {"openshift.io/token-secret.name": "web-token"}}, type="kubernetes.io/dockercfg"),
        live("Secret", "web-tls", metadata={"annotations": {"service.beta.openshift.io/originating-service-name": "web"}}, type="kubernetes.io/tls"),
        live("RoleBinding", "system:deployers", version="rbac.authorization.k8s.io/v1"),
        live("ServiceAccount", "builder", imagePullSecrets=[{"name": "builder-dockercfg-ab1cd"}]),
        live("TargetGroupBinding", "k8s-shop", version="elbv2.k8s.aws/v1beta1", metadata={"labels": {"service.k8s.aws/stack-name": "web"}}),
        live("ServiceNetworkEndpointGroup", "k8s1", version="networking.gke.io/v1beta1", metadata={"labels": {"networking.gke.io/managed-by": "neg-controller"}}),
        live("ConfigMap", "kube-root-ca.crt"),
        live("ConfigMap", "shop.v1", metadata={"labels": {"OWNER": "TILLER"}}),
        live("ServiceAccount", "default"),
        live("Namespace", "kube-system"),
        live("Service", "kubernetes", metadata={"labels": {"provider": "kubernetes"}}),
        live("EndpointSlice", metadata={"labels": {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}}),
        live("ClusterRole", "view", metadata={"labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}),
        live("PriorityClass", "system-node-critical"),
        live("APIService", metadata={"labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"}}),
    ],
    ids=lambda value: f"{value['kind']} {value['metadata']['name']}",
)  # fmt: skip
def test_what_a_cluster_makes_by_itself_is_left_out(value: dict[str, Any]) -> None:
    """Another cluster makes its own."""
    assert sort_live([value]).kept == ()
    assert value["metadata"]["name"] in sort_live([value]).notes[0]


@pytest.mark.parametrize(
    "value",
    [
        live("ServiceAccount", "default", imagePullSecrets=[{"name": "pull"}]),
        live("Secret", "mine", type="Opaque"),
        live("TargetGroupBinding", "mine", version="elbv2.k8s.aws/v1beta1"),
        live("ServiceAccount", "web", imagePullSecrets=[{"name": "web-dockercfg-ab1cd"}]),
        live("ConfigMap", "settings"),
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "labels": {"a": "b"}}},
        {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "outside"}},
    ],
    ids=[
        "account with a pull secret",
        "Secret",
        "binding",
        "account with a given pull secret",
        "ConfigMap",
        "written Namespace",
        "written Endpoints",
    ],
)
def test_what_people_write_is_kept(value: dict[str, Any]) -> None:
    """Also under a name that a cluster uses."""
    assert len(sort_live([value]).kept) == 1


def test_endpoints_of_a_service_without_a_selector_are_a_persons() -> None:
    """The cluster fills in only those of a selector."""
    endpoints = live("Endpoints", "db", subsets=[])
    assert [position for position, _ in sort_live([live("Service", "db", spec={}), endpoints]).kept] == [0, 1]
    assert [
        position for position, _ in sort_live([live("Service", "db", spec={"selector": {"a": "b"}}), endpoints]).kept
    ] == [0]
