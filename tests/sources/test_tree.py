"""The files of a project on disk and in a commit."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile.errors import EnvcError, UsageError
from envcompile.git.repository import open_repository
from envcompile.limits import Limits
from envcompile.sources.tree import WorkingTree
from tests.harness.command import call_envc
from tests.harness.repository import config_map, environment, write_files

if TYPE_CHECKING:
    from tests.sources.conftest import Commit, Write

ROOM_FOR_ALL = {
    "base/a/x.yaml": "a",
    "base/a/deep/y.yaml": "bb",
    "base/b.yaml": "ccc",
    "base/.hidden.yaml": "",
    "base/.git-like/x.yaml": "",
    "base/z.yaml~": "",
    "base/.z.yaml.swp": "",
    "base/z.swp": "",
    "base/.#lock.yaml": "",
    "base/#auto#": "",
    "shared/s.yaml": "dddd",
    "base/link.yaml": "-> ../shared/s.yaml",
    "base/folder": "-> ../shared",
}
SEEN = ["base/a/deep/y.yaml", "base/a/x.yaml", "base/b.yaml", "base/folder/s.yaml", "base/link.yaml"]


def test_lists_files_sorted_and_leaves_out_what_editors_write(write: Write) -> None:
    """Hidden files, backups and lock files are no sources; symlinks inside the repository are followed."""
    tree = WorkingTree(write(ROOM_FOR_ALL))
    assert [entry.path for entry in tree.files("base")] == SEEN
    assert len(tree.read("base/link.yaml")) == 4


def test_a_commit_gives_the_same_files_as_the_folder(write: Write, commit: Commit) -> None:
    """Names and bytes agree, symlinks included."""
    root = write(ROOM_FOR_ALL)
    commit(root)
    working, stored = WorkingTree(root), open_repository(root).commit_tree("main")
    for folder in ("base", "", "base/folder", "missing"):
        there = stored.files(folder)
        assert [entry.path for entry in there] == [entry.path for entry in working.files(folder)]
        for entry in there:
            assert stored.read(entry.path) == working.read(entry.path)
            assert stored.exists(entry.path)
            assert stored.is_file(entry.path)
    assert stored.exists("base/folder")
    assert not stored.is_file("base/folder")
    assert not stored.exists("base/nothing")
    stored.close()
    assert stored.read("base/b.yaml") == b"ccc"
    stored.close()


def test_a_commit_keeps_what_the_folder_changed_since(write: Write, commit: Commit) -> None:
    """A project below the top of its repository is found by its own folder."""
    root = write({"apps/shop/base/a.yaml": "old"})
    commit(root)
    write({"apps/shop/base/a.yaml": "new"})
    tree = open_repository(root / "apps" / "shop").commit_tree("HEAD")
    assert tree.root is None
    assert [entry.path for entry in tree.files("base")] == ["base/a.yaml"]
    assert tree.read("base/a.yaml") == b"old"
    first = tree.files("base")[0]
    commit(root)
    assert open_repository(root / "apps" / "shop").commit_tree("HEAD").files("base")[0].blob != first.blob


def test_a_commit_knows_its_contents_without_reading_them(write: Write, commit: Commit) -> None:
    """By their hash; through symlinks, too."""
    root = write({"base/a.yaml": "a: 1\n", "base/b.yaml": "-> a.yaml", "base/empty.yaml": ""})
    commit(root)
    tree = open_repository(root).commit_tree("HEAD")
    for path in ("base/a.yaml", "base/b.yaml", "base/empty.yaml"):
        assert tree.holds(path, tree.read(path))
    assert not tree.holds("base/a.yaml", b"a: 2\n")
    assert not tree.holds("base/a.yaml", b"a: 1\r\n")
    assert not tree.holds("base/nothing.yaml", b"")
    assert not tree.holds("base", b"")


def message(error: pytest.ExceptionInfo[EnvcError]) -> str:
    """What the user reads."""
    return str(error.value)


def test_a_symlink_out_of_the_repository_is_an_error(write: Write, commit: Commit) -> None:
    """Nothing outside of the repository reaches a build."""
    root = write({"base/a.yaml": "-> /etc/hostname", "base/b.yaml": ""})
    expected = (
        "error: the symlink `base/a.yaml` leaves the repository: it points to `/etc/hostname`\n"
        "  --> base/a.yaml:1:1\n"
        "hint: copy the files into the repository: a build reads nothing outside of it"
    )
    with pytest.raises(EnvcError) as error:
        WorkingTree(root).files("base")
    assert message(error) == expected
    commit(root)
    with pytest.raises(EnvcError) as error:
        open_repository(root).commit_tree("HEAD").files("base")
    assert message(error) == expected


def test_reading_through_a_symlink_out_of_the_repository_is_an_error(write: Write) -> None:
    """A file that was never listed is checked when it is read."""
    root = write({"lib": "-> /etc"})
    with pytest.raises(EnvcError) as error:
        WorkingTree(root).read("lib/hostname")
    assert message(error) == (
        "error: `lib/hostname` leads out of the repository\n"
        "  --> lib/hostname:1:1\n"
        "hint: copy the files into the repository: a build reads nothing outside of it"
    )


@pytest.mark.parametrize(
    "links",
    [
        {"base/loop": "-> ../base"},
        {"base/a/loop": "-> ../b", "base/b/loop": "-> ../a"},
        {"base/loop": "-> loop"},
    ],
    ids=["parent", "each other", "itself"],
)
def test_symlinks_in_a_circle_are_an_error(write: Write, commit: Commit, links: dict[str, str]) -> None:
    """A listing always ends."""
    root = write({"base/a/x.yaml": "", **links})
    with pytest.raises(EnvcError, match=r"error: the symlink `base/.*` runs in a circle: it points to `.*`") as error:
        WorkingTree(root).files("base")
    assert message(error).endswith("hint: remove the symlink")
    commit(root)
    with pytest.raises(EnvcError, match=r"error: the symlink `base/.*` runs in a circle: it points to `.*`"):
        open_repository(root).commit_tree("HEAD").files("base")


def test_a_symlink_to_nothing_is_an_error(write: Write, commit: Commit) -> None:
    """A broken link is not a missing file."""
    root = write({"base/a.yaml": "-> gone.yaml"})
    expected = (
        "error: the symlink `base/a.yaml` points to `gone.yaml`, which does not exist\n"
        "  --> base/a.yaml:1:1\n"
        "hint: point it to an existing file of the repository, or remove it"
    )
    with pytest.raises(EnvcError) as error:
        WorkingTree(root).files("base")
    assert message(error) == expected
    commit(root)
    with pytest.raises(EnvcError) as error:
        open_repository(root).commit_tree("HEAD").files("base")
    assert message(error) == expected


def test_a_link_may_leave_the_project_but_not_its_repository(write: Write, commit: Commit) -> None:
    """A project in a subfolder of a repository may share files with its neighbours."""
    root = write({"shared/s.yaml": "s", "shop/base/s.yaml": "-> ../../shared/s.yaml"})
    commit(root)
    assert [entry.path for entry in WorkingTree(root / "shop").files("base")] == ["base/s.yaml"]
    stored = open_repository(root / "shop").commit_tree("HEAD")
    assert [entry.path for entry in stored.files("base")] == ["base/s.yaml"]
    assert stored.read("base/s.yaml") == b"s"


def test_reading_a_missing_file_says_so(write: Write, commit: Commit) -> None:
    """No traceback for a file that is not there."""
    root = write({"base/a.yaml": ""})
    with pytest.raises(EnvcError) as error:
        WorkingTree(root).read("base/b.yaml")
    assert message(error) == (
        "error: cannot read `base/b.yaml`: no such file or directory\n"
        "  --> base/b.yaml:1:1\n"
        "hint: check that it exists and its permissions"
    )
    head = commit(root)
    with pytest.raises(EnvcError) as error:
        open_repository(root).commit_tree("HEAD").read("base/b.yaml")
    assert message(error) == (
        f"error: cannot read `base/b.yaml`: commit {head[:12]} has no such file\n"
        "  --> base/b.yaml:1:1\n"
        "hint: name another revision, or add the file and commit it"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_says_so(write: Write) -> None:
    """Permissions are the user's matter, not a bug."""
    root = write({"base/a.yaml": ""})
    (root / "base/a.yaml").chmod(0)
    tree = WorkingTree(root)
    with pytest.raises(EnvcError, match=r"cannot read `base/a.yaml`: permission denied"):
        tree.read("base/a.yaml")


