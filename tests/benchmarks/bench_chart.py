"""How long a chart takes to convert and to verify, and how that grows: `python -m tests.benchmarks.bench_chart`.

Figures are ratios within one run, so that they mean the same on every machine: seconds a service must not grow with
the number of services. The limits in seconds hold on two cores.
"""

from __future__ import annotations

import copy
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any, NamedTuple

from envcompile.chart import ChartInput, emit, find_helms, verify
from envcompile.errors import UnavailableError

ENVIRONMENTS = ("dev", "test", "staging", "prod")
CONVERT_LIMIT = 5.0
VERIFY_LIMIT = 10.0
LARGE_LIMIT = 60.0
GROWTH_LIMIT = 1.6


class Figure(NamedTuple):
    """What one size cost."""

    services: int
    environments: int
    seconds: float
    peak_mib: float
    files: int


def _service(number: int) -> list[dict[str, Any]]:
    """The seven resources of one service."""
    name = f"service-{number:04}"
    labels = {"app": name, "environment": "x"}
    metadata = {"name": name, "labels": labels}
    pod = {
        "containers": [
            {
                "name": name,
                "image": f"registry.example.com/shop/{name}:v1",
                "env": [{"name": f"SETTING_{item}", "value": str(item)} for item in range(12)],
                "ports": [{"name": "http", "containerPort": 8080}],
                "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
                "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
            },
        ],
        "serviceAccountName": name,
    }
    properties = "".join(f"app.setting.{item}={item}\n" for item in range(20))
    selector = {"matchLabels": labels}
    template = {"metadata": {"labels": labels}, "spec": pod}
    scaled = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    rule = {"host": f"{name}.dev.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix"}]}}
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("apps/v1", "Deployment", {"spec": {"replicas": 2, "selector": selector, "template": template}}),
        ("v1", "Service", {"spec": {"selector": labels, "ports": [{"name": "http", "port": 80}]}}),
        ("v1", "ConfigMap", {"data": {"LOG_LEVEL": "info", "app.properties": properties}}),
        ("v1", "ServiceAccount", {}),
        ("networking.k8s.io/v1", "Ingress", {"spec": {"rules": [rule]}}),
        ("policy/v1", "PodDisruptionBudget", {"spec": {"minAvailable": 1, "selector": selector}}),
        ("autoscaling/v2", "HorizontalPodAutoscaler", {"spec": {"scaleTargetRef": scaled, "maxReplicas": 5}}),
    ]
    return [{"apiVersion": version, "kind": kind, "metadata": metadata, **rest} for version, kind, rest in kinds]


def _in(environment: str, position: int, resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The resources as one environment has them."""
    found = copy.deepcopy(resources)
    for resource in found:
        resource["metadata"]["namespace"] = f"shop-{environment}"
        resource["metadata"]["labels"]["environment"] = environment
    deployment, service, config, _, ingress, budget, _ = found
    spec = deployment["spec"]
    for labels in (spec["template"]["metadata"]["labels"], service["spec"]["selector"], budget["spec"]["selector"]):
        labels["environment"] = environment
    spec["replicas"] = 1 + position
    container = spec["template"]["spec"]["containers"][0]
    container["image"] = f"{container['image']}.{position}"
    container["resources"]["limits"]["memory"] = f"{256 * (1 + position)}Mi"
    config["data"]["app.properties"] = config["data"]["app.properties"].replace("7=7", f"7={position}")
    ingress["spec"]["rules"][0]["host"] = ingress["spec"]["rules"][0]["host"].replace("dev", environment)
    return found if position else found[:-2]


def system(services: int, environments: int) -> ChartInput:
    """A system of this size."""
    base = [resource for number in range(services) for resource in _service(number)]
    resources = {
        name: [("", item) for start in range(0, len(base), 7) for item in _in(name, position, base[start : start + 7])]
        for position, name in enumerate(ENVIRONMENTS[:environments])
    }
    return ChartInput("shop", ENVIRONMENTS[:environments], resources)


def measure(services: int, environments: int) -> Figure:
    """Convert a system twice: once for the time, once for the memory."""
    chart = system(services, environments)
    started = time.perf_counter()
    files = emit(chart)
    seconds = time.perf_counter() - started
    tracemalloc.start()
    emit(chart)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return Figure(services, environments, seconds, peak, len(files))


def verified() -> float | None:
    """The seconds that verifying 160 services in 3 environments with every helm takes; None without a helm."""
    try:
        helms = find_helms()
    except UnavailableError:
        return None
    chart = system(160, 3)
    expected = {name: [value for _, value in pairs] for name, pairs in chart.resources.items()}
    with tempfile.TemporaryDirectory() as folder:
        for path, text in emit(chart).items():
            place = Path(folder, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        started = time.perf_counter()
        rows = verify([Path(folder)], expected, helms)
        seconds = time.perf_counter() - started
    if not all(row.holds for row in rows):
        raise AssertionError([row.first_difference for row in rows])
    return seconds


def main() -> None:
    """Print the table, and fail where a limit is passed."""
    figures = [measure(40, 3), measure(160, 3), measure(1000, 4)]
    print("services  environments  seconds  ms/object  MiB  KiB/object  files")
    costs = []
    for figure in figures:
        objects = figure.services * figure.environments * 7
        cost = 1000 * figure.seconds / objects
        weight = 1024 * figure.peak_mib / objects
        costs.append((cost, weight))
        print(
            f"{figure.services:8}  {figure.environments:12}  {figure.seconds:7.2f}  {cost:9.3f}  "
            f"{figure.peak_mib:3.0f}  {weight:10.2f}  {figure.files:5}",
        )
    seconds = verified()
    print("verify: no helm" if seconds is None else f"verify 160 x 3: {seconds:.1f} s")
    (_, small_weight), (middle, _), (large, large_weight) = costs
    print(f"growth from 160 to 1000: time {large / middle:.2f}, memory {large_weight / small_weight:.2f} (1 is linear)")
    assert figures[1].seconds < CONVERT_LIMIT
    assert figures[2].seconds < LARGE_LIMIT
    assert seconds is None or seconds < VERIFY_LIMIT
    assert large / middle < GROWTH_LIMIT
    assert large_weight / small_weight < GROWTH_LIMIT


if __name__ == "__main__":
    main()
