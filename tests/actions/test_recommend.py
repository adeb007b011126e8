"""A recommendation is a change of the overlay that comes out as it says; a forecast is proved or refused."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import environment, write_files

if TYPE_CHECKING:
    from pathlib import Path

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx:1.27
        resources:
          requests: {cpu: "1", memory: 4Gi}
          limits: {memory: 4Gi}
"""
_AUTOSCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 6
  maxReplicas: 40
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}
"""
_OVERLAY = """\
# what production needs
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  minReplicas: 8 # since the launch
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One scaled workload, with a word of the overlay about it."""
    return write_files(
        tmp_path,
        {
            "base/web/deployment.yaml": _DEPLOYMENT,
            "base/web/hpa.yaml": _AUTOSCALER,
            "overlays/prod/environment.yaml": environment("namespace: production\n"),
            "overlays/prod/hpa.yaml": _OVERLAY,
        },
    )


def _load(days: int, *, memory: bool = False) -> str:
    """Quiet nights and busy evenings, ten minutes a row."""
    start = datetime(2026, 1, 5, tzinfo=UTC)
    rows = ["time,cpu,memory" if memory else "time,cpu"]
    for place in range(days * 144):
        moment = start + timedelta(minutes=10 * place)
        hour = moment.hour + moment.minute / 60
        cores = 2 + 8 * math.exp(-(((hour - 21) / 1.2) ** 2)) + 0.1 * math.sin(place)
        rows.append(f"{moment:%Y-%m-%dT%H:%M},{cores:.3f}" + (",6e9" if memory else ""))
    return "\n".join(rows) + "\n"


def test_a_recommendation_edits_the_overlay_and_keeps_comments(project: Path) -> None:
    """And only with --apply; base stays, for other environments have other loads."""
    write_files(project, {"load.csv": _load(8)})
    words = ("recommend", "prod", "--app", "web", "--load", str(project / "load.csv"))
    shown = run_envc(project, *words)
    assert shown.code == 0, shown.err
    assert "spec.minReplicas" in shown.out
    assert "8 days of" in shown.out
    assert (project / "overlays/prod/hpa.yaml").read_text() == _OVERLAY
    assert run_envc(project, *words, "--apply").code == 0
    edited = (project / "overlays/prod/hpa.yaml").read_text()
    assert "# what production needs" in edited
    assert "minReplicas: 2 # since the launch" in edited
    assert (project / "base/web/hpa.yaml").read_text() == _AUTOSCALER
    again = run_envc(project, *words)
    assert "nothing to recommend" in again.out, again.out


def test_requests_of_what_does_not_scale_are_recommended_from_usage(project: Path) -> None:
    """Memory here: CPU steers the autoscaler, and is left alone."""
    write_files(project, {"load.csv": _load(8, memory=True)})
    words = ("recommend", "prod", "--app", "web", "--load", str(project / "load.csv"), "--apply")
    said = run_envc(project, *words)
    assert said.code == 0, said.err
    assert "resources.requests.memory" in said.out
    assert "requests.cpu" not in said.out
    assert "memory:" in (project / "overlays/prod/web-deployment.yaml").read_text()


def test_memory_that_scales_is_asked_for_less_and_scales_at_the_same_amount(project: Path) -> None:
    """The target moves against the request, and the limit stays above the amount."""
    memory = "  - type: Resource\n    resource: {name: memory, target: {type: Utilization, averageUtilization: 80}}\n"
    write_files(project, {"load.csv": _load(8, memory=True), "base/web/hpa.yaml": _AUTOSCALER + memory})
    words = ("recommend", "prod", "--app", "web", "--load", str(project / "load.csv"))
    said = run_envc(project, *words)
    assert said.code == 0, said.err
    changes = _changes(said.out)
    request = next(value for key, value in changes.items() if key.endswith("requests.memory"))
    mebibytes = int(request.removeprefix("4Gi -> ").removesuffix("Mi"))
    assert mebibytes < 4096 * 0.9
    target = next(value for key, value in changes.items() if key.startswith("spec.metrics[1]."))
    assert target == f"80 -> {round(80 * 4096 / mebibytes)}"
    assert not any(key.endswith("limits.memory") for key in changes)
    assert run_envc(project, *words, "--apply").code == 0
    applied = run_envc(project, "show", "prod", "hpa/web").out
    assert f"averageUtilization: {round(80 * 4096 / mebibytes)}" in applied


def _with(load: str, column: str, values: dict[int, str], rest: str = "0") -> str:
    """A load with one more column."""
    head, *rows = load.splitlines()
    return "\n".join([f"{head},{column}", *(f"{row},{values.get(at, rest)}" for at, row in enumerate(rows))]) + "\n"


def _changes(said: str) -> dict[str, str]:
    """Field -> `old -> new`."""
    return {
        parts[1]: " ".join(parts[2:])
        for line in said.splitlines()
        if " -> " in line and len(parts := line.split()) > 4 and "." in parts[1]
    }


def test_a_kill_for_memory_raises_what_is_requested(project: Path) -> None:
    """By a fifth of what was requested, as the VPA has it, and by its margin."""
    write_files(project, {"base/web/deployment.yaml": _DEPLOYMENT.replace("memory: 4Gi", "memory: 512Mi")})
    load = _load(8, memory=True)
    killed = _with(load, "oom_kills", {1000: "1", 1100: "2"})
    said = {}
    for name, text in (("none", load), ("killed", killed)):
        write_files(project, {f"{name}.csv": text})
        said[name] = run_envc(project, "recommend", "prod", "--app", "web", "--load", str(project / f"{name}.csv"))
        assert said[name].code == 0, said[name].err
    quiet, loud = (_changes(said[name].out) for name in ("none", "killed"))
    assert quiet != loud
    amount = next(value for key, value in loud.items() if key.endswith("requests.memory"))
    # The larger of 512 MiB + 100 MiB and what pods used, in a bucket of 5 %, with a margin of 15 %.
    assert amount.startswith("512Mi -> "), loud
    assert int(amount.removeprefix("512Mi -> ").removesuffix("Mi")) >= 612 * 1.15
    assert "oom-killed: containers of Deployment/web were killed for memory 3 times" in said["killed"].out
    assert "oom-killed" not in said["none"].out


def test_a_limit_that_throttles_is_told_and_not_made_tighter(project: Path) -> None:
    """And what was throttled counts as more than was used."""
    fixed = _DEPLOYMENT.replace("limits: {memory: 4Gi}", "limits: {cpu: 1500m}").replace('cpu: "1"', 'cpu: "4"')
    memory = "resource: {name: memory, target: {type: Utilization, averageUtilization: 50}}"
    scaler = _AUTOSCALER.replace("resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}", memory)
    load = _load(8, memory=True)
    write_files(
        project,
        {
            "base/web/deployment.yaml": fixed,
            "base/web/hpa.yaml": scaler,
            "none.csv": load,
            "throttled.csv": _with(load, "cpu_throttled", {}, "0.5"),
        },
    )
    none, throttled = (
        run_envc(project, "recommend", "prod", "--app", "web", "--load", str(project / f"{name}.csv"))
        for name in ("none", "throttled")
    )
    assert none.code == throttled.code == 0, none.err + throttled.err
    calm, held = _changes(none.out), _changes(throttled.out)
    request = next(key for key in calm if key.endswith("requests.cpu"))
    assert int(held[request].split()[-1].removesuffix("m")) > int(calm[request].split()[-1].removesuffix("m"))
    assert any(key.endswith("limits.cpu") for key in calm)
    assert "cpu-throttled: pods of Deployment/web were throttled in 50% of the scheduler's periods" in throttled.out
    limit = next((value for key, value in held.items() if key.endswith("limits.cpu")), "1500m -> 1500m")
    assert int(limit.split()[-1].removesuffix("m")) >= 1500


def test_a_quota_leaves_what_other_workloads_need(project: Path) -> None:
    """At their least; that all at their largest do not fit is a remark."""
    quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: all}\nspec:\n  hard: {requests.cpu: '20'}\n"
    other = _DEPLOYMENT.replace("name: web", "name: db").replace("app: web", "app: db")
    other = other.replace("spec:\n  selector", "spec:\n  replicas: 3\n  selector", 1)
    write_files(project, {"load.csv": _load(8), "base/quota/quota.yaml": quota, "base/db/deployment.yaml": other})
    words = ("recommend", "prod", "--app", "web", "--load", str(project / "load.csv"))
    said = run_envc(project, *words)
    assert said.code == 0, said.err
    assert "between 2 and 17 replicas" in said.out
    assert "quota-too-small: ResourceQuota/all allows 20 of requests.cpu" in said.out
    assert "at their largest request 43" in said.out
    scoped = quota + "  scopes: [BestEffort]\n"
    write_files(project, {"base/quota/quota.yaml": scoped})
    assert "quota-too-small" not in run_envc(project, *words).out


def test_too_little_load_is_refused(project: Path) -> None:
    """With how much it was."""
    write_files(project, {"load.csv": _load(3)})
    said = run_envc(project, "recommend", "prod", "--app", "web", "--load", str(project / "load.csv"))
    assert said.code == 1
    assert "holds 3.0 days of load, which is too little" in said.err
    said = run_envc(project, "predict", "prod", "deployment/web", "--load", str(project / "load.csv"))
    assert said.code == 1
    assert "too little for a forecast" in said.err


def test_an_unknown_application_is_told(project: Path) -> None:
    """As a mistake of the command."""
    write_files(project, {"load.csv": _load(8)})
    said = run_envc(project, "recommend", "prod", "--app", "shop", "--load", str(project / "load.csv"))
    assert said.code == 2
    assert "nothing is scaled in application shop of prod" in said.err


def test_a_disruption_budget_bounds_the_minimum(project: Path) -> None:
    """One more than it keeps."""
    budget = (
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n"
        "spec:\n  minAvailable: 4\n  selector: {matchLabels: {app: web}}\n"
    )
    write_files(project, {"load.csv": _load(8), "base/web/pdb.yaml": budget})
    said = run_envc(project, "recommend", "prod", "--app", "web", "--load", str(project / "load.csv"))
    assert said.code == 0, said.err
    assert "between 5 and" in said.out
    assert "8 -> 5" in said.out


def test_a_forecast_shows_its_error_and_is_proved(project: Path) -> None:
    """Beside that of last week, and as triggers of KEDA."""
    write_files(project, {"load.csv": _load(56)})
    said = run_envc(project, "predict", "prod", "deployment/web", "--load", str(project / "load.csv"))
    assert "same time last week" in said.out, said.err
    assert "days held back" in said.out or "nothing to prepare" in said.out or said.code == 1
