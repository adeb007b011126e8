"""Recommended requests and autoscaler settings, as changes of an overlay with their effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from envcompile.actions.overlay_edits import Wish, edited
from envcompile.actions.prices import prices_of
from envcompile.actions.recommended_requests import requests_of, resized
from envcompile.actions.scaled_workload import HPA, scaling_of, subject_of
from envcompile.actions.scaling_bounds import bounds_of
from envcompile.actions.scaling_cases import case_of, hour_of
from envcompile.actions.scaling_remarks import load_remarks, quota_remarks, remarks_of
from envcompile.errors import EnvcError, Problem, UsageError
from envcompile.scaling.fast import fast_replay
from envcompile.scaling.hpa.spec import Behavior, TargetKind
from envcompile.scaling.podworld import SAMPLE_MS
from envcompile.scaling.search import search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date
    from pathlib import Path

    from envcompile.actions.overlay_edits import Edited
    from envcompile.actions.scaled_workload import Subject
    from envcompile.actions.scaling_remarks import Remark
    from envcompile.model import Pointer, ResourceId
    from envcompile.scaling.effect import Effect
    from envcompile.scaling.hpa.spec import Autoscaler, Rules
    from envcompile.scaling.loads import LoadSource
    from envcompile.scaling.search import Bounds
    from envcompile.units.project import Project

LEAST_DAYS: Final = 7
"""A week has a weekend; of less nothing is said."""


class Asked(NamedTuple):
    """What is asked beside the environment and the workload."""

    columns: Mapping[str, str]
    capacity: str = ""
    start_seconds: int | None = None
    least: int | None = None
    """The fewest replicas; None: two, where there are two now, and what disruption budgets need."""
    prices: Path | None = None


class Setting(NamedTuple):
    """One field that should be another."""

    resource: ResourceId
    field: str
    old: Any
    new: Any


class Recommendation(NamedTuple):
    """What is recommended for one workload."""

    environment: str
    workload: ResourceId
    scaler: ResourceId | None
    source: str
    days: float
    samples: int
    """How many rows of load were seen."""
    notes: tuple[str, ...]
    bounds: Bounds
    tried: int
    """How many settings were replayed."""
    before: Effect | None
    after: Effect | None
    hour: float | None
    """What a pod costs an hour; None without a price."""
    hour_after: float | None
    currency: str
    settings: tuple[Setting, ...]
    remarks: tuple[Remark, ...]
    files: Edited


def recommend(
    project: Project, environment: str, named: str, source: Callable[[ResourceId], LoadSource], asked: Asked, day: date
) -> Recommendation:
    """Search settings for one workload; nothing is written.

    Args:
        project: the repository.
        environment: the environment as the user named it.
        named: the workload as KIND/NAME.
        source: where the load of a workload is.
        asked: everything else.
        day: the day of which the prices are.

    Raises:
        UsageError: no such environment or workload, or the load has not what is needed.
        EnvcError: the environment does not compile, or there is too little load.
    """
    (name,) = project.choose([environment])
    linked = project.link(name)
    subject = subject_of(linked, named)
    load = source(subject.workload).load()
    days = load.samples * SAMPLE_MS / 86_400_000
    if days < LEAST_DAYS:
        what = f"{load.source} holds {days:.1f} days of load, which is too little to recommend anything"
        raise EnvcError([Problem(what, f"give at least {LEAST_DAYS} days: a week has a weekend")])
    scaling = scaling_of(subject, asked.start_seconds)
    resources = list(linked.resources())
    bounds = bounds_of(subject, scaling, resources, asked.least)
    listed = prices_of(project.tree, asked.prices)
    sheet = listed.sheet_of(name)
    hour = hour_of(scaling, sheet.at(day), sheet.factor)
    case = before = after = None
    tried = 0
    sizes = np.full(load.samples, scaling.workload.replicas, dtype=np.int64)
    remarks: tuple[Remark, ...] = ()
    if scaling.autoscaler is not None and subject.scaler is not None and subject.scaler.kind == HPA[1]:
        case = case_of(subject, scaling, load, asked.columns, asked.capacity)
        before = case.effect(scaling.autoscaler)
        sizes = fast_replay(case.first(scaling.autoscaler), scaling.autoscaler, case.columns)
        remarks = remarks_of(subject, scaling, case, sizes, before, bounds)
    requests = requests_of(subject, scaling, load, asked.columns, sizes)
    sized = resized(scaling, subject, requests)
    wishes: list[Wish] = []
    if case is not None and before is not None and scaling.autoscaler is not None and sized.autoscaler is not None:
        case = case._replace(workload=sized.workload)
        same = case.effect(sized.autoscaler)
        found = search(case, sized.autoscaler, bounds, before)
        tried = found.tried
        is_better = found.effect.pod_hours < same.pod_hours * 0.99 or not same.no_worse_than(found.effect)
        after = found.effect if is_better else same
        wishes = _of_scaler(subject, scaling.autoscaler, found.autoscaler if is_better else sized.autoscaler)
    wishes += requests
    remarks = (*remarks, *load_remarks(subject, load), *quota_remarks(subject, resources))
    settings = tuple(_setting(subject, wish) for wish in wishes)
    hour_after = hour_of(sized, sheet.at(day), sheet.factor)
    files = edited(project, name, wishes)
    project.save_memo()
    return Recommendation(
        name,
        subject.workload,
        subject.scaler,
        load.source,
        days,
        len(load.times),
        load.notes,
        bounds,
        tried,
        before,
        after,
        hour,
        hour_after,
        listed.currency,
        settings,
        remarks,
        files,
    )


def _setting(subject: Subject, wish: Wish) -> Setting:
    from envcompile.values import ABSENT, dotted, value_at

    value = subject.workload_value if wish.resource == subject.workload else subject.scaler_value
    old = value_at(value, wish.pointer)
    return Setting(wish.resource, dotted(wish.pointer), None if old is ABSENT else old, wish.value)


def _of_scaler(subject: Subject, old: Autoscaler, new: Autoscaler) -> list[Wish]:
    """The fields of a HorizontalPodAutoscaler that make it another."""
    if subject.scaler is None:
        return []
    wishes: list[tuple[Pointer, Any]] = []
    if new.min_replicas != old.min_replicas:
        wishes.append((("spec", "minReplicas"), new.min_replicas))
    if new.max_replicas != old.max_replicas:
        wishes.append((("spec", "maxReplicas"), new.max_replicas))
    for place, (was, metric) in enumerate(zip(old.metrics, new.metrics, strict=True)):
        if was.target == metric.target:
            continue
        if not (subject.scaler_value.get("spec") or {}).get("metrics"):
            target = {"type": "Utilization", "averageUtilization": metric.target}
            wishes.append((("spec", "metrics"), [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]))
            continue
        kind = metric.kind.value[0].lower() + metric.kind.value[1:]
        wishes.append((("spec", "metrics", place, kind, "target", _FIELDS[metric.target_kind]), _written(metric)))
    if new.behavior != old.behavior and new.behavior is not None:
        behavior = new.behavior
        former = old.behavior or Behavior()
        for side, rules, earlier in (("scaleUp", behavior.up, former.up), ("scaleDown", behavior.down, former.down)):
            now = _rules(earlier) if old.behavior is not None else {}
            wishes += [
                (("spec", "behavior", side, field), value)
                for field, value in _rules(rules).items()
                if now.get(field, _UNSET.get(field)) != value
            ]
    return [Wish(subject.scaler, pointer, value) for pointer, value in wishes]


_FIELDS: Final = {
    TargetKind.UTILIZATION: "averageUtilization",
    TargetKind.AVERAGE_VALUE: "averageValue",
    TargetKind.VALUE: "value",
}


def _written(metric: Any) -> Any:
    """A target as the API writes it."""
    if metric.target_kind is TargetKind.UTILIZATION:
        return metric.target
    whole, rest = divmod(metric.target, 1000)
    return f"{metric.target}m" if rest else str(whole)


_UNSET: Final = {"selectPolicy": "Max"}
"""What a field means that is not set."""


def _rules(rules: Rules) -> dict[str, Any]:
    out: dict[str, Any] = {
        "policies": [
            {"type": "Percent" if one.is_percent else "Pods", "value": one.value, "periodSeconds": one.period_seconds}
            for one in rules.policies
        ]
    }
    if rules.window_seconds is not None:
        out["stabilizationWindowSeconds"] = rules.window_seconds
    out["selectPolicy"] = rules.select.value
    if rules.tolerance is not None:
        out["tolerance"] = f"{round(rules.tolerance * 1000)}m"
    return out


def workloads_of(project: Project, environment: str, app: str | None) -> list[str]:
    """The workloads of an environment, or of one of its applications, that have an autoscaler.

    Raises:
        UsageError: no such environment or application, or nothing in it is scaled.
    """
    (name,) = project.choose([environment])
    linked = project.link(name)
    found = []
    for resource in linked.resources():
        if app is not None and resource.app != app:
            continue
        if (resource.id.group, resource.id.kind) == HPA:
            target = (resource.value.get("spec") or {}).get("scaleTargetRef") or {}
            found.append(f"{str(target.get('kind') or 'Deployment').lower()}/{target.get('name')}")
    if not found:
        where = f"application {app} of {name}" if app is not None else name
        raise UsageError([Problem(f"nothing is scaled in {where}", "name a workload with --workload KIND/NAME")])
    return sorted(found)
