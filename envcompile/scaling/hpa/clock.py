"""When the next reconciliation happens.

The work queue adds a key again one sync period after each reconciliation, so that syncs drift by what they last; the
informer's resync, every period from the start on, adds it with the same delay, and the earlier of two instants stays.
Source: processNextWorkItem of k8s.io/kubernetes pkg/controller/podautoscaler/horizontal.go, and insert of
 k8s.io/client-go/util/workqueue/delaying_queue.go.
"""

from __future__ import annotations


def next_sync(started: int, ended: int, period: int, waiting: int | None = None) -> int:
    """The instant in ms of the reconciliation after one that lasted from `started` to `ended`.

    `waiting` is an instant that was already set when it began: a change of the spec reconciles at once, beside it.
    """
    resync = ended // period * period
    candidate = (resync if resync >= started and resync > 0 else ended) + period
    return candidate if waiting is None else max(ended, min(waiting, candidate))
