"""More that people and programs do to live objects: kinds, ways of writing and places that `cases.py` has not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tests.cluster.drift.cases import APPLY, MERGE, Case, kubectl, patch, send

if TYPE_CHECKING:
    from tests.cluster.drift.cases import Act
    from tests.oracles.cluster import Cluster

DEFINITIONS: Final = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.drift.example.com}
spec:
  group: drift.example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer}
              mode: {type: string, default: fast}
              cpu: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
              hosts: {type: array, items: {type: string}}
              tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}
              parts:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [id]
                items:
                  type: object
                  required: [id]
                  properties: {id: {type: string}, weight: {type: integer}, kind: {type: string, default: plain}}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.drift.example.com}
spec:
  group: drift.example.com
  scope: Namespaced
  names: {plural: gadgets, singular: gadget, kind: Gadget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
OBJECTS: Final = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, labels: {app: api, tier: back, mark: ""}, annotations: {a: "1", b: "2", flag: ""}}
spec:
  replicas: 2
  minReadySeconds: 0
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}, annotations: {checksum/config: abc}}
    spec:
      serviceAccountName: runner
      automountServiceAccountToken: false
      enableServiceLinks: false
      hostPID: false
      terminationGracePeriodSeconds: 0
      nodeSelector: {kind: ""}
      securityContext: {runAsUser: 1000, fsGroup: 1000}
      hostAliases: [{ip: 10.0.0.1, hostnames: [one.example]}, {ip: 10.0.0.2, hostnames: [two.example, deux.example]}]
      tolerations: [{key: a, operator: Exists}, {key: b, operator: Exists, effect: NoSchedule}, {key: c, operator: Exists}]
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: api}}}
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - {weight: 10, preference: {matchExpressions: [{key: disk, operator: In, values: [ssd, nvme]}]}}
      initContainers:
      - {name: first, image: "example.invalid/first:1"}
      - {name: second, image: "example.invalid/second:1"}
      - {name: third, image: "example.invalid/third:1"}
      containers:
      - name: api
        image: example.invalid/api:1
        command: [/bin/api]
        securityContext: {allowPrivilegeEscalation: false, runAsUser: 0}
        args: [--one=1, --two=2, --three=3]
        env: [{name: A, value: "1"}, {name: B, value: "2"}, {name: C, value: "3"}]
        envFrom: [{configMapRef: {name: one}}, {secretRef: {name: two}}]
        ports: [{name: dns, containerPort: 53, protocol: UDP}, {name: dns-tcp, containerPort: 53}, {name: http, containerPort: 8080}]
        resources: {requests: {cpu: 1000m, memory: 1024Mi}, limits: {cpu: "2", memory: 2Gi}}
        readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 5}
        volumeMounts: [{name: conf, mountPath: /conf}, {name: work, mountPath: /work}]
      - {name: log, image: "example.invalid/log:1"}
      volumes: [{name: conf, configMap: {name: one}}, {name: work, emptyDir: {}}]
---
apiVersion: v1
kind: Service
metadata: {name: dns, annotations: {note: x}}
spec:
  selector: {app: api}
  ports: [{name: dns, port: 53, protocol: UDP, targetPort: dns}, {name: dns-tcp, port: 53, targetPort: dns-tcp}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: files}
data: {app.conf: "one\\ntwo\\n", empty: ""}
binaryData: {blob: AAEC}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
type: Opaque
data: {user: YWRtaW4=, password: b25l}
---
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec: {limits: [{type: Container, max: {cpu: 2000m}, default: {cpu: 500m}, defaultRequest: {cpu: 100m}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: counts}
spec: {hard: {limits.cpu: 100000m, pods: "500"}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner}
automountServiceAccountToken: false
secrets: [{name: one}, {name: two}, {name: three}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: manual, resources: {requests: {storage: 1024Mi}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: many}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get]}
- {apiGroups: [""], resources: [services], verbs: [get]}
- {apiGroups: [""], resources: [configmaps], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: many}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: many}
subjects: [{kind: ServiceAccount, name: runner}, {kind: ServiceAccount, name: other}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "example.invalid/agent:1", env: [{name: LEVEL, value: info}]}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: weekly}
spec:
  schedule: "0 3 * * 0"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: j, image: "example.invalid/j:1", command: [run, --all]}]}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: many}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Ingress]
  ingress:
  - {from: [{podSelector: {matchLabels: {app: a}}}], ports: [{port: 8080}]}
  - {from: [{podSelector: {matchLabels: {app: b}}}], ports: [{port: 8080}, {port: 53, protocol: UDP}]}
  - {from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: c}}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, annotations: {example.com/size: 1m, example.com/time: "30"}}
spec:
  tls: [{hosts: [a.example.com], secretName: a-tls}]
  rules:
  - {host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: dns, port: {number: 53}}}}]}}
  - {host: b.example.com, http: {paths: [{path: /x, pathType: Exact, backend: {service: {name: dns, port: {number: 53}}}}]}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api}
spec: {minAvailable: 1, selector: {matchLabels: {app: api}}}
---
apiVersion: drift.example.com/v1
kind: Widget
metadata: {name: w, labels: {app: w}}
spec:
  size: 3
  cpu: 1000m
  hosts: [a, b, c]
  tags: [red, blue]
  parts: [{id: one, weight: 1}, {id: two, weight: 2}, {id: three, weight: 3}]
  free: {deep: {list: [1, 2, 3], text: t}}
---
apiVersion: drift.example.com/v1
kind: Gadget
metadata: {name: g}
spec: {replicas: 2, amount: 1000m, nested: {lit: true, list: [{name: a, v: 1}, {name: b, v: 2}], empty: {}}}
"""
"""Objects whose lists have middles, whose amounts have other forms, and two of kinds that are their author's."""

