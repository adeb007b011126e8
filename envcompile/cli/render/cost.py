"""How costs are printed: every figure with its unit, money with currency, period and price list."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from envcompile.cost.estimate import GIB, MICRO, Money
from envcompile.cost.prices import HOURS_A_MONTH
from envcompile.cost.words import figure, said_of_cause, said_of_prices, signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from fractions import Fraction

    from envcompile.actions.cost import CostChanges, Costs, Priced
    from envcompile.cost.causes import CostChange, ItemChange
    from envcompile.cost.counts import Range
    from envcompile.cost.estimate import Item, Parts
    from envcompile.cost.prices import PriceList, Rates

_MOST_ROWS = 20


def amount(number: Fraction) -> str:
    """A number with at most three digits behind the point, and none that say nothing."""
    return f"{float(number):,.3f}".rstrip("0").rstrip(".")


def cost_lines(costs: Costs) -> Iterator[str]:
    """What `envc cost` prints."""
    yield f"{said_of_prices(costs.prices)}: {costs.prices.source}"
    for priced in costs.environments:
        yield ""
        yield from _environment(priced, costs.prices)
    if len(costs.environments) > 1:
        yield ""
        least, most = (sum(getattr(one.estimate.money, of).total for one in costs.environments) for of in _ENDS)
        yield f"all: {figure(least)} {costs.prices.currency} a month" + (
            f", {figure(most)} at most" if most > least else ""
        )


_ENDS = ("expected", "most")


def _environment(priced: Priced, prices: PriceList) -> Iterator[str]:
    estimate = priced.estimate
    money = estimate.money
    at_most = f", {figure(money.most.total)} at most" if money.most != money.expected else ""
    yield f"{estimate.environment}: {figure(money.expected.total)} {prices.currency} a month{at_most}"
    items = sorted(estimate.items, key=lambda item: (-item.money.expected.total, -item.money.most.total, item.resource))
    rows = [
        (
            "",
            "pods",
            "CPU cores",
            "memory GiB",
            "storage GiB",
            f"{prices.currency} a month",
            "at most",
        )
    ]
    rows.extend(
        (
            item.resource.short,
            _between(item.pods) if any(item.pods) else "",
            amount(item.pod.cpu) if item.pod.cpu else "",
            amount(item.pod.memory / GIB) if item.pod.memory else "",
            _storage(item),
            figure(item.money.expected.total),
            figure(item.money.most.total) if item.money.most != item.money.expected else "",
        )
        for item in items
    )
    yield from aligned(rows)
    for text, names in _notes(items):
        yield f"  {text}: {names}"
    if estimate.unseen:
        names = _some([identity.short for identity in estimate.unseen])
        yield f"  not counted, their operators make pods that are not seen here: {names}"


def _storage(item: Item) -> str:
    held = sum((size.expected for size in item.storage.values()), start=item.pod.memory * 0)
    return amount(held / GIB) if held else ""


def _between(numbers: Range) -> str:
    least, most = amount(numbers.least), amount(numbers.most)
    return least if least == most else f"{least}-{most}"


def _notes(items: Iterable[Item]) -> Iterator[tuple[str, str]]:
    """What is not known, each with the resources it is about."""
    found: dict[str, list[str]] = {}
    for item in items:
        for note in item.notes:
            found.setdefault(note, []).append(item.resource.short)
    for note, names in found.items():
        yield note, _some(names)


def _some(names: Sequence[str], most: int = 3) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def aligned(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """The lines of a table: the first column begins on the left, figures end on the right; empty columns are out."""
    kept = [column for column in zip(*rows, strict=True) if any(column[1:])]
    widths = [max(map(len, column)) for column in kept]
    return [
        indent
        + "  ".join(
            f"{cell:<{width}}" if position == 0 else f"{cell:>{width}}"
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in zip(*kept, strict=True)
    ]


def change_lines(changes: CostChanges) -> Iterator[str]:
    """What `envc cost --diff` prints."""
    yield f"{said_of_prices(changes.prices)}, compared with {changes.source[:12]}"
    for change in changes.changed:
        yield ""
        yield headline(change, changes.prices.currency)
        for item in change.items[:_MOST_ROWS]:
            yield f"  {item.resource.short}: {_added(item.money)}"
            for cause in item.causes:
                about = f"{cause.resource.short} " if cause.resource != item.resource else ""
                yield f"    {about}{said_of_cause(cause)}: {_added(cause.money)}"
        if len(change.items) > _MOST_ROWS:
            yield f"  and {len(change.items) - _MOST_ROWS} more resources"
    same = [change.environment for change in changes.environments if not change.items]
    same += changes.untouched
    if same:
        yield ""
        yield f"costs the same: {', '.join(same)}"


def headline(change: CostChange, currency: str) -> str:
    """What is added in one environment, and what it costs then."""
    after, money = change.after, change.money
    at_most = f", {figure(after.most.total)} at most ({signed(money.most.total)})" if money.most.total else ""
    if after.most == after.expected:
        at_most = ""
    added = signed(money.expected.total)
    return f"{change.environment}: {added} {currency} a month, {figure(after.expected.total)} then{at_most}"


def _added(money: Money) -> str:
    expected, most = money.expected.total, money.most.total
    return signed(expected) if expected == most else f"{signed(expected)}, at most {signed(most)}"


def costs_data(costs: Costs) -> dict[str, Any]:
    """`envc cost` for machines."""
    return {
        **prices_data(costs.prices, costs.day.isoformat()),
        "monthly": money_data(reduce(Money.plus, (one.estimate.money for one in costs.environments), Money())),
        "environments": [
            {
                "environment": priced.estimate.environment,
                "rates": _rates_data(priced.rates),
                "monthly": money_data(priced.estimate.money),
                "items": [_item_data(item) for item in priced.estimate.items],
                "notCounted": [identity._asdict() for identity in priced.estimate.unseen],
            }
            for priced in costs.environments
        ],
    }


def changes_data(changes: CostChanges) -> dict[str, Any]:
    """`envc cost --diff` for machines."""
    return {
        **prices_data(changes.prices, changes.day.isoformat()),
        "source": changes.source,
        "environments": [
            {
                "environment": change.environment,
                "before": money_data(change.before),
                "after": money_data(change.after),
                "added": money_data(change.money),
                "items": [
                    {
                        "resource": item.resource._asdict(),
                        "app": item.app,
                        "before": money_data(item.before),
                        "after": money_data(item.after),
                        "added": money_data(item.money),
                        "causes": causes_data(item),
                    }
                    for item in change.items
                ],
            }
            for change in changes.environments
        ],
        "untouched": list(changes.untouched),
    }


def causes_data(item: ItemChange) -> list[dict[str, Any]]:
    """The fields that make a resource cost another amount."""
    return [
        {
            "resource": cause.resource._asdict(),
            "field": cause.field,
            "old": cause.old,
            "new": cause.new,
            "added": money_data(cause.money),
        }
        for cause in item.causes
    ]


def prices_data(prices: PriceList, day: str) -> dict[str, Any]:
    """The list that all figures of a document are made with."""
    return {
        "currency": prices.currency,
        "hoursAMonth": HOURS_A_MONTH,
        "day": day,
        "prices": {
            "name": prices.name,
            "source": prices.source,
            "asOf": prices.as_of.isoformat(),
            "file": prices.path or None,
        },
    }


def _rates_data(rates: Rates) -> dict[str, Any]:
    def price(number: Fraction | None) -> float | None:
        return None if number is None else float(number)

    return {
        "cpuCoreHour": price(rates.cpu),
        "memoryGibHour": price(rates.memory),
        "gpuHour": {name: float(number) for name, number in rates.gpu.items()},
        "storageGibHour": {name: float(number) for name, number in rates.storage.items()},
        "loadBalancerHour": price(rates.load_balancer),
    }


def money_data(money: Money) -> dict[str, Any]:
    """An amount at least, as expected and at most; the expected one by what it is for."""
    return {
        "least": decimal(money.least.total),
        "expected": decimal(money.expected.total),
        "most": decimal(money.most.total),
        "parts": parts_data(money.expected),
    }


def parts_data(parts: Parts) -> dict[str, float]:
    """An amount by what it is for."""
    return {
        "cpu": decimal(parts.cpu),
        "memory": decimal(parts.memory),
        "gpu": decimal(parts.gpu),
        "storage": decimal(parts.storage),
        "loadBalancer": decimal(parts.load_balancer),
    }


def decimal(micros: int) -> float:
    """An amount in the currency; its six digits behind the point are exact."""
    return micros / MICRO


def _item_data(item: Item) -> dict[str, Any]:
    return {
        "resource": item.resource._asdict(),
        "app": item.app,
        "pods": {name: round(float(number), 6) for name, number in item.pods._asdict().items()},
        "hours": round(float(item.hours), 6),
        "cpuCores": round(float(item.pod.cpu), 6),
        "memoryGib": round(float(item.pod.memory / GIB), 6),
        "gpus": {name: float(number) for name, number in item.pod.gpu.items()},
        "storageGib": {name: round(float(size.expected / GIB), 6) for name, size in item.storage.items()},
        "loadBalancers": item.load_balancers,
        "monthly": money_data(item.money),
        "notes": list(item.notes),
    }
