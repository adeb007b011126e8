"""Bringing the history in line with git: what is missing is recorded, and everything can be compiled again."""

from __future__ import annotations

import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from envcompile.actions import synchronise as room
from envcompile.actions.past import open_past
from envcompile.actions.record import record
from envcompile.actions.synchronise import rebuild
from envcompile.errors import UnavailableError
from envcompile.history.doctor import check
from envcompile.history.retention import prune
from tests.actions.test_recorder import everything
from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment
from tests.history.conftest import Folder, backend, folder, new_postgres, postgres_socket

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.history.database import Database

__all__ = ["backend", "folder", "new_postgres", "postgres_socket"]

pytestmark = pytest.mark.usefixtures("backend")


def edited(folder: Folder, count: int) -> list[str]:
    """Commits with changes of all sorts, one of which does not compile."""
    commits = [
        folder.commit("start"),
        *(folder.commit(f"replicas {number}", base__web=deployment(replicas=number)) for number in range(2, count + 1)),
        folder.commit("more", base__more=config_map("more", a="b")),
        folder.commit("broken", overlays__prod__web="kind: [broken"),
    ]
    (folder.root / "overlays" / "prod" / "web.yaml").unlink()
    (folder.root / "base" / "more.yaml").unlink()
    commits.append(folder.commit("mended", base__settings=config_map(color="red")))
    return commits


def rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """All that is recorded, with the time of recording, in values that can be compared."""
    tables = {
        **everything(database),
        "times": database.rows("SELECT hash, recorded_at FROM recorded_commit ORDER BY hash"),
    }
    return {
        name: [tuple(bytes(cell) if isinstance(cell, memoryview) else cell for cell in row) for row in table]
        for name, table in tables.items()
    }


def sync_history(root: Path) -> str:
    """What `envc history sync` says."""
    return run_envc(root, "history", "sync").err.rstrip("\n")


def rebuild_history(root: Path, *options: str) -> tuple[str, int]:
    """What `envc history rebuild` says, and its exit code."""
    outcome = run_envc(root, "history", "rebuild", *options)
    return outcome.err.rstrip("\n"), outcome.code


def test_a_sync_records_what_is_missing(folder: Folder) -> None:
    """Holes, what waits, and what is new; a second one finds nothing to do."""
    commits = edited(folder, 5)
    with closing(folder.past()) as past:
        record(past.repository, past.store, [commits[2], commits[4]])
        past.spool.add(commits[3])
    assert sync_history(folder.root) == f"{len(commits) - 2} commits recorded, 1 of them do not compile"
    assert sync_history(folder.root) == "nothing is missing"
    with closing(folder.past()) as past:
        assert past.store.known() == {*commits}
        assert past.spool.waiting() == []
        assert check(past.store).damage == ()


def test_a_sync_records_the_tracked_branch(folder: Folder, tmp_path: Path) -> None:
    """What was fetched and not merged yet is recorded, too."""
    first = folder.commit("start")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", folder.root, clone], check=True)
    second = folder.commit("more", base__web=deployment(replicas=2))
    subprocess.run(["git", "fetch", "-q"], cwd=clone, check=True)
    assert sync_history(clone) == "2 commits recorded"
    with closing(open_past(clone)) as past:
        assert past.store.known() == {first, second}


def test_a_repository_without_a_commit_has_nothing_missing(folder: Folder) -> None:
    """There is nothing to walk."""
    assert sync_history(folder.root) == "nothing is missing"


def test_what_is_rebuilt_is_what_was_recorded(folder: Folder) -> None:
    """Row for row; the times of recording stay."""
    for commit in edited(folder, 6):
        with closing(folder.past()) as past:
            record(past.repository, past.store, [commit])
    with closing(folder.past()) as past:
        before = rows(past.store.database)
        assert rebuild(past, check=True).differing == ()
        assert rows(past.store.database) == before
        found = rebuild(past)
        assert (found.compiled, found.carried, found.differing) == (9, 0, ())
        assert rows(past.store.database) == before
        assert check(past.store).damage == ()
    folder.commit("later", base__web=deployment(replicas=70))
    assert len(folder.record().new) == 1, "numbers go on behind those of the rebuilt rows"
    assert [path.name for path in (folder.root / ".envc").glob("rebuild.db*")] == ["rebuild.db.lock"]


