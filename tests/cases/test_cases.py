"""Every case gives exactly what its goldens say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.cases import CASES, all_cases, run_case

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.cases import Case


@pytest.mark.parametrize("case", list(all_cases()), ids=lambda case: case.folder.name)
def test_case(case: Case, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The case's own promise, stated in its case.yaml, holds."""
    assert case.promise.endswith(".")
    run_case(case, tmp_path, update=request.config.getoption("--update-goldens"))


def test_every_folder_is_a_case() -> None:
    """A folder without a case.yaml would be a case that nobody runs."""
    folders = {path.name for path in CASES.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {case.folder.name for case in all_cases()}
