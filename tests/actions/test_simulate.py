"""A compiled workload is replayed with what scales it in its environment."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from envcompile.actions.simulate import Asked, simulate
from envcompile.errors import EnvcError, UsageError
from envcompile.scaling.loads import cleaned
from envcompile.units.project import Project
from tests.harness.repository import environment, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.actions.simulate import Simulation
    from envcompile.scaling.loads import Load

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: nginx:1.27
        resources: {requests: {cpu: 500m, memory: 1Gi}}
        readinessProbe: {httpGet: {path: /, port: 80}, initialDelaySeconds: 5, periodSeconds: 5}
"""
HPA = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  minReplicas: 2
  maxReplicas: 8
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}
"""
SCALED = """\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web}
spec:
  scaleTargetRef: {name: web}
  minReplicaCount: MIN
  maxReplicaCount: 9
  triggers:
  - {type: kafka, name: lag, metadata: {lagThreshold: '10'}}
  - type: cron
    metadata: {timezone: UTC, start: 30 18 * * *, end: 0 19 * * *, desiredReplicas: '6'}
"""
PRICES = """\
apiVersion: envcompile.dev/v1
kind: Prices
name: Contract
source: https://example.com/contract
asOf: 2026-03-01
currency: EUR
rates: [{cpuCoreHour: 2, memoryGibHour: 1}]
"""
DAY = date(2026, 3, 7)


class Recorded:
    """A load of 80 minutes that begins at 18:00."""

    def __init__(self, **columns: list[float]) -> None:
        self.columns = columns

    def load(self) -> Load:
        """Give it, one row a minute."""
        first = int(np.datetime64("2026-03-06T18:00", "ms").astype(np.int64))
        rows = len(next(iter(self.columns.values())))
        times = first + 60_000 * np.arange(rows, dtype=np.int64)
        return cleaned("recorded", times, {name: np.array(values) for name, values in self.columns.items()})


EVENING = [0.6] * 20 + [3.0] * 30 + [0.6] * 30


def run(root: Path, scaler: str, load: Recorded, asked: Asked | None = None) -> Simulation:
    """Simulate the workload with a scaler."""
    write_files(
        root,
        {
            "base/web/web.yaml": WEB,
            "base/web/scaler.yaml": scaler or "# nothing\n",
            "overlays/prod/environment.yaml": environment("namespace: prod\n"),
            "prices.yaml": PRICES,
        },
    )
    project = Project.open(root)
    return simulate(project, "prod", "deployment/web", lambda _: load, asked or Asked({}), DAY)


def test_the_autoscaler_follows_the_load(tmp_path: Path) -> None:
    """Up at once, down after its window; the rise finds too few pods until new ones are ready."""
    found = run(tmp_path, HPA, Recorded(cpu=EVENING))
    (course,) = found.courses
    assert (found.capacity.column, found.capacity.per_pod) == ("cpu", 0.5)
    assert (course.label, course.smallest, course.effect.largest) == ("as configured", 2, 8)
    assert course.sizes[80:100].max() == 8
    # 2 -> 4 -> 8 in two reconciliations, and 15 seconds until a pod is ready.
    assert 0 < course.effect.shortage_minutes <= 2
    assert course.worst == pytest.approx(2)
    assert course.sizes[200] == 8
    assert course.sizes[-1] == 2
    assert not course.is_exact


def test_costs_are_requests_times_prices(tmp_path: Path) -> None:
    """Half a core and a GiB for an hour are 2 EUR by the project's own list."""
    found = run(tmp_path, "", Recorded(cpu=[0.1] * 60))
    (course,) = found.courses
    assert found.scaler is None
    assert (course.effect.pod_hours, course.cost, course.cost_a_month) == (2.0, 4.0, 2920.0)
    assert found.prices.currency == "EUR"


def test_two_settings_side_by_side(tmp_path: Path) -> None:
    """Fields of the autoscaler and of the workload; the sources stay as they are."""
    asked = Asked({}, sets=["maxReplicas=4", "spec.metrics[0].resource.target.averageUtilization=90"])
    one, other = run(tmp_path, HPA, Recorded(cpu=EVENING), asked).courses
    assert other.label == "maxReplicas=4, spec.metrics[0].resource.target.averageUtilization=90"
    assert (one.effect.largest, other.effect.largest) == (8, 4)
    assert other.effect.shortage_minutes > one.effect.shortage_minutes
    requests = "spec.template.spec.containers[name=web].resources.requests.cpu=1"
    one, other = run(tmp_path, HPA, Recorded(cpu=EVENING), Asked({}, [requests], ["minReplicas=3"])).courses
    assert (one.label, one.smallest, other.smallest) == ("minReplicas=3", 3, 2)
    assert other.effect.largest < one.effect.largest
    assert "maxReplicas: 8" in (tmp_path / "base/web/scaler.yaml").read_text(encoding="utf-8")


