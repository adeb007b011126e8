"""The sealed secrets of envc against the real kubeseal and the real sealed-secrets controller."""

import base64
import contextlib
import copy
import http.client
import http.server
import json
import threading
import time
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from envcompile import yamlio
from envcompile.secrets.ciphertext import SCOPES, Scope
from envcompile.secrets.privatekeys import read_private_keys
from envcompile.secrets.resolve import resolve_secret
from envcompile.secrets.seal import seal_environments
from envcompile.secrets.sealing import NoKeyOpensError
from envcompile.settings import Sealing
from tests.harness.command import PATIENCE
from tests.oracles.sealed_secrets import NAMESPACE, SealedSecretsController
from tests.oracles.tools import Result, run
from tests.secrets.repository import (
    Repository,
    certificate_pem,
    fingerprint,
    identity,
    key_pem,
    settings,
    unseal_object,
    where_in,
)

PLAIN = {
    "binary": bytes(range(256)),
    "empty": b"",
    "latin": b"\xe9t\xe9",
    "newline": b"line\n",
    "text": b"database password",
    "utf8": "zażółć 🔑".encode(),
}
LARGE = {"large": bytes(range(256)) * 3516}
FILE = "overlays/prod/secrets.yaml"


def declared(repository: Repository, plain: dict[str, bytes], name: str, namespace: str = "default") -> str:
    """A Secret whose values come from files; empty ones are allowed."""
    lines = []
    for key, value in plain.items():
        repository.write(f"values/{key}", value)
        lines.append(f"  {key}: ref+file://values/{key}\n")
    annotations = '  annotations: {envcompile.dev/allow-empty: "empty"}\n' if "empty" in plain else ""
    return (
        f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n  namespace: {namespace}\n  labels: {{app: shop}}\n"
        f"{annotations}type: Opaque\nstringData:\n{''.join(lines)}"
    )


def compiled(repository: Repository, text: str, given: Any) -> dict[str, Any]:
    """Seal, then build: the object of the manifests."""
    secret_set = repository.secret_set(text, given=given)
    seal_environments([secret_set], surroundings=repository.surroundings(), identity=identity(), now=datetime.now(UTC))
    value = yamlio.load_all(text.encode(), FILE)[0]
    where = where_in(text.encode(), FILE)
    return resolve_secret(value, environment="prod", settings=given, store=secret_set.store(), where=where)


def recovered(kubeseal: Path, folder: Path, manifest: str, key: bytes) -> dict[str, bytes]:
    """What kubeseal's offline recovery makes of a SealedSecret."""
    (folder / "key.pem").write_bytes(key)
    answer = run(
        kubeseal, "--recovery-unseal", "--recovery-private-key", folder / "key.pem", "-o", "json", stdin=manifest
    )
    data = json.loads(answer.expect_success().stdout).get("data", {})
    # An empty value comes out as null: Go has no other word for an empty byte slice.
    return {name: base64.b64decode(text or "") for name, text in data.items()}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository that seals with a test-only certificate valid now."""
    made = Repository(tmp_path)
    made.write("overlays/prod/sealed-secrets.pem", certificate_pem())
    return made


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("pkcs8", [False, True], ids=["PKCS#1", "PKCS#8"])
def test_kubeseal_opens_what_envc_builds(kubeseal: Path, repository: Repository, scope: Scope, *, pkcs8: bool) -> None:
    """Every scope, binary, empty, UTF-8 and 900 kB values, byte for byte."""
    plain = PLAIN | (LARGE if scope == "strict" else {})
    built = compiled(repository, declared(repository, plain, "db"), settings(scope=scope))
    assert recovered(kubeseal, repository.root, yamlio.dump(built), key_pem(pkcs8=pkcs8)) == plain


@pytest.mark.parametrize("scope", SCOPES)
def test_envc_opens_what_kubeseal_seals(kubeseal: Path, repository: Repository, scope: Scope) -> None:
    """The other way round, with the scope read from the object."""
    plain = PLAIN | LARGE
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "db", "namespace": "prod"},
        "data": {key: base64.b64encode(value).decode() for key, value in plain.items()},
    }
    answer = run(
        kubeseal,
        "--cert",
        repository.root / "overlays/prod/sealed-secrets.pem",
        "--scope",
        scope,
        "-o",
        "json",
        stdin=json.dumps(secret),
    )
    opened = unseal_object(json.loads(answer.expect_success().stdout), read_private_keys(key_pem(), "key"))
    assert {key: value.reveal() for key, value in opened.values.items()} == plain


def test_kubeseal_refuses_a_renamed_object(kubeseal: Path, repository: Repository) -> None:
    """The binding is the controller's, not only ours."""
    built = compiled(repository, declared(repository, {"a": b"x"}, "db"), settings())
    built["metadata"]["name"] = "other"
    (repository.root / "key.pem").write_bytes(key_pem())
    answer = run(
        kubeseal,
        "--recovery-unseal",
        "--recovery-private-key",
        repository.root / "key.pem",
        stdin=yamlio.dump(built),
    )
    assert not answer.ok