def test_pipes_and_sockets_are_no_sources(write: Write) -> None:
    """Reading a named pipe would wait for ever."""
    root = write({"base/a.yaml": ""})
    os.mkfifo(root / "base/pipe.yaml")
    assert [entry.path for entry in WorkingTree(root).files("base")] == ["base/a.yaml"]


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_reading_what_is_no_file_says_so_and_waits_for_nothing(write: Write, kind: str) -> None:
    """A pipe that nobody writes to would hang the build."""
    root = write({"base/a.yaml": ""})
    (os.mkfifo if kind == "pipe" else os.mkdir)(root / "envc.yaml")
    with pytest.raises(EnvcError) as error:
        WorkingTree(root).read("envc.yaml")
    assert message(error) == (
        f"error: cannot read `envc.yaml`: it is a {kind}\n"
        "  --> envc.yaml:1:1\n"
        "hint: put a file in its place, or remove it"
    )


@pytest.mark.parametrize(
    "path",
    [
        "base/web/pipe.yaml",
        "base/pipe.yaml",
        "overlays/prod/pipe.yaml",
        "lib/pipe.libsonnet",
        "overlays/prod/sealed.yaml",
    ],
)
def test_a_pipe_in_the_project_hangs_no_command(write: Write, path: str) -> None:
    """It is passed over among the sources, and named where a file is asked for; the second build looks at a record."""
    root = write({
        "base/web/config.yaml": config_map(),
        "lib/a.libsonnet": "{}",
        "overlays/prod/environment.yaml": environment(),
    })
    os.mkfifo(root / path)
    for arguments in (("build",), ("build",), ("build", "--check"), ("check",), ("show", "prod")):
        outcome = call_envc(root, *arguments)
        if outcome.code:
            assert f"error: cannot read `{path}`: it is a pipe\n" in outcome.err


