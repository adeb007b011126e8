"""References follow an object that an environment forces into its namespace, however other kinds write them."""

# ruff: file-ignore[line-too-long] - samples are written whole

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import environment, write_files

if TYPE_CHECKING:
    from pathlib import Path

WORKLOAD = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: old}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "example.com/web:1"}]}
"""
OBJECTS = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: old}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: old}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: tls, namespace: old, annotations: {envcompile.dev/plaintext: "a"}}
stringData: {a: b}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: old}
spec: {gatewayClassName: a, listeners: [{name: http, port: 80, protocol: HTTP}]}
"""


def spec_of(kind: str, version: str, spec: str) -> str:
    """An object with one line of spec."""
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x, namespace: old}}\nspec: {spec}\n"


@pytest.mark.parametrize(
    ("kind", "version", "spec", "stays"),
    [
        ("HTTPRoute", "gateway.networking.k8s.io/v1", "{parentRefs: [{name: gw, namespace: old}], rules: [{backendRefs: [{name: web, namespace: old, port: 80}]}]}", ""),
        ("HTTPRoute", "gateway.networking.k8s.io/v1", "{parentRefs: [{name: gw, namespace: infra}, {name: gw, namespace: old}]}", "namespace: infra"),
        ("Gateway", "gateway.networking.k8s.io/v1", "{gatewayClassName: a, listeners: [{name: s, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: tls, namespace: old}]}}]}", ""),
        ("IngressRoute", "traefik.io/v1alpha1", "{routes: [{kind: Rule, match: a, services: [{name: web, namespace: old, port: 80}]}]}", ""),
        ("Certificate", "cert-manager.io/v1", "{secretName: t, issuerRef: {name: i}, dnsNames: [web.old.svc, web.old.svc.cluster.local, '*.web.example.com', other.old.svc]}", "other.old.svc"),
        ("VirtualService", "networking.istio.io/v1", "{hosts: [web.old.svc.cluster.local], gateways: [old/gw, infra/gw], http: [{route: [{destination: {host: web.old}}]}]}", "infra/gw"),
        ("AuthorizationPolicy", "security.istio.io/v1", "{rules: [{from: [{source: {principals: [cluster.local/ns/old/sa/web, cluster.local/ns/old/sa/other]}}]}]}", "/ns/old/sa/other"),
        ("Widget", "example.com/v1", "{target: {kind: Service, name: web, namespace: old}, other: {kind: Service, name: else, namespace: old}}", "namespace: old"),
    ],
)  # fmt: skip
def test_a_reference_follows_its_object(tmp_path: Path, kind: str, version: str, spec: str, stays: str) -> None:
    """Gateway API, Traefik, cert-manager, Istio, and whatever says kind, namespace and name; nothing else moves."""
    write_files(
        tmp_path,
        {
            "base/web/objects.yaml": OBJECTS,
            "base/web/x.yaml": spec_of(kind, version, spec),
            "overlays/prod/environment.yaml": environment(
                "namespace: live\nforceNamespace: true\nsecretBackend: plaintext\n"
            ),
        },
    )
    done = run_envc(tmp_path, "show", "prod", f"{kind.lower()}/x")
    assert done.code == 0, done.err
    text = done.out
    assert "live" in text.partition("spec:")[2]
    assert stays in text
    rest = text.replace(stays, "") if stays else text
    assert "old" not in rest, text


def test_the_user_of_an_account_follows_it(tmp_path: Path) -> None:
    """A binding may name the account by the name that it logs in with (kubernetes.io, Authenticating)."""
    binding = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: x, namespace: old}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}\nsubjects:\n"
        "- {kind: User, name: 'system:serviceaccount:old:web', apiGroup: rbac.authorization.k8s.io}\n"
        "- {kind: User, name: 'system:serviceaccount:old:other', apiGroup: rbac.authorization.k8s.io}\n"
    )
    forced = environment("namespace: live\nforceNamespace: true\nsecretBackend: plaintext\n")
    write_files(
        tmp_path,
        {"base/web/objects.yaml": OBJECTS, "base/web/x.yaml": binding, "overlays/prod/environment.yaml": forced},
    )
    text = run_envc(tmp_path, "show", "prod", "rolebinding/x").out
    assert "system:serviceaccount:live:web" in text
    assert "system:serviceaccount:old:other" in text


