"""Makes scenarios of autoscaling for the real controller: `python -m tests.scaling.hpa.generate --seed 2 --count 364`.

The same seed gives the same scenarios. `scenarios.jsonl.gz` is what seed 1 gives with `--count 364 --directed`.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Scenario = dict[str, Any]
REF = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
INGRESS = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "main"}


def shape(rng: random.Random, steps: int, low: float, high: float) -> list[float]:
    """A load curve between low and high: one value per sample."""
    kind = rng.choice(["flat", "step", "ramp", "spike", "sine", "saw", "walk", "noise", "drop"])
    mid = steps // 2
    out: list[float] = []
    level = rng.uniform(low, high)
    at = rng.randrange(2, max(3, steps - 4))
    width = rng.randrange(1, 8)
    period = rng.randrange(6, 40)
    for i in range(steps):
        if kind == "flat":
            value = level
        elif kind == "step":
            value = low if i < at else high
        elif kind == "drop":
            value = high if i < at else low
        elif kind == "ramp":
            value = low + (high - low) * i / steps
        elif kind == "spike":
            value = high if at <= i < at + width else low
        elif kind == "sine":
            value = low + (high - low) * (1 + math.sin(2 * math.pi * i / period)) / 2
        elif kind == "saw":
            value = low + (high - low) * (i % period) / period
        elif kind == "walk":
            level = min(high, max(low, level * rng.uniform(0.8, 1.28)))
            value = level
        else:
            value = rng.uniform(low, high)
        out.append(value)
    if rng.random() < 0.15:  # back to nothing half-way
        out[mid:] = [v * 0.05 for v in out[mid:]]
    return out


def ints(values: list[float]) -> list[int]:
    """Cut to whole numbers."""
    return [int(v) for v in values]


def holes(rng: random.Random, values: list[Any], share: float) -> list[Any]:
    """Replace runs of samples by None."""
    out = list(values)
    i = 0
    while i < len(out):
        if rng.random() < share:
            run = rng.randrange(1, 5)
            for j in range(i, min(len(out), i + run)):
                out[j] = None
            i += run
        i += 1
    return out


def base(rng: random.Random) -> Scenario:
    """Make a scenario without metrics and without load."""
    steps = rng.choice([24, 32, 40, 48, 64, 80])
    low = rng.choice([1, 1, 1, 2, 3])
    return {
        "tags": [],
        "controller": {
            "tolerance": 0.1,
            "downscaleStabilizationSeconds": rng.choice([300, 300, 300, 60, 120, 0, 45]),
            "cpuInitializationPeriodSeconds": 300,
            "initialReadinessDelaySeconds": 30,
            "syncPeriodSeconds": 15,
            "metricLatencyMs": 0,
        },
        "hpa": {
            "scaleTargetRef": REF,
            "minReplicas": low,
            "maxReplicas": rng.choice([5, 8, 10, 12, 20, 50, 100]),
            "metrics": [],
        },
        "workload": {
            "replicas": rng.randrange(low, low + 5),
            "containers": [
                {
                    "name": "app",
                    "requests": {
                        "cpu": f"{rng.choice([100, 200, 250, 333, 500, 1000])}m",
                        "memory": f"{rng.choice([64, 100, 128, 256, 512])}Mi",
                    },
                    "share": {"cpu": 100, "memory": 100},
                }
            ],
            "createDelay": 0,
            "pending": rng.choice([0, 2, 5, 12]),
            "ready": rng.choice([0, 5, 10, 20, 40]),
            "metrics": rng.choice([0, 15, 20, 30, 45]),
            "terminate": rng.choice([0, 0, 10, 30]),
            "metricLag": rng.choice([0, 0, 5, 15]),
            "window": rng.choice([15, 20, 30, 30]),
        },
        "steps": steps,
        "load": {"resource": {}, "pods": {}, "object": {}, "external": {}},
        "overrides": [],
        "edits": [],
    }


def milli(quantity: str) -> int:
    """Read a quantity in milli-units."""
    return int(quantity[:-1]) if quantity.endswith("m") else int(quantity) * 1000


def mebi(quantity: str) -> int:
    """Read a quantity of MiB in bytes."""
    return int(quantity[:-2]) * 1024 * 1024


def cpu(rng: random.Random, s: Scenario, *, high: float | None = None, target: int | None = None) -> None:
    """A cpu utilisation metric and a load that moves the workload between its bounds."""
    target = target or rng.choice([50, 50, 60, 70, 80, 90, 33, 100, 120])
    s["hpa"]["metrics"].append({
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}},
    })
    load(rng, s, "cpu", target / 100, high)


def load(rng: random.Random, s: Scenario, name: str, target: float, high: float | None = None) -> None:
    """Add a load of a resource that moves the workload between its bounds."""
    containers = s["workload"]["containers"]
    if name == "cpu":
        request = sum(milli(c["requests"].get("cpu", "100m")) for c in containers) * 1_000_000
    else:
        request = sum(mebi(c["requests"].get("memory", "64Mi")) for c in containers)
    top = high or rng.choice([1.5, 3, 6, 12, 30])
    total = shape(rng, s["steps"], request * target * rng.uniform(0.1, 1.2), request * target * top)
    s["load"]["resource"][name] = {
        "total": ints(total),
        "idle": int(request * rng.choice([0, 0, 0.01, 0.1])),
        "burn": int(request * rng.choice([0, 0, 0.5, 1.5])) if name == "cpu" else 0,
        "skew": rng.choice([[], [], [100], [100, 120, 80], [90, 110], [130, 70, 100, 100]]),
    }


def rules(rng: random.Random, *, windows: list[int], periods: list[int], tolerance: bool = False) -> dict[str, Any]:
    """Make the rules of one direction."""
    out: dict[str, Any] = {}
    if rng.random() < 0.75:
        out["stabilizationWindowSeconds"] = rng.choice(windows)
    if rng.random() < 0.7:
        out["selectPolicy"] = rng.choice(["Max", "Min", "Max", "Min", "Disabled"])
    out["policies"] = [
        {
            "type": kind,
            "value": rng.choice([1, 2, 4, 5, 10] if kind == "Pods" else [5, 10, 25, 50, 100, 150, 900]),
            "periodSeconds": rng.choice(periods),
        }
        for kind in rng.choice([
            ["Pods"],
            ["Percent"],
            ["Pods", "Percent"],
            ["Percent", "Pods"],
            ["Pods", "Percent", "Pods"],
        ])
    ]
    if tolerance or rng.random() < 0.2:
        out["tolerance"] = rng.choice(["0", "0.01", "0.05", "50m", "0.15", "0.2", "0.5", "1"])
    return out


def behavior(rng: random.Random, s: Scenario, **kw: Any) -> None:
    """Give the autoscaler rules of one or both directions."""
    kw = {"windows": [0, 15, 30, 60, 90, 120, 300, 600], "periods": [1, 10, 15, 20, 30, 45, 60, 90, 120, 300], **kw}
    out: dict[str, Any] = {}
    sides = rng.choice([["scaleUp"], ["scaleDown"], ["scaleUp", "scaleDown"], ["scaleUp", "scaleDown"]])
    for side in sides:
        out[side] = rules(rng, **kw)
    s["hpa"]["behavior"] = out


# One function per family of scenarios ------------------------------------------------


def plain_cpu(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `plain_cpu`."""
    cpu(rng, s)


