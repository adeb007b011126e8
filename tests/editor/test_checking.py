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
        wanted = all_wrong(Workspace(root).with_texts(texts))
        assert [wrong for several in found.values() for wrong in several] == wanted
    checking.close()


def test_what_is_the_same_is_not_told_again(make_project: MakeProject) -> None:
    """Of a file in which nothing else is wrong it is the same list; where nothing is wrong any more there is none."""
    root = make_project({
        WEB: deployment(),
        "base/api/api.yaml": deployment("api"),
        "overlays/prod/environment.yaml": environment(),
    }).resolve()
    checking = Checking()
    first = checking.wrong_in(root, {})
    assert first is not None
    text = deployment().replace("replicas: 1", "replicas: 2\n  paused: true")
    second = checking.wrong_in(root, {WEB: f"# moved\n{text}"})
    assert second is not None
    assert second["base/api/api.yaml"] is first["base/api/api.yaml"]
    assert [wrong.span.line for wrong in second[WEB]] != [wrong.span.line for wrong in first[WEB]]
    third = checking.wrong_in(root, {WEB: "a: [\n"})
    assert third is not None
    assert list(third) == [WEB], "what a build refuses stands before all rules"
    assert checking.wrong_in(root, {}) == first
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
