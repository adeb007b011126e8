"""Histograms with buckets that grow, in which older samples weigh less (pkg/recommender/util of the recommender)."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from envcompile.scaling.vpa.gomath import exp2, power

_RATIO: Final = 1.0 + 0.05  # DefaultHistogramBucketSizeGrowth (model/aggregations_config.go)
_GROWTH: Final = _RATIO - 1  # as the Go code computes it, which is not 0.05 to the last bit
_LOG_RATIO: Final = math.log(_RATIO)
_EPSILON: Final = 0.001 * 0.1  # a bucket that weighs less counts as empty (model/aggregations_config.go)
_MOST_HALF_LIVES: Final = 100  # maxDecayExponent (util/decaying_histogram.go)
_YEAR_ONE: Final = -62_135_596_800  # Go's zero time in Unix seconds
_LONGEST: Final = 2**63 / 1e9  # a duration of Go holds no more seconds


class Buckets(NamedTuple):
    """A bucketing scheme: each bucket is 5 % wider than the one before (util/histogram_options.go)."""

    first: float
    """Width of the first bucket."""
    starts: tuple[float, ...]

    @classmethod
    def of(cls, largest: float, first: float) -> Buckets:
        """The scheme of `NewExponentialHistogramOptions`.

        Args:
            largest: the start of the last bucket is at least this.
            first: width of the first bucket, in the same unit.
        """
        count = math.ceil(math.log(largest * _GROWTH / first + 1) / _LOG_RATIO) + 1
        starts = (first * (power(_RATIO, number) - 1) / _GROWTH for number in range(1, count))
        return cls(first, (0.0, *starts))

    def find(self, value: float) -> int:
        """The number of the bucket in which a value falls; the last one for what is beyond."""
        if value < self.first:
            return 0
        return min(int(math.log(value * _GROWTH / self.first + 1) / _LOG_RATIO), len(self.starts) - 1)


CPU_BUCKETS: Final = Buckets.of(1000.0, 0.01)
"""Cores; `cpuHistogramOptions` (model/aggregations_config.go)."""

MEMORY_BUCKETS: Final = Buckets.of(1e12, 1e7)
"""Bytes; `memoryHistogramOptions` (model/aggregations_config.go)."""


class DecayingHistogram:
    """Weights by bucket, where a sample weighs twice as much as one that is a half life older.

    Nothing decays by itself: newer samples weigh more, and from time to time all weights are scaled down
    (util/decaying_histogram.go).
    """

    __slots__ = ("_buckets", "_half_life", "_highest", "_lowest", "_reference", "_total", "_weights")

    def __init__(self, buckets: Buckets, half_life: float) -> None:
        """An empty histogram.

        Args:
            buckets: its bucketing scheme.
            half_life: seconds.
        """
        self._buckets = buckets
        self._half_life = half_life
        self._reference: float = _YEAR_ONE
        self._weights = [0.0] * len(buckets.starts)
        self._total = 0.0
        self._lowest = len(buckets.starts) - 1
        self._highest = 0

    def add(self, value: float, weight: float, time: float) -> None:
        """Add a sample.

        Args:
            value: in the unit of the buckets.
            weight: of a sample at the reference time.
            time: Unix seconds.
        """
        weight *= self._factor(time)
        bucket = self._buckets.find(value)
        self._weights[bucket] += weight
        self._total += weight
        if self._weights[bucket] >= _EPSILON:
            self._lowest = min(self._lowest, bucket)
            self._highest = max(self._highest, bucket)

    def subtract(self, value: float, weight: float, time: float) -> None:
        """Take out a sample that was added with the same arguments."""
        weight *= self._factor(time)
        bucket = self._buckets.find(value)
        self._total = _rest(self._total, weight)
        self._weights[bucket] = _rest(self._weights[bucket], weight)
        self._narrow()

    def percentile(self, part: float) -> float:
        """The end of the first bucket up to which that part of all weight lies; 0 when it is empty.

        Args:
            part: from 0 to 1.
        """
        if self._weights[self._lowest] < _EPSILON:
            return 0.0
        threshold, running, bucket = part * self._total, 0.0, self._lowest
        while bucket < self._highest:
            running += self._weights[bucket]
            if running >= threshold:
                break
            bucket += 1
        return self._buckets.starts[min(bucket + 1, len(self._weights) - 1)]

    def _factor(self, time: float) -> float:
        if time > self._reference + self._half_life * _MOST_HALF_LIVES:
            self._shift(time)
        return exp2((time - self._reference) / self._half_life)

    def _shift(self, time: float) -> None:
        """Make a later time the reference, so that exponents stay small; what weighs too little then is gone."""
        since = time - _YEAR_ONE
        beyond = since % self._half_life
        reference = time - beyond + (self._half_life if beyond + beyond >= self._half_life else 0)
        moved = max(self._reference - reference, -_LONGEST)
        factor = math.ldexp(1.0, math.floor(moved / self._half_life + 0.5))
        for bucket in range(self._lowest, self._highest + 1):
            self._weights[bucket] *= factor
        self._total *= factor
        self._narrow()
        self._reference = reference

    def _narrow(self) -> None:
        last = len(self._weights) - 1
        while self._weights[self._lowest] < _EPSILON and self._lowest < last:
            self._lowest += 1
        while self._weights[self._highest] < _EPSILON and self._highest > 0:
            self._highest -= 1


def _rest(value: float, weight: float) -> float:
    left = value - weight
    return 0.0 if left < _EPSILON else left
