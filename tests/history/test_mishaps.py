"""What happens to recorders: they are killed, meet one another, find the disk full and the spool damaged."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from contextlib import closing, contextmanager
from random import Random
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.past import log, open_past
from envcompile.history.database import connect
from envcompile.history.doctor import check
from envcompile.history.spool import Spool
from tests.harness.command import PATIENCE, call_envc, run_envc, spawn_envc
from tests.harness.repository import deployment
from tests.history import postgres

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.history.conftest import Folder


def all_is_recorded(folder: Folder, commits: list[str]) -> None:
    """Every commit once, nothing damaged, nothing left behind."""
    with closing(open_past(folder.root)) as past:
        assert [entry.commit.hash for entry in log(past, "prod")] == commits[::-1]
        assert check(past.store).damage == ()
    assert Spool(folder.root / ".envc").waiting() == []


@contextmanager
def small_disk(folder: Path, size: str) -> Generator[None]:
    """A file system of this size, where one may be mounted."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def big(folder: Folder, size: int) -> str:
    """A commit with a resource that no compression makes small."""
    lines = "".join(f"  k{number}: {os.urandom(20).hex()}\n" for number in range(size))
    return folder.commit("big", base__big=f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: big}}\ndata:\n{lines}")


@pytest.mark.slow
@pytest.mark.usefixtures("backend")
def test_a_recorder_may_be_killed_at_any_point(folder: Folder) -> None:
    """What was recorded is whole, what was not waits still, and the next run records the rest."""
    chance = Random(11)
    commits = [folder.commit(f"change {number}", base__web=deployment(replicas=number)) for number in range(1, 41)]
    spool = Spool(folder.root / ".envc")
    for commit in commits:
        spool.add(commit)
    cut_short = 0
    # First from before anything is imported on: no database is there, or half of one. Then in the midst of the work.
    early = [(0, pause) for pause in (0.02, 0.05, 0.08, 0.1)]
    for recorded_first, pause in [*early, *((chance.randrange(1, 5), chance.uniform(0, 0.02)) for _ in range(9))]:
        left = len(spool.waiting()) - recorded_first
        run = spawn_envc(folder.root, "history", "record", "--waiting")
        while recorded_first and len(spool.waiting()) > left and run.poll() is None:
            time.sleep(0.001)
        time.sleep(pause)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        with closing(open_past(folder.root, create=True)) as past:
            recorded = past.store.known()
            assert {*commits} - recorded <= {*spool.waiting()}
            assert check(past.store).damage == ()
        cut_short += 0 < len(recorded) < len(commits)
    assert cut_short > 2, "runs are to be killed in the midst of their work"
    assert call_envc(folder.root, "history", "record", "--waiting").code == 0
    all_is_recorded(folder, commits)


@pytest.mark.usefixtures("backend")
def test_two_recorders_record_each_commit_once(folder: Folder) -> None:
    """Two imports, a recorder of what waits and one of the newest commit: all end well, whichever comes first."""
    commits = [folder.commit(f"change {number}", base__web=deployment(replicas=number)) for number in range(1, 13)]
    for commit in commits[3:]:
        Spool(folder.root / ".envc").add(commit)
    calls = (("import",), ("import",), ("record", "--waiting"), ("record",))
    runs = [spawn_envc(folder.root, "history", *call) for call in calls]
    for run in runs:
        _, err = run.communicate(timeout=PATIENCE)
        assert run.returncode == 0, err
    all_is_recorded(folder, commits)


def test_a_file_that_cannot_grow_loses_nothing(folder: Folder) -> None:
    """Recording fails, says so, and succeeds when there is room."""
    first = folder.commit("start")
    folder.record()
    commit = big(folder, 8000)
    limit = (folder.root / ".envc" / "history.db").stat().st_size + 4096

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    outcome = call_envc(folder.root, "history", "record", preexec_fn=no_room)
    assert outcome.code == 4, outcome.err
    assert "does not answer" in outcome.err
    assert Spool(folder.root / ".envc").waiting() == [commit]
    assert call_envc(folder.root, "history", "record", "--waiting").err == "1 commit recorded\n"
    all_is_recorded(folder, [first, commit])


@pytest.mark.parametrize("room", [0, 40_000])
def test_a_full_disk_loses_nothing(folder: Folder, room: int) -> None:
    """The database and the spool are on a disk that somebody else filled up, all or nearly all of it."""
    home = folder.root / ".envc"
    first = folder.commit("start")
    with small_disk(home, "1200k"):
        assert run_envc(folder.root, "history", "record").err == "1 commit recorded\n"
        commit = big(folder, 4000)
        filling = home / "filling"
        with filling.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(os.urandom(4096))
            except OSError:
                file.truncate(max(0, file.tell() - room))
        outcome = call_envc(folder.root, "history", "record")
        assert outcome.code == 4, outcome.err
        assert outcome.err.startswith("error: ")
        assert "Traceback" not in outcome.err
        filling.unlink()
        assert call_envc(folder.root, "history", "record").err == "1 commit recorded\n"
        all_is_recorded(folder, [first, commit])


