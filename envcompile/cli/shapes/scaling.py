"""Documents about autoscaling."""

from __future__ import annotations

from envcompile.cli.shapes.document import Document, Resource, Shape


class RecordedLoad(Shape, frozen=True, kw_only=True):
    """The load that was replayed."""

    source: str
    start: str
    end: str
    notes: list[str]
    """What was left out of it, and why."""


class PodCapacity(Shape, frozen=True, kw_only=True):
    """What a pod serves: a column of the load, in cores, bytes or the metric's own unit."""

    column: str
    per_pod: float


class ReplicaRange(Shape, frozen=True, kw_only=True):
    """The sizes over the whole load."""

    least: int
    mean: float
    most: int


class Shortage(Shape, frozen=True, kw_only=True):
    """When pods could not serve all of the load, in the unit of the capacity."""

    minutes: float
    worst: float
    """The most at a time."""
    all: float
    """The sum over all of these minutes."""


class SimulatedSetting(Shape, frozen=True, kw_only=True):
    """What one setting did."""

    label: str
    """The fields that were set; `as configured` without any."""
    replicas: ReplicaRange
    rescales: int
    minutes_at_maximum: float
    shortage: Shortage
    pod_hours: float
    cost: float | None
    """For the whole load; null where what pods request has no price."""
    cost_a_month: float | None


class SimulatedPoint(Shape, frozen=True, kw_only=True):
    """A moment; lists have a value for each setting."""

    time: str
    load: float
    """The largest until the next point."""
    replicas: list[int]
    capacity: list[float]
    shortage: list[float]
    """The largest until the next point."""


class SimulateDocument(Document, frozen=True, kw_only=True):
    """`envc simulate`."""

    environment: str
    workload: Resource
    scaler: Resource | None
    """Null for fixed replicas."""
    load: RecordedLoad
    capacity: PodCapacity
    currency: str
    settings: list[SimulatedSetting]
    points: list[SimulatedPoint]
    """At most 1,000 or so."""
