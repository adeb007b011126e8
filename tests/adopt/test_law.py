"""The law of adoption: whatever the environments are, the build equals them, object for object and type for type."""

from hypothesis import HealthCheck, given, settings

from envcompile.adopt.adoption import plan_adoption
from envcompile.adopt.existing import Sources
from tests.adopt.generated import sources


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(sources())
def test_build_equals_the_source(source: Sources) -> None:
    """Factoring never changes an object: the proof holds for environments of every shape."""
    planned = plan_adoption(source)
    assert [str(difference) for difference in planned.proof.differences] == []