@pytest.mark.parametrize("scope", SCOPES)
def test_the_controller_unseals_what_envc_builds(
    sealed_secrets: SealedSecretsController, tmp_path: Path, scope: Scope
) -> None:
    """Applied to a real API server, the real controller makes the Secret with identical bytes, labels and type."""
    from envcompile.secrets.certificate import read_certificates

    repository = Repository(tmp_path)
    pem = sealed_secrets.certificate.read_bytes()
    repository.write("overlays/prod/sealed-secrets.pem", pem)
    pin = read_certificates(pem, "cert")[0].fingerprint
    name = f"built-{scope}"
    plain = PLAIN | ({"large": b"x" * 900_000} if scope == "namespace-wide" else {})
    text = declared(repository, plain, name) + "  user: '{{ admin }}'\n"
    text = text.replace("envcompile.dev/allow-empty:", "envcompile.dev/plaintext: user, envcompile.dev/allow-empty:")
    built = compiled(repository, text, settings(sealing=Sealing(fingerprint=pin, scope=scope)))
    kubectl = sealed_secrets.cluster.kubectl
    kubectl("apply", "--server-side", "-f", "-", stdin=yamlio.dump(built)).expect_success()
    made: dict[str, Any] = {}
    deadline = time.monotonic() + PATIENCE
    while not made and time.monotonic() < deadline:
        answer = kubectl("-n", "default", "get", "secret", name, "-o", "json")
        made = json.loads(answer.stdout) if answer.ok else {}
        time.sleep(0.2)
    data = {key: base64.b64decode(value) for key, value in made["data"].items()}
    assert data == plain | {"user": b"{{ admin }}"}
    assert made["type"] == "Opaque"
    assert made["metadata"]["labels"] == {"app": "shop"}
    live = json.loads(kubectl("-n", "default", "get", "sealedsecret", name, "-o", "json").expect_success().stdout)
    assert live["spec"] == built["spec"]


def test_envc_pins_the_certificate_that_the_controller_serves(
    sealed_secrets: SealedSecretsController, tmp_path: Path
) -> None:
    """Fetched by URL, stored and pinned in environment.yaml."""
    from envcompile.secrets.fetch import accept_certificate, certificate_from_url

    repository = Repository(tmp_path)
    repository.write("overlays/prod/environment.yaml", "apiVersion: envcompile.dev/v1\nkind: Environment\n")
    change = accept_certificate(
        tmp_path,
        "prod",
        settings(pin=None),
        certificate_from_url(sealed_secrets.url),
        sealed_secrets.url,
        accept=False,
        now=datetime.now(UTC),
    )
    assert change.state == "new"
    assert change.certificate.fingerprint != fingerprint()
    assert f"fingerprint: {change.certificate.fingerprint}" in (tmp_path / "overlays/prod/environment.yaml").read_text()
    assert change.certificate.bits == 4096


@contextlib.contextmanager
def by_the_api_server(controller: SealedSecretsController, folder: Path) -> Generator[Path]:
    """A kubeconfig by which kubeseal finds the controller as in a cluster: as a Service behind the API server.

    What the API server would do with a pod's address, which nothing has here, is done by a server of our own: it hands
    on what is asked of the Service.
    """
    services = f"/api/v1/namespaces/{NAMESPACE}/services/"
    port = {"port": 8080, "protocol": "TCP"}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "sealed-secrets-controller", "namespace": NAMESPACE},
        "spec": {"ports": [port]},
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == f"{services}sealed-secrets-controller", self.path
            self.reply(200, json.dumps(service).encode())

        def do_POST(self) -> None:
            proxied, found, path = self.path.partition("/proxy/")
            assert found
            assert proxied.startswith(services)
            assert "sealed-secrets-controller" in proxied
            body = self.rfile.read(int(self.headers["Content-Length"]))
            there = http.client.HTTPConnection(controller.url.removeprefix("http://"), timeout=PATIENCE)
            there.request("POST", f"/{path}", body)
            answer = there.getresponse()
            self.reply(answer.status, answer.read())
            there.close()

        def reply(self, status: int, text: bytes) -> None:
            """Answer with a text."""
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Tests print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}],
            "users": [{"name": "nobody", "user": {}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "nobody"}}],
            "current-context": "here",
        }
        path = folder / "kubeconfig.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        try:
            yield path
        finally:
            server.shutdown()


