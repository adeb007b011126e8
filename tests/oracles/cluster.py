"""Starts a real Kubernetes control plane on loopback ports: etcd, kube-apiserver and, on request, its controllers."""

import base64
import contextlib
import http.client
import json
import shutil
import ssl
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.harness.command import PATIENCE
from tests.oracles.certificates import ClusterPki, KeyPair, write_pki
from tests.oracles.processes import PortTakenError, ServerGroup, dies_with_parent, free_ports
from tests.oracles.tools import OracleFailedError, Result, Tools, require, run

LOOPBACK: Final = "127.0.0.1"
START_ATTEMPTS: Final = 3
START_SECONDS: Final = float(PATIENCE)
# A process that took one of our ports may accept connections and say nothing.
PROBE_SECONDS: Final = 30.0
READ_SECONDS: Final = float(PATIENCE)
ESTABLISH_SECONDS: Final = float(PATIENCE)
SERVICE_ACCOUNT_ISSUER: Final = "https://kubernetes.default.svc"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running API server and how to reach it as an administrator."""

    kubeconfig: Path
    server_url: str
    port: int
    folder: Path
    certificate_authority: Path
    admin: KeyPair
    kubelet: KeyPair
    tools: Tools
    servers: ServerGroup
    etcd_url: str

    def restart(self, name: str) -> None:
        """Kill a server of the cluster and start it again; it is not waited for."""
        self.servers.restart(name)

    def kubectl(
        self, *arguments: str | Path, stdin: str = "", env: Mapping[str, str] | None = None, timeout: float = 60.0
    ) -> Result:
        """Run kubectl against this cluster only."""
        # The default discovery cache is keyed by address: a later cluster on the same port would inherit it.
        settings = ("--kubeconfig", self.kubeconfig, "--cache-dir", self.folder / "kubectl-cache")
        return run(self.tools.kubectl, *settings, *arguments, stdin=stdin, env=env, timeout=timeout)

    def apply(self, manifests: str, *, dry_run: bool = False, namespace: str = "default") -> Result:
        """Apply manifests server-side, or ask the server what it would say to them."""
        mode = ("--dry-run=server",) if dry_run else ()
        return self.kubectl("apply", "--server-side", *mode, "--namespace", namespace, "-f", "-", stdin=manifests)

    def answers(self, path: str) -> bool:
        """Whether the server has an object, or an endpoint, under a path."""
        return _answers(self._connection(PROBE_SECONDS), path)

    def read(self, path: str) -> Any:
        """Read an object or a list by its path in the API; None when it is not there. Far cheaper than kubectl."""
        connection = self._connection(READ_SECONDS)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status == http.HTTPStatus.NOT_FOUND:
            return None
        if response.status != http.HTTPStatus.OK:
            raise OracleFailedError(f"GET {path}: status {response.status}\n{content.decode(errors='replace')}")
        return json.loads(content)

    def post(self, path: str, value: Any) -> tuple[int, Any]:
        """Send an object to a path in the API: the status of the answer, and what it says."""
        return self.send("POST", path, value)

    def send(self, method: str, path: str, value: Any, content_type: str = "application/json") -> tuple[int, Any]:
        """Send something to a path in the API: the status of the answer, and what it says."""
        connection = self._connection(READ_SECONDS)
        try:
            connection.request(method, path, json.dumps(value), {"Content-Type": content_type})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        try:
            return response.status, json.loads(content)
        except ValueError:
            return response.status, {"message": content.decode(errors="replace")}

    def _connection(self, timeout: float) -> http.client.HTTPSConnection:
        # http.client goes straight to the server: proxy variables of the environment mean nothing to it.
        context = ssl.create_default_context(cafile=str(self.certificate_authority))
        context.load_cert_chain(self.admin.certificate, self.admin.key)
        return http.client.HTTPSConnection(LOOPBACK, self.port, timeout=timeout, context=context)


@contextlib.contextmanager
def running_cluster(
    tools: Tools,
    folder: Path,
    *,
    controllers: bool = False,
    api_server_flags: Sequence[str] = (),
    controller_flags: Sequence[str] = (),
) -> Generator[Cluster, None, None]:
    """Run a control plane whose whole state is under `folder`; `controllers` adds kube-controller-manager."""
    require(tools.etcd, tools.kube_apiserver, tools.kubectl)
    if controllers:
        require(tools.kube_controller_manager)
    folder.mkdir(parents=True, exist_ok=True)
    pki = write_pki(folder / "pki")
    try:
        with ServerGroup(folder) as servers:
            flags = (api_server_flags, controller_flags)
            yield _start(servers, tools, pki, controllers=controllers, flags=flags)
    finally:
        # etcd reserves 64 MB and more for its log; pytest keeps the folders of three runs.
        shutil.rmtree(folder / "etcd", ignore_errors=True)


def _start(
    servers: ServerGroup,
    tools: Tools,
    pki: ClusterPki,
    *,
    controllers: bool,
    flags: tuple[Sequence[str], Sequence[str]],
) -> Cluster:
    for attempt in range(START_ATTEMPTS):
        shutil.rmtree(servers.folder / "etcd", ignore_errors=True)
        ports = free_ports(4)
        try:
            etcd_url = _start_etcd(servers, tools, ports[0], ports[1])
            cluster = _start_api_server(servers, tools, pki, etcd_url, ports[2], flags[0])
            if controllers:
                _start_controllers(servers, cluster, pki, ports[3], flags[1])
        except PortTakenError:
            # Between our choice of a port and its use anyone may take it; other ports are luckier.
            servers.stop()
            if attempt == START_ATTEMPTS - 1:
                raise
        else:
            return cluster
    raise AssertionError("every attempt returns or raises")


def _start_etcd(servers: ServerGroup, tools: Tools, client_port: int, peer_port: int) -> str:
    client_url, peer_url = f"http://{LOOPBACK}:{client_port}", f"http://{LOOPBACK}:{peer_port}"
    etcd = servers.start(
        "etcd",
        [
            *dies_with_parent(),
            tools.etcd,
            "--data-dir=etcd",
            "--unsafe-no-fsync",
            "--log-level=warn",
            f"--listen-client-urls={client_url}",
            f"--advertise-client-urls={client_url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}",
        ],
    )
    etcd.wait_until(
        lambda: _answers(http.client.HTTPConnection(LOOPBACK, client_port, timeout=PROBE_SECONDS), "/health"),
        what="healthy",
        seconds=START_SECONDS,
    )
    return client_url


def _start_api_server(
    servers: ServerGroup,
    tools: Tools,
    pki: ClusterPki,
    etcd_url: str,
    port: int,
    flags: Sequence[str],
) -> Cluster:
    server = servers.start(
        "kube-apiserver",
        [
            *dies_with_parent(),
            tools.kube_apiserver,
            f"--etcd-servers={etcd_url}",
            f"--bind-address={LOOPBACK}",
            f"--advertise-address={LOOPBACK}",
            f"--secure-port={port}",
            "--endpoint-reconciler-type=none",
            f"--tls-cert-file={pki.server.certificate}",
            f"--tls-private-key-file={pki.server.key}",
            f"--client-ca-file={pki.authority}",
            f"--service-account-issuer={SERVICE_ACCOUNT_ISSUER}",
            f"--api-audiences={SERVICE_ACCOUNT_ISSUER}",
            f"--service-account-key-file={pki.service_account_public}",
            f"--service-account-signing-key-file={pki.service_account_key}",
            f"--requestheader-client-ca-file={pki.authority}",
            "--requestheader-allowed-names=front-proxy",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={pki.front_proxy.certificate}",
            f"--proxy-client-key-file={pki.front_proxy.key}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged=true",
            *flags,
        ],
    )
    server_url = f"https://{LOOPBACK}:{port}"
    cluster = Cluster(
        kubeconfig=_write_kubeconfig(servers.folder / "admin.kubeconfig", server_url, pki),
        server_url=server_url,
        port=port,
        folder=servers.folder,
        certificate_authority=pki.authority,
        admin=pki.admin,
        kubelet=pki.kubelet,
        tools=tools,
        servers=servers,
        etcd_url=etcd_url,
    )
    server.wait_until(lambda: cluster.answers("/readyz"), what="ready", seconds=START_SECONDS)
    # The server creates its own namespaces just after it says it is ready.
    for namespace in ("default", "kube-system"):
        path = f"/api/v1/namespaces/{namespace}"
        server.wait_until(partial(cluster.answers, path), what=f"serving {path}", seconds=START_SECONDS)
    return cluster


def _start_controllers(
    servers: ServerGroup, cluster: Cluster, pki: ClusterPki, port: int, flags: Sequence[str]
) -> None:
    manager = servers.start(
        "kube-controller-manager",
        [
            *dies_with_parent(),
            cluster.tools.kube_controller_manager,
            f"--kubeconfig={cluster.kubeconfig}",
            f"--authentication-kubeconfig={cluster.kubeconfig}",
            f"--authorization-kubeconfig={cluster.kubeconfig}",
            f"--bind-address={LOOPBACK}",
            f"--secure-port={port}",
            "--leader-elect=false",
            # At the default rate limit the first service accounts take six seconds.
            "--kube-api-qps=200",
            "--kube-api-burst=400",
            f"--service-account-private-key-file={pki.service_account_key}",
            f"--root-ca-file={pki.authority}",
            *flags,
        ],
    )
    manager.wait_until(
        lambda: cluster.answers("/api/v1/namespaces/default/serviceaccounts/default"),
        what="making the default service account",
        seconds=START_SECONDS,
    )


def _write_kubeconfig(path: Path, server_url: str, pki: ClusterPki) -> Path:
    def inline(file: Path) -> str:
        return base64.b64encode(file.read_bytes()).decode()

    server = {"server": server_url, "certificate-authority-data": inline(pki.authority)}
    user = {
        "client-certificate-data": inline(pki.admin.certificate),
        "client-key-data": inline(pki.admin.key),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "oracle",
        "clusters": [{"name": "oracle", "cluster": server}],
        "users": [{"name": "admin", "user": user}],
        "contexts": [{"name": "oracle", "context": {"cluster": "oracle", "user": "admin", "namespace": "default"}}],
    }
    path.touch(mode=0o600)
    # JSON is YAML, so the standard library can write a kubeconfig.
    path.write_text(json.dumps(config, indent=2), encoding="utf-8")
    return path


def _answers(connection: http.client.HTTPConnection, path: str) -> bool:
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def install_crds(cluster: Cluster, paths: Iterable[Path]) -> None:
    """Install CustomResourceDefinitions and wait until objects of their kinds are accepted."""
    # Server-side: some definitions are larger than the annotation that a client-side apply would need.
    files = [word for path in paths for word in ("-f", path)]
    cluster.kubectl("apply", "--server-side", "--force-conflicts", *files).expect_success()
    deadline = time.monotonic() + ESTABLISH_SECONDS
    while True:
        waited = cluster.kubectl("wait", "--for=condition=Established", "--timeout=10s", *files)
        if waited.ok:
            return
        # A definition so new that it has no status yet makes kubectl fail at once ("conditions accessor error").
        if time.monotonic() > deadline:
            raise OracleFailedError(f"not established after {ESTABLISH_SECONDS:.0f} s: {waited.stderr}")
        time.sleep(0.1)
