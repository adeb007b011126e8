"""Files of prices: what they give, and what is told of one that cannot be meant."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.prices import prices_of
from envcompile.cost.prices import DEFAULT
from envcompile.errors import EnvcError
from envcompile.sources import WorkingTree
from tests.harness.repository import write_files

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.cost.prices import PriceList

HEAD = """\
apiVersion: envcompile.dev/v1
kind: Prices
name: Contract
source: https://example.com
asOf: 2026-11-01
currency: EUR
"""


def read(root: Path, text: str) -> PriceList:
    """The list of a project with this file."""
    write_files(root, {"prices.yaml": text})
    return prices_of(WorkingTree(root))


def test_without_a_file_it_is_the_list_of_opencost(tmp_path: Path) -> None:
    """And it says so."""
    assert prices_of(WorkingTree(tmp_path)) is DEFAULT
    assert DEFAULT.name.startswith("OpenCost")


def test_prices_change_on_their_day(tmp_path: Path) -> None:
    """The day before has the older ones; before the first day the first ones hold."""
    sheet = read(
        tmp_path,
        HEAD + "rates:\n- {validFrom: 2026-01-01, cpuCoreHour: 0.1}\n- {validFrom: 2026-11-15, cpuCoreHour: 0.3}\n",
    ).sheet
    days = [date(2025, 1, 1), date(2026, 11, 14), date(2026, 11, 15), date(2027, 1, 1)]
    assert [sheet.at(day).cpu for day in days] == [Fraction(1, 10), Fraction(1, 10), Fraction(3, 10), Fraction(3, 10)]


def test_environments_have_prices_and_facts_of_their_own(tmp_path: Path) -> None:
    """What they do not say is that of the file; numbers are what is written, not what a float makes of them."""
    found = read(
        tmp_path,
        HEAD
        + "rates: [{cpuCoreHour: 0.1, storageGibMonth: {default: 0.04}}]\ndiscountPercent: 10\noverheadPercent: 5\n"
        + "environments:\n  dev: {rates: [{cpuCoreHour: 0.02}], discountPercent: 0}\n"
        + "  prod: {nodes: 6, jobMinutes: 2.5, workloads: {Deployment/Web: {pods: 3.4, cpu: 220m, memory: 1Gi}}}\n",
    )
    assert found.sheet_of("dev").at(date(2026, 1, 1)).cpu == Fraction(2, 100)
    assert [found.sheet_of(name).factor for name in ("dev", "prod", "test")] == [
        Fraction(105, 100),
        Fraction(945, 1000),
        Fraction(945, 1000),
    ]
    assert found.sheet.dated[0].rates.storage == {"default": Fraction(4, 100) / 730}
    facts = found.facts_of("prod")
    assert (facts.nodes, facts.job_minutes) == (6, Fraction(5, 2))
    known = facts.observed["deployment/web"]
    assert (known.pods, known.cpu, known.memory) == (Fraction(17, 5), Fraction(22, 100), Fraction(2**30))
    assert found.facts_of("dev").nodes is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD.replace("name: Contract\n", "") + "rates: [{}]\n", "`name` is missing"),
        (HEAD + "rates: []\n", "`rates` is empty"),
        (HEAD.replace("EUR", "euro") + "rates: [{cpuCoreHour: 1}]\n", "`currency` is `euro`"),
        (HEAD.replace("2026-11-01", "soon") + "rates: [{cpuCoreHour: 1}]\n", "`asOf` is `soon`, which is no day"),
        (HEAD + "rates: [{cpuCoreHour: -1}]\n", "`cpuCoreHour` is -1"),
        (HEAD + "rates: [{cpuCoreHour: '1'}]\n", "`rates[0].cpuCoreHour` is a string, but has to be a number"),
        (HEAD + "rates: [{cpuCoreHour: .inf}]\n", "`.inf` is not a number"),
        (HEAD + "rates: [{cpuHour: 1}]\n", "unknown key `cpuHour`"),
        (HEAD + "rates: [{gpuHour: {default: -2}}]\n", "a price is -2"),
        (HEAD + "rates: [{validFrom: 2026-02-30}]\n", "`validFrom` is `2026-02-30`, which is no day"),
        (HEAD + "rates: [{validFrom: 2026-02-01}, {validFrom: 2026-01-01}]\n", "prices stand in no order"),
        (HEAD + "rates: [{}, {}]\n", "prices stand in no order"),
        (HEAD + "rates: [{}]\ndiscountPercent: 101\n", "`discountPercent` is 101"),
        (HEAD + "rates: [{}]\nenvironments: {prod: {nodes: -1}}\n", "`nodes` is -1"),
        (HEAD + "rates: [{}]\nenvironments: {prod: {workloads: {a/b: {cpu: much}}}}\n", "`cpu` of a/b is `much`"),
    ],
)
def test_what_cannot_be_meant_is_told_at_its_place(tmp_path: Path, text: str, told: str) -> None:
    """With the line."""
    with pytest.raises(EnvcError) as caught:
        read(tmp_path, text)
    (problem,) = caught.value.problems
    assert told in problem.what
    assert problem.where[0].file == "prices.yaml"


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    """Not the first mistake only."""
    with pytest.raises(EnvcError) as caught:
        read(tmp_path, HEAD + "rates: [{cpuCoreHour: -1, loadBalancerHour: -2}]\noverheadPercent: -3\n")
    assert len(caught.value.problems) == 3