API: Final = ("Deployment", "api")
_DNS: Final = ("Service", "dns")
_FILES: Final = ("ConfigMap", "files")
_LOGIN: Final = ("Secret", "login")
_MANY: Final = ("NetworkPolicy", "many")
_SHOP: Final = ("Ingress", "shop")
_W: Final = ("Widget", "w")
_G: Final = ("Gadget", "g")
_POD: Final = "/spec/template/spec"
_BOX: Final = "/spec/template/spec/containers/0"
_APP: Final = "spec.template.spec.containers[name=api]"
DEPLOYMENT: Final = "/apis/apps/v1/namespaces/{namespace}/deployments/api"
WIDGET: Final = "/apis/drift.example.com/v1/namespaces/{namespace}/widgets/w"
GADGET: Final = "/apis/drift.example.com/v1/namespaces/{namespace}/gadgets/g"
JSON: Final = "application/json"


def json_patch(thing: tuple[str, str], *steps: tuple[Any, ...]) -> Act:
    """A `kubectl patch --type json`; a step is what to do, where, and the value."""
    body = [{"op": step[0], "path": step[1], **({"value": step[2]} if len(step) > 2 else {})} for step in steps]
    return patch(thing[0].lower(), thing[1], body, "json")


def merge(thing: tuple[str, str], body: Any) -> Act:
    """A `kubectl patch --type merge`."""
    return patch(thing[0].lower(), thing[1], body, "merge")


def strategic(thing: tuple[str, str], body: Any) -> Act:
    """A `kubectl patch` as it is by default."""
    return patch(thing[0].lower(), thing[1], body)


def both(first: Act, second: Act) -> Act:
    """One after the other."""

    def act(cluster: Cluster, namespace: str) -> None:
        first(cluster, namespace)
        second(cluster, namespace)

    return act


def _replaced(cluster: Cluster, namespace: str) -> None:
    """`kubectl replace` with a file that lacks a label."""
    value = cluster.read(DEPLOYMENT.format(namespace=namespace))
    del value["metadata"]["labels"]["tier"]
    del value["metadata"]["managedFields"]
    words = ("replace", "--namespace", namespace, "-f", "-")
    cluster.kubectl(*words, stdin=json.dumps(value)).expect_success()


def _tamper(cluster: Cluster, namespace: str) -> None:
    """Somebody writes the annotation that `kubectl apply` remembers by."""
    note = "kubectl.kubernetes.io/last-applied-configuration={}"
    kubectl("annotate", "--overwrite", "configmap/files", note)(cluster, namespace)


def _body(cluster: Cluster, body: Any, manager: str, path: str, namespace: str, content: str = MERGE) -> None:
    status, said = cluster.send("PATCH", f"{path.format(namespace=namespace)}?fieldManager={manager}", body, content)
    assert status == 200, said


