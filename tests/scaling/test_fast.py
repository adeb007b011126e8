"""The fast replay gives the sizes of the exact one, and says what it cannot do."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from envcompile.scaling import fast
from envcompile.scaling.columns import Column, Columns
from envcompile.scaling.fast import fast_replay, not_covered
from envcompile.scaling.hpa.pods import Container
from envcompile.scaling.hpa.spec import ControllerFlags, autoscaler_of
from envcompile.scaling.podworld import ReplayInput, Share, Startup, Workload
from envcompile.scaling.replay import replay
from tests.scaling.hpa.scenarios import recorded, scenario_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.scaling.hpa.spec import Autoscaler
    from envcompile.scaling.podworld import Series
    from tests.scaling.hpa.scenarios import Scenario

ANSWERS = {line["id"]: [step["desired"] for step in line["steps"]] for line in recorded("answers")}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
RATE = {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"averageValue": "100"}}}
LAG = {"type": "External", "external": {"metric": {"name": "lag"}, "target": {"averageValue": "30"}}}
BUSY = {"type": "Object", "object": {"metric": {"name": "rps"}, "target": {"type": "Value", "value": "400"}}}
CAREFUL: dict[str, Any] = {
    "scaleUp": {
        "policies": [
            {"type": "Percent", "value": 100, "periodSeconds": 15},
            {"type": "Pods", "value": 4, "periodSeconds": 15},
        ],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 120,
        "policies": [
            {"type": "Percent", "value": 50, "periodSeconds": 60},
            {"type": "Pods", "value": 2, "periodSeconds": 60},
        ],
        "selectPolicy": "Min",
    },
}
"""Its longer period looks at events that the other direction's list gives away."""
WORKLOAD = Workload(3, (Share(Container("app", {"cpu": 500}), {}),), Startup(0, 5, 25, 30, 15, 15, 30))


def column_of(values: Sequence[int | None], idle: int = 0, burn: int = 0) -> Column:
    """A column of a list, in which None is unknown."""
    known = np.array([value is not None for value in values], dtype=bool)
    filled = np.array([0 if value is None else value for value in values], dtype=np.int64)
    return Column(filled, None if known.all() else known, idle, burn)


def columns_of(scenario: Scenario) -> Columns:
    """The loads of a scenario as arrays."""
    demand = scenario.given.demand

    def shared(group: Mapping[str, Series]) -> dict[str, Column]:
        return {name: column_of(one.total, one.idle, one.burn) for name, one in group.items()}

    return Columns(
        scenario.given.samples,
        shared(demand.resources),
        shared(demand.pods),
        {name: column_of(one) for name, one in demand.objects.items()},
        {name: column_of([sum(row) if row else None for row in one]) for name, one in demand.external.items()},
    )


def covered() -> list[tuple[dict[str, Any], Scenario, Columns]]:
    """The scenarios that the fast replay can do: its loads are shared evenly, and nothing breaks or is edited."""
    found = []
    for line in recorded("scenarios"):
        scenario = scenario_of(line)
        demand = scenario.given.demand
        shared = [*demand.resources.values(), *demand.pods.values()]
        is_even = all(set(one.skew) <= {100} for one in shared)
        if not is_even or scenario.edits or scenario.given.spells or scenario.fetch_ms or "extremes" in line["tags"]:
            continue
        columns = columns_of(scenario)
        if not not_covered(scenario.given.workload, scenario.autoscaler, columns, scenario.flags):
            found.append((line, scenario, columns))
    return found


