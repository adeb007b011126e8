"""Documents about settings and forecasts from recorded load."""

from __future__ import annotations

from typing import Any

from envcompile.cli.shapes.document import Document, Resource, Shape


class ReplayedEffect(Shape, frozen=True, kw_only=True):
    """What a setting does to a load."""

    pod_hours: float
    shortage_minutes: float
    """For how long pods could not serve the load."""
    shortage: float
    """How much of it, times minutes, in the unit of the capacity."""
    largest: int
    """The most replicas."""


class PricedEffect(ReplayedEffect, frozen=True, kw_only=True):
    """The same with what it costs."""

    cost_a_month: float | None
    """Null where what pods request has no price."""


class SeenLoad(Shape, frozen=True, kw_only=True):
    """How much of a load was seen."""

    source: str
    days: float
    rows: int
    notes: list[str]
    """What was left out of it, and why."""


class ReplicaBounds(Shape, frozen=True, kw_only=True):
    """Between which numbers of replicas settings were tried."""

    least: int
    most: int


class RecommendedSetting(Shape, frozen=True, kw_only=True):
    """One field that should be another."""

    resource: Resource
    field: str
    old: Any
    """Null where it is not set."""
    new: Any


class LoadRemark(Shape, frozen=True, kw_only=True):
    """What the load tells of the autoscaler."""

    check: str
    what: str
    fix: str


class EditedFile(Shape, frozen=True, kw_only=True):
    """A file of the overlay."""

    file: str
    before: str | None
    """Null for a new file."""
    after: str


class WorkloadRecommendation(Shape, frozen=True, kw_only=True):
    """One workload."""

    environment: str
    workload: Resource
    scaler: Resource | None
    load: SeenLoad
    bounds: ReplicaBounds
    tried: int
    """How many settings were replayed."""
    before: PricedEffect | None
    """Null where no HorizontalPodAutoscaler scales it."""
    after: PricedEffect | None
    currency: str
    settings: list[RecommendedSetting]
    remarks: list[LoadRemark]
    files: list[EditedFile]
    written: bool


class RecommendDocument(Document, frozen=True, kw_only=True):
    """`envc recommend`."""

    recommendations: list[WorkloadRecommendation]


class TriedModel(Shape, frozen=True, kw_only=True):
    """A model's mean absolute errors, in the unit of the load."""

    model: str
    error: float
    """On the weeks that chose."""
    held_back_error: float
    better_weeks: int
    """Of those held back, how many it said better than the same time last week."""


class MinimumChange(Shape, frozen=True, kw_only=True):
    """A time at which the minimum of replicas changes."""

    schedule: str
    """Five fields of cron, of the time zone's wall clock."""
    replicas: int


class FloorWindow(Shape, frozen=True, kw_only=True):
    """A floor under the number of replicas."""

    days: str
    """Weekdays, or a date."""
    start: str
    end: str
    replicas: int
    why: str


class ForecastSlot(Shape, frozen=True, kw_only=True):
    """The load of an hour: the largest of its middle and upper values, the least of its lower ones."""

    time: str
    """Of the wall clock of the time zone."""
    middle: float
    lower: float
    upper: float


class PredictDocument(Document, frozen=True, kw_only=True):
    """`envc predict`."""

    environment: str
    workload: Resource
    scaler: Resource
    source: str
    notes: list[str]
    column: str
    holds: bool
    """False where the forecast was worse than last week on the weeks held back; then there are no windows."""
    chosen: str
    choosing_weeks: int
    held_back_weeks: int
    models: list[TriedModel]
    covered: float
    """The part of the weeks held back that lay in the interval."""
    timezone: str
    events: list[str]
    unsized_events: list[str]
    """Announced, without anything that says how large they are."""
    windows: list[FloorWindow]
    triggers: list[dict[str, Any]]
    """Of a KEDA ScaledObject."""
    minimum_changes: list[MinimumChange]
    """The same floor as times at which the autoscaler's minimum becomes another."""
    held_back_days: int
    alone: ReplayedEffect
    """The autoscaler alone on these days."""
    with_floor: ReplayedEffect
    forecast: list[ForecastSlot]
