"""What a watcher recorded of a workload's pods is a load."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.recorded_load import RecordedLoad
from envcompile.errors import UsageError
from envcompile.history.database import connect
from envcompile.history.live import LiveStore
from envcompile.history.livetimes import SECOND, Measured, TimeStore
from envcompile.model import ResourceId
from envcompile.scaling.loads import per_second

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
