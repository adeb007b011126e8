"""Price lists: what a unit costs, since when, and for which environment."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

HOURS_A_MONTH: Final = 730
"""A year of 365 days by twelve, as all public price lists count.

Source: OpenCost, core/pkg/util/timeutil/timeutil.go, HoursPerMonth.
"""
OTHERS: Final = "default"
"""The entry of a price by name that holds for every name without one of its own."""


class Rates(NamedTuple):
    """What one unit costs for one hour, in the currency of the list; None for what it has no price for."""

    cpu: Fraction | None = None
    """One core."""
    memory: Fraction | None = None
    """One GiB."""
    gpu: Mapping[str, Fraction] = {}
    """One GPU, by the name of its resource."""
    storage: Mapping[str, Fraction] = {}
    """One GiB of a claim, by the name of its storage class."""
    load_balancer: Fraction | None = None
    """One load balancer."""


class Dated(NamedTuple):
    """Rates, and the first day that they hold."""

    since: date
    rates: Rates


class Sheet(NamedTuple):
    """The prices of one environment, the oldest first."""

    dated: tuple[Dated, ...]
    factor: Fraction = Fraction(1)
    """By what every amount is multiplied: less a discount, plus what the cluster itself takes."""

    def at(self, day: date) -> Rates:
        """The rates of a day; those that hold first for a day before."""
        held = [dated.rates for dated in self.dated if dated.since <= day]
        return held[-1] if held else self.dated[0].rates


class Observed(NamedTuple):
    """What is known of a workload beside its manifests; None for what is not."""

    pods: Fraction | None = None
    """How many of its pods run on average."""
    cpu: Fraction | None = None
    """Cores that one pod uses."""
    memory: Fraction | None = None
    """Bytes that one pod uses."""
    minutes: Fraction | None = None
    """How long one run of a job takes."""


class Facts(NamedTuple):
    """What manifests do not say of an environment."""

    nodes: int | None = None
    """How many nodes run the pods of a DaemonSet."""
    job_minutes: Fraction | None = None
    """How long a run takes of a job for which nothing is said."""
    observed: Mapping[str, Observed] = {}
    """By the workload as KIND/NAME."""


class PriceList(NamedTuple):
    """A named list of prices with what is said of each environment."""

    name: str
    source: str
    """Where the prices are from: an address, a contract."""
    as_of: date
    """The day on which they were read there."""
    currency: str
    """ISO 4217."""
    sheet: Sheet
    own: Mapping[str, Sheet] = {}
    """The sheets of environments that have prices of their own."""
    facts: Mapping[str, Facts] = {}
    path: str = ""
    """The file that says so; empty for the list that comes with envc."""

    def sheet_of(self, environment: str) -> Sheet:
        """The prices of an environment."""
        return self.own.get(environment, self.sheet)

    def facts_of(self, environment: str) -> Facts:
        """What is said of an environment."""
        return self.facts.get(environment, Facts())


def by_name(prices: Mapping[str, Fraction], name: str) -> Fraction | None:
    """The price of what has this name; None where the list has none."""
    return prices.get(name, prices.get(OTHERS))


def factor_of(discount: Fraction, overhead: Fraction) -> Fraction:
    """By what amounts are multiplied.

    Args:
        discount: percent that are taken off.
        overhead: percent that come on top of what is left.
    """
    return (1 - discount / 100) * (1 + overhead / 100)


DEFAULT: Final = PriceList(
    name="OpenCost defaults, Google Cloud us-central1",
    source="https://github.com/opencost/opencost/blob/develop/configs/default.json",
    as_of=date(2024, 10, 24),
    currency="USD",
    sheet=Sheet((
        Dated(
            date(2020, 2, 12),
            Rates(
                cpu=Fraction("0.031611"),
                memory=Fraction("0.004237"),
                gpu={OTHERS: Fraction("0.95")},
                storage={OTHERS: Fraction("0.00005479452")},
                # The file has none; pkg/cloud/gcp/provider.go, the price of the first five forwarding rules.
                load_balancer=Fraction("0.025"),
            ),
        ),
    )),
)
"""The list that holds where nobody says another one: list prices without any discount."""
