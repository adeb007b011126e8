"""The test clusters themselves: they survive a lost port, accept custom resources, and end when they are told to."""

import os
import socket
from pathlib import Path
from typing import Final

import pytest

from tests.harness.command import PATIENCE
from tests.oracles import cluster as cluster_module
from tests.oracles.cluster import Cluster, install_crds, running_cluster
from tests.oracles.processes import ServerGroup, StartError, free_ports
from tests.oracles.sealed_secrets import MANIFESTS
from tests.oracles.tools import Tools

WIDGET: Final = """\
apiVersion: oracles.envcompile.invalid/v1
kind: Widget
metadata:
  name: one
spec:
  size: {size}
"""

WIDGET_DEFINITION: Final = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.oracles.envcompile.invalid
spec:
  group: oracles.envcompile.invalid
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size: {type: integer}
"""


@pytest.mark.parametrize("stolen", [0, 2, 3], ids=["etcd", "kube-apiserver", "kube-controller-manager"])
def test_cluster_starts_again_on_other_ports_when_it_lost_one(
    stolen: int,
    oracle_tools: Tools,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between the choice of a port and its use, another process may take it."""
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", 0))
        thief.listen()
        taken = thief.getsockname()[1]
        first = list(free_ports(4))
        first[stolen] = taken
        choices = iter([tuple(first), free_ports(4)])
        monkeypatch.setattr(cluster_module, "free_ports", lambda _count: next(choices))
        with running_cluster(oracle_tools, tmp_path, controllers=stolen == 3) as cluster:
            assert cluster.port != taken
            assert cluster.answers("/readyz")
        assert next(choices, None) is None
    assert not cluster.answers("/readyz")
    assert not (tmp_path / "etcd").exists()


def test_custom_resources_are_validated_once_their_definitions_are_installed(
    kube_cluster: Cluster,
    tmp_path: Path,
) -> None:
    """Objects are accepted at once after the call, and judged by their schema."""
    definition = tmp_path / "widget.yaml"
    definition.write_text(WIDGET_DEFINITION, encoding="utf-8")
    assert "no matches for kind" in kube_cluster.apply(WIDGET.format(size=3), dry_run=True).stderr
    install_crds(kube_cluster, [definition, MANIFESTS / "crd.yaml"])
    assert kube_cluster.apply(WIDGET.format(size=3), dry_run=True).ok
    assert "expected numeric" in kube_cluster.apply(WIDGET.format(size="big"), dry_run=True).stderr
    install_crds(kube_cluster, [definition])


def test_server_that_ends_early_shows_its_log(tmp_path: Path) -> None:
    """Whoever reads a failed run must not have to look for a log in a folder that is gone."""
    with ServerGroup(tmp_path) as servers:
        server = servers.start("broken", ["sh", "-c", "echo no such flag; exit 3"])
        with pytest.raises(StartError, match=r"broken ended with status 3 before ready:\nno such flag"):
            server.wait_until(lambda: False, what="ready", seconds=PATIENCE)


def test_server_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    """Leaving the context never leaves a process behind."""
    with ServerGroup(tmp_path) as servers:
        server = servers.start("stubborn", ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"])
        server.wait_until(lambda: "up" in server.log_tail(), what="up", seconds=PATIENCE)
    with pytest.raises(ProcessLookupError):
        os.kill(server.process.pid, 0)
