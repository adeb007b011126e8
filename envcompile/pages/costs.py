"""What environments cost a month, by what their pods request, and at which prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.cost.estimate import GIB, MICRO
from envcompile.cost.prices import HOURS_A_MONTH
from envcompile.pages.model import Figure, Missing, Option
from envcompile.pages.words import listed, money, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from envcompile.actions.cost import Costs, Priced
    from envcompile.cost.counts import Range
    from envcompile.cost.estimate import Item
    from envcompile.cost.prices import PriceList, Rates
    from envcompile.model import ResourceId
    from envcompile.pages.cost_past import CostPast
    from envcompile.pages.links import Links
    from envcompile.pages.model import TimelineRow
    from envcompile.pages.state import State


class CostRow(NamedTuple):
    """What one workload costs."""

    resource: ResourceId
    cpu: str
    memory: str
    storage: str
    pods: str
    expected: str
    most: str
    share_cpu: str
    """In percent of the dearest row, for its bar."""
    share_memory: str
    notes: str


class CostPage(NamedTuple):
    """What environments cost a month."""

    title: str
    sub: str
    environment: str
    figures: tuple[Figure, ...]
    rows: tuple[CostRow, ...]
    total: str
    most: str
    currency: str
    environments: tuple[Option, ...]
    prices: tuple[tuple[str, str], ...]
    unseen: tuple[str, ...]
    """Resources whose operators make pods that nobody sees here."""
    changes: tuple[TimelineRow, ...]
    past: CostPast | None
    missing: tuple[Missing, ...]


def cost_page(state: State, query: Mapping[str, str], links: Links, now: int) -> CostPage:
    """The page of costs.

    Args:
        state: the project.
        query: `env` of the address.
        links: where links lead.
        now: the time of reading, in seconds since 1970.

    Raises:
        UsageError: there is no such environment.
        EnvcError: what is wrong with the prices.
    """
    from envcompile.pages.cost_past import cost_past
    from envcompile.pages.timeline import row

    wanted = query.get("env", "")
    if wanted:
        state.project.choose([wanted])
    costs = state.costs(now)
    if costs is None:
        said = Missing("No environment compiles", "What it costs is not known. `envc check` says what is wrong.")
        return CostPage("Costs are not known", "", "", (), (), "", "", "", (), (), (), (), None, (said,))
    by_name = {one.estimate.environment: one for one in costs.environments}
    name = wanted if wanted in by_name else list(by_name)[-1]
    priced = by_name[name]
    currency = costs.prices.currency
    dearest = max((item.money.expected.total for item in priced.estimate.items), default=0) or 1
    items = sorted(priced.estimate.items, key=lambda one: (-one.money.expected.total, one.resource))
    sizes = [
        event._replace(changed=tuple(one for one in event.changed if one.facet in {"replicas", "resources"}))
        for event in state.events
        if event.environment == name and {"replicas", "resources"} & {one.facet for one in event.changed}
    ]
    total = priced.estimate.money
    return CostPage(
        _title(costs, by_name, currency),
        "Requests times prices: what the configuration asks for, not what a provider bills.",
        name,
        tuple(_figure(one, currency) for one in reversed(costs.environments)),
        tuple(_row(item, dearest) for item in items),
        _amount(total.expected.total, 2),
        _amount(total.most.total, 2),
        currency,
        tuple(Option(one, links.page("cost", env=one), one == name) for one in by_name),
        _prices(costs.prices, priced.rates),
        tuple(identity.short for identity in priced.estimate.unseen),
        tuple(row(event, (), now) for event in sizes[:12]),
        cost_past(history, now) if (history := state.cost_history(now)) is not None else None,
        (),
    )


def _title(costs: Costs, by_name: Mapping[str, Priced], currency: str) -> str:
    last = list(by_name)[-1]
    others = [f"{name} {_amount(one.estimate.money.expected.total)}" for name, one in by_name.items() if name != last]
    del costs
    said = f"{sentence(last)} costs {_amount(by_name[last].estimate.money.expected.total)} {currency} a month"
    return f"{said}; {listed(others)}" if others else said


def _figure(priced: Priced, currency: str) -> Figure:
    total = priced.estimate.money
    text = "a month, as expected of its scalers"
    if total.most.total != total.expected.total:
        text = f"a month at the least of its scalers, {_amount(total.most.total)} at their most"
    return Figure(_amount(total.expected.total), currency, text, priced.estimate.environment)


def _row(item: Item, dearest: int) -> CostRow:
    expected = item.money.expected
    storage = sum((size.expected for size in item.storage.values()), start=item.pod.memory * 0)
    return CostRow(
        item.resource,
        number(item.pod.cpu) if item.pod.cpu else "–",
        number(item.pod.memory / GIB) if item.pod.memory else "–",
        number(storage / GIB) if storage else "–",
        between(item.pods) if any(item.pods) else "–",
        _amount(expected.total, 2),
        _amount(item.money.most.total, 2),
        f"{100 * expected.cpu / dearest:.1f}",
        f"{100 * expected.memory / dearest:.1f}",
        "; ".join(item.notes),
    )


def number(amount: Fraction) -> str:
    """A number with at most three digits behind the point, as the command prints it."""
    return f"{float(amount):,.3f}".rstrip("0").rstrip(".")


def between(numbers: Range) -> str:
    """From the least to the most; one number where both are the same."""
    least, most = number(numbers.least), number(numbers.most)
    return least if least == most else f"{least}–{most}"


def _amount(micros: int, digits: int = 0) -> str:
    return money(micros / MICRO, digits)


def _prices(prices: PriceList, rates: Rates) -> tuple[tuple[str, str], ...]:
    currency = prices.currency
    told = [("List", f"{prices.name}, read on {prices.as_of}: an estimate, not a bill"), ("Source", prices.source)]
    told += [("CPU", f"{float(rates.cpu):g} {currency} an hour and core")] if rates.cpu is not None else []
    told += [("Memory", f"{float(rates.memory):g} {currency} an hour and GiB")] if rates.memory is not None else []
    told += [
        (f"Storage {name}", f"{float(price * HOURS_A_MONTH):.4g} {currency} a month and GiB")
        for name, price in rates.storage.items()
    ]
    if rates.load_balancer is not None:
        told.append(("Load balancer", f"{float(rates.load_balancer):g} {currency} an hour"))
    return (*told, ("Month", f"{HOURS_A_MONTH} hours"))
