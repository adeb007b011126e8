"""A HorizontalPodAutoscaler as a value, with the defaults and the validation of the API server.

Source: k8s.io/kubernetes pkg/apis/autoscaling/v2/defaults.go and pkg/apis/autoscaling/validation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeGuard

from envcompile.errors import EnvcError, Problems, fail
from envcompile.scaling.quantities import LARGEST_INT32, approximate, milli

LONGEST_WINDOW_SECONDS: Final = 3600
LONGEST_PERIOD_SECONDS: Final = 1800
CPU: Final = "cpu"


class MetricKind(Enum):
    """Where a metric comes from; the values are the API's own."""

    RESOURCE = "Resource"
    CONTAINER_RESOURCE = "ContainerResource"
    PODS = "Pods"
    OBJECT = "Object"
    EXTERNAL = "External"


class TargetKind(Enum):
    """What a metric is held against; the values are the API's own."""

    UTILIZATION = "Utilization"
    VALUE = "Value"
    AVERAGE_VALUE = "AverageValue"


class Select(Enum):
    """Which of several policies counts."""

    MAX = "Max"
    MIN = "Min"
    DISABLED = "Disabled"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of an autoscaler and its target: percent for Utilization, milli-units else."""

    kind: MetricKind
    name: str
    target_kind: TargetKind
    target: int
    container: str = ""
    described_kind: str = ""
    selector: str = "nil"
    """The metric's label selector, as Go prints it: a part of the reasons that the controller gives."""


@dataclass(frozen=True, slots=True)
class Policy:
    """At most so many pods, or so many percent, in a period."""

    is_percent: bool
    value: int
    period_seconds: int


@dataclass(frozen=True, slots=True)
class Rules:
    """How one direction behaves; a window of None is the controller's own, a tolerance of None too."""

    policies: tuple[Policy, ...]
    window_seconds: int | None = None
    select: Select = Select.MAX
    tolerance: float | None = None

    @property
    def longest_period_seconds(self) -> int:
        """The longest period of all policies."""
        return max((policy.period_seconds for policy in self.policies), default=0)


SCALE_UP: Final = Rules((Policy(False, 4, 15), Policy(True, 100, 15)), window_seconds=0)
SCALE_DOWN: Final = Rules((Policy(True, 100, 15),))
DEFAULT_METRIC: Final = Metric(MetricKind.RESOURCE, CPU, TargetKind.UTILIZATION, 80)


@dataclass(frozen=True, slots=True)
class Behavior:
    """Both directions, as they are once `behavior` is given at all."""

    up: Rules = SCALE_UP
    down: Rules = SCALE_DOWN


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """`spec` of a HorizontalPodAutoscaler after defaulting."""

    max_replicas: int
    min_replicas: int = 1
    metrics: tuple[Metric, ...] = (DEFAULT_METRIC,)
    behavior: Behavior | None = None

    @property
    def has_object_or_external(self) -> bool:
        """Whether a metric can be read while no pod runs."""
        return any(metric.kind in {MetricKind.OBJECT, MetricKind.EXTERNAL} for metric in self.metrics)


@dataclass(frozen=True, slots=True)
class ControllerFlags:
    """The flags of kube-controller-manager that concern autoscaling, with their defaults; durations in seconds."""

    tolerance: float = 0.1
    downscale_stabilization_seconds: int = 300
    cpu_initialization_period_seconds: int = 300
    initial_readiness_delay_seconds: int = 30
    sync_period_seconds: int = 15


DEFAULT_FLAGS: Final = ControllerFlags()


def autoscaler_of(spec: Mapping[str, Any]) -> Autoscaler:
    """Read the `spec` of an autoscaling/v2 HorizontalPodAutoscaler; every mistake in it is told at once.

    Raises:
        EnvcError: the API server would refuse it.
    """
    problems = Problems()
    least = _count(spec.get("minReplicas", 1), 0, "minReplicas", "at least 0", problems)
    most = _count(
        spec.get("maxReplicas"), max(1, least), "maxReplicas", "at least 1 and at least minReplicas", problems
    )
    metrics = []
    for position, entry in enumerate(spec.get("metrics") or ()):
        try:
            metrics.append(metric_of(entry))
        except EnvcError as error:
            for found in error.problems:
                problems.add(f"metrics[{position}]: {found.what}", found.fix)
    behavior = None
    if (given := spec.get("behavior")) is not None:
        try:
            behavior = Behavior(
                _rules(given.get("scaleUp"), SCALE_UP, "scaleUp"),
                _rules(given.get("scaleDown"), SCALE_DOWN, "scaleDown"),
            )
        except EnvcError as error:
            problems.extend(error)
    problems.raise_any()
    autoscaler = Autoscaler(most, least, tuple(metrics) or (DEFAULT_METRIC,), behavior)
    if least == 0 and not autoscaler.has_object_or_external:
        raise fail("minReplicas is 0 without an Object or External metric", "add one, or write minReplicas: 1")
    return autoscaler


