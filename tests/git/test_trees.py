"""The files of a commit and of the index: what they hold, as the working folder would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.errors import EnvcError, UsageError
from envcompile.git.blob import blob_id
from envcompile.git.repository import open_repository
from envcompile.sources.tree import WorkingTree
from tests.git.repositories import run_git
from tests.harness.repository import write_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from envcompile.git.trees import StoredTree

    Open = Callable[[Path], StoredTree]

FILES = {
    "base/a/x.yaml": "a",
    "base/a/deep/y.yaml": "bb",
    "base/b.yaml": "ccc",
    "base/.hidden.yaml": "",
    "base/z.yaml~": "",
    "base/empty.yaml": "",
    "shared/s.yaml": "dddd",
    "base/link.yaml": "-> ../shared/s.yaml",
    "base/folder": "-> ../shared",
    "base/ä ü.yaml": "name",
}


def of_commit(root: Path) -> StoredTree:
    """The tree of HEAD, after everything was committed."""
    run_git(root, "commit", "--quiet", "--message=all")
    return open_repository(root).commit_tree("HEAD")


def of_index(root: Path) -> StoredTree:
    """The tree of the index."""
    return open_repository(root).index_tree()


@pytest.fixture(params=[of_commit, of_index])
def opened(request: pytest.FixtureRequest) -> Open:
    """A commit or an index of everything that lies in a folder."""
    kind: Open = request.param

    def tree(root: Path) -> StoredTree:
        run_git(root, "add", "--all")
        return kind(root)

    return tree


@pytest.fixture(params=["sha1", "sha256"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A repository of either kind of ids."""
    folder = tmp_path / "repository"
    folder.mkdir()
    run_git(folder, "init", "--quiet", "--initial-branch=main", f"--object-format={request.param}")
    return folder


@pytest.mark.parametrize("prefix", ["", "deploy/eu"])
def test_it_holds_what_the_folder_holds(root: Path, prefix: str, opened: Open) -> None:
    """Commit, index and folder agree in names, bytes and kinds, symlinks included; ids are digests of the bytes."""
    project = write_files(root / prefix, FILES)
    run_git(root, "add", "--all")
    tree, working = opened(project), WorkingTree(project)
    for folder in ("base", "base/", "", ".", "base/folder", "missing", "base/b.yaml"):
        assert [entry.path for entry in tree.files(folder)] == [entry.path for entry in working.files(folder)]
    for entry in tree.files(""):
        data = working.read(entry.path)
        assert tree.read(entry.path) == data
        assert entry.blob == tree.blob_of(entry.path) == blob_id(data, len(entry.blob))
        assert tree.holds(entry.path, data)
        assert not tree.holds(entry.path, data + b"x")
        assert tree.exists(entry.path)
        assert tree.is_file(entry.path)
    blobs = dict(tree.blobs(entry.blob for entry in tree.files("")))
    assert {entry.path: blobs[entry.blob] for entry in tree.files("base")} == {
        entry.path: working.read(entry.path) for entry in working.files("base")
    }
    assert tree.exists("base/folder")
    assert not tree.is_file("base/folder")
    assert not tree.exists("base/nothing")
    assert not tree.exists("../../../x")
    assert tree.root is None
    tree.close()
    assert tree.read("base/b.yaml") == b"ccc"
    tree.close()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"base/x": "-> /etc/passwd"}, "the symlink `base/x` leaves the repository: it points to `/etc/passwd`"),
        ({"base/x": "-> ../../other"}, "the symlink `base/x` leaves the repository"),
        ({"base/x": "-> nothing"}, "the symlink `base/x` points to `nothing`, which does not exist"),
        ({"base/x": "-> ."}, "the symlink `base/x` runs in a circle"),
        ({"base/x": "-> y", "base/y": "-> x"}, "the symlink `base/x` runs in a circle"),
        ({"base/a/x": "-> ../../base"}, "the symlink `base/a/x` runs in a circle"),
    ],
)
def test_a_link_must_stay_and_end(root: Path, files: dict[str, str], message: str, opened: Open) -> None:
    """The rules and the words of the working folder hold."""
    tree = opened(write_files(root, {**files, "base/file.yaml": ""}))
    with pytest.raises(EnvcError, match=message.replace("(", r"\(")):
        tree.files("base")
    tree.close()


def test_a_submodule_is_not_entered(root: Path, opened: Open) -> None:
    """Where its files would be sources, an error says that they are not there."""
    inner = write_files(root / "base" / "inner", {"x.yaml": "x"})
    run_git(inner, "init", "--quiet", f"--object-format={run_git(root, 'rev-parse', '--show-object-format').strip()}")
    run_git(inner, "add", "--all")
    run_git(inner, "commit", "--quiet", "--message=inner")
    write_files(root, {"other.yaml": "o"})
    tree = opened(root)
    with pytest.raises(EnvcError, match=r"`base/inner` is a git submodule: .* does not hold its files"):
        tree.files("base")
    with pytest.raises(EnvcError, match="cannot read `base/inner`"):
        tree.read("base/inner")
    assert tree.read("other.yaml") == b"o"
    tree.close()


