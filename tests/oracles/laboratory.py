"""A test cluster whose pods run: a scheduler, nodes that kwok plays, and on request usage through the metrics API."""

import contextlib
import json
import socket
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Final

from tests.oracles.catalogue import ORACLES, companion_files
from tests.oracles.cluster import LOOPBACK, PROBE_SECONDS, START_ATTEMPTS, START_SECONDS, Cluster, running_cluster
from tests.oracles.processes import PortTakenError, ServerGroup, dies_with_parent, free_ports
from tests.oracles.tools import Tools, require

ZONES: Final = 3
CAPACITY: Final = {"cpu": "32", "memory": "256Gi", "pods": "1000"}
METRICS_API: Final = "/apis/metrics.k8s.io/v1beta1/nodes"
PATIENT_SCALING: Final = (
    "--horizontal-pod-autoscaler-sync-period=3s",
    "--horizontal-pod-autoscaler-downscale-stabilization=10s",
    "--horizontal-pod-autoscaler-cpu-initialization-period=1s",
    "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
)
"""Flags of kube-controller-manager with which an autoscaler acts within seconds."""


@contextlib.contextmanager
def running_laboratory(
    tools: Tools,
    folder: Path,
    *,
    nodes: int = 3,
    usage: bool = False,
    api_server_flags: Sequence[str] = (),
    controller_flags: Sequence[str] = PATIENT_SCALING,
) -> Generator[Cluster, None, None]:
    """Run a control plane with its scheduler and nodes that kwok plays; `usage` adds metrics-server.

    Pods run within two seconds. What one uses stands in its annotations `kwok.x-k8s.io/usage-cpu` and
    `kwok.x-k8s.io/usage-memory`; the metrics API tells it 10 to 20 seconds later.
    """
    require(tools.kube_scheduler, tools.kwok, *((tools.metrics_server,) if usage else ()))
    flags = {"api_server_flags": api_server_flags, "controller_flags": controller_flags}
    with (
        running_cluster(tools, folder, controllers=True, **flags) as cluster,
        ServerGroup(folder / "laboratory") as servers,
    ):
        servers.folder.mkdir()
        for attempt in range(START_ATTEMPTS):
            try:
                _start(servers, cluster, free_ports(3), nodes=nodes, usage=usage)
                break
            except PortTakenError:
                servers.stop()
                if attempt == START_ATTEMPTS - 1:
                    raise
        yield cluster


def _start(servers: ServerGroup, cluster: Cluster, ports: Sequence[int], *, nodes: int, usage: bool) -> None:
    scheduler_port, kwok_port, metrics_port = ports
    account = [f"--{name}={cluster.kubeconfig}" for name in ("kubeconfig", *_DELEGATED)]
    scheduler = servers.start(
        "kube-scheduler",
        [
            *dies_with_parent(),
            cluster.tools.kube_scheduler,
            *account,
            f"--bind-address={LOOPBACK}",
            f"--secure-port={scheduler_port}",
            "--leader-elect=false",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        ],
    )
    scheduler.wait_until(lambda: _connects(scheduler_port), what="listening", seconds=START_SECONDS)
    kwok = servers.start(
        "kwok",
        [
            *dies_with_parent(),
            cluster.tools.kwok,
            f"--kubeconfig={cluster.kubeconfig}",
            f"--config={_stages(servers.folder, cluster.tools.kwok)}",
            "--manage-all-nodes=true",
            f"--node-ip={LOOPBACK}",
            f"--node-port={kwok_port}",
            f"--server-address={LOOPBACK}:{kwok_port}",
            f"--tls-cert-file={cluster.kubelet.certificate}",
            f"--tls-private-key-file={cluster.kubelet.key}",
            "--node-lease-duration-seconds=40",
            "--cidr=10.244.0.0/16",
        ],
    )
    for number in range(nodes):
        cluster.post("/api/v1/nodes", _node(number))
    names = [f"node-{number}" for number in range(nodes)]
    kwok.wait_until(lambda: all(_is_ready(cluster, name) for name in names), what="ready", seconds=START_SECONDS)
    if not usage:
        return
    _register_metrics(cluster, metrics_port)
    metrics = servers.start(
        "metrics-server",
        [
            *dies_with_parent(),
            cluster.tools.metrics_server,
            *account,
            f"--bind-address={LOOPBACK}",
            f"--secure-port={metrics_port}",
            "--cert-dir=metrics-certificates",
            "--kubelet-preferred-address-types=InternalIP",
            "--kubelet-use-node-status-port",
            f"--kubelet-certificate-authority={cluster.certificate_authority}",
            # The least it takes, and it has to be more than the patience with one node.
            "--metric-resolution=10s",
            "--kubelet-request-timeout=5s",
        ],
    )
    metrics.wait_until(lambda: cluster.answers(METRICS_API), what="serving", seconds=START_SECONDS)


_DELEGATED: Final = ("authentication-kubeconfig", "authorization-kubeconfig")


def _stages(folder: Path, kwok: Path) -> Path:
    """One file of all stages: how nodes and pods go on. Without them kwok ends at once."""
    (oracle,) = (each for each in ORACLES if each.name == "kwok")
    place = folder / "stages.yaml"
    place.write_text("\n---\n".join(file.read_text(encoding="utf-8") for file in companion_files(oracle, kwok)))
    return place


def _node(number: int) -> dict[str, Any]:
    name = f"node-{number}"
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": f"zone-{number % ZONES}",
    }
    # Where metrics-server asks kwok instead of a kubelet.
    annotations = {"metrics.k8s.io/resource-metrics-path": f"/metrics/nodes/{name}/metrics/resource"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": annotations},
        "status": {"allocatable": CAPACITY, "capacity": CAPACITY},
    }


def _is_ready(cluster: Cluster, node: str) -> bool:
    found = cluster.read(f"/api/v1/nodes/{node}") or {}
    conditions = found.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _register_metrics(cluster: Cluster, port: int) -> None:
    """Lead the aggregator to metrics-server: of Services only an ExternalName reaches a loopback address."""
    service = {"namespace": "kube-system", "name": "metrics-server"}
    manifests = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": service,
            "spec": {
                "type": "ExternalName",
                "externalName": "localhost",
                "ports": [{"port": port, "protocol": "TCP"}],
            },
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.metrics.k8s.io"},
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "insecureSkipTLSVerify": True,
                "service": {**service, "port": port},
            },
        },
    ]
    cluster.apply("\n---\n".join(map(json.dumps, manifests)), namespace="kube-system").expect_success()


def _connects(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=PROBE_SECONDS).close()
    except OSError:
        return False
    return True