def cpu_average_value(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `cpu_average_value`."""
    value = rng.choice([50, 120, 333, 700])
    s["hpa"]["metrics"].append({
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "AverageValue", "averageValue": f"{value}m"}},
    })
    load(rng, s, "cpu", value / milli(s["workload"]["containers"][0]["requests"]["cpu"]))
    if rng.random() < 0.3:  # a raw target needs no request
        del s["workload"]["containers"][0]["requests"]["cpu"]


def memory(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `memory`."""
    if rng.random() < 0.5:
        target = rng.choice([50, 75, 80, 90])
        s["hpa"]["metrics"].append({
            "type": "Resource",
            "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": target}},
        })
        load(rng, s, "memory", target / 100)
    else:
        request = mebi(s["workload"]["containers"][0]["requests"]["memory"])
        s["hpa"]["metrics"].append({
            "type": "Resource",
            "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": str(request * 7 // 10)}},
        })
        load(rng, s, "memory", 0.7)


def containers(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `containers`."""
    wl = s["workload"]
    wl["containers"][0]["share"] = {"cpu": 70, "memory": 60}
    wl["containers"].append({
        "name": "proxy",
        "requests": {"cpu": "50m", "memory": "32Mi"},
        "share": {"cpu": 30, "memory": 40},
        "sidecar": rng.random() < 0.5,
    })
    kind = rng.choice([
        "container",
        "container",
        "sum",
        "missing-request",
        "missing-request",
        "missing-request",
        "pod-level",
        "value",
    ])
    if kind == "sum":
        cpu(rng, s)
        return
    if kind == "pod-level":
        wl["podRequests"] = {"cpu": "800m", "memory": "512Mi"}
        cpu(rng, s)
        return
    name = rng.choice(["app", "proxy"])
    target = rng.choice([40, 60, 80])
    if kind == "value":
        spec: dict[str, Any] = {"type": "AverageValue", "averageValue": "150m"}
    else:
        spec = {"type": "Utilization", "averageUtilization": target}
    s["hpa"]["metrics"].append({
        "type": "ContainerResource",
        "containerResource": {"name": "cpu", "container": name, "target": spec},
    })
    load(rng, s, "cpu", target / 100)
    if kind == "missing-request":
        other, own = (1, 0) if name == "app" else (0, 1)
        what = rng.choice(["other", "own", "sum"])
        del wl["containers"][own if what == "own" else other]["requests"]["cpu"]
        if what == "sum":
            s["hpa"]["metrics"] = []
            cpu(rng, s)
    if rng.random() < 0.4:
        s["overrides"].append({
            "from": rng.randrange(1, 8),
            "to": rng.randrange(9, 20),
            "pods": sorted(rng.sample(range(4), 2)),
            "set": "noContainer",
        })


def pods_metric(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `pods_metric`."""
    target = rng.choice([500, 1000, 10_000, 33_333, 100_000])
    s["hpa"]["metrics"].append({
        "type": "Pods",
        "pods": {
            "metric": {"name": "requests_per_second"},
            "target": {"type": "AverageValue", "averageValue": f"{target}m"},
        },
    })
    total = ints(shape(rng, s["steps"], target * 0.3, target * rng.choice([2, 6, 15])))
    s["load"]["pods"]["requests_per_second"] = {
        "total": holes(rng, total, rng.choice([0, 0, 0.08])),
        "idle": rng.choice([0, target // 20]),
        "burn": 0,
        "skew": rng.choice([[], [100, 140, 60]]),
    }


def object_metric(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `object_metric`."""
    name = "queue_depth"
    target = rng.choice([1000, 5000, 30_000, 100_000])
    average = rng.random() < 0.5
    spec = (
        {"type": "AverageValue", "averageValue": f"{target}m"} if average else {"type": "Value", "value": f"{target}m"}
    )
    s["hpa"]["metrics"].append({
        "type": "Object",
        "object": {"metric": {"name": name}, "describedObject": INGRESS, "target": spec},
    })
    high = target * rng.choice([2, 8, 20]) if average else target * rng.choice([1.3, 2, 3])
    s["load"]["object"][name] = holes(rng, ints(shape(rng, s["steps"], target * 0.2, high)), rng.choice([0, 0, 0.06]))
    if rng.random() < 0.4:
        s["workload"]["createDelay"] = rng.choice([10, 20, 40])


def external_metric(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `external_metric`."""
    name = "topic_lag"
    target = rng.choice([1000, 20_000, 100_000])
    average = rng.random() < 0.6
    spec = (
        {"type": "AverageValue", "averageValue": f"{target}m"} if average else {"type": "Value", "value": f"{target}m"}
    )
    s["hpa"]["metrics"].append({"type": "External", "external": {"metric": {"name": name}, "target": spec}})
    high = target * rng.choice([3, 9, 25]) if average else target * rng.choice([1.4, 2.5, 4])
    parts = rng.choice([1, 1, 2, 3])
    total = ints(shape(rng, s["steps"], target * 0.1, high))
    s["load"]["external"][name] = holes(
        rng, [[v // parts + (7 * n if n else 0) for n in range(parts)] for v in total], rng.choice([0, 0, 0.06])
    )
    if rng.random() < 0.4:
        s["workload"]["createDelay"] = rng.choice([10, 20, 40])


def several(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `several`."""
    cpu(rng, s)
    for more in rng.sample([pods_metric, object_metric, external_metric], rng.choice([1, 2, 3])):
        more(rng, s)
    if rng.random() < 0.3:
        s["load"]["resource"]["cpu"]["total"] = holes(rng, s["load"]["resource"]["cpu"]["total"], 0.08)
    if rng.random() < 0.4:
        behavior(rng, s)


def behaviours(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `behaviours`."""
    rng.choice([cpu, cpu, pods_metric, external_metric])(rng, s)
    behavior(rng, s)


def tolerances(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `tolerances`."""
    s["controller"]["tolerance"] = rng.choice([0, 0.01, 0.05, 0.1, 0.2, 0.5])
    rng.choice([plain_cpu, pods_metric, object_metric, external_metric])(rng, s)
    if rng.random() < 0.7:
        behavior(rng, s, tolerance=True)
    for series in s["load"]["resource"].values():  # stay near the target
        mid = series["total"][0]
        series["total"] = [int(mid * rng.uniform(0.8, 1.25)) for _ in series["total"]]


def missing(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `missing`."""
    rng.choice([plain_cpu, cpu_average_value, memory, pods_metric])(rng, s)
    s["workload"]["replicas"] = rng.randrange(3, 9)
    s["workload"]["metrics"] = rng.choice([30, 60, 90])
    for _ in range(rng.randrange(1, 4)):
        start = rng.randrange(0, s["steps"] - 6)
        s["overrides"].append({
            "from": start,
            "to": start + rng.randrange(2, 14),
            "pods": sorted(rng.sample(range(9), rng.randrange(1, 5))),
            "set": "noMetrics",
        })


def missing_high_target(rng: random.Random, s: Scenario) -> None:
    """Targets above 100 %: missing pods count as the target itself on the way down."""
    cpu(rng, s, target=rng.choice([110, 150, 200, 300]))
    s["workload"]["replicas"] = rng.randrange(4, 9)
    for _ in range(3):
        start = rng.randrange(0, s["steps"] - 6)
        s["overrides"].append({
            "from": start,
            "to": start + rng.randrange(2, 14),
            "pods": sorted(rng.sample(range(8), rng.randrange(1, 4))),
            "set": "noMetrics",
        })


def unready(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `unready`."""
    rng.choice([plain_cpu, plain_cpu, cpu_average_value, memory, pods_metric])(rng, s)
    wl = s["workload"]
    wl["replicas"] = rng.randrange(2, 7)
    wl["ready"] = rng.choice([20, 45, 90, 150, 400])
    wl["pending"] = rng.choice([0, 5, 30, 60])
    wl["metrics"] = rng.choice([0, 15, 30])
    s["controller"]["cpuInitializationPeriodSeconds"] = rng.choice([0, 60, 120, 300, 300])
    s["controller"]["initialReadinessDelaySeconds"] = rng.choice([0, 10, 30, 30, 60])
    for _ in range(rng.randrange(0, 4)):
        start = rng.randrange(0, s["steps"] - 6)
        s["overrides"].append({
            "from": start,
            "to": start + rng.randrange(2, 14),
            "pods": sorted(rng.sample(range(7), rng.randrange(1, 4))),
            "set": rng.choice(["notReady", "notReady", "notReady", "readyUnknown", "noReadyCondition", "noStartTime"]),
        })


def broken_pods(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `broken_pods`."""
    rng.choice([plain_cpu, memory, pods_metric, object_metric, external_metric])(rng, s)
    s["workload"]["replicas"] = rng.randrange(3, 8)
    for _ in range(rng.randrange(1, 5)):
        start = rng.randrange(0, s["steps"] - 6)
        s["overrides"].append({
            "from": start,
            "to": start + rng.randrange(2, 16),
            "pods": sorted(rng.sample(range(7), rng.randrange(1, 4))),
            "set": rng.choice(["failed", "succeeded", "terminating", "pending", "notReady"]),
        })


def to_zero(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `to_zero`."""
    s["hpa"]["minReplicas"] = 0
    rng.choice([object_metric, external_metric])(rng, s)
    if rng.random() < 0.4:
        cpu(rng, s)
    for series in s["load"]["object"].values():
        start = rng.randrange(3, 12)
        series[start : start + rng.randrange(4, 24)] = [0] * len(series[start : start + 12])
        del series[s["steps"] :]
        series.extend([0] * (s["steps"] - len(series)))
    for series in s["load"]["external"].values():
        start = rng.randrange(3, 12)
        end = start + rng.randrange(4, 24)
        for i in range(start, min(end, len(series))):
            series[i] = [0]
    s["controller"]["downscaleStabilizationSeconds"] = rng.choice([0, 30, 60])
    s["workload"]["replicas"] = rng.choice([0, 1, 2, 3])
    if rng.random() < 0.4:
        behavior(rng, s, windows=[0, 30, 60])
    if rng.random() < 0.4:
        s["edits"].append({"at": rng.randrange(60, 300), "replicas": rng.choice([0, 0, 2])})
    if rng.random() < 0.3:
        spec = json.loads(json.dumps(s["hpa"]))
        spec["minReplicas"] = rng.choice([1, 2])
        s["edits"].append({"at": rng.randrange(150, 300), "hpa": spec})


def edited(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `edited`."""
    rng.choice([plain_cpu, external_metric, pods_metric])(rng, s)
    if rng.random() < 0.6:
        behavior(rng, s)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(1, s["steps"] - 3) * 15 + rng.randrange(1, 14)
        if rng.random() < 0.4:
            s["edits"].append({"at": at, "replicas": rng.choice([0, 1, 3, 7, 15, 120])})
            continue
        spec = json.loads(json.dumps(s["hpa"]))
        change = rng.choice(["min", "max", "behavior", "none"])
        if change == "min":
            spec["minReplicas"] = rng.choice([1, 2, 4])
        elif change == "max":
            spec["maxReplicas"] = rng.choice([4, 6, 30])
        elif change == "behavior":
            probe = {"hpa": spec}
            behavior(rng, probe)
        elif "behavior" in spec:
            del spec["behavior"]
        spec["maxReplicas"] = max(spec["maxReplicas"], spec["minReplicas"])
        s["hpa_last"] = spec
        s["edits"].append({"at": at, "hpa": spec})
    s.pop("hpa_last", None)


def latency(rng: random.Random, s: Scenario) -> None:
    """Every metric takes its time, so that the syncs drift against windows and periods."""
    rng.choice([plain_cpu, several, external_metric, behaviours])(rng, s)
    s["controller"]["metricLatencyMs"] = rng.choice([1, 3, 7, 20, 45, 120, 900])
    if rng.random() < 0.6:
        behavior(rng, s)


def sync_period(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `sync_period`."""
    rng.choice([plain_cpu, pods_metric, behaviours])(rng, s)
    s["controller"]["syncPeriodSeconds"] = rng.choice([5, 10, 20, 30, 60])
    if rng.random() < 0.5:
        behavior(rng, s)


def big_jump(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `big_jump`."""
    s["hpa"]["maxReplicas"] = rng.choice([100, 400, 1000])
    cpu(rng, s, high=rng.choice([60, 200]), target=50)
    s["workload"]["metrics"] = 0
    if rng.random() < 0.5:
        behavior(rng, s, windows=[0, 0, 30])


def extremes(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `extremes`."""
    name = "topic_lag"
    value = rng.random() < 0.5
    spec = {"type": "Value", "value": "1m"} if value else {"type": "AverageValue", "averageValue": "1m"}
    s["hpa"]["metrics"].append({"type": "External", "external": {"metric": {"name": name}, "target": spec}})
    s["load"]["external"][name] = [
        rng.choice([
            [0],
            [1],
            [5],
            [2**31 - 1],
            [2**31],
            [2**40],
            [2**62, 2**62],
            [2**63 - 1, 1],
            [2**62, 2**62, -(2**62)],
            [3, -3],
            [-7],
        ])
        for _ in range(s["steps"])
    ]
    if rng.random() < 0.5:
        behavior(rng, s, windows=[0, 15])
    s["hpa"]["maxReplicas"] = rng.choice([10, 50])


def rounding(rng: random.Random, s: Scenario) -> None:
    """Values just beside a border: nanocores, odd requests, odd targets."""
    wl = s["workload"]
    wl["containers"] = [
        {
            "name": "app",
            "requests": {"cpu": rng.choice(["3m", "7m", "333m", "1"]), "memory": "100Mi"},
            "share": {"cpu": 50, "memory": 100},
        },
        {
            "name": "b",
            "requests": {"cpu": rng.choice(["1m", "11m"]), "memory": "1Mi"},
            "share": {"cpu": 33, "memory": 0},
        },
        {"name": "c", "requests": {"cpu": "2m", "memory": "1Mi"}, "share": {"cpu": 17, "memory": 0}},
    ]
    wl["replicas"] = rng.randrange(1, 8)
    cpu(rng, s, target=rng.choice([1, 7, 33, 66, 99, 101]))


def default_spec(rng: random.Random, s: Scenario) -> None:
    """No metrics and no minReplicas: what the API server fills in (cpu 80 %, 1)."""
    del s["hpa"]["metrics"]
    s["hpa"].pop("minReplicas")
    load(rng, s, "cpu", 0.8)
    if rng.random() < 0.5:
        s["hpa"]["behavior"] = rng.choice([
            {},
            {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}},
            {"scaleDown": {"policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}]}},
        ])


def frozen(rng: random.Random, s: Scenario) -> None:
    """Scenarios of the family `frozen`."""
    plain_cpu(rng, s)
    side = rng.choice([["scaleUp"], ["scaleDown"], ["scaleUp", "scaleDown"]])
    s["hpa"]["behavior"] = {
        k: {"selectPolicy": "Disabled", "policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}]} for k in side
    }


FAMILIES: list[tuple[Callable[[random.Random, Scenario], None], int]] = [
    (plain_cpu, 24),
    (cpu_average_value, 10),
    (memory, 12),
    (containers, 20),
    (pods_metric, 14),
    (object_metric, 16),
    (external_metric, 16),
    (several, 24),
    (behaviours, 40),
    (tolerances, 16),
    (missing, 18),
    (missing_high_target, 6),
    (unready, 26),
    (broken_pods, 16),
    (to_zero, 20),
    (edited, 24),
    (latency, 18),
    (sync_period, 10),
    (big_jump, 8),
    (extremes, 6),
    (rounding, 10),
    (default_spec, 6),
    (frozen, 4),
]


def directed(first: int) -> list[Scenario]:
    """Small scenarios, each for one trap of README.md; the same for every seed."""

    def one(tag: str, steps: int = 12, **changes: Any) -> Scenario:
        s = base(random.Random(tag))
        s["steps"] = steps
        s["controller"]["downscaleStabilizationSeconds"] = 0
        s["hpa"].update(
            minReplicas=1,
            maxReplicas=30,
            metrics=[
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
                }
            ],
        )
        s["workload"].update(replicas=4, pending=0, ready=0, metrics=0, terminate=0, metricLag=0, window=30)
        s["workload"]["containers"] = [
            {"name": "app", "requests": {"cpu": "100m", "memory": "100Mi"}, "share": {"cpu": 100, "memory": 100}}
        ]
        for key, value in changes.items():
            s[key].update(value)
        s["tags"] = ["directed", tag]
        return s

    def milli_cpu(s: Scenario, values: list[int]) -> None:
        total = [v * 1_000_000 for v in values]
        total += [total[-1]] * (s["steps"] - len(total))
        s["load"]["resource"]["cpu"] = {"total": total, "idle": 0, "burn": 0, "skew": []}

    def spell(s: Scenario, what: str, pods: list[int], start: int = 2, end: int = 9) -> None:
        s["overrides"].append({"from": start, "to": end, "pods": pods, "set": what})

    out = []
    s = one("succeeded-pod-is-missing")
    milli_cpu(s, [200, 200, 81])
    spell(s, "succeeded", [0])
    out.append(s)
    s = one("failed-pod-is-ignored")
    milli_cpu(s, [200, 200, 81])
    spell(s, "failed", [0])
    out.append(s)
    s = one("absent-container-lowers-the-sum")
    s["workload"]["containers"] = [
        {"name": "app", "requests": {"cpu": "80m", "memory": "80Mi"}, "share": {"cpu": 80}},
        {"name": "proxy", "requests": {"cpu": "20m", "memory": "20Mi"}, "share": {"cpu": 20}},
    ]
    milli_cpu(s, [200])
    spell(s, "noContainer", [0, 1, 2, 3])
    out.append(s)
    rules_of: dict[str, Any] | None
    for rules_of in ({}, None):
        s = one("no-behavior-1-to-4" if rules_of is None else "empty-behavior-1-to-5", workload={"replicas": 1})
        if rules_of is not None:
            s["hpa"]["behavior"] = rules_of
        milli_cpu(s, [50, 2000])
        out.append(s)
    s = one("ready-unknown-counts-as-ready")
    milli_cpu(s, [200, 200, 135])
    spell(s, "readyUnknown", [0])
    out.append(s)
    s = one("event-time-is-after-the-metrics", controller={"metricLatencyMs": 600})
    s["hpa"]["behavior"] = {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 16}]}}
    milli_cpu(s, [2000])
    out.append(s)
    s = one("stabilisation-keeps-raw-proposals", steps=24, controller={"downscaleStabilizationSeconds": 300})
    s["hpa"]["maxReplicas"] = 5
    milli_cpu(s, [1000, 1000, 1000, 1000, 260])
    wider = json.loads(json.dumps(s["hpa"]))
    wider["maxReplicas"] = 30
    s["edits"].append({"at": 100, "hpa": wider})
    out.append(s)
    s = one("doubles-give-32-where-fractions-give-31", workload={"replicas": 15})
    s["hpa"]["maxReplicas"] = 50
    s["hpa"]["metrics"][0]["resource"]["target"]["averageUtilization"] = 60
    milli_cpu(s, [1860])
    out.append(s)
    for total, tag in (
        (220, "border-of-tolerance-up"),
        (180, "border-of-tolerance-down"),
        (224, "beyond-tolerance-up"),
        (140, "beyond-tolerance-down"),
    ):
        s = one(tag)
        milli_cpu(s, [total])
        out.append(s)
    s = one("missing-pod-is-its-request-not-the-target")
    milli_cpu(s, [200, 200, 90])
    spell(s, "noMetrics", [0])
    out.append(s)
    s = one("spec-change-syncs-at-once")
    milli_cpu(s, [400])
    wider = json.loads(json.dumps(s["hpa"]))
    wider["maxReplicas"] = 6
    s["edits"].append({"at": 52, "hpa": wider})
    out.append(s)
    s = one("manual-scale-is-no-event")
    s["hpa"]["behavior"] = {"scaleUp": {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}]}}
    milli_cpu(s, [200, 200, 1000])
    s["edits"].append({"at": 22, "replicas": 8})
    out.append(s)
    for wanted, tag in (
        (11, "keda-cron-11-on-10-stays-10"),
        (12, "keda-cron-12-on-10"),
    ):  # cron trigger: AverageValue 1
        s = one(tag, workload={"replicas": 10})
        s["hpa"]["metrics"] = [
            {
                "type": "External",
                "external": {"metric": {"name": "s0-cron"}, "target": {"type": "AverageValue", "averageValue": "1"}},
            }
        ]
        s["load"]["external"]["s0-cron"] = [[10_000]] * 2 + [[wanted * 1000]] * 6 + [[0]] * 4
        out.append(s)
    for number, scenario in enumerate(out, first):
        scenario["id"] = number
    return [{"id": x["id"], **x} for x in out]


def generate(seed: int, count: int) -> list[Scenario]:
    """Make scenarios of all families."""
    weights = [w for _, w in FAMILIES]
    total = sum(weights)
    order = [f for f, w in FAMILIES for _ in range(max(1, round(w * count / total)))]
    order = order[:count] + [plain_cpu] * (count - len(order))
    out = []
    for number, family in enumerate(order, 1):
        rng = random.Random(f"{seed}/{number}")
        scenario = base(rng)
        family(rng, scenario)
        steps = scenario["steps"]
        for group in ("object", "external"):
            for series in scenario["load"][group].values():
                del series[steps:]
                series.extend([series[-1]] * (steps - len(series)))
        if any(e.get("replicas") == 0 for e in scenario["edits"]) and rng.random() < 0.5:
            scenario["tags"].append("manual-zero")
        out.append({"id": number, **scenario, "tags": [family.__name__, *scenario["tags"]]})
    return out


def main() -> None:
    """Print scenarios, one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=364)
    parser.add_argument("--directed", action="store_true", help="append the scenarios that show one trap each")
    args = parser.parse_args()
    scenarios = generate(args.seed, args.count)
    if args.directed:
        scenarios += directed(args.count + 1)
    for scenario in scenarios:
        sys.stdout.write(json.dumps(scenario, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
