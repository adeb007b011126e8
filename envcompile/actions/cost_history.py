"""What environments cost over time, from the recorded history: what was spent, and which commits made it dearer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.actions.timeline import choose_lanes, recorded_line
from envcompile.cost.causes import Side, item_changes, minus
from envcompile.cost.counts import scaler_of
from envcompile.cost.estimate import Estimate, Money, Terms, default_requests, item_of, target_of
from envcompile.cost.periods import Held, spent
from envcompile.history.times import moment_of
from envcompile.history.versions import states
from envcompile.model import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from envcompile.actions.past import Past
    from envcompile.cost.causes import ItemChange
    from envcompile.cost.counts import Scaler
    from envcompile.cost.estimate import Item
    from envcompile.cost.prices import Facts, PriceList, Rates, Sheet
    from envcompile.git.repository import Commit
    from envcompile.model import ResourceId

    Values = Mapping[ResourceId, dict[str, object]]

_PRICELESS: Final = frozenset({
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "CustomResourceDefinition",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "SealedSecret",
    "Secret",
    "ServiceAccount",
})
"""Kinds that cost nothing and say nothing of what others cost; there are many of them."""


class CostStep(NamedTuple):
    """A commit from which on an environment costs another amount."""

    commit: Commit
    before: Money
    """A month at the prices of today."""
    after: Money
    items: tuple[ItemChange, ...]

    @property
    def money(self) -> Money:
        """What it added a month."""
        return minus(self.after, self.before)


class CostLine(NamedTuple):
    """One environment in a period."""

    environment: str
    spent: Money
    """In the whole period, at the prices of each day."""
    monthly: Money
    """A month as it is at the end, at the prices of today."""
    steps: tuple[CostStep, ...]


class CostHistory(NamedTuple):
    """What environments cost in a period."""

    prices: PriceList
    day: date
    start: int
    """Where the period begins, in seconds since 1970."""
    end: int
    environments: tuple[CostLine, ...]


def cost_history(
    past: Past, order: Sequence[str], wanted: Sequence[str], prices: PriceList, day: date, now: int, since: str
) -> CostHistory:
    """What environments cost in a period, along the line of first parents of HEAD.

    Args:
        past: the history.
        order: all environments in promotion order.
        wanted: environments; none means all.
        prices: the price list.
        day: today, whose prices steps are told with.
        now: seconds since 1970.
        since: where the period begins, `30d` or a day.

    Raises:
        UsageError: no such environment, or the text is no time.
    """
    start = moment_of(since, now)
    known = choose_lanes(past, order, wanted)
    line = recorded_line(past)[0]
    kinds = [
        row[0]
        for row in past.store.database.rows("SELECT DISTINCT kind FROM resource ORDER BY kind")
        if row[0] not in _PRICELESS
    ]
    found = []
    for name in known:
        one = _Line(name, prices.sheet_of(name), prices.facts_of(name), day)
        for commit, held in states(past.store, name, line, kinds):
            if commit.committed_at <= now:
                one.take(commit, held, is_told=commit.committed_at >= start)
        total = spent(one.held, prices.sheet_of(name), start, now)
        found.append(CostLine(name, total, one.monthly, tuple(one.steps)))
    return CostHistory(prices, day, start, now, tuple(found))


class _Line:
    """The costs of one environment, commit after commit; a resource that did not change is priced once."""

    def __init__(self, environment: str, sheet: Sheet, facts: Facts, day: date) -> None:
        self.held: list[Held] = []
        self.steps: list[CostStep] = []
        self.monthly = Money()
        self._environment = environment
        self._sheet = sheet
        self._facts = facts
        self._today = sheet.at(day)
        self._before: dict[ResourceId, dict[str, object]] = {}
        self._items: dict[tuple[object, ...], Item | None] = {}
        self._is_first = True

    def take(self, commit: Commit, values: Values, *, is_told: bool) -> None:
        """Take the state that a commit left."""
        now = self._estimate(values, self._today)
        after = now.money
        dated = {id(each.rates): self._estimate(values, each.rates).money for each in self._sheet.dated}
        self.held.append(Held(commit.committed_at, lambda rates: dated[id(rates)]))
        if after != self.monthly and is_told and not self._is_first:
            sides = [Side(_resources(state), self._estimate(state, self._today)) for state in (self._before, values)]
            changed = item_changes(sides[0], sides[1], self._today, self._sheet.factor, self._facts)
            self.steps.append(CostStep(commit, self.monthly, after, changed))
        self.monthly = after
        self._before = dict(values)
        self._is_first = False

    def _estimate(self, values: Values, rates: Rates) -> Estimate:
        scalers: dict[tuple[str, str, str], list[Scaler]] = {}
        limits = []
        for identity, value in values.items():
            if identity.kind == "LimitRange":
                limits.append(Resource(identity, value, "", ()))
            scaler = scaler_of(identity, value)
            if scaler is not None:
                scalers.setdefault(scaler.target, []).append(scaler)
        defaults = default_requests(limits)
        terms = Terms(rates, self._sheet.factor, self._facts, defaults)
        asked = tuple(sorted(defaults.items()))
        items = []
        for identity, value in values.items():
            mine = tuple(scalers.get(target_of(identity), ()))
            key = (identity, id(value), mine, asked, id(rates))
            if key not in self._items:
                self._items[key] = item_of(identity, value, "", mine, terms)
            item = self._items[key]
            if item is not None:
                items.append(item)
        return Estimate(self._environment, tuple(items), ())


def _resources(values: Values) -> list[Resource]:
    return [Resource(identity, values[identity], "", ()) for identity in sorted(values)]
