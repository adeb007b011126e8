"""The dashboard for Grafana is of the type that Grafana publishes for dashboards."""

import copy
import json
import os
from pathlib import Path
from typing import Any, Final

import pytest

from tests.harness.command import run_envc
from tests.oracles import grafana
from tests.oracles.conftest import REQUIRED

# Read while pytest collects: each test has a home of its own, where nothing is installed.
ENVIRON: Final = dict(os.environ)
DASHBOARD: Final = json.loads(run_envc(None, "history", "dashboard", "grafana").out)


def complaints(board: Any, folder: Path) -> list[str]:
    """What is wrong with a dashboard; skips, or fails where the run promised to have every oracle."""
    if not grafana.PACKAGES.node_modules(ENVIRON).is_dir():
        reason = "Grafana's types are not installed; run `python -m tests.oracles.build grafana`"
        if REQUIRED:
            pytest.fail(f"ENVC_REQUIRE_ORACLES=1, but {reason}", pytrace=False)
        pytest.skip(reason)
    return grafana.complaints(board, folder, ENVIRON)


def test_the_dashboard_is_of_the_published_type(tmp_path: Path) -> None:
    """Every field of it is known, and has the type that it must have."""
    assert complaints(DASHBOARD, tmp_path) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda board: board["panels"][0]["gridPos"].update(h="high"), "Type 'string' is not assignable"),
        (lambda board: board["panels"][0].update(colour="red"), "'\"colour\"' does not exist in type"),
        (lambda board: board.update(editable="yes"), "Type 'string' is not assignable"),
        (lambda board: board["templating"]["list"][0].update(hiden=1), "'\"hiden\"' does not exist in type"),
    ],
)
def test_a_wrong_dashboard_is_told(tmp_path: Path, spoil: Any, said: str) -> None:
    """A field that no dashboard has, and a value of another type."""
    board = copy.deepcopy(DASHBOARD)
    spoil(board)
    assert any(said in line for line in complaints(board, tmp_path))
