"""A year's history is asked in less than a second; here a hundredth of it, `python -m tests.history.year` has all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.history.year import ask, make

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS_A_SECOND = 2000
"""What a watcher has to keep up with."""


def test_a_share_of_a_year(new_postgres: Callable[[], str]) -> None:
    """Every question within a second, and versions stored with less of the processor than 2,000 a second leave."""
    url = new_postgres()
    year = make(url, 0.02)
    assert year.versions >= 4000
    assert year.usage == 400_000
    assert year.processor / year.versions < 1 / EVENTS_A_SECOND
    answers = {one.question: one for one in ask(url)}
    assert all(one.rows for one in answers.values()), answers
    assert answers["at KIND/NAME"].rows == 1
    assert {name: one.seconds for name, one in answers.items() if one.seconds > 1} == {}
