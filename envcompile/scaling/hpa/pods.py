"""A pod and a metric as the controller sees them at one instant, and the sorting of pods by what counts.

Source: k8s.io/kubernetes pkg/controller/podautoscaler/replica_calculator.go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from envcompile.scaling.hpa.spec import CPU

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.scaling.hpa.spec import ControllerFlags

PENDING: Final = "Pending"
RUNNING: Final = "Running"
FAILED: Final = "Failed"
SUCCEEDED: Final = "Succeeded"


@dataclass(frozen=True, slots=True)
class ReadyCondition:
    """The condition Ready: `status` is True, False or Unknown; the instant of its last change in ms."""

    status: str
    since: int


@dataclass(frozen=True, slots=True)
class Container:
    """A container, or a restartable init container, with its requests in milli-units."""

    name: str
    requests: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as the controller's informer lists it; instants in ms."""

    name: str
    phase: str
    containers: Sequence[Container] = ()
    pod_requests: Mapping[str, int] | None = None
    started: int | None = None
    ready: ReadyCondition | None = None
    is_terminating: bool = False

    @property
    def is_ready(self) -> bool:
        """Whether its condition Ready is True."""
        return self.ready is not None and self.ready.status == "True"


@dataclass(frozen=True, slots=True)
class Sample:
    """The metric of one pod: its value in milli-units, the instant and the window of the sample in ms."""

    value: int
    at: int
    window: int


@dataclass(frozen=True, slots=True)
class Grouped:
    """Pods by how they count, each by its name, and the number of those that count as they are."""

    ready: int
    unready: frozenset[str]
    missing: frozenset[str]
    ignored: frozenset[str]


def group(
    pods: Iterable[Pod], samples: Mapping[str, Sample], resource: str, flags: ControllerFlags, now: int
) -> Grouped:
    """Sort pods as `groupPods` does, at an instant in ms after the fetch; their own metrics have no `resource`."""
    ready, unready, missing, ignored = 0, [], [], []
    for pod in pods:
        if pod.is_terminating or pod.phase == FAILED:
            ignored.append(pod.name)
        elif pod.phase == PENDING:
            unready.append(pod.name)
        elif (sample := samples.get(pod.name)) is None:
            missing.append(pod.name)
        elif resource == CPU and _is_initialising(pod, sample, flags, now):
            unready.append(pod.name)
        else:
            ready += 1
    return Grouped(ready, frozenset(unready), frozenset(missing), frozenset(ignored))


def _is_initialising(pod: Pod, sample: Sample, flags: ControllerFlags, now: int) -> bool:
    """Whether a pod's CPU does not count yet."""
    condition, started = pod.ready, pod.started
    if condition is None or started is None:
        return True
    if started + flags.cpu_initialization_period_seconds * 1000 > now:
        return condition.status == "False" or sample.at < condition.since + sample.window
    was_never_ready = started + flags.initial_readiness_delay_seconds * 1000 > condition.since
    return condition.status == "False" and was_never_ready


class MissingRequestError(Exception):
    """A pod has no request of the resource that a Utilization target needs."""


def request_of(pod: Pod, container: str, resource: str) -> int:
    """What a pod requests, in milli-units: of one container, else of the pod, else the sum of its containers.

    Raises:
        MissingRequestError: a request that the sum needs is not there.
    """
    if pod.pod_requests and not container:
        if resource in pod.pod_requests:
            return pod.pod_requests[resource]
        stated = [one.requests[resource] for one in pod.containers if resource in one.requests]
        if not stated:
            raise MissingRequestError(f"missing pod-level request for {resource} in Pod {pod.name}")
        return sum(stated)
    total = 0
    for one in pod.containers:
        if container and container != one.name:
            continue
        if resource not in one.requests:
            raise MissingRequestError(f"missing request for {resource} in container {one.name} of Pod {pod.name}")
        total += one.requests[resource]
        if container:
            return total
    if container:
        raise MissingRequestError(f"container {container} not found in Pod {pod.name}")
    return total
