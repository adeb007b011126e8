"""Fetching a certificate: from a URL, through the API server, from a file; pinned, and never swapped silently."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from envcompile import yamlio
from envcompile.errors import EnvcError, UnavailableError, UsageError
from envcompile.secrets.fetch import (
    CertificateChange,
    accept_certificate,
    certificate_from_cluster,
    certificate_from_url,
)
from envcompile.secrets.pinning import pinned
from envcompile.settings import Sealing
from tests.secrets.repository import NOW, Repository, certificate_pem, fingerprint, private_key, settings

ENVIRONMENT = "# ours\napiVersion: envcompile.dev/v1\nkind: Environment\nnamespace: production  # theirs\n"


def accept(repository: Repository, data: bytes, *, accepted: bool = False, **given: Any) -> CertificateChange:
    """Take a certificate for prod."""
    return accept_certificate(repository.root, "prod", settings(**given), data, "the cluster", accept=accepted, now=NOW)


@pytest.fixture
def fresh(repository: Repository) -> Repository:
    """A repository whose environment has no certificate yet."""
    (repository.root / "overlays/prod/sealed-secrets.pem").unlink()
    repository.write("overlays/prod/environment.yaml", ENVIRONMENT)
    return repository


def test_the_first_certificate_is_stored_and_pinned(fresh: Repository) -> None:
    """Beside environment.yaml, whose comments stay."""
    change = accept(fresh, certificate_pem(), pin=None)
    assert (change.state, change.before, change.written) == ("new", None, True)
    assert (fresh.root / "overlays/prod/sealed-secrets.pem").read_bytes() == certificate_pem()
    assert (fresh.root / "overlays/prod/environment.yaml").read_text() == (
        f"{ENVIRONMENT}sealing:\n  fingerprint: {fingerprint()}\n"
    )
    again = accept(fresh, certificate_pem())
    assert (again.state, again.written) == ("same", False)


def test_another_certificate_is_shown_and_needs_accept(fresh: Repository) -> None:
    """Old and new fingerprint with dates; nothing is written before it is accepted."""
    accept(fresh, certificate_pem(), pin=None)
    before = fresh.files()
    new = private_key(2048, 1)
    with pytest.raises(EnvcError) as error:
        accept(fresh, certificate_pem(new))
    assert (
        str(error.value)
        == f"""\
error: environment prod: the cluster has another certificate than the one in use
      in use {fingerprint()} (RSA-2048, valid 2026-05-31 to 2036-05-28)
      new    {fingerprint(new)} (RSA-2048, valid 2026-05-31 to 2036-05-28)
hint: compare the new fingerprint with what the cluster's owners say; if it is right, add --accept"""
    )
    assert fresh.files() == before
    change = accept(fresh, certificate_pem(new), accepted=True)
    assert (change.state, change.before) == ("changed", fingerprint())
    assert fingerprint(new) in (fresh.root / "overlays/prod/environment.yaml").read_text()


def test_a_wanted_fingerprint_refuses_every_other(fresh: Repository) -> None:
    """For scripts that know it from elsewhere."""
    with pytest.raises(EnvcError, match="the certificate is not the pinned one"):
        accept_certificate(
            fresh.root,
            "prod",
            settings(pin=None),
            certificate_pem(),
            "x",
            accept=True,
            now=NOW,
            wanted="sha256:" + "0" * 64,
        )


