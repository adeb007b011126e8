"""`.envc` is envc's own folder or is refused: what a branch brings is not read, written, sent or followed."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from envcompile.history.spool import Spool
from tests.harness.command import call_envc, run_envc
from tests.harness.repository import deployment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.history.conftest import Folder

COMMANDS = (
    ("history", "record"),
    ("history", "record", "--waiting"),
    ("history", "import"),
    ("history", "log", "prod"),
    ("history", "sync"),
    ("history", "rebuild", "--check"),
    ("history", "prune", "--keep-last", "1"),
    ("notify", "--from", "HEAD", "--to", "HEAD"),
    ("hook", "status"),
    ("hook", "run", "pre-commit"),
)


def refused(folder: Folder, what: str) -> None:
    """Every command that would read or write there says why it does not."""
    for command in COMMANDS:
        outcome = call_envc(folder.root, *command)
        assert outcome.code == 2, (command, outcome)
        assert what in outcome.err, (command, outcome)


@pytest.mark.parametrize("target", ["../outside", "/nowhere", "base"])
def test_a_link_is_refused_and_not_followed(folder: Folder, tmp_path: Path, target: str) -> None:
    """Case envc-folder-committed: a branch that holds `.envc` as a link gets nothing written or deleted elsewhere."""
    outside = tmp_path / "outside"
    (outside / "staging-mine").mkdir(parents=True)
    (outside / "staging-mine" / "precious").write_text("precious")
    (outside / "spool").mkdir()
    (folder.root / ".gitignore").write_text("")
    (folder.root / ".envc").symlink_to(target)
    folder.commit("a link")
    refused(folder, f"{folder.root / '.envc'} is a symbolic link")
    assert sorted(path.relative_to(outside).as_posix() for path in outside.rglob("*")) == [
        "spool",
        "staging-mine",
        "staging-mine/precious",
    ]


def test_a_build_deletes_and_writes_nothing_behind_a_link(folder: Folder, tmp_path: Path) -> None:
    """Case envc-folder-committed: neither the sweep of a killed build's remains nor the staging of a new one."""
    outside = tmp_path / "outside"
    (outside / "staging-mine").mkdir(parents=True)
    (outside / "staging-mine" / "precious").write_text("precious")
    (folder.root / ".envc").symlink_to(outside)
    for command in (("build",), ("build", "--force"), ("build", "--check")):
        outcome = call_envc(folder.root, *command)
        assert outcome.code == (16 if "--check" in command else 2), outcome
        assert (outside / "staging-mine" / "precious").read_text() == "precious"
        assert not (outside / "build.lock").exists()
    (folder.root / ".envc").unlink()
    assert run_envc(folder.root, "build").code == 0
    (folder.root / ".envc").rename(tmp_path / "own")
    (folder.root / ".envc").symlink_to(outside)
    assert call_envc(folder.root, "build", "--force").code in {0, 2}
    assert (outside / "staging-mine" / "precious").read_text() == "precious"


def test_hooks_write_through_no_link(folder: Folder, tmp_path: Path) -> None:
    """Case envc-folder-committed: the hook after a commit, which is a shell script, looks first, too."""
    outside = tmp_path / "outside"
    outside.mkdir()
    assert run_envc(folder.root, "hook", "install").code == 0
    (folder.root / ".envc").symlink_to(outside)
    done = subprocess.run(
        ["git", "commit", "--quiet", "--allow-empty", "--no-verify", "-mx"],
        cwd=folder.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ".envc is a symbolic link: envc records nothing" in done.stderr
    (folder.root / ".envc").unlink()
    (folder.root / ".envc").mkdir()
    (folder.root / ".envc" / "spool").symlink_to(outside)
    subprocess.run(["git", "commit", "-q", "--allow-empty", "--no-verify", "-mx"], cwd=folder.root, check=True)
    assert not list(outside.iterdir())


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("history.db", "a database"),
        ("notify/0.json", "[]"),
        ("spool/" + "0" * 40, ""),
        ("cache/build-00000000.bin", "("),
        ("cache/subjects.json", "{}"),
        (".gitignore", "*\n"),
    ],
)
def test_what_git_tracks_is_refused(folder: Folder, name: str, what: str) -> None:
    """Case envc-folder-committed: whatever is committed below `.envc`, no command takes it for what envc kept."""
    file = folder.root / ".envc" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(what)
    folder.git("add", "--force", ".envc")
    folder.commit("a file")
    refused(folder, f"git tracks .envc/{name}")
    folder.git("rm", "-q", "-r", "-f", ".envc")
    assert not file.exists()
    assert run_envc(folder.root, "history", "record").code == 0


