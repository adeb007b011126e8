"""How costs over time are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.cli.render.cost import causes_data, money_data, prices_data
from envcompile.cost.words import figure, said_of_cause, said_of_prices, signed
from envcompile.history.times import day, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.actions.cost_history import CostHistory, CostStep

_MOST = 5


def history_lines(found: CostHistory) -> Iterator[str]:
    """What `envc cost --since` prints."""
    currency = found.prices.currency
    yield said_of_prices(found.prices)
    for line in found.environments:
        most = line.monthly.most.total
        at_most = f", {figure(most)} at most" if most != line.monthly.expected.total else ""
        yield ""
        yield (
            f"{line.environment}: {figure(line.spent.expected.total)} {currency} from {day(found.start)} to "
            f"{day(found.end)}, {figure(line.monthly.expected.total)} a month now{at_most}"
        )
        for step in line.steps:
            yield from _step(step)


def _step(step: CostStep) -> Iterator[str]:
    commit, money = step.commit, step.money
    expected, most = money.expected.total, money.most.total
    at_most = f", at most {signed(most)}" if most != expected else ""
    yield (
        f"  {day(commit.committed_at)}  {signed(expected)} a month, {figure(step.after.expected.total)} then{at_most}  "
        f"{commit.hash[:12]}  {commit.author_name}"
    )
    causes = [(item, cause) for item in step.items for cause in item.causes]
    for item, cause in causes[:_MOST]:
        about = cause.resource if cause.resource != item.resource else item.resource
        yield f"    {about.short} {said_of_cause(cause)}"
    if len(causes) > _MOST:
        yield f"    and {len(causes) - _MOST} more"


def history_data(found: CostHistory) -> dict[str, Any]:
    """`envc cost --since` for machines."""
    return {
        **prices_data(found.prices, found.day.isoformat()),
        "since": stamp(found.start),
        "until": stamp(found.end),
        "environments": [
            {
                "environment": line.environment,
                "spent": money_data(line.spent),
                "monthly": money_data(line.monthly),
                "steps": [
                    {
                        "commit": step.commit.hash,
                        "time": stamp(step.commit.committed_at),
                        "author": step.commit.author_name,
                        "before": money_data(step.before),
                        "after": money_data(step.after),
                        "added": money_data(step.money),
                        "causes": [cause for item in step.items for cause in causes_data(item)],
                    }
                    for step in line.steps
                ],
            }
            for line in found.environments
        ],
    }
