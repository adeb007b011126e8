"""A repository says which envc may compile it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile import __version__
from envcompile.errors import EnvcError
from envcompile.sources import read_project
from envcompile.sources.tree import WorkingTree
from envcompile.sources.wanted import is_range, is_wanted
from envcompile.units.project import Project
from tests.harness.command import call_envc
from tests.sources.messages import CONFIG_MAP, ENVIRONMENT

if TYPE_CHECKING:
    from tests.sources.conftest import Commit, Write


@pytest.mark.parametrize(
    ("text", "version", "wanted"),
    [
        (">=0.2,<0.3", "0.2.0", True),
        (">=0.2,<0.3", "0.2.7", True),
        (">=0.2,<0.3", "0.3.0", False),
        (">=0.2,<0.3", "0.1.9", False),
        ("==0.2.1", "0.2.1", True),
        ("==0.2.1", "0.2.2", False),
        ("~=0.2", "0.9", True),
        (">=0.2", "0.3.0rc1", True),
        ("!=0.2.3", "0.2.3", False),
    ],
)
def test_a_range_is_python_packages_own(text: str, version: str, *, wanted: bool) -> None:
    """PEP 440 decides, and a version before a release is one, too."""
    assert is_wanted(text, version) is wanted


@pytest.mark.parametrize("text", ["", "0.2", "latest", ">=", ">=0.2 <0.3", "^0.2"])
def test_what_is_no_range(text: str) -> None:
    """Nothing is guessed: a bare number could mean one version or all from it on."""
    assert not is_range(text)


def test_another_version_is_refused_at_its_place(write: Write) -> None:
    """With what to install, and without the settings that this version does not know."""
    root = write({
        "envc.yaml": "# ours\nenvironments: [prod]\nfromTheFuture: 1\nenvc: '>=99,<100'\n",
        "base/a.yaml": CONFIG_MAP,
        "overlays/prod/environment.yaml": ENVIRONMENT,
    })
    with pytest.raises(EnvcError) as error:
        read_project(WorkingTree(root))
    assert str(error.value) == (
        f"error: this repository wants envc >=99,<100, and this is {__version__}\n"
        "  --> envc.yaml:4:7\n"
        "hint: install one that it wants: `pip install 'envcompile>=99,<100'`, or change `envc` of envc.yaml"
    )


def test_a_wrong_range_is_told_with_the_rest(write: Write) -> None:
    """It hides no other mistake of the file."""
    root = write({"envc.yaml": "envc: '0.2'\nenvironments: [prod, prod]\n", "base/a.yaml": CONFIG_MAP})
    with pytest.raises(EnvcError) as error:
        read_project(WorkingTree(root))
    assert [problem.what for problem in error.value.problems] == [
        "`envc` is `0.2`, which is no range of versions",
        "`environments` names `prod` twice",
    ]


def test_the_wanted_version_compiles(write: Write) -> None:
    """The pin changes nothing else."""
    root = write({"envc.yaml": f"envc: '=={__version__}'\n", "overlays/prod/environment.yaml": ENVIRONMENT})
    assert read_project(WorkingTree(root)).environments == ("prod",)


def test_a_commit_is_read_whatever_it_was_pinned_to(write: Write, commit: Commit) -> None:
    """A pull request that raises the pin can be compared with what was before it."""
    root = write({
        "envc.yaml": "envc: '<0.0.1'\nenvironments: [prod]\n",
        "base/a.yaml": CONFIG_MAP,
        "overlays/prod/environment.yaml": ENVIRONMENT,
    })
    before = commit(root)
    (root / "envc.yaml").write_text(f"envc: '=={__version__}'\nenvironments: [prod]\n", encoding="utf-8")
    assert Project.of_commit(root, before).compile("prod").resources == Project.open(root).compile("prod").resources
    commit(root)
    assert call_envc(root, "diff", "--from", before).code == 0
