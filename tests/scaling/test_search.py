"""The search finds what is cheaper without more shortage, and stays within its bounds."""

from __future__ import annotations

import numpy as np
import pytest

from envcompile.scaling.columns import Column, Columns
from envcompile.scaling.effect import Effect, effect_of, lacking
from envcompile.scaling.hpa.pods import Container
from envcompile.scaling.hpa.spec import Autoscaler, Metric, MetricKind, TargetKind
from envcompile.scaling.podworld import Share, Startup, Workload
from envcompile.scaling.search import Bounds, Case, floored, scaled, search

_WORKLOAD = Workload(
    2, (Share(Container("web", {"cpu": 1000}), {"cpu": 100}),), Startup(pending=15, ready=30, metrics=30, window=30)
)


def _case(demand: list[float]) -> Case:
    """A load in cores, one value for each minute."""
    cores = np.repeat(np.array(demand), 4)
    return Case(_WORKLOAD, Columns(len(cores), {"cpu": Column((cores * 1e9).astype(np.int64))}), cores, 1.0, 45)


def _days(count: int = 2) -> list[float]:
    """Quiet, then busy in the evening, with a slow rise and fall."""
    minutes = np.arange(count * 1440) % 1440
    evening = np.clip((minutes - 1080) / 120, 0, 1) * np.clip((1420 - minutes) / 60, 0, 1)
    found: list[float] = (1.5 + 10 * evening).tolist()
    return found


def test_capacity_is_there_once_pods_serve() -> None:
    """A rise counts after the start, a fall at once, and a rise that is taken back before never."""
    sizes = np.array([1, 3, 3, 3, 3, 1, 4, 1, 1, 1])
    demand = np.full(10, 3.0)
    assert lacking(sizes, demand, 1.0, 30).tolist() == [2, 2, 2, 0, 0, 2, 2, 2, 2, 2]


def test_an_effect_sums_hours_minutes_and_sizes() -> None:
    """A hundredth of the load may go unnoticed."""
    sizes = np.full(240, 2)
    demand = np.concatenate([np.full(120, 1.0), np.full(80, 3.0), np.full(40, 2.01)])
    effect = effect_of(sizes, demand, 1.0, 0, 0.01)
    assert (effect.pod_hours, effect.shortage_minutes, effect.largest) == (2.0, 20.0, 2)
    assert effect.shortage == pytest.approx(20 + 0.1)


def test_the_search_is_cheaper_without_more_shortage() -> None:
    """It says how many settings it replayed."""
    case, now = _case(_days()), Autoscaler(30, 6, (Metric(MetricKind.RESOURCE, "cpu", TargetKind.UTILIZATION, 50),))
    before = case.effect(now)
    found = search(case, now, Bounds(2, 100), before)
    assert found.effect.no_worse_than(before)
    assert found.effect.pod_hours < 0.75 * before.pod_hours
    assert found.effect == case.effect(found.autoscaler)
    assert found.tried > 10


@pytest.mark.parametrize("bounds", [Bounds(1, 9), Bounds(4, 100), Bounds(3, 3)])
def test_the_search_stays_within_its_bounds(bounds: Bounds) -> None:
    """Budgets and quotas are not for it to break."""
    case, now = _case(_days()), Autoscaler(30, 6)
    found = search(case, now, bounds, case.effect(now)).autoscaler
    assert bounds.least <= found.min_replicas <= found.max_replicas <= bounds.most


def test_where_nothing_suffices_the_least_shortage_is_found() -> None:
    """A maximum that is too small is raised first."""
    case = _case(_days())
    now = Autoscaler(4, 2)
    nothing = Effect(0.0, 0.0, 0.0, 0)
    found = search(case, now, Bounds(2, 100), nothing)
    assert found.autoscaler.max_replicas > 10
    assert found.effect.shortage < 0.05 * case.effect(now).shortage


def test_a_floor_has_pods_before_the_load() -> None:
    """The metric of a floor is one more of the autoscaler's; the largest of all counts."""
    demand = [1.0] * 60 + [10.0] * 60 + [1.0] * 60
    case, now = _case(demand), Autoscaler(30, 2)
    floor = np.zeros(len(case.demand))
    floor[4 * 55 : 4 * 65] = 12
    alone, with_floor = case.effect(now), case.with_floor(floor).effect(floored(now))
    assert alone.shortage > 5
    assert with_floor.shortage == 0


def test_a_target_moves_what_is_counted_per_pod_with_it() -> None:
    """Both say how full a pod may be; memory's target does not."""
    now = Autoscaler(
        30,
        2,
        (
            Metric(MetricKind.RESOURCE, "cpu", TargetKind.UTILIZATION, 70),
            Metric(MetricKind.RESOURCE, "memory", TargetKind.UTILIZATION, 80),
            Metric(MetricKind.PODS, "requests", TargetKind.AVERAGE_VALUE, 100_000),
        ),
    )
    assert [metric.target for metric in scaled(now, 84).metrics] == [84, 80, 120_000]