@pytest.mark.slow
@pytest.mark.usefixtures("postgres_socket")
def test_a_server_whose_disk_is_full_loses_nothing(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server says is passed on, nothing of the commit is recorded, and the small ones still are."""
    first = folder.commit("start")
    with postgres.server(largest=1_500_000) as socket:
        monkeypatch.setenv("ENVC_HISTORY_URL", postgres.url(socket, "postgres"))
        assert run_envc(folder.root, "history", "record").err == "1 commit recorded\n"
        commit = big(folder, 45_000)
        outcome = call_envc(folder.root, "history", "record")
        assert outcome.code == 4, outcome.err
        assert outcome.err.startswith("error: the history database postgresql://test@/postgres does not answer: ")
        assert "could not " in outcome.err
        assert Spool(folder.root / ".envc").waiting() == [commit]
        with closing(open_past(folder.root)) as past:
            assert past.store.known() == {first}
            assert check(past.store).damage == ()
        (folder.root / "base" / "big.yaml").unlink()
        small = folder.commit("small again")
        Spool(folder.root / ".envc").done(commit)
        run_envc(folder.root, "history", "record", "--commit", small)
        with closing(open_past(folder.root)) as past:
            assert check(past.store).damage == ()


@pytest.mark.usefixtures("backend")
def test_a_damaged_spool_stops_nothing(folder: Folder) -> None:
    """Scribble, folders, links, a hash of something that is no commit, and one of nothing."""
    commits = [folder.commit("start"), folder.commit("more", base__web=deployment(replicas=2))]
    spool = Spool(folder.root / ".envc")
    for commit in commits:
        spool.add(commit)
    (spool.folder / commits[0]).write_bytes(b"\0\xff" * 1000)
    (spool.folder / ("a" * 40)).mkdir()
    (spool.folder / ("b" * 40)).symlink_to("/nowhere")
    (spool.folder / "scribble").write_bytes(b"\0")
    (spool.folder / "last-error").write_bytes(b"\xff\xfe")
    spool.add("0" * 40)
    spool.add(folder.git("rev-parse", "HEAD:base/web.yaml"))
    spool.add(folder.git("rev-parse", "HEAD^{tree}"))
    outcome = run_envc(folder.root, "history", "record", "--waiting")
    assert (outcome.code, outcome.err) == (
        0,
        "2 commits recorded; 3 commits that waited, git holds no more\n",
    )
    all_is_recorded(folder, commits)
    assert spool.strangers() == ["a" * 40, "b" * 40, "scribble"]


def test_a_spool_that_is_a_file_is_said(folder: Folder) -> None:
    """Nothing can wait there; the message names it."""
    folder.commit("start")
    (folder.root / ".envc").mkdir()
    (folder.root / ".envc" / "spool").write_text("")
    outcome = run_envc(folder.root, "history", "record")
    assert (outcome.code, outcome.err) == (
        4,
        (
            f"error: cannot write to {folder.root}/.envc/spool: File exists\n"
            "hint: make room, or correct the permissions of the folder\n"
        ),
    )


def test_a_damaged_memory_of_files_counts_as_none(folder: Folder) -> None:
    """What was read of source files is only a cache."""
    commits = [folder.commit("start")]
    for number, damage in enumerate((b"", b"\0" * 50, b"00000000\n[]", b"not a checksum\n{}"), 2):
        memory = folder.root / ".envc" / "cache" / "subjects.json"
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_bytes(damage)
        commits.append(folder.commit(f"change {number}", base__web=deployment(replicas=number)))
        folder.record()
    all_is_recorded(folder, commits)


@pytest.mark.usefixtures("backend")
def test_a_connection_that_breaks_is_said_and_the_commit_waits(
    folder: Folder, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server may be stopped between two statements."""
    if backend == "sqlite":
        pytest.skip("a file has no connection")
    from envcompile.history.store import Store

    commit = folder.commit("start")
    run_envc(folder.root, "history", "record")
    commit = folder.commit("more", base__web=deployment(replicas=2))
    write = Store.write

    def broken(self: Store, *arguments: object) -> object:
        with closing(connect(os.environ["ENVC_HISTORY_URL"])) as other:
            other.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        return write(self, *arguments)  # type: ignore[arg-type]  # passed on as they came

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", broken)
        outcome = run_envc(folder.root, "history", "record")
    assert outcome.code == 4, outcome.err
    assert "does not answer" in outcome.err
    assert Spool(folder.root / ".envc").waiting() == [commit]
    assert run_envc(folder.root, "history", "record").err == "1 commit recorded\n"
