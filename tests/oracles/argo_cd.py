"""Runs the real Argo CD as plain processes beside a test cluster; it renders, compares and syncs as it does in one."""

import contextlib
import http.client
import json
import os
import shlex
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.harness.command import PATIENCE
from tests.oracles.catalogue import ORACLES, companion_files
from tests.oracles.cluster import LOOPBACK, PROBE_SECONDS, START_ATTEMPTS, Cluster, install_crds
from tests.oracles.processes import PortTakenError, ServerGroup, dies_with_parent, free_ports
from tests.oracles.tools import OracleUnavailableError, Result, require, run

if TYPE_CHECKING:
    from tests.oracles.processes import Server

NAMESPACE: Final = "argocd"
APPLICATIONS: Final = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/applications"
START_SECONDS: Final = float(PATIENCE)
CONVERGE_SECONDS: Final = float(PATIENCE)
"""How long an Application may take to get where a test expects it."""

PACKAGE_ROOT: Final = Path(__file__).parents[2]
# Kinds that become healthy by a kubelet or by operators, none of which run here: to Argo CD they are healthy once they
# exist. SealedSecret is not among them, so that a test may play its controller.
ALWAYS_HEALTHY: Final = (
    "apps_Deployment",
    "apps_StatefulSet",
    "autoscaling_HorizontalPodAutoscaler",
    "cert-manager.io_Certificate",
    "external-secrets.io_ExternalSecret",
    "external-secrets.io_SecretStore",
    "keda.sh_ScaledObject",
    "networking.k8s.io_Ingress",
)
NO_HISTORY: Final = """#!/bin/sh
if [ -e .git ]; then echo 'the plugin was to get no git history' >&2; exit 70; fi
"""
HEALTHY: Final = 'hs = {}\nhs.status = "Healthy"\nreturn hs\n'
PART_OF: Final = {"app.kubernetes.io/part-of": "argocd"}


class Ports(NamedTuple):
    """Where the processes listen."""

    redis: int
    repo_server: int
    repo_server_metrics: int
    controller_metrics: int
    application_sets_metrics: int
    application_sets_probes: int
    application_sets_webhooks: int
    server: int
    server_metrics: int


@dataclass(frozen=True, slots=True)
class ArgoCd:
    """A running Argo CD whose own cluster is the test cluster."""

    cluster: Cluster
    folder: Path
    port: int

    def cli(self, *arguments: str | Path, timeout: float = 60.0) -> Result:
        """Run the `argocd` command against this Argo CD only."""
        settings = ("--server", f"{LOOPBACK}:{self.port}", "--plaintext", "--config", self.folder / "argocd.config")
        return run(self.cluster.tools.argocd, *arguments, *settings, timeout=timeout)

    def add_cluster(self, context: str, host: str) -> None:
        """Make the test cluster known under a context's name, by a host name that stands for 127.0.0.1.

        Argo CD tells clusters apart by their addresses, so each name needs a host of its own.
        """
        config = json.loads(self.cluster.kubeconfig.read_text(encoding="utf-8"))
        config["clusters"][0]["cluster"]["server"] = f"https://{host}:{self.cluster.port}"
        config["contexts"][0]["name"] = context
        config["current-context"] = context
        path = self.folder / f"{context}.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(json.dumps(config), encoding="utf-8")
        self.cli("cluster", "add", context, "--kubeconfig", path, "--yes").expect_success()

    def apply(self, manifests: str) -> None:
        """Apply what is meant for Argo CD, as a person would who trusts its namespace."""
        self.cluster.apply(manifests, namespace=NAMESPACE).expect_success()

    def application(self, name: str) -> dict[str, Any]:
        """Read an Application."""
        found: dict[str, Any] | None = self.cluster.read(f"{APPLICATIONS}/{name}")
        if found is None:
            raise LookupError(f"there is no Application {name}")
        return found

    def made_by_sets(self) -> dict[str, dict[str, Any]]:
        """Read the Applications that an ApplicationSet made, by name."""
        listed = self.cluster.read(APPLICATIONS)["items"]
        return {each["metadata"]["name"]: each for each in listed if "ownerReferences" in each["metadata"]}

    def forget(self, *names: str) -> None:
        """Delete Applications and nothing that they made, so that later tests need not share the controller."""
        self.cluster.kubectl("--namespace", NAMESPACE, "delete", "application", *names).expect_success()

    def refreshed(self, name: str, *, hard: bool = False) -> dict[str, Any]:
        """Have an Application compared with its newest commit; what it is then."""
        how = "--hard-refresh" if hard else "--refresh"
        found: dict[str, Any] = json.loads(self.cli("app", "get", name, how, "-o", "json").expect_success().stdout)
        return found

    def sync(self, name: str, *flags: str) -> dict[str, Any]:
        """Have an Application synced; what it is when that has ended, well or not."""
        # Without --async the command was seen to wait on after a sync had ended.
        self.cli("app", "sync", name, "--async", *flags).expect_success()
        return self.wait_for(name, lambda each: "operation" not in each, what="done with its sync")

    def wait_for(self, name: str, holds: Callable[[dict[str, Any]], bool], *, what: str) -> dict[str, Any]:
        """Wait until something holds for an Application."""
        deadline = time.monotonic() + CONVERGE_SECONDS
        while True:
            found = self.application(name)
            if holds(found):
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"{name}: not {what} after {CONVERGE_SECONDS:.0f} s: {found.get('status')}")
            time.sleep(0.1)


