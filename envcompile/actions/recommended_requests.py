"""Requests and limits of a workload's main container, from what its pods used and what stopped them.

The numbers are those of the VerticalPodAutoscaler's recommender, which takes kills for memory into account. Of CPU it
knows only what was used, and what is throttled cannot use more: that is added here.
"""

from __future__ import annotations

from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from envcompile.actions.overlay_edits import Wish
from envcompile.scaling.hpa.spec import MetricKind, TargetKind
from envcompile.scaling.loads import OOM_KILLS, THROTTLED, kills, per_second
from envcompile.scaling.podworld import SAMPLE_MS
from envcompile.scaling.quantities import amount_of
from envcompile.scaling.vpa.recommender import Estimation, Recommender

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.actions.scaled_workload import Scaling, Subject
    from envcompile.model import Pointer
    from envcompile.scaling.hpa.spec import Autoscaler
    from envcompile.scaling.loads import Load
    from envcompile.scaling.podworld import Share, Workload

_HISTORY_DAYS: Final = 8
"""How far back the VPA's recommender looks (`--history-length` of v1.8.1)."""
_MINUTE: Final = 60_000 // SAMPLE_MS
_WORTH: Final = 0.1
"""Requests that are off by less are left as they are: review costs more."""
_RESOURCES: Final = frozenset({MetricKind.RESOURCE, MetricKind.CONTAINER_RESOURCE})
LIMITED: Final = 0.01
"""Pods that are throttled in more of the periods on average have a limit of CPU that holds them back."""


def requests_of(
    subject: Subject, scaling: Scaling, load: Load, columns: Mapping[str, str], sizes: np.ndarray[Any, Any]
) -> list[Wish]:
    """What the requests and limits should be, where they are off.

    CPU whose utilisation scales the workload is left alone: the search moves its target, and both would chase each
    other (the upstream advice for a VPA beside an HPA). Memory is not: no target of it is searched, and `resized`
    moves the target against the request. Its limit then stays where it is, above the amount that scales.

    Args:
        subject: the workload and its autoscaler.
        scaling: the same as simulations take it.
        load: what was recorded.
        columns: metric -> a column of the load, or a product.
        sizes: how many pods shared it, at each 15 s.
    """
    steering = {
        metric.name
        for metric in (scaling.autoscaler.metrics if scaling.autoscaler else ())
        if metric.kind in _RESOURCES and metric.target_kind is TargetKind.UTILIZATION
    }
    main = next((share for share in scaling.workload.containers if share.percent.get("cpu")), None)
    known = [name for name in ("cpu", "memory") if name in columns or name in load.values]
    own = [name for name in known if "/pod" not in columns.get(name, "")]
    wanted = [name for name in own if name != "cpu" or name not in steering]
    containers = containers_of(subject)
    if main is None or not wanted:
        return []
    place = next((at for at, one in enumerate(containers) if one.get("name") == main.container.name), None)
    if place is None:
        return []
    amounts = (
        _fed(load, columns, wanted, sizes, main)
        .recommend(Estimation(round_millicores=10, round_bytes=16 * 2**20))
        .get(main.container.name, {})
    )
    is_limited = mean_throttled(load) > LIMITED
    wishes = []
    base: Pointer = ("spec", "template", "spec", "containers", place, "resources")
    limits = (containers[place].get("resources") or {}).get("limits") or {}
    for name in wanted:
        amount = amounts.get(name)  # type: ignore[call-overload]  # the names are those of the recommender
        now = main.container.requests.get(name, 0) / (1 if name == "cpu" else 1000)
        if amount is None or abs(amount.target - now) <= _WORTH * now:
            continue
        wishes.append(Wish(subject.workload, (*base, "requests", name), _text(name, amount.target)))
        if name in limits and now and (name not in steering or amount.target > now):
            unit = 1000 if name == "cpu" else 1
            most = float(amount_of(limits[name])) * unit * amount.target / now
            if name == "cpu" and is_limited:  # what holds pods back is not made tighter
                most = max(most, float(amount_of(limits[name])) * unit)
            wishes.append(Wish(subject.workload, (*base, "limits", name), _text(name, round(most))))
    return wishes