def test_an_unknown_revision_names_the_nearest_branch(write: Write, commit: Commit) -> None:
    """A slip in a branch's name is told apart from a missing fetch."""
    root = write({"base/a.yaml": ""})
    commit(root)
    with pytest.raises(UsageError) as error:
        open_repository(root).commit_tree("mian")
    assert message(error) == "error: git knows no revision `mian`\nhint: did you mean `main`?"
    with pytest.raises(UsageError) as error:
        open_repository(root).commit_tree("--output=x")
    assert message(error) == (
        "error: git knows no revision `--output=x`\nhint: name a branch, a tag or a commit that this repository holds"
    )


def test_a_folder_without_git_has_no_revisions(write: Write) -> None:
    """The message says what is missing, not what git printed."""
    root = write({"base/a.yaml": ""})
    with pytest.raises(UsageError) as error:
        open_repository(root).commit_tree("main")
    assert message(error) == ("error: not a git repository\nhint: `git init` and commit first")


def test_a_submodule_among_the_sources_is_an_error(write: Write, commit: Commit) -> None:
    """A commit does not hold a submodule's files, so it cannot be compiled from it."""
    root = write({"base/a.yaml": ""})
    head = commit(root)
    subprocess.run(["git", "update-index", "--add", "--cacheinfo", f"160000,{head},base/sub"], cwd=root, check=True)
    subprocess.run(["git", "commit", "--quiet", "--message=sub"], cwd=root, check=True)
    stored = open_repository(root).commit_tree("HEAD")
    with pytest.raises(EnvcError) as error:
        stored.files("base")
    assert message(error) == (
        f"error: `base/sub` is a git submodule: commit {stored.commit[:12]} does not hold its files\n"
        "  --> base/sub:1:1\n"
        "hint: copy its files into the repository, or move it out of this folder"
    )


def test_links_to_what_git_ignores_are_refused_by_name(write: Write, commit: Commit) -> None:
    """A file that is read by its name alone, beside all layers."""
    root = write({".gitignore": "local/\n", "x.yaml": "-> local/f", "folder": "-> local"})
    commit(root)
    write({"local/f": "s3cr3t"})
    for name in ("x.yaml", "folder/f"):
        with pytest.raises(EnvcError, match="leads to a file that is ignored by git"):
            WorkingTree(root).read(name)


def test_a_neighbour_whose_name_begins_alike_is_outside(tmp_path: Path) -> None:
    """`shop2` is no part of `shop`."""
    root = write_files(tmp_path / "shop", {".git/HEAD": "", "base/x": "-> ../../shop2/x"})
    write_files(tmp_path / "shop2", {"x": "s3cr3t"})
    with pytest.raises(EnvcError, match="leaves the repository"):
        WorkingTree(root).files("base")
    with pytest.raises(EnvcError, match="leads out of the repository"):
        WorkingTree(root).read("base/x")


def test_a_file_that_grows_is_limited_and_a_large_one_is_not_begun(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is what is read; of a file whose size is too much nothing is."""
    with pytest.raises(EnvcError, match="`maps` holds more than 0 MiB"):  # whose size is said to be 0
        WorkingTree(Path("/proc/self"), Limits(file_size=0)).read("maps")
    root = write({"base/x": "x" * (1 << 21)})
    monkeypatch.setattr("envcompile.sources.tree._content", lambda *_: pytest.fail("it was read"))
    with pytest.raises(EnvcError, match="holds more than 1 MiB"):
        WorkingTree(root, Limits(file_size=1)).read("base/x")
