"""`envc owners`: CODEOWNERS written and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

BLOCK = """\
# envc owners: begin (written by `envc owners --write` from overlays/*/environment.yaml)
/envc.yaml           @shop/dev @shop/sre
/base/               @shop/dev @shop/sre
/overlays/dev/       @shop/dev
/overlays/prod/      @shop/sre
/environments/dev/   @shop/dev
/environments/prod/  @shop/sre
# envc owners: end
"""


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """Two environments with owners."""
    return make_project({
        "base/a.yaml": config_map(),
        "overlays/dev/environment.yaml": environment("owners: ['@shop/dev']\n"),
        "overlays/prod/environment.yaml": environment("owners: ['@shop/sre']\n"),
    })


def test_the_lines_are_printed(project: Path) -> None:
    """What several environments are made from belongs to the owners of all of them."""
    assert run_envc(project, "owners") == (0, BLOCK, "")


def test_own_lines_stay_and_the_block_is_renewed(project: Path) -> None:
    """Check, write, check, write again."""
    path = project / "CODEOWNERS"
    path.write_text("* @shop/all\n", encoding="utf-8")
    assert run_envc(project, "owners", "--check") == (16, "", f"{path} is stale: run `envc owners --write`\n")
    assert run_envc(project, "owners", "--write") == (0, "", f"{path} is written\n")
    assert path.read_text() == f"* @shop/all\n\n{BLOCK}"
    assert run_envc(project, "owners", "--check") == (0, "", f"{path} is current\n")
    path.write_text(f"{BLOCK.replace('@shop/sre', '@shop/old')}/docs/ @shop/docs\n", encoding="utf-8")
    run_envc(project, "owners", "--write")
    assert path.read_text() == f"{BLOCK}/docs/ @shop/docs\n"
    assert run_envc(project, "owners", "--write").err == f"{path} is current\n"


def test_a_project_below_the_top_of_the_repository_has_its_folder_in_front(make_project: MakeProject) -> None:
    """CODEOWNERS speaks of the repository's paths."""
    root = make_project({
        "deploy/base/a.yaml": config_map(),
        "deploy/overlays/dev/environment.yaml": environment("owners: [dev@example.com]\n"),
    })
    commit(root)
    run_envc(root / "deploy", "owners", "--write")
    lines = (root / ".github/CODEOWNERS").read_text().splitlines()
    assert "/deploy/overlays/dev/      dev@example.com" in lines


def test_an_owner_that_no_host_reads_is_refused_at_its_place(make_project: MakeProject) -> None:
    """A line with a slip makes the host ignore it."""
    root = make_project({
        "base/a.yaml": config_map(),
        "overlays/dev/environment.yaml": environment("owners: ['@shop/dev', shop]\n"),
    })
    done = run_envc(root, "owners")
    assert (done.code, done.err) == (
        1,
        (
            "error: `shop` is no owner\n  --> overlays/dev/environment.yaml:3:23\n"
            "hint: write `@user`, `@organisation/team` or an e-mail address\n"
        ),
    )


def test_a_project_without_owners_is_told_so(make_project: MakeProject) -> None:
    """An empty block would say nothing."""
    root = make_project({"base/a.yaml": config_map(), "overlays/dev/environment.yaml": environment()})
    done = run_envc(root, "owners")
    assert (done.code, done.err) == (
        2,
        "error: no environment names its owners\nhint: add `owners:` to the environment.yaml of each environment\n",
    )