def test_what_is_not_there_is_said(root: Path, opened: Open) -> None:
    """A missing file and a folder read as a file name the tree."""
    tree = opened(write_files(root, {"base/a/x.yaml": ""}))
    for path in ("base/a", "base/nothing.yaml"):
        with pytest.raises(EnvcError, match=f"cannot read `{path}`: .* has no such file"):
            tree.read(path)
    tree.close()


def test_the_index_is_what_would_be_committed(root: Path) -> None:
    """Staged bytes count: not those of the folder, no untracked file, no removed one, none only meant to be added."""
    write_files(root, {"base/a.yaml": "staged", "base/gone.yaml": "x", "base/kept.yaml": ""})
    run_git(root, "add", "--all")
    run_git(root, "commit", "--quiet", "--message=first")
    write_files(
        root, {"base/a.yaml": "folder", "base/untracked.yaml": "x", "base/meant.yaml": "x", "base/new.yaml": ""}
    )
    run_git(root, "rm", "--quiet", "base/gone.yaml")
    run_git(root, "add", "--intent-to-add", "base/meant.yaml")
    run_git(root, "add", "base/new.yaml")
    (root / "base/kept.yaml").unlink()
    tree = open_repository(root).index_tree()
    assert [entry.path for entry in tree.files("base")] == ["base/a.yaml", "base/kept.yaml", "base/new.yaml"]
    assert tree.read("base/a.yaml") == b"staged"
    assert not tree.exists("base/meant.yaml")
    tree.close()
    run_git(root, "commit", "--quiet", "--message=second")
    commit = open_repository(root).commit_tree("HEAD")
    assert [entry.path for entry in commit.files("base")] == ["base/a.yaml", "base/kept.yaml", "base/new.yaml"]
    commit.close()


def test_sides_of_a_merge_are_an_error_with_every_place(root: Path) -> None:
    """Files in conflict are named together; those that are not can be read."""
    write_files(root, {"base/a.yaml": "1", "base/b.yaml": "1", "base/c.yaml": "1", "output/o.yaml": "1"})
    run_git(root, "add", "--all")
    run_git(root, "commit", "--quiet", "--message=first")
    run_git(root, "checkout", "--quiet", "-b", "other")
    for number, branch in (("2", "other"), ("3", "main")):
        run_git(root, "checkout", "--quiet", branch)
        write_files(root, dict.fromkeys(("base/a.yaml", "base/b.yaml", "output/o.yaml"), number))
        run_git(root, "commit", "--quiet", "--all", "--message=side")
    run_git(root, "merge", "--quiet", "other", fails=True)
    tree = open_repository(root).index_tree()
    with pytest.raises(EnvcError) as caught:
        tree.files("base")
    assert [str(problem.where[0]) for problem in caught.value.problems] == ["base/a.yaml:1:1", "base/b.yaml:1:1"]
    assert "`base/a.yaml` is in conflict" in caught.value.problems[0].what
    with pytest.raises(EnvcError, match=r"`output/o.yaml` is in conflict"):
        tree.read("output/o.yaml")
    assert tree.read("base/c.yaml") == b"1"
    assert tree.exists("base/a.yaml")
    tree.close()


def test_a_sparse_checkout_has_its_whole_index(root: Path) -> None:
    """What is not checked out is read from git."""
    write_files(root, {"base/a.yaml": "a", "overlays/dev/b.yaml": "b", "overlays/prod/c.yaml": "c"})
    run_git(root, "add", "--all")
    run_git(root, "commit", "--quiet", "--message=first")
    run_git(root, "sparse-checkout", "set", "--cone", "--sparse-index", "overlays/dev")
    assert not (root / "overlays/prod").exists()
    tree = open_repository(root).index_tree()
    assert [entry.path for entry in tree.files("")] == ["base/a.yaml", "overlays/dev/b.yaml", "overlays/prod/c.yaml"]
    assert tree.read("overlays/prod/c.yaml") == b"c"
    tree.close()


def test_an_unknown_commit_is_said(root: Path) -> None:
    """One text for all commands, with the name that may have been meant."""
    with pytest.raises(UsageError, match="has no commit yet"):
        open_repository(root).commit_tree("HEAD")
    write_files(root, {"a": "a"})
    run_git(root, "add", "--all")
    run_git(root, "commit", "--quiet", "--message=first")
    repository = open_repository(root)
    for name, fix in (("mian", "did you mean `main`?"), ("--all", "name a branch"), ("x\ny", "name a branch")):
        with pytest.raises(UsageError, match="git knows no revision") as caught:
            repository.commit_tree(name)
        assert fix in caught.value.problems[0].fix


def test_links_below_a_dot_are_refused_where_they_are_listed(root: Path, opened: Open) -> None:
    """By the link's own words, before anything is read."""
    tree = opened(write_files(root, {".hidden/x": "s3cr3t", "base/x": "-> ../.hidden/x", "other": "-> .hidden"}))
    with pytest.raises(EnvcError, match="the symlink `base/x` leads below a name that begins with a dot"):
        tree.files("base")
    with pytest.raises(EnvcError, match="`other` leads below a name that begins with a dot"):
        tree.files("other")
    tree.close()


def test_a_layer_that_is_a_link_out_is_an_error(root: Path, opened: Open) -> None:
    """It is no empty layer."""
    tree = opened(write_files(root, {"base": "-> ../outside", "x": ""}))
    with pytest.raises(EnvcError, match="`base` leads out of the repository"):
        tree.files("base")
    tree.close()
