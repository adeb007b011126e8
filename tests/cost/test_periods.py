"""What was spent in a period, worked out by hand: prices and configuration that change in the middle of a month."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING

from envcompile.cost.periods import Held, spent
from envcompile.cost.prices import Dated, Rates, Sheet
from tests.cost.samples import container, deployment, priced

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.cost.estimate import Money


def at(day: int, hour: int = 0) -> int:
    """Seconds of an hour of November 2026, in UTC."""
    return int(datetime(2026, 11, day, hour, tzinfo=UTC).timestamp())


def replicas(number: int) -> Callable[[Rates], Money]:
    """A workload of one core a pod."""
    web = deployment(container(cpu="1"), replicas=number)
    return lambda rates: priced(web, rates=rates).money


def sheet(*dated: tuple[date, str]) -> Sheet:
    """Prices of a core for an hour, by the day from which on they hold."""
    return Sheet(tuple(Dated(day, Rates(cpu=Fraction(price), memory=Fraction())) for day, price in dated))


ALWAYS = sheet((date(2026, 1, 1), "0.01"))
ONE = [Held(at(1), replicas(1))]


def total(states: list[Held], prices: Sheet, start: int, end: int) -> int:
    """Millionths of a dollar as expected."""
    return spent(states, prices, start, end).expected.total


def test_a_month_of_hours() -> None:
    """November has 720 hours: 7.20, and not the 7.30 of an average month."""
    assert total(ONE, ALWAYS, at(1), at(30) + 86_400) == 7_200_000


def test_prices_that_change_in_the_middle_of_a_month() -> None:
    """14 days at 1 cent, 16 days at 3 cents an hour: 3.36 + 11.52."""
    prices = sheet((date(2026, 1, 1), "0.01"), (date(2026, 11, 15), "0.03"))
    assert total(ONE, prices, at(1), at(30) + 86_400) == 14_880_000


def test_a_configuration_that_changes_in_the_middle_of_a_day() -> None:
    """A pod more from the 10th at 6 o'clock on: 222 hours of one, 498 of two."""
    states = [*ONE, Held(at(10, 6), replicas(2))]
    assert total(states, ALWAYS, at(1), at(30) + 86_400) == 2_220_000 + 9_960_000


def test_both_change() -> None:
    """222 h x 1 x 0.01 + 114 h x 2 x 0.01 + 384 h x 2 x 0.03: 2.22 + 2.28 + 23.04."""
    prices = sheet((date(2026, 1, 1), "0.01"), (date(2026, 11, 15), "0.03"))
    states = [*ONE, Held(at(10, 6), replicas(2))]
    assert total(states, prices, at(1), at(30) + 86_400) == 27_540_000


def test_before_it_was_there_it_cost_nothing() -> None:
    """And what was before the period has its say in it."""
    assert total([Held(at(16), replicas(1))], ALWAYS, at(1), at(17)) == 240_000
    assert total(ONE, ALWAYS, at(16), at(17)) == 240_000
    assert total([], ALWAYS, at(1), at(17)) == 0
    assert total(ONE, ALWAYS, at(17), at(17)) == 0


def test_the_first_prices_hold_before_their_day() -> None:
    """Nothing is known of the time before them."""
    assert total(ONE, sheet((date(2026, 11, 15), "0.01")), at(1), at(2)) == 240_000
