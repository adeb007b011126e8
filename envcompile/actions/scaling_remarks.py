"""What only a load can tell of an autoscaler: bounds never met or always, swinging, haste, requests far off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from envcompile.actions.recommended_requests import LIMITED, killed, mean_throttled
from envcompile.actions.scaling_bounds import overbooked
from envcompile.scaling.podworld import SAMPLE_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.actions.scaled_workload import Scaling, Subject
    from envcompile.model import Resource
    from envcompile.scaling.effect import Effect
    from envcompile.scaling.loads import Load
    from envcompile.scaling.search import Bounds, Case

_DAY: Final = 86_400_000 // SAMPLE_MS
_OFTEN: Final = 0.01
"""A part of the time at the maximum that is no accident: a quarter of an hour a day."""
_SWING_SECONDS: Final = 600
"""Up and down again within this is one swing."""
_SWINGS_A_DAY: Final = 12
_FAR: Final = 0.4
"""Pods that use less of what they request on average over the whole load."""


class Remark(NamedTuple):
    """One finding: the name of its check, what was seen, and what to do about it."""

    check: str
    what: str
    fix: str


def remarks_of(
    subject: Subject, scaling: Scaling, case: Case, sizes: np.ndarray[Any, Any], before: Effect, bounds: Bounds
) -> tuple[Remark, ...]:
    """Look at what an autoscaler did with a load.

    Args:
        subject: the workload and its autoscaler.
        scaling: the same as simulations take it.
        case: the load.
        sizes: the size at each 15 s.
        before: what it came to.
        bounds: those of recommendations.
    """
    autoscaler = scaling.autoscaler
    if autoscaler is None or subject.scaler is None:
        return ()
    name = subject.scaler.short
    out = []
    at_most = float((sizes >= autoscaler.max_replicas).mean())
    if before.largest < autoscaler.max_replicas:
        what = f"{name} never had more than {before.largest} of {autoscaler.max_replicas} replicas"
        out.append(Remark("hpa-maximum-unreached", what, "a smaller maximum bounds what a fault can cost"))
    elif at_most > _OFTEN:
        what = f"{name} stood at its maximum of {autoscaler.max_replicas} for {at_most:.1%} of the time"
        out.append(Remark("hpa-at-maximum", what, "raise maxReplicas, or the targets"))
    swings = _swings(sizes) / max(len(sizes) / _DAY, 1)
    if swings > _SWINGS_A_DAY:
        what = f"{name} went up and down again within {_SWING_SECONDS // 60} minutes {swings:.0f} times a day"
        out.append(Remark("hpa-oscillates", what, "lengthen behavior.scaleDown.stabilizationWindowSeconds"))
    window = autoscaler.behavior.down.window_seconds if autoscaler.behavior is not None else None
    if window is not None and window < case.start_seconds:
        what = f"{name} takes pods away after {window} s, and a new one needs {case.start_seconds} s to serve"
        out.append(Remark("hpa-down-before-start", what, "make the window of scaleDown longer than a start"))
    used = float(case.demand.sum()) / max(float(sizes.sum()) * case.per_pod, 1e-9)
    if used < _FAR:
        what = f"pods of {subject.workload.short} used {used:.0%} of what they can serve on average"
        out.append(Remark("requests-far-from-usage", what, "lower the requests, the minimum, or raise the targets"))
    if autoscaler.min_replicas < bounds.least:
        what = f"{name} may go down to {autoscaler.min_replicas}, where a disruption budget lets no pod go"
        out.append(Remark("pdb-blocks-minimum", what, f"let minReplicas be at least {bounds.least}"))
    return tuple(out)


def load_remarks(subject: Subject, load: Load) -> tuple[Remark, ...]:
    """What a load tells of a workload's limits: kills for memory, and throttling."""
    name = subject.workload.short
    out = []
    count = killed(load)
    if count:
        what = f"containers of {name} were killed for memory {count:,} time{'' if count == 1 else 's'}"
        out.append(Remark("oom-killed", what, "raise what they request, and the limit with it"))
    part = mean_throttled(load)
    if part > LIMITED:
        what = f"pods of {name} were throttled in {part:.0%} of the scheduler's periods"
        out.append(Remark("cpu-throttled", what, "raise the limit of CPU, or leave it out"))
    return tuple(out)


def quota_remarks(subject: Subject, resources: Sequence[Resource]) -> tuple[Remark, ...]:
    """The quotas of a workload's namespace that do not hold all of its workloads at their largest."""
    return tuple(
        Remark(
            "quota-too-small",
            f"{quota.id.short} allows {short_amount(allowed)} of {name}, and all workloads of its namespace "
            f"at their largest request {short_amount(wanted)}",
            "raise the quota, or lower a maximum",
        )
        for quota, name, allowed, wanted in overbooked(subject, resources)
    )


def short_amount(amount: float) -> str:
    """An amount with four digits and a binary unit where it is in bytes."""
    for unit, name in ((2**40, "Ti"), (2**30, "Gi"), (2**20, "Mi")):
        if amount >= unit:
            return f"{amount / unit:.4g}{name}"
    return f"{amount:.4g}"


def _swings(sizes: np.ndarray[Any, Any]) -> int:
    """How often a rise was taken back soon."""
    changes = np.diff(sizes)
    places = np.flatnonzero(changes)
    up, down = changes[places][:-1] > 0, changes[places][1:] < 0
    near = np.diff(places) * SAMPLE_MS / 1000 <= _SWING_SECONDS
    return int((up & down & near).sum())
