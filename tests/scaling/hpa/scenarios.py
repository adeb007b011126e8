"""Scenarios of autoscaling, and what the real controller answered, as `tests/oracles/hpa` has both."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.scaling.hpa.pods import Container
from envcompile.scaling.hpa.spec import ControllerFlags, autoscaler_of
from envcompile.scaling.podworld import Demand, ReplayInput, Series, Share, Spell, Startup, Workload
from envcompile.scaling.quantities import milli
from envcompile.scaling.replay import Edit, replay

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.scaling.hpa.proposal import Current
    from envcompile.scaling.hpa.spec import Autoscaler
    from envcompile.scaling.replay import Reconciliation

FOLDER = Path(__file__).parent


class Scenario(NamedTuple):
    """One scenario, ready to be replayed."""

    given: ReplayInput
    autoscaler: Autoscaler
    flags: ControllerFlags
    edits: tuple[Edit, ...]
    fetch_ms: int

    def steps(self, *, edits_first: bool = False) -> Iterator[Reconciliation]:
        """Replay it."""
        return replay(*self, edits_first=edits_first)


def recorded(name: str) -> list[dict[str, Any]]:
    """The lines of one of the two files."""
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def scenario_of(line: Mapping[str, Any]) -> Scenario:
    """Read one line of the scenarios."""
    given, pods, load = line["controller"], line["workload"], line["load"]
    workload = Workload(
        pods["replicas"],
        tuple(
            Share(Container(one["name"], _requests(one.get("requests"))), one.get("share") or {})
            for one in pods["containers"]
        ),
        Startup(
            create=pods["createDelay"],
            pending=pods["pending"],
            ready=pods["ready"],
            metrics=pods["metrics"],
            terminate=pods["terminate"],
            metric_lag=pods["metricLag"],
            window=pods["window"],
        ),
        _requests(pods["podRequests"]) if pods.get("podRequests") else None,
    )
    demand = Demand(
        {name: _series(one) for name, one in load["resource"].items()},
        {name: _series(one) for name, one in load["pods"].items()},
        load["object"],
        load["external"],
    )
    spells = tuple(Spell(one["from"], one["to"], frozenset(one["pods"]), one["set"]) for one in line["overrides"])
    flags = ControllerFlags(
        given["tolerance"],
        given["downscaleStabilizationSeconds"],
        given["cpuInitializationPeriodSeconds"],
        given["initialReadinessDelaySeconds"],
        given["syncPeriodSeconds"],
    )
    edits = tuple(
        Edit(one["at"] * 1000, one.get("replicas"), autoscaler_of(one["hpa"]) if one.get("hpa") else None)
        for one in line["edits"]
    )
    replayed = ReplayInput(workload, demand, line["steps"], spells)
    return Scenario(replayed, autoscaler_of(line["hpa"]), flags, edits, given["metricLatencyMs"])


def answer_of(step: Reconciliation) -> dict[str, Any]:
    """A step as the recorded answers write it."""
    decision = step.decision
    return {
        "t": step.at,
        "spec": step.spec,
        "status": step.status,
        "pods": list(step.pods),
        "proposed": decision.proposed,
        "metric": decision.metric,
        "desired": decision.desired,
        "reason": decision.reason,
        "able": decision.conditions.able,
        "active": decision.conditions.active,
        "limited": decision.conditions.limited,
        "zero": decision.conditions.zero,
        "current": None if decision.current is None else [_row(row) for row in decision.current],
    }


def _row(row: Current) -> list[int | None]:
    return list(row)


def _requests(requests: Mapping[str, str] | None) -> dict[str, int]:
    return {name: milli(value) for name, value in (requests or {}).items()}


def _series(one: Mapping[str, Any]) -> Series:
    return Series(one["total"], one["idle"], one["burn"], tuple(one["skew"] or ()))
