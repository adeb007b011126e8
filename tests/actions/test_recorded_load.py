"""What a watcher recorded of a workload's pods is a load."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions.recorded_load import RecordedLoad
from envcompile.errors import UsageError
from envcompile.history.database import connect
from envcompile.history.live import LiveStore
from envcompile.history.livetimes import SECOND, Measured, TimeStore
from envcompile.model import ResourceId
from envcompile.scaling.loads import kills, per_second
from tests.history.clusters import DEPLOYMENTS, PODS, START, Filled, deployment, owned

if TYPE_CHECKING:
    from pathlib import Path

WEB = ResourceId("apps", "Deployment", "shop", "web")
FIRST = datetime(2026, 3, 6, 18, tzinfo=UTC)
UNTIL = FIRST + timedelta(minutes=10)


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history in which two pods of a workload were measured for ten minutes, and one of another."""
    url = f"sqlite:///{tmp_path}/history.db"
    monkeypatch.setenv("ENVC_HISTORY_URL", url)
    start = int(FIRST.timestamp()) * SECOND
    rows = [
        Measured("shop", pod, "web", workload, start + (30 * step + late) * SECOND, 250.0 * pods, 100 * pods)
        for step in range(20)
        for pod, workload, late, pods in (
            ("web-1", "Deployment/web", 2, 1),
            ("web-2", "Deployment/web", 9, 2),
            ("db-0", "StatefulSet/db", 0, 9),
        )
    ]
    with closing(connect(url)) as database:
        TimeStore(database).add_usage(LiveStore(database).cluster("blue", "https://127.0.0.1:1", start), rows)
    return tmp_path


def test_usage_of_all_pods_is_summed(watched: Path) -> None:
    """Cores and bytes, of each minute the average."""
    load = RecordedLoad(watched, None, WEB, UNTIL, timedelta(days=1)).load()
    assert (load.source, load.start, load.notes) == ("usage in blue", FIRST, ())
    assert per_second(load, "cpu").tolist() == [0.75] * 40
    assert per_second(load, "memory").tolist() == [300.0] * 40


def test_nothing_of_it_was_recorded(watched: Path) -> None:
    """Neither of another workload nor before."""
    with pytest.raises(UsageError, match="no usage of Deployment/api in shop"):
        RecordedLoad(watched, "blue", WEB._replace(name="api"), UNTIL, timedelta(days=1)).load()
    with pytest.raises(UsageError, match="no usage of Deployment/web"):
        RecordedLoad(watched, "blue", WEB, FIRST, timedelta(days=1)).load()
    with pytest.raises(UsageError, match="no cluster `green`"):
        RecordedLoad(watched, "green", WEB, UNTIL, timedelta(days=1)).load()


def _with_status(pod: dict[str, Any], version: int, restarts: int, reason: str = "") -> dict[str, Any]:
    """A pod as the kubelet tells of it."""
    status: dict[str, Any] = {"name": "web", "ready": True, "restartCount": restarts, "image": "nginx"}
    if reason:
        status["lastState"] = {"terminated": {"reason": reason, "exitCode": 137, "finishedAt": "2026-03-06T18:00:00Z"}}
    metadata = {**pod["metadata"], "resourceVersion": str(version)}
    return {**pod, "metadata": metadata, "status": {"containerStatuses": [status]}}


def test_kills_for_memory_and_changed_requests_are_told(watched: Path) -> None:
    """Restarts for another reason are none, nor is what was before the first look."""
    begin = (int(FIRST.timestamp()) * SECOND - START) / SECOND / 60
    filled = Filled(f"sqlite:///{watched}/history.db")
    filled.cluster = filled.store.cluster("blue", "https://127.0.0.1:1", START)
    pod = owned("Pod", "web-1", "uid-shop-web")
    seen = [(1, 4, "OOMKilled"), (2, 5, "OOMKilled"), (3, 6, "Error"), (4, 8, "OOMKilled")]
    for version, restarts, reason in seen:
        filled.see(PODS, [_with_status(pod, version, restarts, reason)], begin + version)
    for version, cpu in ((1, "500m"), (2, "500m"), (3, "1")):
        web = deployment("web", version, replicas=version)
        web["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": cpu}}
        filled.see(DEPLOYMENTS, [web], begin + version)
    filled.close()
    load = RecordedLoad(watched, "blue", WEB, UNTIL, timedelta(days=1)).load()
    assert kills(load).tolist() == [0, 0, 1, 0, 2, 0, 0, 0, 0, 0]
    assert load.notes == ("requests of app cpu were 500m until 2026-03-06T18:03:00+00:00, then 1: usage counts alike",)
