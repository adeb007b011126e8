"""`envc compliance` as people ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.harness.command import run_envc

if TYPE_CHECKING:
    from pathlib import Path


def test_weeks_end_somewhere(tmp_path: Path) -> None:
    """A number that nobody's history has is refused, instead of filling the memory with weeks."""
    said = run_envc(tmp_path, "compliance", "--trend", "99999999999")
    assert (said.code, said.out) == (2, "")
    assert "0<=x<=520" in said.err
