"""A controller's key and what is sealed for it, from the first value to the old key's end, by envc's commands."""

from __future__ import annotations

import base64
import json
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.command import PATIENCE, call_envc
from tests.harness.repository import environment, write_files
from tests.oracles.cluster import running_cluster
from tests.oracles.sealed_secrets import NAMESPACE, running_sealed_secrets
from tests.oracles.tools import OracleUnavailableError, Tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.oracles.cluster import Cluster

pytestmark = [pytest.mark.oracle, pytest.mark.slow]

TOOLS = Tools.locate(os.environ)
BINARY = bytes(range(256))
VALUES = {
    "API_KEY": "pässwörd ☃ 'q' \"d\" $x {{ y }}",
    "LONG": "x" * 20_000,
    "BIN": base64.b64encode(BINARY).decode(),
    "EMPTY": "",
    "DOCKER": json.dumps({"auths": {"r.example.com": {"auth": "dTpw"}}}),
}
SECRETS = """\
apiVersion: v1
kind: Secret
metadata:
  name: app-secret
  labels: {app: shop}
  annotations: {envcompile.dev/plaintext: level, envcompile.dev/allow-empty: empty}
type: Opaque
stringData:
  api_key: ref+env://API_KEY
  long: ref+env://LONG
  bin: ref+env://BIN?encoding=base64
  empty: ref+env://EMPTY
  level: "{{ .Values.level }}"
---
apiVersion: v1
kind: Secret
metadata: {name: registry}
type: kubernetes.io/dockerconfigjson
stringData: {.dockerconfigjson: ref+env://DOCKER}
"""
KEYS = ("-n", NAMESPACE, "get", "secret", "-l", "sealedsecrets.bitnami.com/sealed-secrets-key")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster of its own: controllers come and go in it."""
    try:
        with running_cluster(TOOLS, tmp_path / "cluster", controllers=True) as found:
            found.kubectl("create", "namespace", "production").expect_success()
            yield found
    except OracleUnavailableError as reason:
        if os.environ.get("ENVC_REQUIRE_ORACLES") == "1":
            pytest.fail(f"ENVC_REQUIRE_ORACLES=1, but {reason}", pytrace=False)
        pytest.skip(str(reason))


def wanted() -> dict[str, dict[str, bytes]]:
    """The data of each Secret in the cluster."""
    return {
        "app-secret": {
            "api_key": VALUES["API_KEY"].encode(),
            "long": VALUES["LONG"].encode(),
            "bin": BINARY,
            "empty": b"",
            "level": b"{{ .Values.level }}",
        },
        "registry": {".dockerconfigjson": VALUES["DOCKER"].encode()},
    }


def live(cluster: Cluster, name: str) -> dict[str, bytes]:
    """The data of a Secret; empty while there is none."""
    found: Any = cluster.read(f"/api/v1/namespaces/production/secrets/{name}") or {}
    return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}


def arrive(cluster: Cluster, expected: dict[str, dict[str, bytes]]) -> None:
    """Wait until the cluster has what is expected."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and any(live(cluster, name) != data for name, data in expected.items()):
        time.sleep(0.2)
    assert {name: sorted(live(cluster, name)) for name in expected} == {
        name: sorted(expected[name]) for name in expected
    }
    assert all(live(cluster, name) == data for name, data in expected.items())


def test_values_outlive_the_key_they_were_sealed_for(cluster: Cluster, tmp_path: Path) -> None:
    """Sealed, applied, changed; a second key, refused until it is accepted; resealed, and readable by it alone."""
    root = write_files(
        tmp_path / "shop",
        {
            "envc.yaml": "environments: [prod]\n",
            "base/app/secret.yaml": SECRETS,
            "overlays/prod/environment.yaml": environment("namespace: production\n"),
        },
    )
    values = dict(VALUES)

    def envc(*words: str) -> str:
        done = call_envc(root, *words, env=values)
        assert done.code == 0, done.err
        return done.out

    def apply() -> None:
        cluster.apply(envc("build", "prod", "--stdout"), namespace="production").expect_success()

    expected = wanted()
    with running_sealed_secrets(cluster) as controller:
        envc("secrets", "fetch-cert", "prod", controller.url)
        assert "same" in envc("secrets", "fetch-cert", "prod", controller.url)
        envc("secrets", "seal", "prod")
        apply()
        arrive(cluster, expected)
        before = (root / "overlays/prod/sealed.yaml").read_text(encoding="utf-8").splitlines()
        values["API_KEY"] = "changed"
        expected["app-secret"]["api_key"] = b"changed"
        envc("secrets", "seal", "prod")
        after = (root / "overlays/prod/sealed.yaml").read_text(encoding="utf-8").splitlines()
        assert 1 <= len([line for line in after if line not in before]) <= 3
        apply()
        arrive(cluster, expected)
    time.sleep(1.1)  # the controller compares whole seconds
    cutoff = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    with running_sealed_secrets(cluster, f"--key-cutoff-time={cutoff}") as controller:
        keys = json.loads(cluster.kubectl(*KEYS, "-o", "json").expect_success().stdout)["items"]
        assert len(keys) == 2
        assert call_envc(root, "secrets", "fetch-cert", "prod", controller.url).code == 1
        envc("secrets", "fetch-cert", "prod", controller.url, "--accept")
        cluster.kubectl("-n", "production", "delete", "secret", *expected, "--wait=false").expect_success()
        cluster.kubectl("-n", "production", "annotate", "sealedsecret", "--all", "touched=yes").expect_success()
        arrive(cluster, expected)
        sealed = (root / "overlays/prod/sealed.yaml").read_bytes()
        envc("secrets", "reseal", "prod")
        assert (root / "overlays/prod/sealed.yaml").read_bytes() != sealed
        backup = tmp_path / "backup.yaml"
        backup.write_text(cluster.kubectl(*KEYS, "-o", "yaml").expect_success().stdout, encoding="utf-8")
        envc("secrets", "verify", "prod", "--private-key", str(backup))
        oldest = min(keys, key=lambda one: str(one["metadata"]["creationTimestamp"]))["metadata"]["name"]
        cluster.kubectl("-n", NAMESPACE, "delete", "secret", oldest).expect_success()
    with running_sealed_secrets(cluster):
        cluster.kubectl("-n", "production", "delete", "sealedsecret", "--all").expect_success()
        cluster.kubectl("-n", "production", "delete", "secret", *expected, "--ignore-not-found").expect_success()
        apply()
        arrive(cluster, expected)
