"""What environments cost over time, from the recorded history: what was spent, and which commits made it dearer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.actions.timeline import choose_lanes, recorded_line
from envcompile.cost.causes import Side, item_changes
from envcompile.cost.estimate import Estimate, Money, Terms, default_requests, item_of, scalers_of, target_of
from envcompile.cost.periods import Held, spent
from envcompile.history.times import moment_of
from envcompile.history.versions import states
from envcompile.model import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from envcompile.actions.past import Past
    from envcompile.cost.causes import ItemChange
    from envcompile.cost.counts import Scaler
    from envcompile.cost.estimate import Item
    from envcompile.cost.prices import Facts, PriceList, Sheet
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


_ABOUT_OTHERS: Final = frozenset({"HorizontalPodAutoscaler", "LimitRange", "ScaledObject"})
"""Kinds that say what other resources cost."""


class CostStep(NamedTuple):
    """A commit from which on an environment costs another amount."""

    commit: Commit
    before: Money
    """A month at the prices of today."""
    after: Money
    items: tuple[ItemChange, ...]
    """What made it; nothing where causes were not asked for."""

    @property
    def money(self) -> Money:
        """What it added a month."""
        return self.after.minus(self.before)


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
    past: Past,
    order: Sequence[str],
    wanted: Sequence[str],
    prices: PriceList,
    day: date,
    now: int,
    since: str,
    *,
    with_causes: bool = True,
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
        with_causes: say of each step which resources and fields made it.

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
        one = _Line(name, prices.sheet_of(name), prices.facts_of(name), day, with_causes=with_causes)
        skipped: list[ResourceId] = []  # of commits from the future, as the clock of some committer has it
        for commit, held, touched in states(past.store, name, line, kinds):
            if commit.committed_at > now:
                skipped += touched
                continue
            one.take(commit, held, [*skipped, *touched], is_told=commit.committed_at >= start)
            skipped.clear()
        total = spent(one.held, prices.sheet_of(name), start, now)
        found.append(CostLine(name, total, one.monthly, tuple(one.steps)))
    return CostHistory(prices, day, start, now, tuple(found))


class _Line:
    """The costs of one environment, commit after commit; a resource that did not change is priced once."""

    def __init__(self, environment: str, sheet: Sheet, facts: Facts, day: date, *, with_causes: bool) -> None:
        self.held: list[Held] = []
        self.steps: list[CostStep] = []
        self.monthly = Money()
        self._environment = environment
        self._sheet = sheet
        self._facts = facts
        self._with_causes = with_causes
        self._today = sheet.at(day)
        self._rates = {id(rates): rates for rates in (self._today, *(each.rates for each in sheet.dated))}
        self._before: dict[ResourceId, dict[str, object]] = {}
        self._items: dict[int, dict[ResourceId, Item]] = {key: {} for key in self._rates}
        self._totals = dict.fromkeys(self._rates, Money())
        self._about: dict[ResourceId, Resource] = {}
        self._scalers: dict[tuple[str, str, str], list[Scaler]] = {}
        self._terms = {key: Terms(rates, sheet.factor, facts, {}) for key, rates in self._rates.items()}
        self._is_first = True

    def take(self, commit: Commit, values: Values, touched: Sequence[ResourceId], *, is_told: bool) -> None:
        """Take the state that a commit left, with the resources that it touched."""
        about = list(self._about.values())
        changed = dict.fromkeys([*touched, *self._touched_by_others(values, touched)])
        before = self._side(self._before, changed, about)
        for key in self._rates:
            self._price(values, changed, key)
        totals = dict(self._totals)
        self.held.append(Held(commit.committed_at, lambda rates: totals[id(rates)]))
        after = totals[id(self._today)]
        if after != self.monthly and is_told and not self._is_first:
            now = self._side(values, changed, self._about.values())
            self.steps.append(CostStep(commit, self.monthly, after, self._causes(before, now)))
        self.monthly = after
        for name in changed:
            if name in values:
                self._before[name] = values[name]
            else:
                self._before.pop(name, None)
        self._is_first = False

    def _touched_by_others(self, values: Values, touched: Sequence[ResourceId]) -> list[ResourceId]:
        """The resources of which a scaler or a range of limits says something else now."""
        told = [name for name in touched if name.kind in _ABOUT_OTHERS]
        if not told:
            return []
        for name in told:
            self._about.pop(name, None)
        self._about |= {name: Resource(name, values[name], "", ()) for name in sorted(told) if name in values}
        former, self._scalers = self._scalers, scalers_of(self._about.values())
        defaults = default_requests(self._about.values())
        if any(terms.defaults != defaults for terms in self._terms.values()):
            self._terms = {key: terms._replace(defaults=defaults) for key, terms in self._terms.items()}
            return list({**self._before, **values})
        scaled = {target for target in {**former, **self._scalers} if former.get(target) != self._scalers.get(target)}
        return [name for name in values if target_of(name) in scaled]

    def _side(self, values: Values, changed: Iterable[ResourceId], about: Iterable[Resource]) -> Side:
        """What changed, and what says of others what they cost, as a state to compare."""
        if not self._with_causes:
            return Side((), Estimate(self._environment, (), ()))
        there = {name: Resource(name, values[name], "", ()) for name in changed if name in values}
        items = self._items[id(self._today)]
        estimate = Estimate(self._environment, tuple(items[name] for name in changed if name in items), ())
        return Side(tuple({**{one.id: one for one in about}, **there}.values()), estimate)

    def _causes(self, before: Side, after: Side) -> tuple[ItemChange, ...]:
        if not self._with_causes:
            return ()
        return item_changes(before, after, self._today, self._sheet.factor, self._facts)

    def _price(self, values: Values, changed: Iterable[ResourceId], key: int) -> None:
        """Price what changed anew, with these rates, and bring the total up to date."""
        scalers, terms = self._scalers, self._terms[key]
        items, total = self._items[key], self._totals[key]
        for name in changed:
            former = items.pop(name, None)
            value = values.get(name)
            item = item_of(name, value, "", scalers.get(target_of(name), ()), terms) if value is not None else None
            if former is not None and (item is None or item.money != former.money):
                total = total.minus(former.money)
            if item is not None:
                items[name] = item
                if former is None or item.money != former.money:
                    total = total.plus(item.money)
        self._totals[key] = total