def test_fixed_replicas(tmp_path: Path) -> None:
    """They may be set, too."""
    one, other = run(tmp_path, "", Recorded(cpu=EVENING), Asked({}, ["spec.replicas=6"])).courses
    assert (one.effect.shortage_minutes, other.effect.shortage_minutes) == (30, 0)
    with pytest.raises(UsageError, match="nothing scales Deployment/web"):
        run(tmp_path, "", Recorded(cpu=EVENING), Asked({}, ["maxReplicas=6"]))


def test_a_scaled_object_with_a_cron_window(tmp_path: Path) -> None:
    """The window is a floor; KEDA's autoscaler alone decides while nothing goes to zero."""
    lag = [10.0] * 20 + [85.0] * 5 + [10.0] * 55
    asked = Asked({}, capacity="lag=20")
    (course,) = run(tmp_path, SCALED.replace("MIN", "1"), Recorded(lag=lag), asked).courses
    assert course.effect.largest == 9
    assert set(course.sizes[150:230].tolist()) == {6}
    assert course.sizes[-1] == 1
    assert not course.is_exact


def test_a_scaled_object_that_goes_to_zero(tmp_path: Path) -> None:
    """After the cooldown, from the first poll on."""
    lag = [10.0] * 5 + [0.0] * 20
    asked = Asked({}, capacity="lag=20")
    (course,) = run(tmp_path, SCALED.replace("MIN", "0"), Recorded(lag=lag), asked).courses
    assert course.sizes[-1] == 0
    assert course.is_exact


def test_what_pods_use_whatever_the_load_is(tmp_path: Path) -> None:
    """Memory of each pod above its target holds the size at the maximum."""
    memory = "  - type: Resource\n    resource: {name: memory, target: {type: Utilization, averageUtilization: 80}}\n"
    load = Recorded(cpu=[0.1] * 30)
    (course,) = run(tmp_path, HPA + memory, load, Asked({"memory": "950Mi/pod"})).courses
    assert course.sizes[-1] == 8
    (course,) = run(tmp_path, HPA + memory, load, Asked({"memory": "500Mi/pod"})).courses
    assert course.sizes[-1] == 2


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (Asked({}, ["maxReplicas"]), "sets no field"),
        (Asked({}, ["maxreplicas=4"]), "no field maxreplicas"),
        (Asked({}, ["nonsense=1"]), "it has behavior, maxReplicas"),
        (Asked({}, ["behavior.scaledown.tolerance=0.1"]), "did you mean `scaleDown`"),
        (Asked({}, ["maxReplicas=abc"]), "maxReplicas"),
        (Asked({}, ["maxReplicas=0"]), "maxReplicas"),
        (Asked({}, ["maxReplicas=[1"]), "no value of maxReplicas"),
        (Asked({}, ["maxReplicas=1"]), "maxReplicas is 1"),
        (Asked({}, ["maxReplicas.x=1"]), "inside of a plain value"),
        (Asked({}, ["metrics[3].type=Pods"]), "the list has no item 3"),
        (Asked({}, capacity="cpu"), "is no capacity"),
        (Asked({}, capacity="cpu=none"), "no quantity"),
        (Asked({}, capacity="lag=3"), "has no column lag"),
        (Asked({"cpu": "rps*2"}), "has no column rps"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, asked: Asked, told: str) -> None:
    """Before anything is computed."""
    with pytest.raises(EnvcError, match=told):
        run(tmp_path, HPA, Recorded(cpu=EVENING), asked)


@pytest.mark.parametrize("cpu", [[0.5], [float("nan")] * 100])
def test_a_load_of_next_to_nothing_is_refused(tmp_path: Path, cpu: list[float]) -> None:
    """A month's costs are not made of a row, and what is unknown is no load of zero."""
    with pytest.raises(UsageError, match="minutes of known cpu, too little to replay"):
        run(tmp_path, HPA, Recorded(cpu=cpu))


def test_a_metric_that_the_load_has_not(tmp_path: Path) -> None:
    """All of them are told, with how to say where they are."""
    more = "  - type: Pods\n    pods: {metric: {name: rps}, target: {type: AverageValue, averageValue: '5'}}\n"
    with pytest.raises(UsageError, match="reads rps, which recorded has not") as caught:
        run(tmp_path, HPA + more, Recorded(cpu=EVENING))
    assert "--column rps=COLUMN" in str(caught.value)


def test_two_scalers_are_one_too_many(tmp_path: Path) -> None:
    """Which of them decides is nobody's to say."""
    other = HPA.replace("name: web}\nspec", "name: other}\nspec")
    with pytest.raises(UsageError, match="is scaled by HorizontalPodAutoscaler/other and"):
        run(tmp_path, f"{HPA}---\n{other}", Recorded(cpu=EVENING))


def test_what_has_no_replicas(tmp_path: Path) -> None:
    """Cannot be simulated."""
    write_files(
        tmp_path,
        {
            "base/web/web.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n",
            "overlays/prod/environment.yaml": environment("namespace: prod\n"),
        },
    )
    with pytest.raises(UsageError, match="has no replicas"):
        simulate(Project.open(tmp_path), "prod", "configmap/web", lambda _: Recorded(cpu=EVENING), Asked({}), DAY)
