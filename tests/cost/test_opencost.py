"""OpenCost's published example, worked out by the rule of its specification.

Sources: the specification, attributes of allocation costs (amount, duration, hourly rate; the total is their product),
with 2 cores, 24 hours and 0.2 dollars; `allocation-example-output.json` of OpenCost's documentation, a week of a
cluster by namespace, of which these are the figures.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final, NamedTuple

import pytest

from envcompile.cost.estimate import MICRO
from envcompile.cost.prices import HOURS_A_MONTH, Facts, Observed, Rates
from tests.cost.samples import container, deployment, priced

HOURS: Final = Fraction("10079.22199") / 60
"""Of the example's window, its `minutes`."""


class Namespace(NamedTuple):
    """A namespace of the example: what it asks for and uses on average, and what is billed."""

    cpu_request: str
    cpu_billed: str
    """`cpuCores`: the larger of request and use, minute by minute."""
    cpu_cost: str
    memory_request: str
    memory_billed: str
    memory_cost: str


EXAMPLE: Final = {
    "kube-system": Namespace("0.44979", "0.44979", "1.43086", "146732650.88941", "243208378.05879", "0.09657"),
    "opencost": Namespace("0.01999", "0.01999", "0.06359", "115278496.30762", "115278496.30762", "0.04577"),
    "prometheus": Namespace("0", "0.00685", "0.0218", "0", "301110442.06478", "0.11956"),
}
_PRICED = EXAMPLE["kube-system"]
RATES: Final = Rates(
    cpu=Fraction(_PRICED.cpu_cost) / (Fraction(_PRICED.cpu_billed) * HOURS),
    memory=Fraction(_PRICED.memory_cost) / (Fraction(_PRICED.memory_billed) / 2**30 * HOURS),
)
"""The prices of the example's nodes, which it does not print: from one namespace, for the others."""


def test_amount_times_duration_times_rate() -> None:
    """The example of the specification: 2 cores for 24 hours at 0.2 dollars are 9.60."""
    found = priced(deployment(container(cpu="2")), rates=Rates(cpu=Fraction(2, 10), memory=Fraction()))
    assert Fraction(found.money.expected.total, MICRO) / HOURS_A_MONTH * 24 == Fraction("9.6")


@pytest.mark.parametrize("name", ["opencost", "prometheus"])
def test_the_published_example(name: str) -> None:
    """One namespace pays what it requests and does not use, the other what it uses and does not request.

    To the hundredth of a cent, which is what five printed digits of an amount of 0.02 leave.
    """
    said = EXAMPLE[name]
    pod = deployment(container(cpu=said.cpu_request, memory=said.memory_request))
    used = Observed(cpu=Fraction(said.cpu_billed), memory=Fraction(said.memory_billed))
    found = priced(pod, rates=RATES, facts=Facts(observed={"deployment/web": used})).money.expected
    share = HOURS / HOURS_A_MONTH
    assert float(found.cpu * share / MICRO) == pytest.approx(float(said.cpu_cost), abs=0.0001)
    assert float(found.memory * share / MICRO) == pytest.approx(float(said.memory_cost), abs=0.0001)


def test_the_list_is_opencosts() -> None:
    """`configs/default.json`, to the digit."""
    from tests.cost.samples import LIST

    assert (LIST.cpu, LIST.memory) == (Fraction("0.031611"), Fraction("0.004237"))
    assert LIST.gpu == {"default": Fraction("0.95")}
    assert LIST.storage == {"default": Fraction("0.00005479452")}
