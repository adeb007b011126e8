"""The file of prices: its typed model, what is wrong with one, and the price list that it makes."""

from __future__ import annotations

import sys
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from envcompile.cost.prices import HOURS_A_MONTH, Dated, Facts, Observed, PriceList, Rates, Sheet, factor_of
from envcompile.kubernetes.podrequests import quantity
from envcompile.schemas import described
from envcompile.settings import Model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.model import Pointer

Prices = dict[str, float]
_FIRST = date(1970, 1, 1)
PRICE_FILE = "prices.yaml"
"""The project's own list, beside envc.yaml."""


class PricedRates(Model, frozen=True, kw_only=True):
    """Prices that hold from a day on; what is left out has no price."""

    valid_from: str | None = None
    """The first day, as `2026-11-15`; left out, they have always held."""
    cpu_core_hour: float | None = None
    """One core for an hour."""
    memory_gib_hour: float | None = None
    """One GiB of memory for an hour."""
    gpu_hour: Prices = msgspec.field(default_factory=dict)
    """One GPU for an hour, by the name of its resource; `default` for every other one."""
    storage_gib_month: Prices = msgspec.field(default_factory=dict)
    """One GiB of a claim for a month of 730 hours, by storage class; `default` for every other one."""
    load_balancer_hour: float | None = None
    """One load balancer for an hour."""


class ObservedWorkload(Model, frozen=True, kw_only=True):
    """What is known of a workload beside its manifest."""

    pods: float | None = None
    """How many pods run on average."""
    cpu: str | None = None
    """CPU that one pod uses, such as `220m`; more than requested is billed."""
    memory: str | None = None
    """Memory that one pod uses, such as `310Mi`; more than requested is billed."""
    minutes: float | None = None
    """How long one run of a job takes."""


class PricedEnvironment(Model, frozen=True, kw_only=True):
    """What differs in one environment, and what its manifests do not say."""

    rates: tuple[PricedRates, ...] = ()
    """Prices of its own; those of the file when left out."""
    discount_percent: float | None = None
    """What is taken off its list prices."""
    overhead_percent: float | None = None
    """What its cluster takes for itself, on top."""
    nodes: int | None = None
    """How many nodes run the pods of a DaemonSet."""
    job_minutes: float | None = None
    """How long a run takes of a job for which nothing else is said."""
    workloads: dict[str, ObservedWorkload] = msgspec.field(default_factory=dict)
    """What is known of workloads, by KIND/NAME in small letters, such as `deployment/web`."""


class PriceFile(Model, frozen=True, kw_only=True):
    """`prices.yaml`: what `envc cost` multiplies requests with."""

    api_version: Literal["envcompile.dev/v1"] = msgspec.field(name="apiVersion")
    """Version of this format."""
    kind: Literal["Prices"]
    """Always `Prices`."""
    name: str
    """What the list is called wherever a figure stands."""
    source: str
    """Where the prices are from: an address, a contract."""
    as_of: str
    """The day on which they were read there, as `2026-11-15`."""
    currency: str
    """Three letters of ISO 4217, such as `EUR`."""
    rates: tuple[PricedRates, ...]
    """The prices, one entry for each day on which some of them changed."""
    discount_percent: float = 0
    """What is taken off list prices."""
    overhead_percent: float = 0
    """What clusters take for themselves, on top."""
    environments: dict[str, PricedEnvironment] = msgspec.field(default_factory=dict)
    """What differs from one environment to the next."""


class Wrong(NamedTuple):
    """What is wrong with a file, and how to mend it."""

    pointer: Pointer
    what: str
    fix: str


