"""What a real API server refuses of changes that nobody tuned the tables to is named, and what it takes is no error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.check.schema import complaints
from tests.check.api.recorded import API, RECORDINGS, judged, score, seeds

if TYPE_CHECKING:
    from tests.check.api.recorded import Recording, Score


@pytest.fixture(scope="module", params=RECORDINGS, ids=lambda one: f"{one.version} {one.answers}")
def found(request: pytest.FixtureRequest) -> Score:
    """All changes of a recording, judged as its version does."""
    recording: Recording = request.param
    return score(judged(recording))


def test_what_is_refused_is_named_at_its_field(found: Score) -> None:
    """97 % of it, the cluster's state and admission aside; `python -m tests.check.api.recorded` prints which not."""
    assert found.refused.total() > 750
    assert found.recall >= 0.97, [(one.mutant.id, one.mutant.fields[:1]) for one in found.misses]


def test_what_is_taken_is_no_error(found: Score) -> None:
    """Nor a traceback; what only apply refuses may be a warning."""
    assert found.accepted > 300
    assert [(one.mutant.id, one.claims[:1]) for one in found.false] == []
    assert [(one.mutant.id, one.crash) for one in found.crashes] == []


@pytest.mark.parametrize("folder", sorted({recording.objects for recording in RECORDINGS}))
def test_the_valid_objects_are_right(folder: str) -> None:
    """All that the changes are made to."""
    assert [name for name, value in seeds(folder).items() if complaints(API, value)] == []