@contextlib.contextmanager
def running_argocd(cluster: Cluster, plugin: str) -> Generator[ArgoCd, None, None]:
    """Install Argo CD's definitions and settings, and run all its parts; `plugin` is the text of a plugin.yaml.

    The cluster needs its controllers: what Argo CD prunes is collected by them.
    """
    tools = cluster.tools
    require(tools.argocd, tools.helm4, tools.kustomize)
    redis = shutil.which("redis-server")
    if redis is None:
        raise OracleUnavailableError("Argo CD needs `redis-server` on PATH (Debian: apt-get install redis-server)")
    (oracle,) = (each for each in ORACLES if each.name == "argocd")
    *definitions, verify_wrapper = companion_files(oracle, tools.argocd)
    install_crds(cluster, definitions)
    cluster.apply(_settings(), namespace=NAMESPACE).expect_success()
    folder = cluster.folder / "argocd"
    # A socket's path is at most 107 characters, which pytest's folders may use up.
    try:
        with tempfile.TemporaryDirectory(prefix="envc-cmp-") as sockets, ServerGroup(folder) as servers:
            environment = _environment(cluster, folder, Path(sockets), plugin, verify_wrapper)
            yield _start(servers, cluster, redis, environment)
    finally:
        _clear(folder / "tmp")


def _clear(folder: Path) -> None:
    """Delete the repo server's copies of repositories, which it leaves closed even to their owner."""
    copies = folder / "_argocd-repo"
    if copies.is_dir():
        copies.chmod(0o700)
        for copy in copies.iterdir():
            copy.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _settings() -> str:
    health = {f"resource.customizations.health.{kind}": HEALTHY for kind in ALWAYS_HEALTHY}
    manifests: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        _named("ConfigMap", "argocd-cm", data=health),
        _named("ConfigMap", "argocd-rbac-cm", data={}),
        _named("Secret", "argocd-secret", stringData={"server.secretkey": os.urandom(24).hex()}),
        _named("Secret", "argocd-redis", stringData={"auth": ""}),
    ]
    # JSON is YAML, so the standard library can write manifests.
    return "\n---\n".join(map(json.dumps, manifests))