def test_damage_is_found_and_mended(folder: Folder) -> None:
    """What the database lost, git still has."""
    edited(folder, 4)
    folder.record()
    with closing(folder.past()) as past:
        before = rows(past.store.database)
        database = past.store.database
        database.run("DELETE FROM field_change")
        database.run("UPDATE resource_change SET file = 'elsewhere.yaml' WHERE revision_id = 1")
    said, code = rebuild_history(folder.root, "--check")
    assert code == 16
    assert said.startswith("7 commits compiled again: ")
    said, code = rebuild_history(folder.root)
    assert code == 0
    assert said.endswith(" and replaced what was recorded")
    with closing(folder.past()) as past:
        assert rows(past.store.database) == before
    assert rebuild_history(folder.root) == ("7 commits compiled again: nothing differs", 0)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_what_was_recorded_before_its_parent_does_not_differ(folder: Folder, count: int) -> None:
    """Case rebuild-check-false-alarm: hooks recorded before the first import, and nothing is wrong with that."""
    commits = [folder.commit(f"replicas {number}", base__web=deployment(replicas=number)) for number in range(2, 7)]
    for commit in commits[-count:][::-1]:
        with closing(folder.past()) as past:
            record(past.repository, past.store, [commit])
    folder.record()
    assert rebuild_history(folder.root, "--check") == ("5 commits compiled again: nothing differs", 0)
    with closing(folder.past()) as past:
        past.store.database.run("UPDATE resource_change SET file = 'elsewhere.yaml' WHERE revision_id = 1")
    assert rebuild_history(folder.root, "--check")[1] == 16


def test_a_shallow_clone_that_was_completed_does_not_differ(folder: Folder, tmp_path: Path) -> None:
    """Case rebuild-check-false-alarm: a CI job records the newest commit of a shallow clone, then all of it."""
    for number in range(2, 5):
        folder.commit(f"replicas {number}", base__web=deployment(replicas=number))
    clone = tmp_path / "clone"
    folder.git("clone", "-q", "--depth=1", f"file://{folder.root}", str(clone))
    shallow = Folder(clone, folder.minutes)
    shallow.record()
    shallow.git("fetch", "-q", "--unshallow")
    shallow.record()
    assert rebuild_history(clone, "--check") == ("3 commits compiled again: nothing differs", 0)


def test_what_git_lost_and_what_was_pruned_is_kept_as_recorded(folder: Folder) -> None:
    """A commit that was amended away and collected, its child, and one that was pruned."""
    first = folder.commit("start")
    second = folder.commit("second", base__web=deployment(replicas=2))
    folder.git("checkout", "-q", "-b", "aside")
    lost = [folder.commit(f"lost {number}", base__web=deployment(replicas=number)) for number in (5, 6)]
    folder.record()
    folder.git("checkout", "-q", "main")
    last = folder.commit("last", base__web=deployment(replicas=3))
    folder.record()
    folder.git("branch", "-q", "-D", "aside")
    folder.git("reflog", "expire", "--expire=all", "--all")
    folder.git("gc", "-q", "--prune=now")
    with closing(folder.past()) as past:
        prune(past.store, [first])
        before = rows(past.store.database)
        found = rebuild(past)
        assert (found.compiled, found.carried) == (2, 3)
        assert rows(past.store.database) == before, (second, last)
        assert {*lost} <= past.store.known()
        assert check(past.store).damage == ()


def test_what_is_recorded_during_a_rebuild_is_not_lost(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that comes in before the replacement is compiled again, too."""
    commits = [folder.commit("start"), folder.commit("more", base__web=deployment(replicas=2))]
    folder.record()
    is_complete = room._Renewal.is_complete
    late: list[str] = []

    def interrupted(self: room._Renewal) -> bool:
        answer = is_complete(self)
        return answer and bool(late)

    run = room._Renewal.run

    def busy(self: room._Renewal) -> None:
        run(self)
        if not late:
            late.append(folder.commit("late", base__web=deployment(replicas=3)))
            folder.record()

    monkeypatch.setattr(room._Renewal, "is_complete", interrupted)
    monkeypatch.setattr(room._Renewal, "run", busy)
    with closing(folder.past()) as past:
        assert rebuild(past).compiled == 3
        assert past.store.known() == {*commits, *late}
        assert check(past.store).damage == ()


def test_a_rebuild_that_fails_leaves_the_history_as_it_was(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything, or nothing."""
    edited(folder, 3)
    folder.record()

    def half(target: Database, _: Database) -> None:
        target.run("DELETE FROM field_change")
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "replace_all", half)
    with closing(folder.past()) as past:
        before = rows(past.store.database)
        with pytest.raises(KeyboardInterrupt):
            rebuild(past)
        assert rows(past.store.database) == before


def test_two_rebuilds_do_not_meet(folder: Folder) -> None:
    """The second is told so."""
    folder.commit("start")
    folder.record()
    with closing(folder.past()) as past, room._scratch(past.repository.home):
        with pytest.raises(UnavailableError) as caught:
            rebuild(past)
        assert str(caught.value) == (
            "error: the history is being rebuilt by another process\nhint: wait until it is done"
        )
