"""Costs for a spreadsheet and for a comment: what they are now, what a change adds, and what they were over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.actions.cost import CostChanges, Costs
from envcompile.cli.render.cost import decimal
from envcompile.cost.estimate import GIB
from envcompile.cost.words import figure, said_of_cause, said_of_prices, signed
from envcompile.history.times import day, stamp
from envcompile.text import escaped, markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from envcompile.actions.cost_history import CostHistory
    from envcompile.cost.estimate import Money

_PARTS: Final = ("cpu", "memory", "gpu", "storage", "load_balancer")
_MONEY: Final = ("least", "expected", "most", *_PARTS)


def as_csv(found: Costs | CostChanges | CostHistory) -> str:
    """A line for each resource, each cause of a change, or each commit of a period.

    Money is in the column `currency`, a month where the column's name says no more; what a spreadsheet would take for a
    formula begins with an apostrophe.
    """
    import csv
    import io

    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    rows = _cost_rows(found) if isinstance(found, Costs) else _rows(found)
    for row in rows:
        write.writerow([_cell(one) for one in row])
    return out.getvalue()


def as_markdown(found: Costs | CostChanges | CostHistory) -> str:
    """Tables with the price list above them: a line for each environment, then what it is made of."""
    lines = [f"{markdown(said_of_prices(found.prices))}.", ""]
    if isinstance(found, Costs):
        lines += _table(
            ("environment", "a month", "at most"),
            [
                (
                    one.estimate.environment,
                    figure(one.estimate.money.expected.total),
                    figure(one.estimate.money.most.total),
                )
                for one in found.environments
            ],
        )
        for one in found.environments:
            items = sorted(one.estimate.items, key=lambda item: (-item.money.expected.total, item.resource))
            lines += ["", f"#### {markdown(one.estimate.environment)}", ""]
            lines += _table(
                ("resource", "a month", "at most", "notes"),
                [
                    (
                        item.resource.short,
                        figure(item.money.expected.total),
                        figure(item.money.most.total),
                        "; ".join(item.notes),
                    )
                    for item in items
                ],
            )
    elif isinstance(found, CostChanges):
        lines += _table(
            ("environment", "added a month", "then", "cause"),
            [
                (
                    change.environment,
                    signed(change.money.expected.total),
                    figure(change.after.expected.total),
                    "; ".join(
                        f"{cause.resource.short} {said_of_cause(cause)}"
                        for item in change.items
                        for cause in item.causes
                    ),
                )
                for change in found.environments
            ],
        )
    else:
        lines += _table(
            ("environment", f"spent {day(found.start)} to {day(found.end)}", "a month now", "commits that changed it"),
            [
                (
                    line.environment,
                    figure(line.spent.expected.total),
                    figure(line.monthly.expected.total),
                    str(len(line.steps)),
                )
                for line in found.environments
            ],
        )
    return "".join(f"{line}\n" for line in lines)


def _cost_rows(found: Costs) -> Iterator[Sequence[str]]:
    yield (
        *("environment", "kind", "namespace", "name", "app", "currency", *_MONEY),
        *("pods_least", "pods_expected", "pods_most", "cpu_cores", "memory_gib", "storage_gib", "notes"),
    )
    for one in found.environments:
        for item in one.estimate.items:
            storage = sum((size.expected for size in item.storage.values()), start=item.pod.memory * 0)
            yield (
                one.estimate.environment,
                item.resource.kind,
                item.resource.namespace,
                item.resource.name,
                item.app,
                found.prices.currency,
                *_money(item.money),
                *(f"{float(number):.6g}" for number in item.pods),
                f"{float(item.pod.cpu):.6g}",
                f"{float(item.pod.memory / GIB):.6g}",
                f"{float(storage / GIB):.6g}",
                "; ".join(item.notes),
            )


def _rows(found: CostChanges | CostHistory) -> Iterator[Sequence[str]]:
    if isinstance(found, CostChanges):
        titles = "environment kind namespace name currency added added_at_most cause field old new"
        yield titles.split()
        for change in found.environments:
            for item in change.items:
                for cause in item.causes:
                    yield (
                        change.environment,
                        item.resource.kind,
                        item.resource.namespace,
                        item.resource.name,
                        found.prices.currency,
                        _amount(cause.money.expected.total),
                        _amount(cause.money.most.total),
                        cause.resource.short,
                        cause.field,
                        _said(cause.old),
                        _said(cause.new),
                    )
        return
    yield "environment", "time", "commit", "author", "currency", "before", "after", "added", "spent"
    for line in found.environments:
        for step in line.steps:
            yield (
                line.environment,
                stamp(step.commit.committed_at, utc=True),
                step.commit.hash,
                step.commit.author_name,
                found.prices.currency,
                _amount(step.before.expected.total),
                _amount(step.after.expected.total),
                _amount(step.money.expected.total),
                "",
            )
        now = _amount(line.monthly.expected.total)
        spent = _amount(line.spent.expected.total)
        yield line.environment, stamp(found.end, utc=True), "", "", found.prices.currency, now, now, "0", spent


def _money(money: Money) -> Iterator[str]:
    yield from (_amount(one.total) for one in money)
    yield from (_amount(getattr(money.expected, part)) for part in _PARTS)


def _amount(micros: int) -> str:
    return f"{decimal(micros):.6f}".rstrip("0").rstrip(".")


def _said(value: object) -> str:
    return "" if value is None else str(value)


def _cell(text: str) -> str:
    shown = escaped(text)
    is_formula = shown[:1] in {"=", "+", "@", "\t"} or (shown[:1] == "-" and not shown[1:2].isdigit())
    return f"'{shown}" if is_formula else shown


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(map(markdown, row))} |" for row in (head, *rows)]
    return [lines[0], f"|{'---|' * len(head)}", *lines[1:]]
