"""What a change costs, as a section of a pull request's comment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.cost.words import figure, said_of_prices, signed
from envcompile.text import escaped, markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.cost.causes import Cause, CostChange
    from envcompile.cost.prices import PriceList

_MOST: Final = 10
"""Causes that are told; the largest first."""
_LONGEST: Final = 80
"""Characters of a value."""


def section(prices: PriceList, changes: Sequence[CostChange]) -> str:
    """The section; empty when nothing costs another amount.

    Args:
        prices: the list that figures are made with.
        changes: what is added, by environment.
    """
    told = [change for change in changes if change.items]
    if not told:
        return ""
    lines = ["#### Costs", "", "| environment | added | then | at most |", "|---|--:|--:|--:|"]
    for change in told:
        most = f"{figure(change.after.most.total)} ({signed(change.money.most.total)})"
        is_fixed = change.after.most == change.after.expected and change.before.most == change.before.expected
        cells = [
            f"**{markdown(change.environment)}**",
            signed(change.money.expected.total),
            figure(change.after.expected.total),
            "" if is_fixed else most,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"{markdown(said_of_prices(prices))}.", ""]
    together = _together(told)
    lines += together[:_MOST]
    if len(together) > _MOST:
        lines.append(f"- and {len(together) - _MOST} more: `envc cost --diff` prints all.")
    return "\n".join(lines) + "\n\n"


def _together(changes: Sequence[CostChange]) -> list[str]:
    """One line for each cause, with what it adds in each environment; the largest first."""
    found: dict[str, list[tuple[str, Cause]]] = {}
    for change in changes:
        for item in change.items:
            for cause in item.causes:
                found.setdefault(_said(cause), []).append((change.environment, cause))
    weights = {said: max(_weight(cause) for _, cause in causes) for said, causes in found.items()}
    return [
        f"- {said}: {', '.join(f'{_added(cause)} in {markdown(name)}' for name, cause in causes)}"
        for said, causes in sorted(found.items(), key=lambda entry: -weights[entry[0]])
    ]


def _weight(cause: Cause) -> int:
    return max(abs(cause.money.expected.total), abs(cause.money.most.total))


def _added(cause: Cause) -> str:
    expected, most = cause.money.expected.total, cause.money.most.total
    return signed(expected) if expected == most else f"{signed(expected)} (at most {signed(most)})"


def _said(cause: Cause) -> str:
    name = _code(cause.resource.short)
    if not cause.field:
        return f"{name} as a whole"
    old, new = ("nothing" if value is None else _code(str(value)) for value in (cause.old, cause.new))
    return f"{name} {_code(cause.field)} from {old} to {new}"


def _code(text: str) -> str:
    """A text as code, in which nothing is a link, a mention or a mark."""
    plain = escaped(" ".join(text.split())).replace("`", "\ufffd")
    return f"`{plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + chr(0x2026)}`"