def metric_of(entry: Mapping[str, Any]) -> Metric:
    """Read one entry of `spec.metrics`.

    Raises:
        EnvcError: the API server would refuse it.
    """
    try:
        kind = MetricKind(entry.get("type"))
    except ValueError:
        known = ", ".join(one.value for one in MetricKind)
        raise fail(f"type is {entry.get('type')!r}", f"write one of {known}") from None
    body = entry.get(kind.value[0].lower() + kind.value[1:])
    if not isinstance(body, Mapping):
        raise fail(f"a metric of type {kind.value} has no field of its own", "add it beside `type`")
    target_kind, target = _target(body.get("target") or {}, kind)
    if kind in {MetricKind.RESOURCE, MetricKind.CONTAINER_RESOURCE}:
        return Metric(kind, str(body.get("name")), target_kind, target, container=str(body.get("container") or ""))
    identity = body.get("metric") or {}
    described = body.get("describedObject") or {}
    return Metric(
        kind,
        str(identity.get("name")),
        target_kind,
        target,
        described_kind=str(described.get("kind") or ""),
        selector=_selector(identity.get("selector")),
    )


def _target(target: Mapping[str, Any], kind: MetricKind) -> tuple[TargetKind, int]:
    """The kind and the amount of a target: which field counts depends on the metric, not on `type` alone."""
    if kind in {MetricKind.RESOURCE, MetricKind.CONTAINER_RESOURCE} and target.get("averageValue") is None:
        percent = target.get("averageUtilization")
        if not _is_count(percent) or percent < 1:
            raise fail(f"averageUtilization is {percent!r}", "write a whole number of percent of at least 1")
        return TargetKind.UTILIZATION, percent
    value_first = kind is MetricKind.OBJECT and target.get("type") == "Value"
    if target.get("averageValue") is not None and not value_first:
        amount = milli(target["averageValue"], "averageValue")
        chosen = TargetKind.AVERAGE_VALUE
    elif target.get("value") is not None and kind is not MetricKind.PODS:
        amount, chosen = milli(target["value"], "value"), TargetKind.VALUE
    else:
        raise fail(
            "the target names no amount that such a metric has", "write averageValue, value or averageUtilization"
        )
    if amount <= 0:
        raise fail("the target is not above zero", "write a positive quantity")
    return chosen, amount


def _rules(given: Mapping[str, Any] | None, default: Rules, side: str) -> Rules:
    if given is None:
        return default
    problems = Problems()
    window = given.get("stabilizationWindowSeconds")
    if window is not None and not (_is_count(window) and 0 <= window <= LONGEST_WINDOW_SECONDS):
        problems.add(f"{side}.stabilizationWindowSeconds is {window!r}", "write 0 to 3600 seconds")
    policies = given.get("policies")
    read: list[Policy] = []
    for entry in policies or ():
        kind, value, period = (entry.get(name) for name in ("type", "value", "periodSeconds"))
        fits = kind in {"Pods", "Percent"} and _is_count(value) and value >= 1
        if not fits or not _is_count(period) or not 1 <= period <= LONGEST_PERIOD_SECONDS:
            problems.add(
                f"{side}: {dict(entry)!r} is no policy",
                "write type (Pods, Percent), value >= 1, periodSeconds 1 to 1800",
            )
        else:
            read.append(Policy(kind == "Percent", value, period))
    if policies is not None and not policies:
        problems.add(f"{side}.policies is empty", "write at least one policy, or leave the field out")
    select = given.get("selectPolicy")
    if select is not None and select not in {one.value for one in Select}:
        problems.add(f"{side}.selectPolicy is {select!r}", "write Max, Min or Disabled")
    tolerance = given.get("tolerance")
    if tolerance is not None and milli(tolerance, f"{side}.tolerance") < 0:
        problems.add(f"{side}.tolerance is {tolerance!r}", "write a number of at least 0")
    problems.raise_any()
    return Rules(
        tuple(read) or default.policies,
        default.window_seconds if window is None else window,
        default.select if select is None else Select(select),
        None if tolerance is None else approximate(tolerance),
    )


def _count(given: Any, least: int, what: str, bound: str, problems: Problems) -> int:
    """A number of replicas; a mistake in it is noted."""
    if _is_count(given) and given >= least:
        return given
    problems.add(f"{what} is {given!r}", f"write a whole number of {bound}")
    return least


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_INT32


def _selector(selector: Mapping[str, Any] | None) -> str:
    """A label selector as Go's `%+v` prints it."""
    if selector is None:
        return "nil"
    pairs = "".join(f"{key}: {value}," for key, value in sorted((selector.get("matchLabels") or {}).items()))
    parts = [
        f"LabelSelectorRequirement{{Key:{one.get('key')},Operator:{one.get('operator')},"
        f"Values:[{' '.join(one.get('values') or ())}],}},"
        for one in selector.get("matchExpressions") or ()
    ]
    labels = f"map[string]string{{{pairs}}}"
    return f"&LabelSelector{{MatchLabels:{labels},MatchExpressions:[]LabelSelectorRequirement{{{''.join(parts)}}},}}"
