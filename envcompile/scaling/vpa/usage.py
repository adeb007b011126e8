"""Usage of containers as the recommender takes it in: CPU, peaks of memory, kills (pkg/recommender/model)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from envcompile.scaling.vpa.histogram import CPU_BUCKETS, MEMORY_BUCKETS, DecayingHistogram

_MIB: Final = 1024 * 1024
_DAY: Final = 86_400
_CPU_WEIGHT: Final = 0.1  # minSampleWeight; since v1.5 no longer the request (model/aggregate_container_state.go)
_MOST: Final = 10**14  # MaxResourceAmount (model/types.go)


class Aggregation(NamedTuple):
    """How samples are gathered; the defaults are those of the recommender's flags."""

    cpu_half_life: float = _DAY
    """Seconds."""
    memory_half_life: float = _DAY
    """Seconds."""
    memory_interval: float = _DAY
    """Seconds for which one peak of memory counts."""
    oom_ratio: float = 1.2
    """Memory after a kill, as a multiple of what was used."""
    oom_least: float = 100 * _MIB
    """Bytes that a kill adds at least."""


class Aggregate:
    """What is known of all containers of one name."""

    __slots__ = ("cpu", "first", "last", "memory", "samples", "settings")

    def __init__(self, settings: Aggregation) -> None:
        """Nothing is known yet."""
        self.settings = settings
        self.cpu = DecayingHistogram(CPU_BUCKETS, settings.cpu_half_life)
        self.memory = DecayingHistogram(MEMORY_BUCKETS, settings.memory_half_life)
        self.first: float | None = None
        """Unix seconds of the first sample of CPU; those of memory do not count."""
        self.last: float | None = None
        self.samples = 0

    def add_cpu(self, time: float, cores: float) -> None:
        """Take a sample in (`addCPUSample`, model/aggregate_container_state.go)."""
        self.cpu.add(cores, _CPU_WEIGHT, time)
        self.last = time if self.last is None else max(self.last, time)
        self.first = time if self.first is None else min(self.first, time)
        self.samples += 1


@dataclass(slots=True)
class Container:
    """One container of one pod: which samples are taken, and the peak of the current interval (model/container.go)."""

    aggregate: Aggregate
    _last_cpu: float | None = field(default=None, init=False)
    _last_memory: float | None = field(default=None, init=False)
    _interval_end: float | None = field(default=None, init=False)
    _peak: int = field(default=0, init=False)
    _oom_peak: int = field(default=0, init=False)

    def add_cpu(self, time: float, millicores: int) -> bool:
        """Take a sample of CPU; False when it is refused: negative, or not later than the one before.

        Args:
            time: Unix seconds.
            millicores: used on average.
        """
        if millicores < 0 or (self._last_cpu is not None and time <= self._last_cpu):
            return False
        self.aggregate.add_cpu(time, millicores / 1000.0)
        self._last_cpu = time
        return True

    def add_memory(self, time: float, used: int) -> bool:
        """Take a sample of memory; False when it is refused: negative, or earlier than the one before.

        Args:
            time: Unix seconds.
            used: bytes of the working set.
        """
        if self._last_memory is not None and time < self._last_memory:
            return False
        return self._add_memory(time, used, is_oom=False)

    def add_oom(self, time: float, requested: int) -> bool:
        """Take in that the container was killed for memory (`RecordOOM`); False when that is too long ago.

        A kill after another one in the same interval does not add to the first: the base is what was requested or seen.

        Args:
            time: Unix seconds.
            requested: bytes the container had requested.
        """
        settings = self.aggregate.settings
        if self._last_memory is not None and time < self._last_memory - settings.memory_interval:
            return False
        used = max(requested, self._peak)
        needed = max(used + amount(settings.oom_least), amount(used * settings.oom_ratio))
        return self._add_memory(time, needed, is_oom=True)

    def _add_memory(self, time: float, used: int, *, is_oom: bool) -> bool:
        if used < 0:
            return False
        self._last_memory = time
        end = time if self._interval_end is None else self._interval_end
        is_peak = False
        histogram = self.aggregate.memory
        if time < end:
            before = max(self._peak, self._oom_peak)
            if before and used > before:
                histogram.subtract(float(before), 1.0, end)
                is_peak = True
        else:
            interval = self.aggregate.settings.memory_interval
            end += ((time - end) // interval + 1) * interval
            self._peak = self._oom_peak = 0
            is_peak = True
        self._interval_end = end
        if is_peak:
            histogram.add(float(used), 1.0, end)
            if is_oom:
                self._oom_peak = used
            else:
                self._peak = used
        return True


def amount(value: float) -> int:
    """A whole amount of millicores or bytes, as `resourceAmountFromFloat` (model/types.go) cuts it.

    Args:
        value: what is no number becomes less than any amount, as Go's conversion has it on amd64.
    """
    if value != value:  # ruff: ignore[comparison-with-itself] - the test for NaN that takes no import
        return -(2**63)
    return _MOST if value > _MOST else max(0, int(value))