@pytest.mark.parametrize("scope", SCOPES)
def test_kubeseal_and_envc_judge_and_reencrypt_each_others_objects(
    sealed_secrets: SealedSecretsController, tmp_path: Path, scope: Scope
) -> None:
    """`--validate` and `--re-encrypt` of what envc builds, and envc with the controller's keys of what kubeseal makes.

    Moved to another namespace or damaged, an object is refused by both or by none.
    """
    from envcompile.secrets.certificate import read_certificates

    repository = Repository(tmp_path)
    pem = sealed_secrets.certificate.read_bytes()
    repository.write("overlays/prod/sealed-secrets.pem", pem)
    pin = read_certificates(pem, "cert")[0].fingerprint
    built = compiled(
        repository, declared(repository, PLAIN, "both"), settings(sealing=Sealing(fingerprint=pin, scope=scope))
    )
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "both", "namespace": "default"},
        "data": {key: base64.b64encode(value).decode() for key, value in PLAIN.items()},
    }
    theirs = json.loads(sealed_secrets.seal(json.dumps(secret), "--scope", scope, "-o", "json").expect_success().stdout)
    label = ("-l", "sealedsecrets.bitnami.com/sealed-secrets-key", "-o", "json")
    kept = sealed_secrets.cluster.kubectl("-n", NAMESPACE, "get", "secret", *label).expect_success().stdout
    keys = [
        key
        for item in json.loads(kept)["items"]
        for key in read_private_keys(base64.b64decode(item["data"]["tls.key"]), "key")
    ]
    with by_the_api_server(sealed_secrets, tmp_path) as kubeconfig:

        def ask(flag: str, value: dict[str, Any]) -> Result:
            """Again where the controller, which answers two a second, says to."""
            settings = ("--kubeconfig", kubeconfig, "--controller-namespace", NAMESPACE, "-o", "json")
            deadline = time.monotonic() + PATIENCE
            while True:
                said = run(sealed_secrets.cluster.tools.kubeseal, *settings, flag, stdin=json.dumps(value))
                if said.ok or "too many requests" not in said.stderr or time.monotonic() > deadline:
                    return said
                time.sleep(0.5)

        for value in (built, theirs):
            assert ask("--validate", value).ok
            again = json.loads(ask("--re-encrypt", value).expect_success().stdout)
            assert again["spec"]["encryptedData"]["text"] != value["spec"]["encryptedData"]["text"]
            assert ask("--validate", again).ok
            opened = unseal_object(again, keys)
            assert {key: one.reveal() for key, one in opened.values.items()} == PLAIN
            assert ask("--validate", _moved(value)).ok == _opens(_moved(value), keys) == (scope == "cluster-wide")
            assert not ask("--validate", _damaged(value)).ok
            assert not _opens(_damaged(value), keys)


def _opens(value: dict[str, Any], keys: Sequence[RSAPrivateKey]) -> bool:
    """Whether envc opens an object with these keys."""
    try:
        unseal_object(value, keys)
    except NoKeyOpensError:
        return False
    return True


def _moved(value: dict[str, Any]) -> dict[str, Any]:
    """The same in another namespace."""
    found = copy.deepcopy(value)
    found["metadata"]["namespace"] = found["spec"]["template"]["metadata"]["namespace"] = "kube-public"
    return found


def _damaged(value: dict[str, Any]) -> dict[str, Any]:
    """One value changed on the way."""
    found = copy.deepcopy(value)
    data = found["spec"]["encryptedData"]
    data["text"] = data["text"][:-8] + ("AAAAAAA=" if data["text"][-8:] != "AAAAAAA=" else "BBBBBBA=")
    return found
