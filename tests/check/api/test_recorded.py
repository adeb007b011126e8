"""What a real API server refuses of changes that nobody tuned the tables to is named, and what it takes is no error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.check.api.sure import surely_right
from envcompile.check.schema import complaints, look_in_full
from tests.check.api.recorded import API, RECORDINGS, changed, judged, mutants, score, seeds

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


def test_who_knows_that_the_tables_say_nothing_hears_the_same() -> None:
    """What compile asked of the tables is not asked again by the check, and nothing is missed by it."""
    asked = 0
    for recording in RECORDINGS[:3:2]:
        bases = seeds(recording.objects)
        for mutant in mutants(recording):
            value = changed(bases[mutant.base], mutant.patch)
            if surely_right(API, value, by_tables=True):
                asked += 1
                assert complaints(API, value, is_right_by_tables=True) == look_in_full(API, value), mutant
    assert asked > 500
