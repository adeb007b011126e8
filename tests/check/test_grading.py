"""How grave findings are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.check.finding import Hit
from envcompile.check.grading import Grading, reaches
from tests.check.samples import PROBE, TAG, WEB

if TYPE_CHECKING:
    from envcompile.check.finding import Severity

PLAIN = Hit(WEB, (), "", "")


def test_a_rule_has_its_own_grade_and_a_hit_may_have_another() -> None:
    """Without settings."""
    grades = Grading({}, {})
    assert grades.grade(TAG, PLAIN) == "error"
    assert grades.grade(TAG, PLAIN._replace(severity="info")) == "info"
    assert not grades.is_off("image-tag")


def test_the_settings_overrule_the_rule_and_the_hit() -> None:
    """Those of the environment win over those of the project."""
    grades = Grading({"image-tag": "info", "probe": "off"}, {"image-tag": "warning"})
    assert grades.grade(TAG, PLAIN._replace(severity="error")) == "warning"
    assert grades.is_off("probe")
    assert Grading({"probe": "off"}, {"probe": "error"}).grade(PROBE, PLAIN) == "error"


@pytest.mark.parametrize(
    ("severity", "threshold", "expected"),
    [
        ("error", "error", True),
        ("warning", "error", False),
        ("warning", "warning", True),
        ("info", "warning", False),
        ("info", "info", True),
    ],
)
def test_a_threshold_is_reached_by_its_grade_and_graver_ones(
    severity: Severity,
    threshold: Severity,
    *,
    expected: bool,
) -> None:
    """And by nothing when nothing was found."""
    assert reaches([severity], threshold) is expected
    assert not reaches([], threshold)
