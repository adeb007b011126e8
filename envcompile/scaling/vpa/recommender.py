"""From usage to requests: percentiles, margin, confidence, minimum, rounding and bounds (pkg/recommender/logic)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from envcompile.scaling.vpa.gomath import power
from envcompile.scaling.vpa.usage import Aggregate, Aggregation, Container, amount

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_MIB: Final = 1024 * 1024
_DAY: Final = 86_400
_MINUTE: Final = 60

ResourceName = Literal["cpu", "memory"]
RESOURCES: Final[tuple[ResourceName, ...]] = ("cpu", "memory")


class Percentiles(NamedTuple):
    """Which part of the samples a recommendation covers: `--target-*-percentile` and the bounds'."""

    target: float = 0.9
    lower: float = 0.5
    upper: float = 0.95


class Estimation(NamedTuple):
    """How amounts are estimated; the defaults are those of the recommender's flags (config/config.go)."""

    cpu: Percentiles = Percentiles()
    memory: Percentiles = Percentiles()
    margin: float = 0.15
    """Added to every percentile, as a part of it."""
    least_millicores: float = 25
    """Of a pod; shared by its containers."""
    least_mib: float = 250
    """Of a pod; shared by its containers."""
    cpu_confidence: float = _DAY
    """Seconds of history with a sample a minute at which the upper bound is doubled."""
    memory_confidence: float = _DAY
    round_millicores: int = 1
    """Targets are rounded up to a multiple of this."""
    round_bytes: int = 1


class Policy(NamedTuple):
    """What a VerticalPodAutoscaler says of a container: bounds in millicores and bytes, and what it controls."""

    least: Mapping[ResourceName, int] = {}
    most: Mapping[ResourceName, int] = {}
    controlled: Collection[ResourceName] = RESOURCES
    off: bool = False
    oom_ratio: float | None = None
    """Instead of the flag's (the feature gate PerVPAConfig)."""
    oom_least: float | None = None


class Amounts(NamedTuple):
    """One resource of one container, in millicores or bytes."""

    target: int
    lower: int
    upper: int
    uncapped: int
    """The target before the policy's bounds."""


class Recommender:
    """Takes usage in and says what containers should request; one workload, so one aggregate for a container's name."""

    def __init__(
        self,
        aggregation: Aggregation = Aggregation(),  # ruff: ignore[function-call-in-default-argument] - cannot be changed
        *,
        policies: Mapping[str, Policy] | None = None,
    ) -> None:
        """A recommender that has seen nothing.

        Args:
            aggregation: how samples are gathered.
            policies: by container; `*` speaks of all that are not named.
        """
        self._aggregation = aggregation
        self._policies = policies or {}
        self._aggregates: dict[str, Aggregate] = {}
        self._containers: dict[tuple[str, str], Container] = {}
        self.refused = 0
        """Samples that were not taken."""

    @property
    def aggregates(self) -> Mapping[str, Aggregate]:
        """What is known by container."""
        return self._aggregates

    def add(self, kind: Literal["cpu", "memory", "oom"], time: float, pod: str, container: str, value: int) -> None:
        """Take in a sample, or that a container was killed for memory.

        Args:
            kind: what was measured.
            time: Unix seconds; samples of a container come in this order.
            pod: its name.
            container: its name.
            value: millicores, bytes, or the bytes that the killed container had requested.
        """
        found = self._containers.get((pod, container))
        if found is None:
            aggregate = self._aggregates.get(container)
            if aggregate is None:
                aggregate = Aggregate(self._gathered_as(self._policy_of(container)))
                self._aggregates[container] = aggregate
            found = self._containers[pod, container] = Container(aggregate)
        match kind:
            case "cpu":
                taken = found.add_cpu(time, value)
            case "memory":
                taken = found.add_memory(time, value)
            case "oom":
                taken = found.add_oom(time, value)
        self.refused += not taken

    def _policy_of(self, container: str) -> Policy:
        return self._policies.get(container) or self._policies.get("*") or Policy()

    def _gathered_as(self, policy: Policy) -> Aggregation:
        ratio, least = policy.oom_ratio, policy.oom_least
        common = self._aggregation
        return common._replace(
            oom_ratio=common.oom_ratio if ratio is None else ratio,
            oom_least=common.oom_least if least is None else least,
        )

    def forget_pod(self, pod: str) -> None:
        """A pod is gone; what it used still counts."""
        for key in [key for key in self._containers if key[0] == pod]:
            del self._containers[key]

    def recommend(
        self,
        estimation: Estimation = Estimation(),  # ruff: ignore[function-call-in-default-argument] - cannot be changed
    ) -> dict[str, dict[ResourceName, Amounts]]:
        """What each container should request; containers with the mode Off are left out."""
        wanted = {name: (aggregate, self._policy_of(name)) for name, aggregate in sorted(self._aggregates.items())}
        wanted = {name: pair for name, pair in wanted.items() if not pair[1].off}
        if not wanted:
            return {}
        least: dict[ResourceName, int] = {
            "cpu": amount(amount(estimation.least_millicores * 0.001 * 1000.0) * (1.0 / len(wanted))),
            "memory": amount(amount(estimation.least_mib * _MIB) * (1.0 / len(wanted))),
        }
        return {
            name: {
                resource: _capped(
                    resource, _estimate(resource, aggregate, estimation, least[resource]), estimation, policy
                )
                for resource in RESOURCES
                if resource in policy.controlled
            }
            for name, (aggregate, policy) in wanted.items()
        }


def _estimate(resource: ResourceName, of: Aggregate, by: Estimation, least: int) -> tuple[int, int, int]:
    """Target, lower and upper bound, unrounded (`CreatePodResourceRecommender`, logic/recommender.go)."""
    if resource == "cpu":
        histogram, parts, interval, unit = of.cpu, by.cpu, by.cpu_confidence, 1000.0
    else:
        histogram, parts, interval, unit = of.memory, by.memory, by.memory_confidence, 1.0
    sure = _confidence(of, interval)
    answers = []
    for part, multiplier, exponent in ((parts.target, 0.0, 1), (parts.lower, 0.001, -2), (parts.upper, 1.0, 1)):
        base = amount(histogram.percentile(part) * unit)
        value = base + amount(base * by.margin)
        if multiplier:
            value = amount(value * power(1.0 + (multiplier / sure if sure else float("inf")), exponent))
        answers.append(max(value, least))
    return answers[0], answers[1], answers[2]


def _confidence(of: Aggregate, interval: float) -> float:
    """Days of history, or what its number of CPU samples is worth (`getConfidence`, logic/estimator.go)."""
    if of.first is None or of.last is None:
        return 0.0
    return min((of.last - of.first) / interval, of.samples / (interval / _MINUTE))


def _capped(resource: ResourceName, raw: tuple[int, int, int], by: Estimation, policy: Policy) -> Amounts:
    """Rounded up, then within the policy's bounds, of which the upper one wins (routines/capping_post_processor.go)."""
    step = by.round_millicores if resource == "cpu" else by.round_bytes
    rounded = [-(-value // step) * step if step > 1 else value for value in raw]
    least, most = policy.least.get(resource, 0), policy.most.get(resource, 0)
    bounded = [max(value, least) for value in rounded]
    bounded = [min(value, most) if most else value for value in bounded]
    return Amounts(bounded[0], bounded[1], bounded[2], rounded[0])