def price_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a file of prices."""
    return described(PriceFile, PRICE_FILE, [sys.modules[__name__]])


def wrong(file: PriceFile) -> Iterator[Wrong]:
    """Everything that a well-typed file of prices says and cannot mean."""
    if not (len(file.currency) == 3 and file.currency.isalpha() and file.currency.isupper()):
        yield Wrong(("currency",), f"`currency` is `{file.currency}`", "write three capitals of ISO 4217, such as EUR")
    if _day(file.as_of) is None:
        yield Wrong(("asOf",), f"`asOf` is `{file.as_of}`, which is no day", "write it as 2026-11-15, in quotes")
    if not file.rates:
        yield Wrong(("rates",), "`rates` is empty", "write what a core costs an hour: `- cpuCoreHour: 0.03`")
    yield from _wrong_rates(file.rates, ("rates",))
    yield from _wrong_numbers(file, (), ("discount_percent", "overhead_percent"))
    for name, own in file.environments.items():
        pointer: Pointer = ("environments", name)
        yield from _wrong_rates(own.rates, (*pointer, "rates"))
        yield from _wrong_numbers(own, pointer, ("discount_percent", "overhead_percent", "nodes", "job_minutes"))
        for workload, known in own.workloads.items():
            yield from _wrong_numbers(known, (*pointer, "workloads", workload), ("pods", "minutes"))
            for field in ("cpu", "memory"):
                said = getattr(known, field)
                if said is not None and quantity(said) <= 0:
                    what = f"`{field}` of {workload} is `{said}`"
                    yield Wrong((*pointer, "workloads", workload, field), what, "write an amount such as 220m or 310Mi")


def _wrong_rates(rates: tuple[PricedRates, ...], pointer: Pointer) -> Iterator[Wrong]:
    before = None
    for position, rate in enumerate(rates):
        here = (*pointer, position)
        day = _day(rate.valid_from) if rate.valid_from is not None else _FIRST
        if day is None:
            what = f"`validFrom` is `{rate.valid_from}`, which is no day"
            yield Wrong((*here, "validFrom"), what, "write it as 2026-11-15, in quotes")
        elif before is not None and day <= before:
            yield Wrong((*here, "validFrom"), "prices stand in no order", "write the oldest first, each with its day")
        before = day or before
        yield from _wrong_numbers(rate, here, ("cpu_core_hour", "memory_gib_hour", "load_balancer_hour"))
        for field in ("gpu_hour", "storage_gib_month"):
            for name, price in getattr(rate, field).items():
                if not 0 <= price < 1e9:
                    way = (*here, _spelled(field), name)
                    yield Wrong(way, f"a price is {price}", "write 0 or more")


def _wrong_numbers(model: Model, pointer: Pointer, fields: tuple[str, ...]) -> Iterator[Wrong]:
    for field in fields:
        number = getattr(model, field)
        name = _spelled(field)
        if number is not None and not 0 <= number < 1e9:
            yield Wrong((*pointer, name), f"`{name}` is {number}", "write 0 or more")
        elif number is not None and field == "discount_percent" and number > 100:
            yield Wrong((*pointer, name), f"`{name}` is {number}", "write 100 or less")


def _spelled(field: str) -> str:
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


def price_list(file: PriceFile, path: str) -> PriceList:
    """The price list that a sound file makes.

    Args:
        file: in which nothing is wrong.
        path: where it stands.
    """
    own, facts = {}, {}
    for name, said in file.environments.items():
        discount = file.discount_percent if said.discount_percent is None else said.discount_percent
        overhead = file.overhead_percent if said.overhead_percent is None else said.overhead_percent
        own[name] = _sheet(said.rates or file.rates, discount, overhead)
        facts[name] = Facts(
            said.nodes,
            _exact(said.job_minutes) if said.job_minutes is not None else None,
            {workload.lower(): _observed(known) for workload, known in said.workloads.items()},
        )
    sheet = _sheet(file.rates, file.discount_percent, file.overhead_percent)
    as_of = _day(file.as_of) or _FIRST
    return PriceList(file.name, file.source, as_of, file.currency, sheet, own, facts, path)


def _sheet(rates: tuple[PricedRates, ...], discount: float, overhead: float) -> Sheet:
    dated = [Dated(_day(rate.valid_from) or _FIRST if rate.valid_from else _FIRST, _rates(rate)) for rate in rates]
    return Sheet(tuple(dated), factor_of(_exact(discount), _exact(overhead)))


def _rates(said: PricedRates) -> Rates:
    def price(number: float | None) -> Fraction | None:
        return None if number is None else _exact(number)

    storage = {name: _exact(number) / HOURS_A_MONTH for name, number in said.storage_gib_month.items()}
    return Rates(
        price(said.cpu_core_hour),
        price(said.memory_gib_hour),
        _exactly(said.gpu_hour),
        storage,
        price(said.load_balancer_hour),
    )


def _observed(known: ObservedWorkload) -> Observed:
    return Observed(
        None if known.pods is None else _exact(known.pods),
        None if known.cpu is None else quantity(known.cpu),
        None if known.memory is None else quantity(known.memory),
        None if known.minutes is None else _exact(known.minutes),
    )


def _exactly(numbers: Mapping[str, float]) -> dict[str, Fraction]:
    return {name: _exact(number) for name, number in numbers.items()}


def _exact(number: float) -> Fraction:
    """The number as it is written: 0.1 is a tenth."""
    return Fraction(repr(number))


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError):
        return None
