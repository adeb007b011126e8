"""A sparse checkout compiles as the whole one does."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from envcompile.errors import EnvcError
from envcompile.git.sparse import SparseTree, completed
from envcompile.limits import Limits
from envcompile.sources.tree import WorkingTree
from envcompile.units.project import Project
from tests.git.repositories import commit_all, run_git
from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment, write_files

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "base/web/d.yaml": deployment(),
    "base/web/c.yaml": config_map(),
    "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    "overlays/prod/c.yaml": config_map(color="red"),
    "overlays/prod/more": "-> ../../shared/prod",
    "overlays/dev/kept.yaml": "-> ../../shared/prod/s.yaml",
    "shared/prod/s.yaml": config_map("shared"),
}


@pytest.fixture(params=["", "deploy"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project of which overlays/prod and the shared folder are not checked out."""
    root = tmp_path / "repository"
    write_files(root / request.param, FILES)
    run_git(root, "init", "--quiet", "--initial-branch=main")
    commit_all(root)
    before = f"{request.param}/" if request.param else ""
    patterns = ["/*", f"!/{before}overlays/prod/", f"!/{before}shared/"]
    run_git(root, "sparse-checkout", "set", "--no-cone", *patterns)
    folder: Path = root / request.param
    assert not (folder / "shared").exists()
    return folder


def test_what_is_not_checked_out_is_read_from_git(project: Path) -> None:
    """Names, bytes and compiled resources are those of the commit, links from and into the rest included."""
    tree = completed(WorkingTree(project))
    assert isinstance(tree, SparseTree)
    with closing(tree):
        files = tree.files("")
        assert [entry.path for entry in files] == sorted([
            *(name for name in FILES if name != "overlays/prod/more"),
            "overlays/prod/more/s.yaml",
        ])
        for entry in files:
            if entry.path in FILES and not FILES[entry.path].startswith("-> "):
                assert tree.read(entry.path).decode() == FILES[entry.path]
            assert tree.exists(entry.path)
            assert tree.is_file(entry.path)
        assert tree.exists("overlays/prod")
        assert not tree.is_file("overlays/prod")
        assert not tree.exists("overlays/other")
        assert tree.root == WorkingTree(project).root
        resources = Project(tree).compile("prod").resources
        assert sorted(resource.id.name for resource in resources) == ["settings", "shared", "web"]


def test_what_was_deleted_stays_deleted(project: Path) -> None:
    """A file that is checked out and gone is no file any more; one written in place of a file left out counts."""
    (project / "base/web/c.yaml").unlink()
    write_files(project, {"overlays/prod/c.yaml": config_map(color="green"), "base/web/new.yaml": config_map("new")})
    tree = completed(WorkingTree(project))
    assert isinstance(tree, SparseTree)
    with closing(tree):
        assert [entry.path for entry in tree.files("base")] == ["base/web/d.yaml", "base/web/new.yaml"]
        assert not tree.exists("base/web/c.yaml")
        assert b"green" in tree.read("overlays/prod/c.yaml")


def test_a_whole_checkout_is_left_as_it_is(tmp_path: Path) -> None:
    """Nothing is asked of git where nothing is left out; a folder without git is taken as it is."""
    write_files(tmp_path, FILES)
    tree = WorkingTree(tmp_path)
    assert completed(tree) is tree
    run_git(tmp_path, "init", "--quiet")
    commit_all(tmp_path)
    assert completed(tree) is tree
    run_git(tmp_path, "sparse-checkout", "set", "--no-cone", "/*")
    assert completed(tree) is tree


def test_a_linked_work_tree_has_its_own_patterns(tmp_path: Path) -> None:
    """The patterns lie in the work tree's own git folder."""
    write_files(tmp_path / "main", FILES)
    run_git(tmp_path / "main", "init", "--quiet", "--initial-branch=main")
    commit_all(tmp_path / "main")
    run_git(tmp_path / "main", "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    run_git(tmp_path / "side", "sparse-checkout", "set", "--no-cone", "/*", "!/base/")
    main, side = (WorkingTree(tmp_path / name) for name in ("main", "side"))
    assert completed(main) is main
    tree = completed(side)
    assert isinstance(tree, SparseTree)
    with closing(tree):
        assert [entry.path for entry in tree.files("base")] == ["base/web/c.yaml", "base/web/d.yaml"]


def test_output_that_is_not_checked_out_is_as_git_has_it(tmp_path: Path) -> None:
    """`build --check` says that it is current, or stale, without a file of it in the folder."""
    root = write_files(tmp_path, {**FILES, "envc.yaml": "chart: {name: shop}\n"})
    run_git(root, "init", "--quiet", "--initial-branch=main")
    assert run_envc(root, "build").code == 0
    commit_all(root)
    run_git(root, "sparse-checkout", "set", "--no-cone", "/*", "!/environments/")
    assert not (root / "environments").exists()
    outcome = run_envc(root, "build", "--check")
    assert (outcome.code, outcome.out) == (0, "")
    write_files(root, {"overlays/dev/c.yaml": config_map(color="green")})
    outcome = run_envc(root, "build", "--check")
    assert outcome.code == 16
    assert "environments/dev/web/configmap-settings.yaml: stale: would change" in outcome.out
    assert "environments/prod" not in outcome.out
    assert not (root / "environments").exists()


def test_links_to_what_git_ignores_are_refused(project: Path) -> None:
    """As in a whole checkout: a file among the sources, and a folder."""
    write_files(
        project,
        {".gitignore": "local/\n", "local/f.yaml": config_map("leak"), "base/web/x.yaml": "-> ../../local/f.yaml"},
    )
    with closing(completed(WorkingTree(project))) as tree, pytest.raises(EnvcError, match="is ignored by git"):  # type: ignore[type-var]
        tree.files("base")


def test_a_file_on_disk_is_limited(project: Path) -> None:
    """What is checked out is read from the disk, within the same limit."""
    write_files(project, {"base/web/large.yaml": "#" * (1 << 21)})
    with closing(completed(WorkingTree(project))) as tree:  # type: ignore[type-var]
        tree.bound(Limits(file_size=1))
        with pytest.raises(EnvcError, match=r"`base/web/large\.yaml` holds more than 1 MiB"):
            tree.read("base/web/large.yaml")
