"""Documents about what environments cost."""

from __future__ import annotations

from typing import Any

from envcompile.cli.shapes.document import Document, Resource, Shape


class PriceSource(Shape, frozen=True, kw_only=True):
    """The price list that all figures of a document are made with."""

    name: str
    source: str
    """Where the prices are from: an address, a contract."""
    as_of: str
    """The day on which they were read there, as 2026-11-15."""
    file: str | None
    """The file that says so; null for the list that comes with envc."""


class Rates(Shape, frozen=True, kw_only=True):
    """Prices of one unit for one hour; null for what has no price."""

    cpu_core_hour: float | None
    memory_gib_hour: float | None
    gpu_hour: dict[str, float]
    """By the name of the resource; `default` for every other one."""
    storage_gib_hour: dict[str, float]
    """By storage class; `default` for every other one."""
    load_balancer_hour: float | None


class MoneyParts(Shape, frozen=True, kw_only=True):
    """An amount by what it is for."""

    cpu: float
    memory: float
    gpu: float
    storage: float
    load_balancer: float


class Money(Shape, frozen=True, kw_only=True):
    """An amount a month in the document's currency, exact to six digits behind the point."""

    least: float
    """With every autoscaler at its minimum."""
    expected: float
    """With the average of pods where that is known, else the minimum."""
    most: float
    """With every autoscaler at its maximum."""
    parts: MoneyParts
    """The expected amount."""


class Numbers(Shape, frozen=True, kw_only=True):
    """A number at its least, as expected, at its most."""

    least: float
    expected: float
    most: float


class CostItem(Shape, frozen=True, kw_only=True):
    """One resource that costs something."""

    resource: Resource
    app: str
    pods: Numbers
    """How many there are at a time; runs a month for a job."""
    hours: float
    """How long each of them is billed a month."""
    cpu_cores: float
    """Of one pod: requested, or used where that is known and more."""
    memory_gib: float
    gpus: dict[str, float]
    storage_gib: dict[str, float]
    """All claims by storage class, empty for the cluster's own."""
    load_balancers: int
    monthly: Money
    notes: list[str]
    """What is not known, or was assumed."""


class EnvironmentCost(Shape, frozen=True, kw_only=True):
    """What one environment costs."""

    environment: str
    rates: Rates
    monthly: Money
    items: list[CostItem]
    not_counted: list[Resource]
    """Resources from which operators make pods that no manifest shows."""


class CostDocument(Document, frozen=True, kw_only=True):
    """`envc cost`."""

    currency: str
    """ISO 4217."""
    hours_a_month: int
    day: str
    """The day of which the prices are."""
    prices: PriceSource
    monthly: Money
    """All environments together."""
    environments: list[EnvironmentCost]


class CostCause(Shape, frozen=True, kw_only=True):
    """One field of which the change changes what a resource costs."""

    resource: Resource
    """The resource that has the field: the one that costs, its autoscaler, a LimitRange."""
    field: str
    """Empty for the whole resource, which came or went."""
    old: Any
    new: Any
    added: Money


class CostItemChange(Shape, frozen=True, kw_only=True):
    """One resource that costs another amount than before."""

    resource: Resource
    app: str
    before: Money
    after: Money
    added: Money
    causes: list[CostCause]


class EnvironmentCostChange(Shape, frozen=True, kw_only=True):
    """What is added in one environment in which something differs."""

    environment: str
    before: Money
    after: Money
    added: Money
    items: list[CostItemChange]


class CostDiffDocument(Document, frozen=True, kw_only=True):
    """`envc cost --diff`."""

    currency: str
    hours_a_month: int
    day: str
    prices: PriceSource
    source: str
    """The older commit's hash."""
    environments: list[EnvironmentCostChange]
    untouched: list[str]
    """Environments in which nothing differs."""


class CostStep(Shape, frozen=True, kw_only=True):
    """A commit from which on an environment costs another amount, at the prices of today."""

    commit: str
    time: str
    author: str
    before: Money
    after: Money
    added: Money
    causes: list[CostCause]


class CostLine(Shape, frozen=True, kw_only=True):
    """One environment in a period."""

    environment: str
    spent: Money
    """In the whole period, at the prices of each day."""
    monthly: Money
    """A month as it is at the end, at the prices of today."""
    steps: list[CostStep]


class CostHistoryDocument(Document, frozen=True, kw_only=True):
    """`envc cost --since`."""

    currency: str
    hours_a_month: int
    day: str
    prices: PriceSource
    since: str
    until: str
    environments: list[CostLine]
