"""Miniatures of what other converters abort on or lose, by the number the cases are known under."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.chart.samples import config_map, container, custom, deployment, service

if TYPE_CHECKING:
    from tests.chart.samples import Resource

_DIGEST: Final = "sha256:" + "0a" * 32


def _images() -> list[Resource]:
    images = ("mongo", "nginx:1.25", f"nginx:1.25@{_DIGEST}", f"nginx@{_DIGEST}", "localhost:5000/a", "r:5000/a:1")
    return [deployment(f"d{number}", image) for number, image in enumerate(images)]


def _pod(**fields: Any) -> list[Resource]:
    found = deployment("shell")
    container(found).update(fields)
    return [found]


def _headless() -> list[Resource]:
    found = service("db")
    found["spec"].update({
        "clusterIP": "None",
        "sessionAffinity": "ClientIP",
        "publishNotReadyAddresses": True,
        "externalTrafficPolicy": "Local",
    })
    found["spec"]["ports"][0]["appProtocol"] = "grpc"
    return [found, service("db-frontend"), service("db-frontend-internal")]


def _deployment_fields() -> list[Resource]:
    found = deployment(
        "slow", minReadySeconds=10, progressDeadlineSeconds=60, revisionHistoryLimit=0, strategy={"type": "Recreate"}
    )
    found["spec"]["template"]["metadata"]["name"] = "slow"
    daemon = deployment("agent", updateStrategy={"rollingUpdate": {"maxUnavailable": "25%"}})
    daemon["kind"] = "DaemonSet"
    del daemon["spec"]["replicas"]
    return [found, daemon]


def _role_binding(name: str) -> Resource:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": "b"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "x", "namespace": "a"}],
    }


def _several_namespaces() -> list[Resource]:
    found = []
    for namespace in ("a", "b", "c"):
        resource = config_map("shared", NAMESPACE=namespace)
        resource["metadata"]["namespace"] = namespace
        found.append(resource)
    return found


MINIATURES: Final[dict[str, list[Resource]]] = {
    "M1 images without a tag, with a digest, with a port": _images(),
    "M2 braces of other template languages": [
        custom("rules", {"expr": "{{ $labels.pod }} is {{ .Value }}", "nested": {"{{key}}": "``{{`"}}),
        *_pod(args=["--format={{ .Status }}"], command=["sh", "-c", "echo {{{x}}}"]),
    ],
    "M3 quotes of shells": _pod(
        command=["sh", "-c", "cut -d ' ' -f 2 | awk '/^  HTTP/{print $2}'"],
        readinessProbe={"exec": {"command": ["sh", "-c", "test \"$(cut -d ' ' -f 2)\" = 'x'"]}},
    ),
    "M4 files of a ConfigMap byte for byte": [
        config_map(
            "files",
            **{
                "postgresql.conf": "\n# head\n\nlisten = '*'\n\n\nport = 1\n",
                "blank.conf": "a  \nb\t\n\n",
                "three": "a\n\n\n",
                "crlf": "a\r\nb\r\n",
                "none": "a\nb",
            },
        ),
    ],
    "M5 keys that are one in camelCase": [
        config_map(
            "keys", **{"a.b": "1", "a-b": "2", "a_b": "3", "aB": "4", "yes": "5", "FOO_BAR": "6", "foo-bar": "7"}
        ),
        *_pod(
            env=[{"name": "FOO_BAR", "value": "1"}, {"name": "foo-bar", "value": "2"}, {"name": "fooBar", "value": "3"}]
        ),
    ],
    "M6 properties with comments and two signs": [
        config_map("app", **{"app.properties": "# c\n! d\na=b=c\n\nurl=jdbc:x?y=z&w={{v}}\nempty=\n"}),
    ],
    "M7 an annotation that holds JSON": [
        {
            **config_map("json"),
            "metadata": {
                "name": "json",
                "annotations": {"pod.beta.kubernetes.io/init-containers": '[ {"name": "x"} ]'},
            },
        },
    ],
    "M8 fields of Services": _headless(),
    "M9 fields of Deployments and DaemonSets": _deployment_fields(),
    "M10 quantities as written, zeros and falses": _pod(
        resources={"limits": {"cpu": "1000m", "memory": "0.5Gi"}, "requests": {"cpu": 0.5}},
        volumeMounts=[{"name": "x", "mountPath": "/x", "readOnly": False}],
        livenessProbe={"initialDelaySeconds": 0, "httpGet": {"path": "/", "port": "http"}},
    ),
    "M11 nothing is added": [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "bare"}}],
    "M12 selectors stay as they are": [deployment("frozen")],
    "M13 names and references stay as they are": [
        config_map("argocd-cm"),
        config_map("argocd-cmd-params-cm"),
        _role_binding("r"),
    ],
    "M14 data of Secrets": [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "s"},
            "data": {"a": "Yg=="},
            "stringData": {"b": "{{c}}"},
        },
    ],
    "M15 Namespaces": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"a": "b"}}}],
    "M16 several ServiceAccounts": [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": name},
            "automountServiceAccountToken": False,
        }
        for name in ("one", "two")
    ],
    "M17 nulls and empty maps and lists": [
        custom("empty", {"a": None, "b": {}, "c": [], "d": [None, {}, []], "e": {"f": None}}),
        *_pod(resources={}, securityContext=None, args=[]),
    ],
    "M18 lists and generated names": [
        {"apiVersion": "v1", "kind": "List", "items": [config_map("a", x="1"), config_map("b", x="2")]},
        {"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "c"}, "data": {"x": "3"}}]},
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"generateName": "run-"},
            "spec": {"template": {"spec": {}}},
        },
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "run-"}, "spec": {"template": {"x": 1}}},
    ],
    "M19 numbers and what looks like numbers": [
        custom(
            "numbers",
            {"a": 1000770000, "b": 2**53 + 1, "c": 2**63 - 1, "d": "1e6", "e": "1.20", "f": "0755", "g": 1e21},
        ),
        *_pod(securityContext={"runAsUser": 1000770000}),
        deployment("tagged", "x:12e03"),
    ],
    "M20 well-known labels keep their values": [
        {
            **deployment("labelled"),
            "metadata": {"name": "labelled", "labels": {"app.kubernetes.io/version": "main", "helm.sh/chart": "x-1"}},
        },
    ],
    "M21 several namespaces": _several_namespaces(),
    "M22 names of RBAC": [_role_binding("system:metrics-server:auth")],
    "M23 very long texts": [
        config_map("long", **{"dashboard.json": '{"a": "{{b}}"}\n' * 12_000, "one-line": "x" * 120_000})
    ],
    "M24 anything but ASCII": [config_map("wide", é="漢字 😀\tx", tabs="\ta\n\tb\n", mixed="ü\n  ñ\n")],
}
