"""Recorded series through the recommender: settings, policies and events as `data/README.md` describes them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from envcompile.scaling.quantities import amount_of as quantity
from envcompile.scaling.vpa.recommender import RESOURCES, Estimation, Percentiles, Policy, Recommender
from envcompile.scaling.vpa.usage import Aggregation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.scaling.vpa.recommender import Amounts, ResourceName

DATA: Final = Path(__file__).parent / "data"
_KINDS: Final[Mapping[str, Any]] = {"c": "cpu", "m": "memory", "o": "oom"}


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON lines of a packed file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


class Report:
    """What the recommender says at one moment."""

    def __init__(self, recommender: Recommender, estimation: Estimation, start: int) -> None:
        """Ask the recommender."""
        self.refused = recommender.refused
        self.amounts: dict[str, dict[ResourceName, Amounts]] = recommender.recommend(estimation)
        self.seen = {
            name: (
                of.samples,
                None if of.first is None else of.first - start,
                None if of.last is None else of.last - start,
            )
            for name, of in recommender.aggregates.items()
        }
        self.percentiles = {
            name: {part: (of.cpu.percentile(part), of.memory.percentile(part)) for part in (0.5, 0.9, 0.95, 1.0)}
            for name, of in recommender.aggregates.items()
        }


def replay(series: Mapping[str, Any]) -> list[Report]:
    """Play all events of a series; what was reported."""
    settings = series["settings"]
    aggregation, estimation = _aggregation(settings), _estimation(settings)
    recommender = Recommender(aggregation, policies=_policies(series["policy"], settings))
    start = series["start"]
    reports = []
    for kind, at, *rest in series["events"]:
        if kind == "r":
            reports.append(Report(recommender, estimation, start))
        elif kind == "d":
            recommender.forget_pod(rest[0])
        else:
            pod, container, value = rest
            recommender.add(_KINDS[kind], start + at, pod, container, value)
    return reports


def _hours(text: str | None, otherwise: float) -> float:
    return float(text.removesuffix("h")) * 3600 if text else otherwise


def _aggregation(settings: Mapping[str, Any]) -> Aggregation:
    given = Aggregation()
    return Aggregation(
        cpu_half_life=_hours(settings.get("cpu-histogram-decay-half-life"), given.cpu_half_life),
        memory_half_life=_hours(settings.get("memory-histogram-decay-half-life"), given.memory_half_life),
        memory_interval=_hours(settings.get("memory-aggregation-interval"), given.memory_interval),
        oom_ratio=settings.get("oom-bump-up-ratio", given.oom_ratio),
        oom_least=settings.get("oom-min-bump-up-bytes", given.oom_least),
    )


def _estimation(settings: Mapping[str, Any]) -> Estimation:
    given = Estimation()

    def percentiles(resource: str, otherwise: Percentiles) -> Percentiles:
        return Percentiles(
            settings.get(f"target-{resource}-percentile", otherwise.target),
            settings.get(f"recommendation-lower-bound-{resource}-percentile", otherwise.lower),
            settings.get(f"recommendation-upper-bound-{resource}-percentile", otherwise.upper),
        )

    return Estimation(
        cpu=percentiles("cpu", given.cpu),
        memory=percentiles("memory", given.memory),
        margin=settings.get("recommendation-margin-fraction", given.margin),
        least_millicores=settings.get("pod-recommendation-min-cpu-millicores", given.least_millicores),
        least_mib=settings.get("pod-recommendation-min-memory-mb", given.least_mib),
        cpu_confidence=_hours(settings.get("confidence-interval-cpu"), given.cpu_confidence),
        memory_confidence=_hours(settings.get("confidence-interval-memory"), given.memory_confidence),
        round_millicores=settings.get("round-cpu-millicores", given.round_millicores),
        round_bytes=settings.get("round-memory-bytes", given.round_bytes),
    )


def _policies(policy: Mapping[str, Any] | None, settings: Mapping[str, Any]) -> dict[str, Policy]:
    """Bounds by container, with the global maximum below them, and containers with bumps of their own."""
    most_of_all: dict[str, str] = {}
    for resource in RESOURCES:
        key = f"container-recommendation-max-allowed-{resource}"
        if key in settings:
            most_of_all[resource] = settings[key]
    policies = {"*": Policy(most=_amounts(most_of_all))} if most_of_all else {}
    for one in (policy or {}).get("containerPolicies", []):
        has_own = settings.get("PerVPAConfig") and "oomBumpUpRatio" in one
        policies[one["containerName"]] = Policy(
            _amounts(one.get("minAllowed", {})),
            _amounts({**most_of_all, **one.get("maxAllowed", {})}),
            tuple(one.get("controlledResources", RESOURCES)),
            one.get("mode") == "Off",
            float(quantity(one["oomBumpUpRatio"])) if has_own else None,
            float(quantity(one["oomMinBumpUp"])) if has_own else None,
        )
    return policies


def _amounts(of: Mapping[str, str]) -> dict[ResourceName, int]:
    return {name: int(quantity(of[name]) * (1000 if name == "cpu" else 1)) for name in RESOURCES if name in of}


def differences(series: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    """What is not as the real recommender said, to the last unit: its bucket size of 5 % is not needed."""
    found = []
    for place, (report, wanted) in enumerate(zip(replay(series), answer["reports"], strict=True)):
        said, real = _said(report, is_humanized=series["settings"].get("humanize-memory", False)), _answered(wanted)
        found += [
            f"report {place}: {name}: {said.get(name)} is not {real.get(name)}"
            for name in {**said, **real}
            if said.get(name) != real.get(name)
        ]
    return found


def _humanized(amount: int) -> Any:
    """Two decimals of the largest binary unit (`HumanizeMemoryQuantity`): a flag that is deprecated, and not ours."""
    for unit, name in ((2**40, "Ti"), (2**30, "Gi"), (2**20, "Mi"), (2**10, "Ki")):
        if amount >= unit:
            return quantity(f"{amount / unit:.2f}{name}")
    return amount


def _said(report: Report, *, is_humanized: bool) -> dict[str, Any]:
    out: dict[str, Any] = {"refused": report.refused, "containers": sorted(report.amounts)}
    for name in report.amounts:
        out[f"{name} samples"] = report.seen[name]
        out[f"{name} percentiles"] = [list(report.percentiles[name][part]) for part in (0.5, 0.9, 0.95, 1.0)]
        for resource in RESOURCES:
            amounts = list(report.amounts[name].get(resource, ()))
            is_other = is_humanized and resource == "memory"
            out[f"{name} {resource}"] = [_humanized(amount) for amount in amounts] if is_other else amounts
    return out


def _answered(wanted: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {
        "refused": wanted["discarded"],
        "containers": [one["name"] for one in wanted["containers"]],
    }
    for one in wanted["containers"]:
        name = one["name"]
        out[f"{name} samples"] = (one["samples"], one["first"], one["last"])
        out[f"{name} percentiles"] = [one[field] for field in ("p50", "p90", "p95", "p100")]
        for resource in RESOURCES:
            unit = 1000 if resource == "cpu" else 1
            fields = ("target", "lowerBound", "upperBound", "uncappedTarget")
            out[f"{name} {resource}"] = [
                quantity(one[field][resource]) * unit for field in fields if resource in one[field]
            ]
    return out