def shown(root: Path, objects: str, one: str, resource: str) -> str:
    """What an environment with a forced namespace makes of an object."""
    forced = environment("namespace: live\nforceNamespace: true\nsecretBackend: plaintext\n")
    write_files(
        root, {"base/web/objects.yaml": objects, "base/web/x.yaml": one, "overlays/prod/environment.yaml": forced}
    )
    done = run_envc(root, "show", "prod", resource)
    assert done.code == 0, done.err
    return done.out


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("http://web.old.svc", "http://web.live.svc"),
        ("http://web.old.svc.cluster.local:8080/x?y=web.old.svc", "http://web.live.svc.cluster.local:8080/x?y=web.live.svc"),
        ("grpc://web.old:50051", "grpc://web.live:50051"),
        ("http://web.old", "http://web.live"),
        ("--peers=web-0.web.old.svc,web-1.web.old.svc", "--peers=web-0.web.live.svc,web-1.web.live.svc"),
        ("curl -s http://web.old.svc/ || exit 1", "curl -s http://web.live.svc/ || exit 1"),
        ("http://else.old.svc", "http://else.old.svc"),
        ("http://web.other.svc", "http://web.other.svc"),
        ("http://my-web.old.svc", "http://my-web.old.svc"),
        ("http://web.older.svc", "http://web.older.svc"),
        ("http://web.old.example.com", "http://web.old.example.com"),
        ("web.old.svconf", "web.old.svconf"),
        ("/etc/web.old", "/etc/web.old"),
        ("http://x.web.old", "http://x.web.old"),
    ],
)  # fmt: skip
def test_hosts_in_env_vars_and_arguments_follow_their_service(tmp_path: Path, text: str, wanted: str) -> None:
    """Only a Service of that name that left that namespace is followed; other hosts, files and names stay."""
    pod = (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: x}}\nspec:\n  containers:\n  - name: a\n    image: example.com/a:1\n"
        f"    args: ['{text}']\n    command: ['{text}']\n    env: [{{name: A, value: '{text}'}}]\n"
    )
    assert shown(tmp_path, OBJECTS, pod, "pod/x").count(wanted) == 3


def test_the_name_of_an_external_service_follows(tmp_path: Path) -> None:
    """A Service that is another name of a moved one."""
    one = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {type: ExternalName, externalName: web.old.svc.cluster.local}\n"
    assert "externalName: web.live.svc.cluster.local" in shown(tmp_path, OBJECTS, one, "service/x")


def test_texts_of_a_config_map_stay(tmp_path: Path) -> None:
    """What a program reads of a file is the file's own matter."""
    one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: 'http://web.old.svc'}\n"
    assert "web.old.svc" in shown(tmp_path, OBJECTS, one, "configmap/x")


POLICY = spec_of(
    "NetworkPolicy", "networking.k8s.io/v1", "{podSelector: {}, ingress: [{from: [{namespaceSelector: SELECTOR}]}]}"
)
SELECTORS = {
    "labels": (POLICY.replace("SELECTOR", "{matchLabels: {kubernetes.io/metadata.name: old}}"), ""),
    "expressions": (POLICY.replace("SELECTOR", "{matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [old, else, live]}]}"), "else"),
    "another label": (POLICY.replace("SELECTOR", "{matchLabels: {name: old}}"), "name: old"),
    "another namespace": (POLICY.replace("SELECTOR", "{matchLabels: {kubernetes.io/metadata.name: ingress}}"), "name: ingress"),
    "affinity": (
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: a, image: 'e.com/a:1'}], affinity: {podAffinity: "
        "{requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: a, labelSelector: {}, namespaces: [old, else]}]}}}\n"),
        "else",
    ),
    "Istio": (spec_of("AuthorizationPolicy", "security.istio.io/v1", "{rules: [{from: [{source: {namespaces: [old, else]}}]}]}"), "else"),
    "webhook": (
        ("apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: x}\nwebhooks:\n"
        "- {name: a.b.c, admissionReviewVersions: [v1], sideEffects: None, clientConfig: {url: 'https://x.example.com/'}, "
        "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: old}}}\n"),
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("one", "stays"), SELECTORS.values(), ids=SELECTORS.keys())
def test_selectors_of_a_namespace_follow_its_pods(tmp_path: Path, one: str, stays: str) -> None:
    """A namespace that pods were moved out of; one that only a Service left is still where it was."""
    resource = one.partition("kind: ")[2].partition("\n")[0].lower() + "/x"
    written, led = (
        re.split(r"spec:|webhooks:", shown(tmp_path / name, objects, one, resource), maxsplit=1)[1]
        for name, objects in (("services", OBJECTS), ("pods", OBJECTS + WORKLOAD))
    )
    assert stays in led
    if stays.startswith("name: "):
        assert led == written
    else:
        assert ("old" in written, "old" in led, led.count("live")) == (True, False, 1)


def test_a_monitor_follows_the_services_it_asks_for(tmp_path: Path) -> None:
    """Prometheus's operator lists namespaces by their names."""
    one = spec_of(
        "ServiceMonitor",
        "monitoring.coreos.com/v1",
        "{selector: {}, namespaceSelector: {matchNames: [old, else]}, endpoints: []}",
    )
    text = shown(tmp_path, OBJECTS, one, "servicemonitor/x").partition("matchNames")[2]
    assert ("live" in text, "else" in text, "old" in text) == (True, True, False)


@pytest.mark.parametrize(("group", "is_led"), [("system:serviceaccounts:old", True), ("system:serviceaccounts:else", False), ("system:serviceaccounts", False)])  # fmt: skip
def test_the_group_of_a_namespaces_accounts_follows(tmp_path: Path, group: str, *, is_led: bool) -> None:
    """All accounts of a namespace are those of its pods, wherever these are now."""
    binding = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: x}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}\nsubjects:\n"
        f"- {{kind: Group, name: '{group}', apiGroup: rbac.authorization.k8s.io}}\n"
    )
    text = shown(tmp_path, OBJECTS, binding, "clusterrolebinding/x")
    assert ("system:serviceaccounts:live" in text) == is_led
    assert (group in text) != is_led or group == "system:serviceaccounts"