def test_a_committed_message_is_never_sent(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case envc-folder-committed: a branch cannot make somebody's machine say something to somebody's receivers."""
    note = [{"kind": "webhook", "address": "HOOK", "title": "t", "text": "words of a stranger", "data": {}}]
    file = folder.root / ".envc" / "notify" / "0.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(note))
    folder.git("add", "--force", ".envc")
    folder.commit("a message")
    monkeypatch.setenv("HOOK", "http://127.0.0.1:9/")
    outcome = run_envc(folder.root, "notify", "--from", "HEAD", "--to", "HEAD")
    assert (outcome.code, "git tracks .envc/notify/0.json" in outcome.err) == (2, True)
    assert json.loads(file.read_text()) == note


def test_what_is_no_file_is_refused(folder: Folder, tmp_path: Path) -> None:
    """A link, or a pipe that nobody writes into, in the place of the database: nothing hangs, nothing is changed."""
    folder.commit("start")
    home = folder.root / ".envc"
    home.mkdir()
    others = tmp_path / "others.db"
    with closing(sqlite3.connect(others)) as connection:
        connection.execute("CREATE TABLE theirs (id INTEGER)")
        connection.commit()
    before = others.read_bytes()
    (home / "history.db").symlink_to(others)
    refused(folder, "history.db is no file and no folder")
    assert others.read_bytes() == before
    (home / "history.db").unlink()
    os.mkfifo(home / "history.db")
    refused(folder, "history.db is no file and no folder")


def test_a_link_in_the_spool_is_not_written_through(folder: Folder, tmp_path: Path) -> None:
    """A commit that waits is a file of its own, or is not noted."""
    commit = folder.commit("start")
    spool = Spool(folder.root / ".envc")
    spool.folder.mkdir(parents=True)
    (spool.folder / commit).symlink_to(tmp_path / "target")
    outcome = run_envc(folder.root, "history", "record")
    assert outcome.code == 4
    assert not (tmp_path / "target").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_folder_of_another_user_is_refused(folder: Folder) -> None:
    """Who put it there can change it at any time; the owner of the project is trusted with it."""
    folder.commit("start")
    assert run_envc(folder.root, "history", "record").code == 0
    os.chown(folder.root / ".envc", 12345, 12345)
    refused(folder, f"{folder.root / '.envc'} belongs to another user")


def test_a_folder_that_git_ignores_is_envcs_own(folder: Folder) -> None:
    """Nothing changes for everybody else, also in linked work trees."""
    folder.commit("start")
    for _ in range(2):
        assert run_envc(folder.root, "history", "record").code == 0
    folder.git("worktree", "add", "-q", "-b", "side", "../side")
    side = folder._replace(root=folder.root.parent / "side")
    side.commit("side", base__web=deployment(replicas=3))
    assert run_envc(side.root, "history", "record").err == "1 commit recorded\n"


@pytest.mark.parametrize(
    "options",
    [
        ("update-index", "--index-version=2"),
        ("update-index", "--index-version=4", "--force-write-index"),
        ("update-index", "--split-index"),
    ],
    ids=["version 2", "version 4", "split"],
)
def test_what_git_tracks_is_refused_however_git_writes_its_index(folder: Folder, options: tuple[str, ...]) -> None:
    """A tracked folder is found in each format of git's index, and nothing is asked of git where none can be."""
    file = folder.root / ".envc" / "units" / "scans"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("x")
    (folder.root / ".envb").write_text("a neighbour, with which version 4 shares the beginning")
    folder.git("add", "--force", ".envc/units/scans", ".envb")
    folder.git(*options)
    refused(folder, "git tracks .envc/units/scans")


def put(folder: Folder, target: Path) -> Path:
    """A link in the place of envc's own folder, to one that looks like it; what is in there."""
    for name in ("units", "jsonnet", "written", "staging-mine"):
        (target / name).mkdir(parents=True)
    (target / "staging-mine" / "precious").write_text("precious")
    (folder.root / ".envc").symlink_to(target)
    return target


@pytest.mark.parametrize(
    "command",
    [
        ("build", "--check", "--at", "HEAD"),
        ("build", "--check", "--staged"),
        ("check", "--at", "HEAD"),
        ("diff", "--from", "HEAD", "--to", "HEAD"),
        ("build", "--output", "elsewhere"),
    ],
    ids=" ".join,
)
def test_no_tree_is_compiled_into_a_folder_behind_a_link(
    folder: Folder, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Neither a commit nor the index leaves anything there; the output has its own scratch folder, or is refused."""
    folder.commit("start", base__web=deployment())
    outside = put(folder, tmp_path / "outside")
    before = sorted(outside.rglob("*"))
    outcome = call_envc(folder.root, *command)
    assert (outcome.code, ".envc is a symbolic link" in outcome.err) == (2, True)
    assert sorted(outside.rglob("*")) == before


def test_scratch_behind_a_link_in_the_output_is_refused(folder: Folder, tmp_path: Path) -> None:
    """`environments/.envc` takes the place of `.envc` where that is on another disk."""
    outside = tmp_path / "outside"
    (outside / "staging-mine").mkdir(parents=True)
    (outside / "staging-mine" / "precious").write_text("precious")
    (folder.root / "environments").mkdir()
    (folder.root / "environments" / ".envc").symlink_to(outside)
    outcome = call_envc(folder.root, "build")
    assert (outcome.code, "environments/.envc is a symbolic link" in outcome.err) == (2, True)
    assert [path.name for path in outside.rglob("*")] == ["staging-mine", "precious"]


@pytest.mark.parametrize("kind", ["a submodule", "another case", "a linked work tree"])
def test_what_git_tracks_is_refused_in_every_form(folder: Folder, kind: str) -> None:
    """The folder itself as a submodule, a spelling that some disks take for the same, a work tree of its own."""
    start = folder.commit("start")
    if kind == "a submodule":
        (folder.root / ".envc").mkdir()
        folder.git("update-index", "--add", "--cacheinfo", f"160000,{start},.envc")
        refused(folder, "git tracks .envc")
    elif kind == "another case":
        for name in (".ENVC", ".envc"):
            (folder.root / name).mkdir()
        (folder.root / ".ENVC" / "x").write_text("x")
        folder.git("add", "--force", ".ENVC/x")
        refused(folder, "git tracks .ENVC/x")
    else:
        folder.git("worktree", "add", "-q", "-b", "side", "../side")
        side = folder._replace(root=folder.root.parent / "side")
        (side.root / ".envc").mkdir()
        (side.root / ".envc" / "x").write_text("x")
        side.git("add", "--force", ".envc/x")
        outcome = call_envc(side.root, "build", "--check")
        outcome = call_envc(side.root, "build") if outcome.code != 2 else outcome
        assert (outcome.code, "git tracks .envc/x" in outcome.err) == (2, True)


def test_a_hook_writes_through_no_link_in_the_own_folder(folder: Folder, tmp_path: Path) -> None:
    """A link that leads nowhere yet would be a file afterwards."""
    assert run_envc(folder.root, "hook", "install").code == 0
    (folder.root / ".envc").mkdir()
    (folder.root / ".envc" / ".gitignore").symlink_to(tmp_path / "outside")
    subprocess.run(["git", "commit", "-q", "--allow-empty", "--no-verify", "-mx"], cwd=folder.root, check=True)
    assert not (tmp_path / "outside").exists()
