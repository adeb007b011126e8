"""What people and programs do to live objects, each with what a comparison has to say of it.

Every case starts from objects that were applied and nothing else; it has a namespace of its own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracles.cluster import Cluster

    Act = Callable[[Cluster, str], None]
    """Does something to the objects of a namespace."""

MANAGER: Final = "envc"
"""The field manager that applies server-side."""
CLIENT: Final = "kubectl-client-side-apply"
OURS: Final = "(the one who applies)"
OBJECTS: Final = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web, team: a}, annotations: {note: x}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  template:
    metadata: {labels: {app: web}}
    spec:
      hostNetwork: false
      containers:
      - name: app
        image: example.invalid/web:1
        args: [serve, --port=8080]
        env: [{name: MODE, value: prod}, {name: LEVEL, value: info}]
        ports: [{containerPort: 8080, name: http}]
        resources: {requests: {cpu: 1000m, memory: 1024Mi}, limits: {cpu: "2", memory: 2Gi}}
        livenessProbe: {httpGet: {path: /healthz, port: http}}
        volumeMounts: [{name: c, mountPath: /c, readOnly: false}]
      volumes: [{name: c, configMap: {name: conf}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: scaled, labels: {app: scaled}}
spec:
  selector: {matchLabels: {app: scaled}}
  template:
    metadata: {labels: {app: scaled}}
    spec: {containers: [{name: app, image: "example.invalid/s:1", resources: {requests: {cpu: 100m}}}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: scaled}
spec:
  minReplicas: 2
  maxReplicas: 6
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: scaled}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {a: "1", b: "two"}
---
apiVersion: v1
kind: Secret
metadata: {name: sec}
stringData: {password: one}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, annotations: {example.com/size: 1m}}
spec: {rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}]}}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: gw}}}], ports: [{port: 8080}]}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get, list]}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 1
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "example.invalid/db:1"}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {schedule: "0 3 * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: j, image: "example.invalid/j:1"}]}}}}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {limits.cpu: 100000m, pods: "500"}}
"""


class Case(NamedTuple):
    """Something that is done to one object, and which fields differ afterwards."""

    name: str
    object: tuple[str, str]
    act: Act | None
    fields: tuple[str, ...]
    """As reading tells them; empty: no drift."""
    writer: str = ""
    """The manager of all these fields; empty: the cluster names nobody."""
    blind: tuple[str, ...] = ()
    """Ways of applying (`client-side`, `server-side`) after which reading alone cannot see it."""
    also: tuple[Any, ...] = ()
    """Fields that only a dry-run create tells beside."""


def objects() -> dict[tuple[str, str], dict[str, Any]]:
    """The objects as they are compiled, by kind and name."""
    return objects_of(OBJECTS)


