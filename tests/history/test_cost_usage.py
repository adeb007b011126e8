"""Usage that was watched is billed where it is more than requested."""

from __future__ import annotations

import time
from contextlib import closing
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.cost_usage import observed_of, with_usage
from envcompile.cost.prices import DEFAULT, Facts, Observed
from envcompile.errors import UsageError
from envcompile.history.live import LiveStore
from envcompile.history.livereading import LiveReader, Used
from envcompile.history.livetimes import Measured, TimeStore
from tests.harness.command import run_envc
from tests.history.test_cost_history import web

if TYPE_CHECKING:
    from tests.history.conftest import Folder

SECOND = 1_000_000


def used(pod: str, at: int, cpu: float, memory: int, container: str = "web") -> Used:
    """What a container of a pod used."""
    return Used("production", pod, container, "Deployment/web", at, cpu, cpu, memory, memory, 1)


def test_averages_are_of_one_pod() -> None:
    """Two pods, then one; a second container belongs to its pod: 1200 thousandths and 600 bytes over three pods."""
    rows = [used("a", 1, 500, 100), used("a", 1, 100, 100, "proxy"), used("b", 1, 300, 100), used("a", 2, 300, 300)]
    assert observed_of(rows) == {"deployment/web": Observed(Fraction(3, 2), Fraction(4, 10), Fraction(200))}
    assert observed_of([used("a", 1, 1, 1)._replace(workload="")]) == {}


def test_watched_pods_are_billed(folder: Folder) -> None:
    """More than requested, and as many as there were; what the file of prices says of a workload wins."""
    folder.commit("start", base__web=web(2, "500m"))
    now = int(time.time())
    with closing(folder.past()) as past:
        database = past.store.database
        with pytest.raises(UsageError, match="no cluster was watched"):
            with_usage(DEFAULT, database, {}, now)
        cluster = LiveStore(database).cluster("prod-cluster", "https://prod", now * SECOND)
        rows = [
            Measured("production", pod, "web", "Deployment/web", (now - 60) * SECOND, 750.0, 2**29)
            for pod in ("a", "b")
        ]
        TimeStore(database).add_usage(cluster, rows)
        assert LiveReader(database).clusters()
        wanted = {"prod": ("", frozenset({"production"})), "dev": ("other", frozenset({"production"}))}
        found = with_usage(DEFAULT, database, wanted, now)
        known = found.facts_of("prod").observed["deployment/web"]
        assert known == Observed(Fraction(2), Fraction(3, 4), Fraction(2**29))
        assert found.facts_of("dev").observed == {}
        own = DEFAULT._replace(facts={"prod": Facts(observed={"deployment/web": Observed(cpu=Fraction(1))})})
        assert with_usage(own, database, wanted, now).facts_of("prod").observed["deployment/web"].cpu == 1
    # 2 x (0.75 x 23.07603 + 0.5 x 3.09301) = 37.707055; without usage 23.07603
    assert "prod: 37.71 USD a month" in run_envc(folder.root, "cost", "prod", "--used").out
    assert "prod: 23.08 USD a month" in run_envc(folder.root, "cost", "prod").out