PIN = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("kind: E\n", f"kind: E\nsealing:\n  fingerprint: {PIN}\n"),
        ("kind: E", f"kind: E\nsealing:\n  fingerprint: {PIN}\n"),
        (
            "kind: E\nsealing:\n    scope: strict # why\nnamespace: x\n",
            f"kind: E\nsealing:\n    fingerprint: {PIN}\n    scope: strict # why\nnamespace: x\n",
        ),
        ("sealing: {scope: strict}\n", f"sealing: {{fingerprint: {PIN}, scope: strict}}\n"),
        ("sealing:\n  fingerprint: 'old'  # pinned by us\n", f"sealing:\n  fingerprint: {PIN}  # pinned by us\n"),
        ("sealing: {fingerprint: old, scope: strict}\n", f"sealing: {{fingerprint: {PIN}, scope: strict}}\n"),
        (f"sealing: {{fingerprint: {PIN}}}\n", f"sealing: {{fingerprint: {PIN}}}\n"),
    ],
    ids=["absent", "no newline", "block", "flow", "replaced in block", "replaced in flow", "same"],
)
def test_pinning_touches_one_line(before: str, after: str) -> None:
    """Whatever the layout."""
    assert pinned(before.encode(), "environment.yaml", PIN).decode() == after


def test_a_layout_that_cannot_be_edited_says_what_to_write() -> None:
    """Never a broken file."""
    with pytest.raises(EnvcError) as error:
        pinned(b"a: &x {scope: strict}\nsealing: *x\n", "environment.yaml", PIN)
    assert (
        str(error.value)
        == f"""\
error: the fingerprint cannot be written into environment.yaml without touching other lines
  --> environment.yaml:1:1
hint: write it yourself: `sealing: {{fingerprint: {PIN}}}`"""
    )


class _Cluster(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        services = "/api/v1/namespaces/kube-system/services"
        service = {"spec": {"ports": [{"name": "http", "port": 8080}]}}
        allowed = self.headers.get("Authorization") == "Bearer token" or not self.path.startswith("/api")
        answers = {
            f"{services}/sealed-secrets-controller": json.dumps(service).encode(),
            f"{services}/http:sealed-secrets-controller:http/proxy/v1/cert.pem": certificate_pem(),
            "/v1/cert.pem": certificate_pem(),
        }
        body = answers.get(self.path, b"") if allowed else b""
        self.send_response(200 if body else 404 if allowed else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A fake API server and controller on the loopback address."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Cluster) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_controller_is_asked_by_url(cluster: str) -> None:
    """With or without the path."""
    assert certificate_from_url(cluster) == certificate_pem()
    assert certificate_from_url(f"{cluster}/v1/cert.pem") == certificate_pem()
    with pytest.raises(UnavailableError, match="answers 404"):
        certificate_from_url(f"{cluster}/v2/cert.pem")
    with pytest.raises(UsageError, match="is not an http or https URL"):
        certificate_from_url("file:///etc/passwd")


def test_nothing_listening_is_unavailable() -> None:
    """Exit code 4: trying again may help."""
    with pytest.raises(UnavailableError) as error:
        certificate_from_url("http://127.0.0.1:9")
    assert error.value.exit_code == 4


@pytest.mark.parametrize("login", ["token", "plugin"])
def test_a_cluster_is_asked_through_its_api_server(cluster: str, repository: Repository, login: str) -> None:
    """By the service proxy, with a token or a credential plugin."""
    user: dict[str, Any] = {"token": "token"}
    if login == "plugin":
        plugin = repository.write("plugin", '#!/bin/sh\necho \'{"status": {"token": "token"}}\'\n')
        plugin.chmod(0o755)
        user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "args": ["x"]}}
    config = {
        "current-context": "prod",
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": cluster}}],
        "users": [{"name": "u", "user": user}],
    }
    environ = {"KUBECONFIG": str(repository.write("kubeconfig", yamlio.dump(config))), "PATH": "/usr/bin:/bin"}
    assert certificate_from_cluster(environ, Sealing(), None) == certificate_pem()
    with pytest.raises(EnvcError) as error:
        certificate_from_cluster(environ, Sealing(), "dev")
    assert str(error.value) == (
        "error: the kubeconfig has no context `dev`\n"
        "hint: choose one with --context (known: prod), or give the controller's URL or a PEM file"
    )
    missing = {**environ, "KUBECONFIG": str(repository.root / "nowhere")}
    with pytest.raises(EnvcError, match=r"there is no kubeconfig: .*nowhere does not exist"):
        certificate_from_cluster(missing, Sealing(), None)
