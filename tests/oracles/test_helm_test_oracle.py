"""`helm test` of the compiled chart: a pod for each Service, which no proof counts."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.chart import emit
from envcompile.yamlio import load_all
from tests.chart.samples import chart_input, deployment, service
from tests.harness.command import PATIENCE, run_envc
from tests.harness.repository import deployment as manifest
from tests.harness.repository import environment, write_files
from tests.oracles.test_chart_oracle import write
from tests.oracles.tools import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.oracles.cluster import Cluster

pytestmark = pytest.mark.oracle

SERVICES = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80}, {name: admin, port: 9090}, {name: udp, port: 53, protocol: UDP}]
---
apiVersion: v1
kind: Service
metadata: {name: outside}
spec: {type: ExternalName, externalName: example.com, ports: [{port: 80}]}
"""


def pods(helm: Path, chart: Path, *flags: str) -> dict[str, Any]:
    """The pods of tests that a helm prints."""
    printed = run(helm, "template", "r", chart, *flags).expect_success().stdout
    objects = [one for one in load_all(printed.encode(), "printed") if one]
    return {one["metadata"]["name"]: one for one in objects if one["kind"] == "Pod"}


@pytest.mark.parametrize("version", ["helm3", "helm4"])
def test_each_service_is_asked_for_its_ports(
    request: pytest.FixtureRequest, version: str, make_project: MakeProject
) -> None:
    """Those of TCP, as values say them, under the name it has; the proof holds as before."""
    helm: Path = request.getfixturevalue(version)
    root = make_project({
        "envc.yaml": "chart: {name: shop, nameOverride: true, testImage: 'busybox:1.37'}\nenvironments: [dev, prod]\n",
        "base/web/web.yaml": manifest(),
        "base/web/service.yaml": SERVICES,
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })
    assert run_envc(root, "build").code == 0
    proof = run_envc(root, "chart", "verify", "--helm", str(helm))
    assert proof.code == 0, proof.out
    chart = root / "environments/chart"
    run(helm, "lint", "--strict", chart).expect_success()
    found = pods(helm, chart)
    assert found.keys() == {"web-test"}
    container = found["web-test"]["spec"]["containers"][0]
    assert (container["image"], found["web-test"]["metadata"]["namespace"]) == ("busybox:1.37", "prod")
    assert container["command"][2] == 'set -e\nfor port in 80 9090; do nc -z -w 10 "$SERVICE" "$port"; done\n'
    flags = ("--set", "web.service.ports.http=81", "--set", "fullnameOverride=zulu", "--set", "helmTest.image.tag=2")
    changed = pods(helm, chart, *flags)["zulu-web-test"]["spec"]["containers"][0]
    assert changed["env"] == [{"name": "SERVICE", "value": "zulu-web"}]
    assert "in 81 9090;" in changed["command"][2]
    assert changed["image"] == "busybox:2"


@pytest.mark.slow
def test_helm_waits_for_what_the_pods_say(kube_cluster: Cluster, tmp_path: Path) -> None:
    """A real API server takes the pod, restricted as it is; when it is done, so is the test."""
    helm, namespace = kube_cluster.tools.helm4, "helm-test"
    environments = {"prod": [deployment("web"), service("web")]}
    folder = write(emit(chart_input(environments, test_image="busybox:1.37")), tmp_path / "chart")
    home = {"HELM_CACHE_HOME": str(tmp_path), "HELM_CONFIG_HOME": str(tmp_path), "HELM_DATA_HOME": str(tmp_path)}
    flags: list[str | Path] = ["--kubeconfig", kube_cluster.kubeconfig, "-n", namespace]
    kube_cluster.kubectl("create", "namespace", namespace).expect_success()
    kube_cluster.kubectl("create", "serviceaccount", "default", "-n", namespace).expect_success()
    enforced = "pod-security.kubernetes.io/enforce=restricted"
    kube_cluster.kubectl("label", "namespace", namespace, enforced).expect_success()
    run(helm, "install", "shop", folder, *flags, env=home).expect_success()
    command = [str(helm), "test", "shop", *map(str, flags)]
    surroundings = {**home, "HOME": str(tmp_path)}  # where helm keeps what it found out of the API
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=surroundings
    ) as asked:
        path = f"/api/v1/namespaces/{namespace}/pods/web-test"
        end = time.monotonic() + PATIENCE
        while kube_cluster.read(path) is None and asked.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        said, _ = kube_cluster.send(
            "PATCH", f"{path}/status", {"status": {"phase": "Succeeded"}}, "application/merge-patch+json"
        )
        told, _ = asked.communicate(timeout=PATIENCE)
    assert (said, asked.returncode) == (200, 0), told
    assert "Succeeded" in told


def test_a_chart_without_the_setting_has_none() -> None:
    """Neither a file nor a value."""
    files = emit(chart_input({"prod": [deployment("web"), service("web")]}))
    assert not [path for path, text in files.items() if "helmTest" in text or path.startswith("templates/tests")]


def test_tests_of_ones_own_stay(make_project: MakeProject) -> None:
    """A build leaves alone what people put beside those of envc."""
    root = make_project({
        "envc.yaml": "chart: {name: shop, testImage: 'busybox:1.37'}\n",
        "base/web/web.yaml": manifest(),
        "base/web/service.yaml": SERVICES,
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })
    assert run_envc(root, "build").code == 0
    mine = write_files(root / "environments/chart", {"templates/tests/mine.yaml": "# mine\n"})
    assert run_envc(root, "build").code == 0
    assert sorted(file.name for file in (mine / "templates/tests").iterdir()) == ["mine.yaml", "web-service.yaml"]
