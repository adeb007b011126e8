"""The process that looks for what is wrong while somebody types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.editor.checking import Checking
from envcompile.editor.diagnostics import all_wrong
from envcompile.editor.workspace import Workspace
from tests.harness.repository import deployment, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

WEB = "base/web/deployment.yaml"


@pytest.fixture
def root(make_project: MakeProject) -> Path:
    """A Deployment that rules have something to say of."""
    return make_project({WEB: deployment(), "overlays/prod/environment.yaml": environment()}).resolve()


def test_it_finds_what_is_found_here(root: Path) -> None:
    """Of the texts that are open, not those of the disk; asked twice."""
    checking = Checking()
    for texts in ({}, {WEB: deployment().replace("replicas", "repliacs")}):
        found = checking.wrong_in(root, texts)
        assert found
        assert found == all_wrong(Workspace(root).with_texts(texts))
    checking.close()


def test_one_that_ended_gives_no_answer_and_the_next_one_does(root: Path) -> None:
    """Nobody waits for ever, and a rule that ends it ends nothing else."""
    checking = Checking()
    assert checking.wrong_in(root, {})
    checking.interrupt()
    answers = [checking.wrong_in(root, {}) for _ in range(2)]
    assert answers[-1]
    checking.close()
    checking.interrupt()
