"""The columns of a matrix: only what differs is explained, and no row is lost by that."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.matrix import matrix
from envcompile.actions.matrix_columns import columns, columns_of
from envcompile.actions.origins import environment_origins
from envcompile.actions.past import open_past
from envcompile.errors import EnvcError
from envcompile.units.project import Project
from tests.harness.repository import config_map, deployment, environment
from tests.history.conftest import folder

if TYPE_CHECKING:
    from tests.conftest import MakeProject
    from tests.history.conftest import Folder

__all__ = ["folder"]

SHOP = Path(__file__).parents[2]


def test_what_all_have_alike_has_no_row_anyway() -> None:
    """The shop's matrix is the one of everything explained, and a third less than all of it is."""
    project = Project.open(SHOP)
    names = project.environments
    every = [environment_origins(project, name) for name in names]
    some = columns(project, with_history=False)
    whole, found = matrix(every), matrix(some)
    assert (found.services, found.folded, found.own) == (whole.services, whole.folded, whole.own)
    explained = sum(bool(one.fields) for each in some for one in each.resources)
    assert 0 < explained < sum(len(each.resources) for each in every) * 0.65


def test_with_a_history_it_is_the_same(folder: Folder) -> None:
    """Since when and by whom, where one environment says otherwise."""
    folder.commit("start")
    folder.commit("green", overlays__prod__settings=config_map(color="green"))
    folder.record()
    with closing(open_past(folder.root)) as past:
        project = Project.open(folder.root)
        every = [environment_origins(project, name, past) for name in project.environments]
        found = columns_of(project, project.environments, past)
    assert matrix(found).rows == matrix(every).rows
    (row,) = (row for row in matrix(found).rows if row.field == "data.color")
    assert row.cells[-1].since is not None


def test_what_is_wrong_anywhere_is_told_together(make_project: MakeProject) -> None:
    """Not only the first environment's."""
    root = make_project({
        "base/web/web.yaml": deployment(),
        "overlays/dev/environment.yaml": environment(),
        "overlays/dev/bad.yaml": "a: [\n",
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/bad.yaml": "b: {\n",
    })
    with pytest.raises(EnvcError) as error:
        columns(Project.open(root))
    told = str(error.value)
    assert "overlays/dev/bad.yaml" in told
    assert "overlays/prod/bad.yaml" in told
