"""The real VerticalPodAutoscaler's recommender answers series, those that are recorded and others, as ours does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.oracles.tools import run
from tests.scaling.vpa.generate import series
from tests.scaling.vpa.replay import DATA, differences, lines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest

RECORDED_SEED = 1
COUNT = 60


def asked(recommender: Path, many: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the real recommender answers."""
    text = "".join(f"{json.dumps(one)}\n" for one in many)
    said = run(recommender, stdin=text, timeout=600).expect_success().stdout
    return [json.loads(line) for line in said.splitlines()]


def test_the_recorded_series_are_what_the_generator_makes() -> None:
    """Another seed gives others of the same families."""
    assert list(lines(DATA / "series.jsonl.gz")) == [series(RECORDED_SEED, at) for at in range(1, COUNT + 1)]


def test_the_recorded_answers_are_the_recommenders(vpa_recommender: Path) -> None:
    """Nothing was changed on the way to the tests."""
    assert asked(vpa_recommender, lines(DATA / "series.jsonl.gz")) == list(lines(DATA / "answers.jsonl.gz"))


def test_other_series_are_answered_alike(vpa_recommender: Path, request: pytest.FixtureRequest) -> None:
    """Of another seed each time that `--seed` names one, to the last unit."""
    seed = RECORDED_SEED + int(request.config.getoption("--seed"))
    many = [series(seed, at) for at in range(1, COUNT + 1)]
    answers = asked(vpa_recommender, many)
    assert len(answers) == COUNT
    wrong = {one["id"]: differences(one, answer) for one, answer in zip(many, answers, strict=True)}
    assert not {number: found for number, found in wrong.items() if found}
