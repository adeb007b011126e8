"""The laboratory is what it claims to be: pods run, what they use is measured, and an autoscaler acts on it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from tests.harness.command import PATIENCE
from tests.harness.repository import deployment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracles.cluster import Cluster

"""Seconds until the metrics API has two samples of a pod and an autoscaler has acted."""
SCALER: Final = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "busy"},
    "spec": {
        "minReplicas": 2,
        "maxReplicas": 5,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "busy"},
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
            }
        ],
    },
}


def _until(ready: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


def test_pods_run_and_an_autoscaler_sees_what_they_use(laboratory: Cluster) -> None:
    """180m of requested 200m for each of two pods is 90 %: with a target of 50 % that makes four pods."""
    busy = deployment("busy").replace(
        "image: nginx:1.27", "image: nginx:1.27\n        resources: {requests: {cpu: 200m}}"
    )
    laboratory.apply(f"{busy}---\n{json.dumps(SCALER)}").expect_success()
    place = "/apis/apps/v1/namespaces/default/deployments/busy"
    _until(lambda: laboratory.read(place).get("status", {}).get("readyReplicas") == 2, "no two pods run")
    usage = ("kwok.x-k8s.io/usage-cpu=180m", "kwok.x-k8s.io/usage-memory=64Mi")
    laboratory.kubectl("annotate", "pods", "--selector=app=busy", *usage).expect_success()
    measured = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods"
    _until(lambda: (laboratory.read(measured) or {}).get("items"), "nothing is measured")
    _until(lambda: laboratory.read(place)["spec"]["replicas"] == 4, "the autoscaler does not act")
    laboratory.kubectl("delete", "hpa/busy", "deployment/busy").expect_success()
