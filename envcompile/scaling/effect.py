"""What a course of sizes comes to: what it costs, and how often and how far it was too small."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from envcompile.scaling.podworld import SAMPLE_MS

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.int64]

_SAMPLES_A_MINUTE = 60_000 // SAMPLE_MS
_SAMPLES_AN_HOUR = 60 * _SAMPLES_A_MINUTE
NOTICED = 0.01
"""A part of the load that is too small to count as shortage: one sample of CPU differs by more from the next."""


class Effect(NamedTuple):
    """One setting on one load."""

    pod_hours: float
    shortage_minutes: float
    """For how long pods could not serve all of the load."""
    shortage: float
    """How much of it, summed over these minutes: cores times minutes, where the load is one of CPU."""
    largest: int
    """The most pods there were."""

    def no_worse_than(self, other: Effect) -> bool:
        """Whether there is no more shortage, in time and in size."""
        return self.shortage_minutes <= other.shortage_minutes and self.shortage <= other.shortage


def lacking(sizes: Whole, demand: Floats, per_pod: float, start_seconds: int) -> Floats:
    """How much of the load no pod could serve, for each 15 s.

    Pods serve once they are ready, and the newest are deleted first: of a rise that is taken back nothing ever served.

    Args:
        sizes: the size after each 15 s.
        demand: the load, as many values.
        per_pod: what one pod serves of it.
        start_seconds: from the decision to a pod that serves.
    """
    serving = sizes.copy()
    for shift in range(1, -(-start_seconds * 1000 // SAMPLE_MS) + 1):
        np.minimum(serving[shift:], sizes[:-shift], out=serving[shift:])
    out: Floats = np.maximum(demand - serving * per_pod, 0.0)
    return out


def effect_of(sizes: Whole, demand: Floats, per_pod: float, start_seconds: int, noticed: float = 0.0) -> Effect:
    """Sum it all up; the arguments are those of `lacking`, and the part of the load that has to lack for a minute."""
    lack = lacking(sizes, demand, per_pod, start_seconds)
    return Effect(
        float(sizes.sum()) / _SAMPLES_AN_HOUR,
        float((lack > demand * noticed).sum()) / _SAMPLES_A_MINUTE,
        float(lack.sum()) / _SAMPLES_A_MINUTE,
        int(sizes.max(initial=0)),
    )
