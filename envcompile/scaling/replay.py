"""The exact replay of a load: the pods and the controller, one reconciliation after the other.

Costs some ten microseconds a pod and step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from envcompile.scaling.hpa.clock import next_sync
from envcompile.scaling.hpa.pods import PENDING, RUNNING
from envcompile.scaling.hpa.reconcile import Memory, reads_metrics, reconcile
from envcompile.scaling.hpa.spec import DEFAULT_FLAGS
from envcompile.scaling.podworld import SAMPLE_MS, first_fleet, look, read, resized

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.scaling.hpa.pods import Pod
    from envcompile.scaling.hpa.reconcile import Decision
    from envcompile.scaling.hpa.spec import Autoscaler, ControllerFlags
    from envcompile.scaling.podworld import Fleet, ReplayInput


@dataclass(frozen=True, slots=True)
class Edit:
    """Somebody sets the size by hand, or changes the autoscaler, at an instant in ms."""

    at: int
    replicas: int | None = None
    autoscaler: Autoscaler | None = None


class PodCounts(NamedTuple):
    """The pods at the start of a reconciliation."""

    listed: int
    ready: int
    pending: int
    terminating: int


class Reconciliation(NamedTuple):
    """One reconciliation: its instant in ms, the sizes at its start, its pods, and what was decided."""

    at: int
    spec: int
    status: int
    pods: PodCounts
    decision: Decision


def replay(
    given: ReplayInput,
    autoscaler: Autoscaler,
    flags: ControllerFlags = DEFAULT_FLAGS,
    edits: Sequence[Edit] = (),
    fetch_ms: int = 0,
    *,
    edits_first: bool = False,
) -> Iterator[Reconciliation]:
    """Give every reconciliation from 0 to the end of the samples; a fetch of a metric takes `fetch_ms`.

    An edit at the very instant of a reconciliation is made after it, or before it with `edits_first`: in a cluster
    either may come first.
    """
    period = flags.sync_period_seconds * 1000
    end = given.samples * SAMPLE_MS
    fleet, memory = first_fleet(given.workload), Memory()
    edits = sorted(edits, key=lambda edit: edit.at)
    now, waiting = 0, None
    while True:
        view, ordinals = look(given, fleet, now)
        readings = []
        if reads_metrics(autoscaler, memory, fleet.spec):
            readings = [read(given, fleet, view, ordinals, metric, now) for metric in autoscaler.metrics]
        decision = reconcile(autoscaler, flags, memory, view, readings, now, fetch_ms)
        yield Reconciliation(now, fleet.spec, view.status, _counts(view.pods), decision)
        memory = decision.memory
        if decision.desired != fleet.spec:
            fleet = resized(fleet, decision.desired, decision.ended, given.workload.startup)
        scheduled = next_sync(now, decision.ended, period, waiting)
        now, waiting = scheduled, None
        # A new spec reconciles at once; a size that was set by hand waits for the next sync.
        while edits and edits[0].at < scheduled + edits_first:
            edit = edits.pop(0)
            fleet, autoscaler = _edited(given, fleet, autoscaler, edit)
            if edit.autoscaler is not None:
                now, waiting = max(edit.at, decision.ended), scheduled
                break
        if now >= end:
            return


def _edited(given: ReplayInput, fleet: Fleet, autoscaler: Autoscaler, edit: Edit) -> tuple[Fleet, Autoscaler]:
    if edit.replicas is not None:
        fleet = resized(fleet, edit.replicas, edit.at, given.workload.startup)
    return fleet, edit.autoscaler or autoscaler


def _counts(pods: Sequence[Pod]) -> PodCounts:
    return PodCounts(
        len(pods),
        sum(pod.phase == RUNNING and pod.is_ready for pod in pods),
        sum(pod.phase == PENDING for pod in pods),
        sum(pod.is_terminating for pod in pods),
    )