def objects_of(text: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The objects of a text, by kind and name."""
    values = [value for value in yamlio.load_all(text.encode(), "objects") if isinstance(value, dict)]
    return {(value["kind"], value["metadata"]["name"]): value for value in values}


def kubectl(*words: str) -> Act:
    """A command of kubectl."""

    def act(cluster: Cluster, namespace: str) -> None:
        cluster.kubectl("--namespace", namespace, *words).expect_success()

    return act


def edit(kind: str, name: str, old: str, new: str) -> Act:
    """What a person does in the editor that `kubectl edit` opens."""

    def act(cluster: Cluster, namespace: str) -> None:
        script = cluster.folder / f"editor-{namespace}"
        script.write_text(f"#!/bin/sh\nexec sed -i 's|{old}|{new}|' \"$1\"\n", encoding="utf-8")
        script.chmod(0o755)
        words = ("--namespace", namespace, "edit", kind, name)
        cluster.kubectl(*words, env={"KUBE_EDITOR": str(script)}).expect_success()

    return act


def patch(kind: str, name: str, body: Any, how: str = "strategic") -> Act:
    """A `kubectl patch`."""
    return kubectl("patch", kind, name, "--type", how, "-p", json.dumps(body))


def send(method: str, path: str, change: Callable[[dict[str, Any]], Any], manager: str, content: str) -> Act:
    """A program that writes through the API under a name of its own."""

    def act(cluster: Cluster, namespace: str) -> None:
        place = path.format(namespace=namespace)
        applier = MANAGER if namespace.startswith("server-side") else CLIENT
        name = applier if manager == OURS else manager
        status, said = cluster.send(method, f"{place}?fieldManager={name}", change(cluster.read(place)), content)
        assert status == 200, said

    return act


MERGE: Final = "application/merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"
WEB: Final = "/apis/apps/v1/namespaces/{namespace}/deployments/web"
CONF: Final = "/api/v1/namespaces/{namespace}/configmaps/conf"


def _replicas(value: dict[str, Any]) -> dict[str, Any]:
    value["spec"]["replicas"] = 9
    return value


def _hold(cluster: Cluster, namespace: str) -> None:
    account = cluster.read(f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
    owner = {"apiVersion": "v1", "kind": "ServiceAccount", "name": "default", "uid": account["metadata"]["uid"]}
    body = {"metadata": {"ownerReferences": [owner]}}
    place = CONF.format(namespace=namespace)
    assert cluster.send("PATCH", f"{place}?fieldManager=hand", body, MERGE)[0] == 200


def _back(cluster: Cluster, namespace: str) -> None:
    kubectl("scale", "deployment/web", "--replicas=9")(cluster, namespace)
    kubectl("scale", "deployment/web", "--replicas=3")(cluster, namespace)


def _apply_by_hand(cluster: Cluster, namespace: str) -> None:
    value = objects()["Deployment", "web"]
    value["metadata"]["labels"]["hand"] = "applied"
    words = ("apply", "--namespace", namespace, "-f", "-")
    cluster.kubectl(*words, stdin=json.dumps(value)).expect_success()


def _forgotten(cluster: Cluster, namespace: str) -> None:
    kubectl("label", "deployment/web", "hand=made")(cluster, namespace)
    body: dict[str, Any] = {"metadata": {"managedFields": [{}]}}
    assert cluster.send("PATCH", WEB.format(namespace=namespace), body, MERGE)[0] == 200


def _container(body: dict[str, Any]) -> dict[str, Any]:
    return _pod({"containers": [{"name": "app", **body}]})


def _pod(body: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"template": {"spec": body}}}


_W: Final = ("Deployment", "web")
_C: Final = ("ConfigMap", "conf")
_APP: Final = "spec.template.spec.containers[name=app]"
_LIVENESS: Final = "/spec/template/spec/containers/0/livenessProbe"
_ENV: Final = "/spec/template/spec/containers/0/env"
_SWAPPED: Final = [{"name": "LEVEL", "value": "info"}, {"name": "MODE", "value": "prod"}]

# fmt: off
EDITS: Final = (
    Case("scale", _W, kubectl("scale", "deployment/web", "--replicas=5"), ("spec.replicas",), "kubectl"),
    Case("set image", _W, kubectl("set", "image", "deployment/web", "app=example.invalid/web:2"), (f"{_APP}.image",), "kubectl-set"),
    Case("set env: new variable", _W, kubectl("set", "env", "deployment/web", "DEBUG=1"), (f"{_APP}.env[name=DEBUG]",), "kubectl-set"),
    Case("set env: changed value", _W, kubectl("set", "env", "deployment/web", "LEVEL=debug"), (f"{_APP}.env[name=LEVEL].value",), "kubectl-set"),
    Case("set env: removed variable", _W, kubectl("set", "env", "deployment/web", "LEVEL-"), (f"{_APP}.env[name=LEVEL]",)),
    Case("set resources", _W, kubectl("set", "resources", "deployment/web", "--limits=cpu=3"), (f"{_APP}.resources.limits.cpu",), "kubectl-set"),
    Case("set serviceaccount", _W, kubectl("set", "serviceaccount", "deployment/web", "other"), ("spec.template.spec.serviceAccount", "spec.template.spec.serviceAccountName"), "kubectl-set"),
    Case("label: new", _W, kubectl("label", "deployment/web", "hand=made"), ("metadata.labels.hand",), "kubectl-label"),
    Case("label: changed", _W, kubectl("label", "--overwrite", "deployment/web", "team=b"), ("metadata.labels.team",), "kubectl-label"),
    Case("label: removed", _W, kubectl("label", "deployment/web", "team-"), ("metadata.labels.team",)),
    Case("annotate: new", _W, kubectl("annotate", "deployment/web", "why=because"), ("metadata.annotations.why",), "kubectl-annotate"),
    Case("annotate: changed", _W, kubectl("annotate", "--overwrite", "deployment/web", "note=y"), ("metadata.annotations.note",), "kubectl-annotate"),
    Case("rollout restart", _W, kubectl("rollout", "restart", "deployment/web"), (r"spec.template.metadata.annotations.kubectl\.kubernetes\.io/restartedAt",), "kubectl-rollout"),
    Case("rollout pause", _W, kubectl("rollout", "pause", "deployment/web"), ("spec.paused",), "kubectl-rollout"),
    Case("edit: args", _W, edit("deployment", "web", "--port=8080$", "--port=9090"), (f"{_APP}.args",), "kubectl-edit"),
    Case("edit: a default", _W, edit("deployment", "web", "terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: 5"), ("spec.template.spec.terminationGracePeriodSeconds",), "kubectl-edit"),
    Case("edit: a probe's default", _W, edit("deployment", "web", "timeoutSeconds: 1$", "timeoutSeconds: 9"), (f"{_APP}.livenessProbe.timeoutSeconds",), "kubectl-edit"),
    Case("patch: sidecar added", _W, patch("deployment", "web", _pod({"containers": [{"name": "spy", "image": "x"}]})), ("spec.template.spec.containers[name=spy]",), "kubectl-patch"),
    Case("patch: volume added", _W, patch("deployment", "web", _pod({"volumes": [{"name": "z", "emptyDir": {}}]})), ("spec.template.spec.volumes[name=z]",), "kubectl-patch"),
    Case("patch: probe removed", _W, patch("deployment", "web", [{"op": "remove", "path": _LIVENESS}], "json"), (f"{_APP}.livenessProbe",)),
    Case("patch: env order", _W, patch("deployment", "web", [{"op": "replace", "path": _ENV, "value": _SWAPPED}], "json"), (f"{_APP}.env",), "?"),
    Case("patch: securityContext added", _W, patch("deployment", "web", _container({"securityContext": {"privileged": True}})), (f"{_APP}.securityContext",), "kubectl-patch"),
    Case("patch: nodeSelector added", _W, patch("deployment", "web", _pod({"nodeSelector": {"disk": "ssd"}})), ("spec.template.spec.nodeSelector",), "kubectl-patch"),
    Case("patch: toleration added", _W, patch("deployment", "web", _pod({"tolerations": [{"operator": "Exists"}]})), ("spec.template.spec.tolerations",), "kubectl-patch"),
    Case("patch: strategy Recreate", _W, patch("deployment", "web", {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}), ("spec.strategy.rollingUpdate", "spec.strategy.type"), "kubectl-patch"),
    Case("patch: template label added", _W, patch("deployment", "web", {"spec": {"template": {"metadata": {"labels": {"x": "y"}}}}}), ("spec.template.metadata.labels.x",), "kubectl-patch"),
    Case("PUT with one value changed", _W, send("PUT", WEB, _replicas, "python-requests", "application/json"), ("spec.replicas",), "python-requests"),
    Case("delete", _W, kubectl("delete", "deployment", "web", "--cascade=background"), ("",)),
    Case("server-side apply by another manager", _W, send("PATCH", WEB, lambda _: {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"minReadySeconds": 7}}, "other-tool", APPLY), ("spec.minReadySeconds",), "other-tool"),
    Case("configmap: value", _C, patch("configmap", "conf", {"data": {"a": "2"}}, "merge"), ("data.a",), "kubectl-patch"),
    Case("configmap: key added", _C, patch("configmap", "conf", {"data": {"c": "3"}}, "merge"), ("data.c",), "kubectl-patch"),
    Case("configmap: key removed", _C, patch("configmap", "conf", [{"op": "remove", "path": "/data/b"}], "json"), ("data.b",)),
    Case("secret: value", ("Secret", "sec"), patch("secret", "sec", {"stringData": {"password": "two"}}, "merge"), ("data.password",), "kubectl-patch"),
    Case("service: type NodePort", ("Service", "web"), patch("service", "web", {"spec": {"type": "NodePort"}}, "merge"), ("spec.externalTrafficPolicy", "spec.type"), "kubectl-patch"),
    Case("service: port added", ("Service", "web"), patch("service", "web", {"spec": {"ports": [{"name": "x", "port": 81}]}}), ("spec.ports[port=81,protocol=TCP]",), "kubectl-patch"),
    Case("service: selector key added", ("Service", "web"), patch("service", "web", {"spec": {"selector": {"v": "1"}}}, "merge"), ("spec.selector.v",), "kubectl-patch"),
    Case("ingress: host", ("Ingress", "web"), edit("ingress", "web", "a.example.com", "b.example.com"), ("spec.rules[0].host",), "kubectl-edit"),
    Case("networkpolicy: rule added that allows all", ("NetworkPolicy", "web"), patch("networkpolicy", "web", [{"op": "add", "path": "/spec/ingress/-", "value": {}}], "json"), ("spec.ingress",), "kubectl-patch"),
    Case("networkpolicy: all namespaces allowed", ("NetworkPolicy", "web"), patch("networkpolicy", "web", [{"op": "add", "path": "/spec/ingress/0/from/0/namespaceSelector", "value": {}}], "json"), ("spec.ingress[0].from[0].namespaceSelector",), "kubectl-patch"),
    Case("pdb: minAvailable", ("PodDisruptionBudget", "web"), patch("pdb", "web", {"spec": {"minAvailable": 0}}, "merge"), ("spec.minAvailable",), "kubectl-patch"),
    Case("role: verb added", ("Role", "web"), patch("role", "web", [{"op": "add", "path": "/rules/0/verbs/-", "value": "delete"}], "json"), ("rules[0].verbs",), "kubectl-patch"),
    Case("hpa: maxReplicas", ("HorizontalPodAutoscaler", "scaled"), patch("hpa", "scaled", {"spec": {"maxReplicas": 60}}, "merge"), ("spec.maxReplicas",), "kubectl-patch"),
    Case("cronjob: suspend", ("CronJob", "nightly"), patch("cronjob", "nightly", {"spec": {"suspend": True}}, "merge"), ("spec.suspend",), "kubectl-patch"),
    Case("statefulset: partition", ("StatefulSet", "db"), patch("statefulset", "db", {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 3}}}}), ("spec.updateStrategy.rollingUpdate.partition",), "kubectl-patch"),
    Case("serviceaccount: imagePullSecrets", ("ServiceAccount", "web"), patch("serviceaccount", "web", {"imagePullSecrets": [{"name": "p"}]}), ("imagePullSecrets",), "?"),
    Case("finalizer added", _C, patch("configmap", "conf", {"metadata": {"finalizers": ["example.com/hold"]}}, "merge"), ("metadata.finalizers",), "kubectl-patch"),
    Case("ownerReference added", _C, _hold, ("metadata.ownerReferences[uid=?]",), "hand"),
    Case("client-side apply by hand with one more label", _W, _apply_by_hand, ("metadata.labels.hand",), CLIENT),
    Case("label added and managedFields emptied", _W, _forgotten, ("metadata.labels.hand",), "?"),
    Case("a key added under our own manager's name", _C, send("PATCH", CONF, lambda _: {"data": {"zz": "new"}}, OURS, MERGE), ("data.zz",), OURS, blind=("client-side",)),
)
# fmt: on
"""Fifty edits; `?` as writer: it depends on the way of applying."""

_INJECTED: Final = (
    'Object{metadata: Object.metadata{labels: {"injected": "yes"}}, spec: Object.spec{template: Object.spec.template{'
    "spec: Object.spec.template.spec{containers: ["
    'Object.spec.template.spec.containers{name: "mesh", image: "mesh:1"}]}}}}'
)
INJECTION: Final = (
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": "inject"},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": ["apps"],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["deployments"],
                    }
                ]
            },
            "matchConditions": [{"name": "here", "expression": "object.metadata.namespace.endsWith('-injected')"}],
            "mutations": [
                {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": _INJECTED}},
            ],
        },
    },
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": "inject"},
        "spec": {"policyName": "inject"},
    },
)
"""A policy that puts a label and a sidecar into Deployments of namespaces that end in `-injected`."""

_STATUS: Final = {"status": {"conditions": [{"type": "Custom", "status": "True"}]}}
HARMLESS: Final = (
    *(Case(f"nothing: {kind}/{name}", (kind, name), None, ()) for kind, name in objects()),
    Case("an autoscaler sets replicas", ("Deployment", "scaled"), None, ()),
    Case(
        "a controller writes a status",
        _W,
        send("PATCH", WEB + "/status", lambda _: _STATUS, "some-operator", MERGE),
        (),
    ),
    Case("an edit is taken back", _W, _back, ()),
    Case("injected", _W, None, ()),
)