def _named(kind: str, name: str, **content: Mapping[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": PART_OF}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}


def _environment(cluster: Cluster, folder: Path, sockets: Path, plugin: str, verify_wrapper: Path) -> dict[str, str]:
    """Lay out the folders that Argo CD's images have, and say where they are."""
    folders = {name: folder / name for name in ("bin", "plugin", "tls", "ssh", "tmp", "work")}
    for path in folders.values():
        path.mkdir(parents=True)
    (folders["ssh"] / "ssh_known_hosts").touch()
    (folders["plugin"] / "plugin.yaml").write_text(plugin, encoding="utf-8")
    # The names by which the repo server calls its tools; Argo CD's image has Helm 4.
    (folders["bin"] / "helm").symlink_to(cluster.tools.helm4)
    (folders["bin"] / "kustomize").symlink_to(cluster.tools.kustomize)
    # The repo server calls it for every commit, signed or not.
    shutil.copyfile(verify_wrapper, folders["bin"] / verify_wrapper.name)
    (folders["bin"] / verify_wrapper.name).chmod(0o755)
    envc = folders["bin"] / "envc"
    words = ("env", f"PYTHONPATH={PACKAGE_ROOT}", sys.executable, "-m", "envcompile")
    envc.write_text(f'{NO_HISTORY}exec {shlex.join(words)} "$@"\n', encoding="utf-8")
    envc.chmod(0o755)
    return {
        "PATH": os.pathsep.join([str(folders["bin"]), os.environ.get("PATH", os.defpath)]),
        "TMPDIR": str(folders["tmp"]),
        "KUBECONFIG": str(cluster.kubeconfig),
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_TLS_DATA_PATH": str(folders["tls"]),
        "ARGOCD_SSH_DATA_PATH": str(folders["ssh"]),
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_PLUGINSOCKFILEPATH": str(sockets),
        "ARGOCD_CMP_WORKDIR": str(folders["work"]),
        # Seconds between two waves, beside the wait for the first one's health.
        "ARGOCD_SYNC_WAVE_DELAY": "1",
        # Plugins get no git history, as installations with large repositories have it.
        "ARGOCD_REPO_SERVER_PLUGIN_TAR_EXCLUSIONS": ".git",
    }


def _start(servers: ServerGroup, cluster: Cluster, redis: str, environment: Mapping[str, str]) -> ArgoCd:
    for attempt in range(START_ATTEMPTS):
        ports = Ports(*free_ports(len(Ports._fields)))
        try:
            _start_parts(servers, cluster, redis, environment, ports)
        except PortTakenError:
            servers.stop()
            if attempt == START_ATTEMPTS - 1:
                raise
        else:
            return ArgoCd(cluster, servers.folder, ports.server)
    raise AssertionError("every attempt returns or raises")


def _start_parts(
    servers: ServerGroup, cluster: Cluster, redis: str, environment: Mapping[str, str], ports: Ports
) -> None:
    waits: list[tuple[Server, Callable[[], bool]]] = []

    def start(part: str, *flags: str, ready: Callable[[], bool] | None = None) -> None:
        role = {**environment, "ARGOCD_BINARY_NAME": f"argocd-{part}"}
        server = servers.start(f"argocd-{part}", [*dies_with_parent(), cluster.tools.argocd, *flags], role)
        if ready is not None:
            waits.append((server, ready))

    place = f"--address={LOOPBACK}", f"--metrics-address={LOOPBACK}"
    account = f"--kubeconfig={cluster.kubeconfig}", f"--namespace={NAMESPACE}"
    stores = f"--redis={LOOPBACK}:{ports.redis}", f"--repo-server={LOOPBACK}:{ports.repo_server}"
    memory = servers.start("redis", [*dies_with_parent(), redis, *_redis_flags(ports.redis)])
    waits.append((memory, partial(_connects, ports.redis)))
    start("cmp-server", f"--config-dir-path={servers.folder / 'plugin'}")
    start(
        "repo-server",
        *place,
        f"--port={ports.repo_server}",
        f"--metrics-port={ports.repo_server_metrics}",
        stores[0],
        "--disable-tls",
        "--client-ca-path=",
        ready=partial(_is_healthy, ports.repo_server_metrics),
    )
    start(
        "application-controller",
        *account,
        *stores,
        "--repo-server-plaintext",
        # Of all parts this one alone has no setting for the address its metrics are served at.
        f"--metrics-port={ports.controller_metrics}",
        ready=partial(_is_healthy, ports.controller_metrics),
    )
    start(
        "applicationset-controller",
        *account,
        f"--argocd-repo-server={LOOPBACK}:{ports.repo_server}",
        "--repo-server-plaintext",
        f"--metrics-addr={LOOPBACK}:{ports.application_sets_metrics}",
        f"--probe-addr={LOOPBACK}:{ports.application_sets_probes}",
        f"--webhook-addr={LOOPBACK}:{ports.application_sets_webhooks}",
    )
    start(
        "server",
        *account,
        *place,
        *stores,
        f"--port={ports.server}",
        f"--metrics-port={ports.server_metrics}",
        "--repo-server-plaintext",
        "--insecure",
        "--disable-auth",
        ready=partial(_is_healthy, ports.server),
    )
    for server, ready in waits:
        server.wait_until(ready, what="healthy", seconds=START_SECONDS)


def _redis_flags(port: int) -> Sequence[str]:
    return ("--bind", LOOPBACK, "--port", str(port), "--save", "", "--appendonly", "no")


def _connects(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=PROBE_SECONDS).close()
    except OSError:
        return False
    return True


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
