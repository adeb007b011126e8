"""The recorded verdicts of a real API server on thousands of objects: what it refused, and at which field."""

from __future__ import annotations

import pytest

from tests.oracles import refusals

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the tools beside the verdicts leave files open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.skipif(not refusals.is_there(), reason="the recorded verdicts are not beside the repository"),
]


def test_what_the_server_refused_is_named_and_what_it_took_is_no_error() -> None:
    """97 % at the right field, cluster state and admission aside; no error about what it takes; no traceback."""
    score = refusals.score(refusals.outcomes())
    assert score.crashes == ()
    assert [(wrong.mutant["id"], wrong.claims[0]) for wrong in score.false] == []
    assert score.refused > 8000
    assert score.recall >= 0.97


def test_changes_of_what_is_there_are_found() -> None:
    """97 % of the changes that the server refused because the field must stay; none that it took."""
    changes = refusals.changes()
    assert changes.refused > 2000
    assert changes.found / changes.refused >= 0.97
    assert changes.false == ()
