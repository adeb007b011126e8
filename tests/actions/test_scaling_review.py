"""A pull request that changes an autoscaler says what that would have done with the load that was recorded."""

from __future__ import annotations

import math
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from envcompile.history.database import connect
from envcompile.history.live import LiveStore
from envcompile.history.livetimes import SECOND, Measured, TimeStore
from tests.harness.command import run_envc
from tests.harness.repository import commit, environment, git, write_files

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

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
        resources: {requests: {cpu: "1", memory: 1Gi}}
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


def _changed(root: Path, **files: str) -> Path:
    """A branch that changes files of the base."""
    whole = {
        "base/web/deployment.yaml": _DEPLOYMENT,
        "base/web/hpa.yaml": _AUTOSCALER,
        "overlays/prod/environment.yaml": environment("namespace: shop\n"),
    }
    write_files(root, whole)
    git(root, "init", "-q", "-b", "main")
    commit(root, "start")
    git(root, "checkout", "-q", "-b", "feature")
    write_files(root, {f"base/web/{name}.yaml": text for name, text in files.items()})
    commit(root, "change")
    return root


def _recorded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two days of load that ended just now, with a busy hour each."""
    url = f"sqlite:///{folder}/history.db"
    monkeypatch.setenv("ENVC_HISTORY_URL", url)
    begin = datetime.now(UTC) - timedelta(days=2)
    rows = []
    for place in range(2 * 24 * 12):
        at = begin + timedelta(minutes=5 * place)
        busy = 12 * math.exp(-((((at - begin).total_seconds() / 3600) % 24 - 12) ** 2))
        moment = int(at.timestamp()) * SECOND
        rows.append(Measured("shop", "web-1", "web", "Deployment/web", moment, 1000 * (1 + busy), 2**30))
    with closing(connect(url)) as database:
        store = LiveStore(database)
        TimeStore(database).add_usage(store.cluster("blue", "https://127.0.0.1:1", int(begin.timestamp())), rows)


def test_a_changed_minimum_is_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pod hours, money, shortage and the largest size, before and after; the same as `envc simulate` says."""
    root = _changed(tmp_path / "shop", hpa=_AUTOSCALER.replace("minReplicas: 6", "minReplicas: 2"))
    _recorded(tmp_path, monkeypatch)
    said = run_envc(root, "pr", "comment", "--dry-run", "--from", "main", "--recorded")
    assert said.code == 0, said.err
    assert "#### Autoscaling" in said.out
    (row,) = (line for line in said.out.splitlines() if line.startswith("| `Deployment/web`"))
    _, _, name, hours, money, short, largest, _ = (cell.strip() for cell in row.split("|"))
    assert name == "**prod**"
    before, after = (float(part.replace(",", "")) for part in hours.split(" → "))
    assert 6 * 47 < before < 2 * after + 200
    assert after < before
    assert float(money.split(" → ")[1].replace(",", "")) < float(money.split(" → ")[0].replace(",", ""))
    assert short
    assert largest
    simulated = run_envc(root, "simulate", "prod", "deployment/web", "--recorded", "--since", "14d")
    found = re.search(r"pod hours +([\d,.]+)", simulated.out)
    assert found is not None, simulated.out + simulated.err
    assert found[1] == hours.split(" → ")[1]
    assert "#### Autoscaling" not in run_envc(root, "pr", "comment", "--dry-run", "--from", "main").out


def test_what_scales_nothing_is_not_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another image asks for nothing else."""
    root = _changed(tmp_path / "shop", deployment=_DEPLOYMENT.replace("1.27", "1.28"))
    _recorded(tmp_path, monkeypatch)
    said = run_envc(root, "pr", "comment", "--dry-run", "--from", "main", "--recorded")
    assert said.code == 0, said.err
    assert "nginx:1.28" in said.out
    assert "#### Autoscaling" not in said.out


def test_a_load_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a metric that was not recorded; the rest of the comment is as ever."""
    metric = "pods: {metric: {name: jobs}, target: {type: AverageValue, averageValue: 5}}"
    other = _AUTOSCALER + f"  - type: Pods\n    {metric}\n"
    root = _changed(tmp_path / "shop", hpa=other)
    _recorded(tmp_path, monkeypatch)
    said = run_envc(root, "pr", "comment", "--dry-run", "--from", "main", "--recorded")
    assert said.code == 0, said.err
    assert "is not replayed: `the autoscaler reads jobs, which usage in blue has not`" in said.out
    monkeypatch.setenv("ENVC_HISTORY_URL", f"sqlite:///{tmp_path}/none.db")
    said = run_envc(root, "pr", "comment", "--dry-run", "--from", "main", "--recorded")
    assert said.code == 0, said.err
    assert "is not replayed" in said.out
    assert "averageValue" in said.out