def resized(scaling: Scaling, subject: Subject, wishes: Sequence[Wish]) -> Scaling:
    """The workload with other requests, and the autoscaler with targets that ask for more pods at the same amounts.

    Args:
        scaling: the workload as simulations take it.
        subject: the same as its manifest has it.
        wishes: what `requests_of` found; those about limits change nothing here.
    """
    containers = containers_of(subject)
    cores, memory, autoscaler, workload = scaling.cores, scaling.memory_bytes, scaling.autoscaler, scaling.workload
    for wish in wishes:
        *_, place, _, group, name = wish.pointer
        if group != "requests":
            continue
        container = containers[int(place)]
        old = ((container.get("resources") or {}).get("requests") or {}).get(name, 0)
        more = float(amount_of(wish.value)) - float(amount_of(old))
        cores, memory = (cores + more, memory) if name == "cpu" else (cores, memory + more)
        former = workload
        workload = _with_request(
            former, str(container.get("name")), str(name), round(float(amount_of(wish.value)) * 1000)
        )
        autoscaler = autoscaler and _kept_amounts(autoscaler, str(name), former, workload)
    return scaling._replace(cores=cores, memory_bytes=memory, autoscaler=autoscaler, workload=workload)


def _with_request(workload: Workload, container: str, name: str, amount: int) -> Workload:
    """The workload whose container requests so many milli-units of a resource."""
    shares = tuple(
        replace(share, container=replace(share.container, requests={**share.container.requests, name: amount}))
        if share.container.name == container
        else share
        for share in workload.containers
    )
    return replace(workload, containers=shares)


def _kept_amounts(autoscaler: Autoscaler, name: str, former: Workload, workload: Workload) -> Autoscaler:
    """Targets in percent of what is requested, so that they are the same amounts of other requests."""
    metrics = []
    for metric in autoscaler.metrics:
        if metric.name == name and metric.kind in _RESOURCES and metric.target_kind is TargetKind.UTILIZATION:
            only = metric.container if metric.kind is MetricKind.CONTAINER_RESOURCE else None
            before, now = (_requested(one, name, only) for one in (former, workload))
            metrics.append(replace(metric, target=max(1, round(metric.target * before / now))) if now else metric)
        else:
            metrics.append(metric)
    return replace(autoscaler, metrics=tuple(metrics))


def _requested(workload: Workload, name: str, only: str | None) -> int:
    """What a pod requests, or one of its containers; a request of the whole pod stands for those of its containers."""
    if only is None and name in (workload.pod_requests or {}):
        return (workload.pod_requests or {})[name]
    return sum(
        share.container.requests.get(name, 0)
        for share in workload.containers
        if only is None or share.container.name == only
    )


def mean_throttled(load: Load) -> float:
    """The part of the scheduler's periods in which pods were throttled, on average over the load; 0 where unknown."""
    column = load.values.get(THROTTLED)
    if column is None or np.isnan(column).all():
        return 0.0
    return float(np.clip(np.nanmean(column), 0, 1))


def _fed(
    load: Load, columns: Mapping[str, str], wanted: Sequence[str], sizes: np.ndarray[Any, Any], main: Share
) -> Recommender:
    """A recommender that has seen the last days, as those of one pod that used the average.

    A sample of CPU counts more by the part of the periods that were throttled: that work was put off, not saved.
    """
    recommender = Recommender()
    start = max(0, load.samples - _HISTORY_DAYS * 1440 * _MINUTE)
    name = main.container.name
    throttled = np.clip(np.nan_to_num(per_second(load, THROTTLED)), 0, 1) if THROTTLED in load.values else 0.0
    for resource in wanted:
        used = per_second(load, columns.get(resource, resource)) / np.maximum(sizes, 1)
        used = used * (1 + throttled) * 1000 if resource == "cpu" else used
        found = [
            (load.origin / 1000 + at * SAMPLE_MS / 1000, resource, int(used[at]))
            for at in range(start, load.samples, _MINUTE)
            if np.isfinite(used[at])
        ]
        if resource == "memory":
            found += _killed(load, start, main)
        for seconds, kind, amount in sorted(found, key=itemgetter(0)):
            recommender.add(kind, seconds, "pod", name, amount)  # type: ignore[arg-type]  # the kinds are its own
    return recommender


def _killed(load: Load, start: int, main: Share) -> list[tuple[float, str, int]]:
    """The kills of the last days, each with what the container requests: it was killed with that or more."""
    requested = main.container.requests.get("memory", 0) // 1000
    first = load.origin + start * SAMPLE_MS
    return [
        (int(at) / 1000, "oom", requested)
        for at, count in zip(load.times, kills(load), strict=True)
        if at >= first and count > 0
    ]


def killed(load: Load) -> int:
    """How many containers were killed for memory in all of the load."""
    return int(kills(load).sum()) if any(name.startswith(OOM_KILLS) for name in load.values) else 0


def _text(name: str, amount: float) -> str:
    return f"{round(amount)}m" if name == "cpu" else f"{round(amount / 2**20)}Mi"


def containers_of(subject: Subject) -> Sequence[Mapping[str, Any]]:
    """The containers of a workload's pods, as its manifest has them."""
    spec = (subject.workload_value.get("spec") or {}).get("template", {}).get("spec") or {}
    found: Sequence[Mapping[str, Any]] = spec.get("containers") or []
    return found