def _taken(cluster: Cluster, namespace: str) -> None:
    """Another tool applies a value that it already has, and so owns it, too."""
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}, "spec": {"replicas": 2}}
    _body(cluster, body, "second-tool", DEPLOYMENT, namespace, APPLY)


def _undone(cluster: Cluster, namespace: str) -> None:
    kubectl("set", "image", "deployment/api", "api=example.invalid/api:9")(cluster, namespace)
    kubectl("set", "image", "deployment/api", "api=example.invalid/api:1")(cluster, namespace)


def _by_schema(body: dict[str, Any]) -> dict[str, Any]:
    return {"spec": body}


# fmt: off
FURTHER: Final = (
    Case("json: an item in the middle", API, json_patch(API, ("replace", f"{_POD}/initContainers/1/image", "example.invalid/second:2")), ("spec.template.spec.initContainers[name=second].image",), "kubectl-patch"),
    Case("json: a variable put in the middle", API, json_patch(API, ("add", f"{_BOX}/env/1", {"name": "X", "value": "9"})), (f"{_APP}.env[name=X]",), "kubectl-patch"),
    Case("json: the variable in the middle taken away", API, json_patch(API, ("remove", f"{_BOX}/env/1")), (f"{_APP}.env[name=B]",)),
    Case("json: a value becomes a reference", API, json_patch(API, ("replace", f"{_BOX}/env/1", {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}})), (f"{_APP}.env[name=B].value", f"{_APP}.env[name=B].valueFrom"), "kubectl-patch"),
    Case("json: an empty value", API, json_patch(API, ("replace", f"{_BOX}/env/0/value", "")), (f"{_APP}.env[name=A].value",), "?"),
    Case("json: init containers in another order", API, json_patch(API, ("remove", f"{_POD}/initContainers/0"), ("add", f"{_POD}/initContainers/2", {"name": "first", "image": "example.invalid/first:1"})), ("spec.template.spec.initContainers",), "?"),
    Case("json: an argument in the middle", API, json_patch(API, ("replace", f"{_BOX}/args/1", "--two=22")), (f"{_APP}.args",), "kubectl-patch"),
    Case("json: an argument added", API, json_patch(API, ("add", f"{_BOX}/args/-", "--debug")), (f"{_APP}.args",), "kubectl-patch"),
    Case("json: the command taken away", API, json_patch(API, ("remove", f"{_BOX}/command")), (f"{_APP}.command",)),
    Case("json: all labels of the object taken away", API, json_patch(API, ("remove", "/metadata/labels")), ("metadata.labels",)),
    Case("json: a source of variables in the middle", API, json_patch(API, ("add", f"{_BOX}/envFrom/1", {"configMapRef": {"name": "three"}})), (f"{_APP}.envFrom",), "kubectl-patch"),
    Case("json: a toleration in the middle", API, json_patch(API, ("replace", f"{_POD}/tolerations/1/effect", "NoExecute")), ("spec.template.spec.tolerations[1].effect",), "kubectl-patch"),
    Case("json: a host name in the middle", API, json_patch(API, ("replace", f"{_POD}/hostAliases/1/hostnames/0", "drei.example")), ("spec.template.spec.hostAliases[ip=10.0.0.2].hostnames",), "kubectl-patch"),
    Case("json: a weight deep inside", API, json_patch(API, ("replace", f"{_POD}/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/weight", 90)), ("spec.template.spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight",), "kubectl-patch"),
    Case("strategic: more skew", API, strategic(API, {"spec": {"template": {"spec": {"topologySpreadConstraints": [{"topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 3}]}}}}), ("spec.template.spec.topologySpreadConstraints[topologyKey=zone,whenUnsatisfiable=ScheduleAnyway].maxSkew",), "kubectl-patch"),
    Case("strategic: cpu 1000m becomes 1100m", API, strategic(API, {"spec": {"template": {"spec": {"containers": [{"name": "api", "resources": {"requests": {"cpu": "1100m"}}}]}}}}), (f"{_APP}.resources.requests.cpu",), "kubectl-patch"),
    Case("strategic: limits taken away", API, strategic(API, {"spec": {"template": {"spec": {"containers": [{"name": "api", "resources": {"limits": None}}]}}}}), (f"{_APP}.resources.limits",)),
    Case("strategic: the second container taken away", API, strategic(API, {"spec": {"template": {"spec": {"containers": [{"name": "log", "$patch": "delete"}]}}}}), ("spec.template.spec.containers[name=log]",)),
    Case("strategic: a lifecycle hook", API, strategic(API, {"spec": {"template": {"spec": {"containers": [{"name": "api", "lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}}}]}}}}), (f"{_APP}.lifecycle",), "kubectl-patch"),
    Case("strategic: another probe", API, strategic(API, {"spec": {"template": {"spec": {"containers": [{"name": "api", "readinessProbe": {"httpGet": None, "tcpSocket": {"port": "http"}}}]}}}}), (f"{_APP}.readinessProbe.httpGet", f"{_APP}.readinessProbe.tcpSocket"), "kubectl-patch"),
    Case("strategic: a pull policy that was a default", API, strategic(API, {"spec": {"template": {"spec": {"containers": [{"name": "api", "imagePullPolicy": "Always"}]}}}}), (f"{_APP}.imagePullPolicy",), "kubectl-patch"),
    Case("strategic: a mode that was a default", API, strategic(API, {"spec": {"template": {"spec": {"volumes": [{"name": "conf", "configMap": {"name": "one", "defaultMode": 256}}]}}}}), ("spec.template.spec.volumes[name=conf].configMap.defaultMode",), "kubectl-patch"),
    Case("strategic: another kind of volume", API, strategic(API, {"spec": {"template": {"spec": {"volumes": [{"name": "work", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/"}}]}}}}), ("spec.template.spec.volumes[name=work].emptyDir", "spec.template.spec.volumes[name=work].hostPath"), "?"),
    Case("strategic: as root", API, strategic(API, {"spec": {"template": {"spec": {"securityContext": {"runAsUser": 0}}}}}), ("spec.template.spec.securityContext.runAsUser",), "kubectl-patch"),
    Case("json: another protocol of a port", API, json_patch(API, ("replace", f"{_BOX}/ports/0/protocol", "SCTP")), (f"{_APP}.ports[containerPort=53,protocol=SCTP]", f"{_APP}.ports[containerPort=53,protocol=UDP]"), "?"),
    Case("json: a port with the number of another", API, json_patch(API, ("replace", f"{_BOX}/ports/1/name", "renamed")), (f"{_APP}.ports[containerPort=53,protocol=TCP].name",), "kubectl-patch"),
    Case("json: the template's annotation", API, json_patch(API, ("replace", "/spec/template/metadata/annotations/checksum~1config", "xyz")), (r"spec.template.metadata.annotations.checksum/config",), "kubectl-patch"),
    Case("merge: an annotation is null", API, merge(API, {"metadata": {"annotations": {"a": None}}}), ("metadata.annotations.a",)),
    Case("replace without a label", API, _replaced, ("metadata.labels.tier",)),
    Case("finalizers of two people", API, both(merge(API, {"metadata": {"finalizers": ["example.com/one"]}}), json_patch(API, ("add", "/metadata/finalizers/-", "example.com/two"))), ("metadata.finalizers",), "kubectl-patch"),
    Case("another tool applies a field more", API, send("PATCH", DEPLOYMENT, lambda _: {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "labels": {"second": "tool"}}, "spec": {"template": {"metadata": {"labels": {"second": "tool"}}}}}, "second-tool", APPLY), ("metadata.labels.second", "spec.template.metadata.labels.second"), "second-tool"),
    Case("service: protocol of a port", _DNS, json_patch(_DNS, ("replace", "/spec/ports/0/protocol", "SCTP")), ("spec.ports[port=53,protocol=SCTP]", "spec.ports[port=53,protocol=UDP]"), "?"),
    Case("service: target of one of two equal ports", _DNS, json_patch(_DNS, ("replace", "/spec/ports/1/targetPort", 5353)), ("spec.ports[port=53,protocol=TCP].targetPort",), "kubectl-patch"),
    Case("service: sticky clients", _DNS, merge(_DNS, {"spec": {"sessionAffinity": "ClientIP"}}), ("spec.sessionAffinity", "spec.sessionAffinityConfig"), "kubectl-patch"),
    Case("service: addresses from outside", _DNS, merge(_DNS, {"spec": {"externalIPs": ["192.0.2.7"]}}), ("spec.externalIPs", "spec.externalTrafficPolicy"), "kubectl-patch"),
    Case("service: one protocol more in words", _DNS, json_patch(_DNS, ("add", "/spec/ports/0/appProtocol", "dns")), ("spec.ports[port=53,protocol=UDP].appProtocol",), "kubectl-patch"),
    Case("configmap: one line of a file", _FILES, merge(_FILES, {"data": {"app.conf": "one\nTWO\n"}}), (r"data.app\.conf",), "kubectl-patch"),
    Case("configmap: the newline at the end", _FILES, merge(_FILES, {"data": {"app.conf": "one\ntwo"}}), (r"data.app\.conf",), "kubectl-patch"),
    Case("configmap: bytes", _FILES, merge(_FILES, {"binaryData": {"blob": "AAED"}}), ("binaryData.blob",), "kubectl-patch"),
    Case("configmap: an empty key more", _FILES, merge(_FILES, {"data": {"flag": ""}}), ("data.flag",), "kubectl-patch"),
    Case("configmap: an empty key less", _FILES, json_patch(_FILES, ("remove", "/data/empty")), ("data.empty",)),
    Case("configmap: cannot be changed any more", _FILES, merge(_FILES, {"immutable": True}), ("immutable",), "kubectl-patch"),
    Case("secret: a key more", _LOGIN, merge(_LOGIN, {"stringData": {"token": "SECRET-VALUE-OF-A-PERSON"}}), ("data.token",), "kubectl-patch"),
    Case("secret: a key less", _LOGIN, json_patch(_LOGIN, ("remove", "/data/user")), ("data.user",)),
    Case("secret: all of it replaced", _LOGIN, json_patch(_LOGIN, ("replace", "/data", {"user": "cm9vdA==", "other": "eA=="})), ("data.other", "data.password", "data.user"), "?"),
    Case("secret: label", _LOGIN, kubectl("label", "secret/login", "leaked=no"), ("metadata.labels.leaked",), "kubectl-label"),
    Case("limits: a default", ("LimitRange", "limits"), json_patch(("LimitRange", "limits"), ("replace", "/spec/limits/0/default/cpu", "600m")), ("spec.limits[0].default.cpu",), "kubectl-patch"),
    Case("limits: a minimum more", ("LimitRange", "limits"), json_patch(("LimitRange", "limits"), ("add", "/spec/limits/0/min", {"cpu": "10m"})), ("spec.limits[0].min",), "kubectl-patch"),
    Case("quota: a count more", ("ResourceQuota", "counts"), merge(("ResourceQuota", "counts"), {"spec": {"hard": {"secrets": "3"}}}), ("spec.hard.secrets",), "kubectl-patch"),
    Case("serviceaccount: its token again", ("ServiceAccount", "runner"), merge(("ServiceAccount", "runner"), {"automountServiceAccountToken": True}), ("automountServiceAccountToken",), "kubectl-patch"),
    Case("claim: annotation", ("PersistentVolumeClaim", "data"), kubectl("annotate", "pvc/data", "backup=no"), ("metadata.annotations.backup",), "kubectl-annotate"),
    Case("serviceaccount: what its token does is not said any more", ("ServiceAccount", "runner"), json_patch(("ServiceAccount", "runner"), ("remove", "/automountServiceAccountToken")), ("automountServiceAccountToken",)),
    Case("serviceaccount: the secret in the middle", ("ServiceAccount", "runner"), json_patch(("ServiceAccount", "runner"), ("remove", "/secrets/1")), ("secrets[name=two]",)),
    Case("networkpolicy: no namespace is selected any more", _MANY, json_patch(_MANY, ("remove", "/spec/ingress/2/from/0/namespaceSelector")), ("spec.ingress[2].from[0].namespaceSelector",)),
    Case("a label without a value less", API, kubectl("label", "deployment/api", "mark-"), ("metadata.labels.mark",)),
    Case("an annotation without a value less", API, kubectl("annotate", "deployment/api", "flag-"), ("metadata.annotations.flag",)),
    Case("json: a node selector without a value less", API, json_patch(API, ("remove", f"{_POD}/nodeSelector/kind")), ("spec.template.spec.nodeSelector",)),
    Case("json: a false that is not said any more", API, json_patch(API, ("remove", f"{_POD}/automountServiceAccountToken"), ("remove", f"{_BOX}/securityContext/allowPrivilegeEscalation")), (f"{_APP}.securityContext.allowPrivilegeEscalation", "spec.template.spec.automountServiceAccountToken")),
    Case("json: a false that becomes the default", API, json_patch(API, ("remove", f"{_POD}/enableServiceLinks")), ("spec.template.spec.enableServiceLinks",), "?"),
    Case("json: a nought that is not said any more", API, json_patch(API, ("remove", f"{_BOX}/securityContext/runAsUser")), (f"{_APP}.securityContext.runAsUser",)),
    Case("json: a nought that becomes the default", API, json_patch(API, ("remove", f"{_POD}/terminationGracePeriodSeconds")), ("spec.template.spec.terminationGracePeriodSeconds",), "?"),
    Case("merge: hostPID", API, merge(API, {"spec": {"template": {"spec": {"hostPID": True}}}}), ("spec.template.spec.hostPID",), "kubectl-patch"),
    Case("role: the rule in the middle taken away", ("Role", "many"), json_patch(("Role", "many"), ("remove", "/rules/1")), ("rules",), "kubectl-patch"),
    Case("role: a rule in the middle wider", ("Role", "many"), json_patch(("Role", "many"), ("add", "/rules/1/resources/-", "secrets")), ("rules[1].resources",), "kubectl-patch"),
    Case("rolebinding: one person more", ("RoleBinding", "many"), kubectl("set", "subject", "rolebinding/many", "--user=eve"), ("subjects",), "kubectl-set"),
    Case("daemonset: only on some nodes", ("DaemonSet", "agent"), strategic(("DaemonSet", "agent"), {"spec": {"template": {"spec": {"nodeSelector": {"disk": "ssd"}}}}}), ("spec.template.spec.nodeSelector",), "kubectl-patch"),
    Case("daemonset: how it is rolled out", ("DaemonSet", "agent"), strategic(("DaemonSet", "agent"), {"spec": {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "50%"}}}}), ("spec.updateStrategy.rollingUpdate.maxUnavailable",), "kubectl-patch"),
    Case("cronjob: another time and its zone", ("CronJob", "weekly"), merge(("CronJob", "weekly"), {"spec": {"schedule": "0 4 * * 0", "timeZone": "Etc/UTC"}}), ("spec.schedule", "spec.timeZone"), "kubectl-patch"),
    Case("cronjob: a word of its command", ("CronJob", "weekly"), json_patch(("CronJob", "weekly"), ("remove", "/spec/jobTemplate/spec/template/spec/containers/0/command/1")), ("spec.jobTemplate.spec.template.spec.containers[name=j].command",), "kubectl-patch"),
    Case("networkpolicy: a port in the middle", _MANY, json_patch(_MANY, ("replace", "/spec/ingress/1/ports/0/port", 9090)), ("spec.ingress[1].ports[0].port",), "kubectl-patch"),
    Case("networkpolicy: the other way, too", _MANY, json_patch(_MANY, ("add", "/spec/policyTypes/-", "Egress")), ("spec.policyTypes",), "kubectl-patch"),
    Case("networkpolicy: all pods", _MANY, json_patch(_MANY, ("replace", "/spec/podSelector", {})), ("spec.podSelector.matchLabels",)),
    Case("ingress: annotation away", _SHOP, kubectl("annotate", "ingress/shop", "example.com/time-"), (r"metadata.annotations.example\.com/time",)),
    Case("ingress: path in the middle", _SHOP, json_patch(_SHOP, ("replace", "/spec/rules/1/http/paths/0/pathType", "Prefix")), ("spec.rules[1].http.paths[0].pathType",), "kubectl-patch"),
    Case("ingress: a class", _SHOP, merge(_SHOP, {"spec": {"ingressClassName": "other"}}), ("spec.ingressClassName",), "kubectl-patch"),
    Case("ingress: no certificate", _SHOP, merge(_SHOP, {"spec": {"tls": None}}), ("spec.tls",)),
    Case("pdb: the other bound", ("PodDisruptionBudget", "api"), json_patch(("PodDisruptionBudget", "api"), ("remove", "/spec/minAvailable"), ("add", "/spec/maxUnavailable", "100%")), ("spec.maxUnavailable", "spec.minAvailable"), "kubectl-patch"),
    Case("schema: a number", _W, merge(_W, _by_schema({"size": 4})), ("spec.size",), "kubectl-patch"),
    Case("schema: what was a default", _W, merge(_W, _by_schema({"mode": "slow"})), ("spec.mode",), "kubectl-patch"),
    Case("schema: a list in the middle", _W, json_patch(_W, ("replace", "/spec/hosts/1", "B")), ("spec.hosts",), "kubectl-patch"),
    Case("schema: an item of a keyed list", _W, json_patch(_W, ("replace", "/spec/parts/1/weight", 20)), ("spec.parts[id=two].weight",), "kubectl-patch"),
    Case("schema: a keyed item more in the middle", _W, json_patch(_W, ("add", "/spec/parts/1", {"id": "new", "weight": 9})), ("spec.parts[id=new]",), "kubectl-patch"),
    Case("schema: a keyed item less", _W, json_patch(_W, ("remove", "/spec/parts/1")), ("spec.parts[id=two]",)),
    Case("schema: one of a set more", _W, json_patch(_W, ("add", "/spec/tags/-", "z")), ("spec.tags[2]",), "kubectl-patch"),
    Case("schema: deep in what is free", _W, json_patch(_W, ("replace", "/spec/free/deep/list/1", 22)), ("spec.free.deep.list",), "kubectl-patch"),
    Case("schema: a key more in what is free", _W, merge(_W, _by_schema({"free": {"extra": {"a": 1}}})), ("spec.free.extra",), "kubectl-patch"),
    Case("free: a number", _G, merge(_G, _by_schema({"replicas": 3})), ("spec.replicas",), "kubectl-patch"),
    Case("free: a text in the place of a number", _G, merge(_G, _by_schema({"replicas": "2"})), ("spec.replicas",), "kubectl-patch"),
    Case("free: an amount in other words is another text", _G, merge(_G, _by_schema({"amount": "1"})), ("spec.amount",), "kubectl-patch"),
    Case("free: a map more", _G, merge(_G, _by_schema({"nested": {"more": {"x": [1]}}})), ("spec.nested.more",), "kubectl-patch"),
    Case("free: an item in the middle", _G, json_patch(_G, ("replace", "/spec/nested/list/0/v", 7)), ("spec.nested.list[0].v",), "kubectl-patch"),
    Case("free: a field less", _G, json_patch(_G, ("remove", "/spec/nested/lit")), ("spec.nested.lit",)),
    Case("free: a field beside spec", _G, merge(_G, {"extra": {"a": 1}}), ("extra",), "kubectl-patch"),
)
CALM: Final = (
    Case("cpu 1000m becomes 1", API, strategic(API, {"spec": {"template": {"spec": {"containers": [{"name": "api", "resources": {"requests": {"cpu": "1"}}}]}}}}), ()),
    Case("memory 1024Mi becomes bytes", API, strategic(API, {"spec": {"template": {"spec": {"containers": [{"name": "api", "resources": {"requests": {"memory": "1073741824"}}}]}}}}), ()),
    Case("quota: 500 becomes 0.5k", ("ResourceQuota", "counts"), merge(("ResourceQuota", "counts"), {"spec": {"hard": {"pods": "0.5k", "limits.cpu": "100"}}}), ()),
    Case("a secret's value in other words", _LOGIN, merge(_LOGIN, {"stringData": {"user": "admin"}}), ()),
    Case("another tool applies what is there", API, _taken, ()),
    Case("an image is set and set back", API, _undone, ()),
    Case("kubectl's own annotation is written by hand", _FILES, _tamper, ()),
    Case("a status of a kind with a schema", _W, send("PATCH", WIDGET + "/status", lambda _: {"status": {"phase": "Ready", "seen": [1, 2]}}, "widget-operator", MERGE), ()),
    Case("a status of a kind without one", _G, send("PATCH", GADGET, lambda _: {"status": {"phase": "Ready"}}, "gadget-operator", MERGE), ()),
    Case("the autoscaled one is scaled by hand", ("Deployment", "scaled"), kubectl("scale", "deployment/scaled", "--replicas=4"), ()),
)
# fmt: on
