"""Runs the real sealed-secrets controller against a test cluster, under the access rights its chart gives it."""

import contextlib
import http.client
import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.harness.command import PATIENCE
from tests.oracles.catalogue import FOLDER
from tests.oracles.cluster import LOOPBACK, PROBE_SECONDS, START_ATTEMPTS, Cluster, install_crds
from tests.oracles.processes import PortTakenError, ServerGroup, dies_with_parent, free_ports
from tests.oracles.tools import OracleUnavailableError, Result, require, run

MANIFESTS: Final = FOLDER / "sealed-secrets"
NAMESPACE: Final = "kube-system"
SERVICE_ACCOUNT: Final = "sealed-secrets-controller"
# Most of it is the controller making a 4096-bit RSA key, whose time varies.
START_SECONDS: Final = float(PATIENCE)


@dataclass(frozen=True, slots=True)
class SealedSecretsController:
    """A running controller, and the certificate it unseals for."""

    url: str
    certificate: Path
    cluster: Cluster

    def seal(self, manifest: str, *arguments: str) -> Result:
        """Seal a Secret with the real kubeseal for this controller."""
        settings = ("--cert", self.certificate, "--format", "yaml")
        return run(self.cluster.tools.kubeseal, *settings, *arguments, stdin=manifest)


@contextlib.contextmanager
def running_sealed_secrets(cluster: Cluster, *flags: str) -> Generator[SealedSecretsController, None, None]:
    """Install the custom resource and the access rights, and run the controller, with flags, beside the cluster."""
    require(cluster.tools.sealed_secrets_controller, cluster.tools.kubeseal)
    unshare = _private_mounts()
    install_crds(cluster, [MANIFESTS / "crd.yaml"])
    cluster.kubectl("apply", "--server-side", "-f", MANIFESTS / "rbac.yaml").expect_success()
    token = cluster.kubectl("--namespace", NAMESPACE, "create", "token", SERVICE_ACCOUNT, "--duration=24h")
    token_file = cluster.folder / "sealed-secrets.token"
    token_file.touch(mode=0o600)
    token_file.write_text(token.expect_success().stdout.strip(), encoding="ascii")
    with ServerGroup(cluster.folder) as servers:
        yield _start(servers, cluster, unshare, token_file, flags)


def _start(
    servers: ServerGroup,
    cluster: Cluster,
    unshare: tuple[str, ...],
    token_file: Path,
    flags: Sequence[str],
) -> SealedSecretsController:
    certificate = cluster.folder / "sealed-secrets.pem"
    for attempt in range(START_ATTEMPTS):
        port, metrics_port = free_ports(2)
        server = servers.start(
            "sealed-secrets-controller",
            [
                *unshare,
                sys.executable,
                "-I",
                FOLDER / "in_cluster.py",
                token_file,
                cluster.certificate_authority,
                *dies_with_parent(),
                cluster.tools.sealed_secrets_controller,
                f"--listen-addr={LOOPBACK}:{port}",
                f"--listen-metrics-addr={LOOPBACK}:{metrics_port}",
                *flags,
            ],
            {"KUBERNETES_SERVICE_HOST": LOOPBACK, "KUBERNETES_SERVICE_PORT": str(cluster.port)},
        )
        try:
            server.wait_until(
                partial(_fetch_certificate, port, certificate),
                what="serving its certificate",
                seconds=START_SECONDS,
            )
        except PortTakenError:
            servers.stop()
            if attempt == START_ATTEMPTS - 1:
                raise
        else:
            return SealedSecretsController(f"http://{LOOPBACK}:{port}", certificate, cluster)
    raise AssertionError("every attempt returns or raises")


def _private_mounts() -> tuple[str, ...]:
    """Find the command that gives a program mounts of its own, and prove that this machine allows it."""
    unshare = shutil.which("unshare")
    if unshare is None:
        raise OracleUnavailableError("the sealed-secrets controller needs `unshare` (util-linux) on PATH")
    command = (unshare, "--mount") if os.geteuid() == 0 else (unshare, "--map-root-user", "--mount")
    probe = [*command, "mount", "-t", "tmpfs", "tmpfs", str(Path("/var/run").resolve())]
    tried = subprocess.run(probe, capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise OracleUnavailableError(
            "the sealed-secrets controller needs a private mount namespace, and this machine refuses one "
            f"({tried.stderr.strip()}); run as root or allow unprivileged user namespaces",
        )
    return command


def _fetch_certificate(port: int, certificate: Path) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", "/v1/cert.pem")
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            return False
        certificate.write_bytes(response.read())
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
