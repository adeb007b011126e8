"""The recommender says what the real one said, for recorded series of usage."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.scaling.vpa.gomath import exp2, power
from envcompile.scaling.vpa.recommender import Recommender
from tests.scaling.vpa.replay import DATA, differences, lines

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERIES = list(zip(lines(DATA / "series.jsonl.gz"), lines(DATA / "answers.jsonl.gz"), strict=True))
_DAY = 86_400


@pytest.mark.parametrize(("series", "answer"), _SERIES, ids=[f"{one['tags'][0]}-{one['id']}" for one, _ in _SERIES])
def test_requests_are_those_of_the_real_recommender(series: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """To the last unit."""
    assert not differences(series, answer)


def test_only_the_last_days_count() -> None:
    """What is 30 half lives old does not move a percentile any more."""
    long, short = Recommender(), Recommender()
    for day in range(60):
        for minute in range(0, _DAY, 600):
            time = day * _DAY + minute
            use = 4000 if day < 30 else 400
            long.add("cpu", time, "web-0", "web", use)
            if day >= 30:
                short.add("cpu", time, "web-0", "web", use)
    assert long.recommend()["web"]["cpu"].target == short.recommend()["web"]["cpu"].target


def test_samples_that_cannot_be_are_refused_and_counted() -> None:
    """CPU takes no instant twice, memory does; neither goes back in time."""
    recommender = Recommender()
    recommender.add("cpu", 60, "web-0", "web", 100)
    recommender.add("cpu", 60, "web-0", "web", 100)  # the same instant
    recommender.add("cpu", 30, "web-0", "web", 100)  # the clock went back
    recommender.add("cpu", 90, "web-0", "web", -1)
    recommender.add("memory", 60, "web-0", "web", 2**20)
    recommender.add("memory", 60, "web-0", "web", 2**20)  # memory takes the same instant
    recommender.add("memory", 30, "web-0", "web", 2**20)
    assert (recommender.refused, recommender.aggregates["web"].samples) == (4, 1)


def test_nothing_is_recommended_where_nothing_was_seen() -> None:
    """No container, no amounts."""
    assert Recommender().recommend() == {}


@pytest.mark.parametrize("exponent", [-1100.0, -50.5, -1.0, -0.1, 0.0, 0.3, 1.0, 99.99, 1023.0, 1100.0])
def test_powers_of_two_are_those_of_mathematics(exponent: float) -> None:
    """Up to the last bits, and beyond the range of doubles."""
    wanted = math.inf if exponent > 1024 else 2.0**exponent
    assert exp2(exponent) == pytest.approx(wanted, rel=1e-15)


@pytest.mark.parametrize(
    ("base", "exponent"), [(1.05, 0), (1.05, 1), (1.05, 236), (1.5, -2), (math.inf, -2), (math.inf, 3)]
)
def test_powers_are_those_of_mathematics(base: float, exponent: int) -> None:
    """Up to the last bits."""
    assert power(base, exponent) == pytest.approx(base**exponent, rel=1e-14)
