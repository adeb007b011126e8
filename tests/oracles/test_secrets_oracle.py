"""The sealed secrets of envc against the real kubeseal and the real sealed-secrets controller."""

import base64
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from envcompile import yamlio
from envcompile.secrets.ciphertext import SCOPES, Scope
from envcompile.secrets.privatekeys import read_private_keys
from envcompile.secrets.resolve import resolve_secret
from envcompile.secrets.seal import seal_environments
from envcompile.settings import Sealing
from tests.harness.command import PATIENCE
from tests.oracles.sealed_secrets import SealedSecretsController
from tests.oracles.tools import run
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
