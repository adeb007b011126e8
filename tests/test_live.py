"""`envcompile.live`: what programs may do with the history of clusters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from envcompile.errors import UsageError
from envcompile.live import LiveHistory
from tests.history.clusters import deployment, event, owned

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_program_stores_and_asks(tmp_path: Path) -> None:
    """Store, update, delete softly, events, metrics, history, statistics."""
    with LiveHistory.open(f"sqlite:///{tmp_path / 'history.db'}") as history:
        prod = history.cluster("prod")
        objects = [
            deployment("web", 1),
            owned("ReplicaSet", "web-1", "uid-shop-web"),
            owned("Pod", "p", "uid-shop-web-1"),
        ]
        assert prod.store(objects, at=NOON).created == 3
        assert prod.store(objects, at=NOON).same == 3
        assert prod.update([deployment("web", 2, replicas=4)], at=NOON + timedelta(hours=1)).changed == 1
        assert prod.delete([deployment("web", 3, replicas=4)], at=NOON + timedelta(hours=2)).gone == 1
        prod.add_events([event(1, "uid-shop-p", "BackOff", "2026-01-01T12:30:00Z")])
        usage = {"cpu": "1000172n", "memory": "1Mi"}
        pod = {"metadata": {"name": "p", "namespace": "shop"}, "timestamp": "2026-01-01T12:31:00Z"}
        prod.add_metrics([{**pod, "containers": [{"name": "app", "usage": usage}]}])
        assert history.clusters == ["prod"]
        assert [entry.what for entry in prod.history("deploy/web")] == ["gone", "changed", "seen"]
        assert [one.reason for one in prod.events("deploy/web")] == ["BackOff"]
        assert [one.object.name for one in prod.state("deploy", at=NOON + timedelta(minutes=5))] == ["web"]
        assert prod.blame("deploy/web", "spec.replicas")[0].value == 4
        (used,) = prod.metrics(workload="Deployment/web")
        assert (used.container, round(used.cpu, 3), used.memory) == ("app", 1.0, 1 << 20)
        found = prod.statistics(since=NOON, until=NOON + timedelta(days=1))
        assert (found.objects, found.created, found.changed, found.gone) == (2, 3, 1, 1)
        with pytest.raises(UsageError, match="there is no step `week`"):
            prod.metrics(step="week")
