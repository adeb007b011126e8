"""References follow an object that an environment forces into its namespace, however other kinds write them."""

# ruff: file-ignore[line-too-long] - samples are written whole

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import environment, write_files

if TYPE_CHECKING:
    from pathlib import Path

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