@pytest.mark.parametrize("steps", [7, 13, 360])
def test_every_covered_scenario_is_the_controllers(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However short the lanes are that time is cut into."""
    monkeypatch.setattr(fast, "_STEPS_OF_A_LANE", steps)
    monkeypatch.setattr(fast, "_CHECKED_EACH", 3)
    scenarios = covered()
    assert len(scenarios) == 149
    assert not [
        line["id"]
        for line, scenario, columns in scenarios
        if fast_replay(scenario.given.workload, scenario.autoscaler, columns, scenario.flags).tolist()
        != ANSWERS[line["id"]]
    ]


def waves(samples: int, seed: int) -> Columns:
    """A restless load with gaps: what several metrics see of it."""
    rng = random.Random(seed)
    level, values = 4.0, []
    for _ in range(samples):
        level = min(60.0, max(0.2, level * rng.uniform(0.7, 1.42)))
        values.append(level * rng.uniform(0.9, 1.1))
    cpu = [None if rng.random() < 0.01 else int(value * 350_000_000) for value in values]
    return Columns(
        samples,
        {"cpu": column_of(cpu, idle=5_000_000, burn=300_000_000)},
        {"rps": column_of([int(value * 80_000) for value in values])},
        {"rps": column_of([int(value * 90_000) for value in values])},
        {"lag": column_of([None if rng.random() < 0.02 else int(max(0, value - 6) * 30_000) for value in values])},
    )


SETTINGS: dict[str, dict[str, Any]] = {
    "no behavior": {"minReplicas": 2, "maxReplicas": 60, "metrics": [CPU]},
    "events are lost": {"minReplicas": 2, "maxReplicas": 60, "metrics": [CPU, RATE], "behavior": CAREFUL},
    "up is careful": {
        "minReplicas": 2,
        "maxReplicas": 60,
        "metrics": [CPU],
        "behavior": {
            "scaleUp": {
                "stabilizationWindowSeconds": 45,
                "policies": [{"type": "Pods", "value": 3, "periodSeconds": 90}],
                "tolerance": "0.05",
            }
        },
    },
    "never down": {
        "minReplicas": 2,
        "maxReplicas": 60,
        "metrics": [CPU],
        "behavior": {"scaleDown": {"selectPolicy": "Disabled"}},
    },
    "to zero": {"minReplicas": 0, "maxReplicas": 60, "metrics": [LAG]},
    "a value": {"minReplicas": 2, "maxReplicas": 60, "metrics": [BUSY, CPU]},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_lanes_meet_over_a_long_replay(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one lane hands on to the next is all that there is to remember."""
    monkeypatch.setattr(fast, "_STEPS_OF_A_LANE", 60)
    monkeypatch.setattr(fast, "_CHECKED_EACH", 5)
    autoscaler, columns = autoscaler_of(SETTINGS[name]), waves(1_500, 7)
    assert not not_covered(WORKLOAD, autoscaler, columns)
    exact = [step.decision.desired for step in replay(ReplayInput(WORKLOAD, columns.demand(), 1_500), autoscaler)]
    assert fast_replay(WORKLOAD, autoscaler, columns).tolist() == exact
    assert len(set(exact)) > 5 or name == "never down"


def test_a_year_at_15_seconds_takes_less_than_a_second() -> None:
    """Of processor time, so that a search can try a hundred settings in a minute or two."""
    samples = 4 * 525_600
    minutes = np.arange(525_600)
    day = 1 + 6 * np.exp(-(((minutes % 1440) - 1290) ** 2) / 8000) + 0.2 * np.sin(minutes / 7)
    noise = np.random.default_rng(5).normal(1, 0.05, 525_600)
    cpu = np.repeat((day * noise * 1e9).astype(np.int64), 4)
    autoscaler = autoscaler_of({"minReplicas": 3, "maxReplicas": 100, "metrics": [CPU], "behavior": CAREFUL})
    columns = Columns(samples, {"cpu": Column(cpu)})
    took = []
    for _ in range(3):
        started = time.process_time()
        sizes = fast_replay(WORKLOAD, autoscaler, columns)
        took.append(time.process_time() - started)
    assert len(sizes) == samples
    assert sizes.max() > 2 * sizes.min()
    assert min(took) < 1


@pytest.mark.parametrize(
    ("workload", "flags", "spec", "told"),
    [
        (WORKLOAD, ControllerFlags(sync_period_seconds=10), {}, "grid"),
        (Workload(90, WORKLOAD.containers), ControllerFlags(), {}, "outside of the autoscaler's bounds"),
        (Workload(3, (), Startup(terminate=30)), ControllerFlags(), {"metrics": [BUSY]}, "type Value"),
        (Workload(3, ()), ControllerFlags(), {}, "no containers"),
    ],
)
def test_what_only_the_exact_replay_can_do_is_said(
    workload: Workload, flags: ControllerFlags, spec: dict[str, Any], told: str
) -> None:
    """In words, before anything is computed."""
    autoscaler: Autoscaler = autoscaler_of({"maxReplicas": 60, "metrics": [CPU]} | spec)
    assert told in not_covered(workload, autoscaler, Columns(4), flags)


def test_a_negative_load_is_for_the_exact_replay() -> None:
    """Whole numbers below zero are divided otherwise."""
    columns = Columns(2, {"cpu": column_of([5, -5])})
    assert "below zero" in not_covered(WORKLOAD, autoscaler_of({"maxReplicas": 60}), columns)
