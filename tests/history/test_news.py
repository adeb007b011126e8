"""Who is told of recorded commits: each commit once, by whoever records it, and never instead of recording it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.past import open_past
from envcompile.history.spool import Spool
from tests.forge.receivers import running_webhook
from tests.harness.command import PATIENCE, call_envc, run_envc, spawn_envc
from tests.harness.repository import config_map, deployment, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.forge.receivers import Inbox
    from tests.history.conftest import Folder

pytestmark = pytest.mark.usefixtures("backend")

SETTINGS = "notify:\n  - {kind: webhook, address: HOOK, environments: [prod*]}\n"


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A receiver whose address is in an env var."""
    with running_webhook() as found:
        monkeypatch.setenv("HOOK", found.address)
        yield found


@pytest.fixture
def told(folder: Folder, inbox: Inbox) -> Folder:
    """A project whose first commit is recorded and whose envc.yaml names the receiver."""
    folder.commit("start", envc=SETTINGS, overlays__prod__environment=environment("owners: ['@shop/sre']\n"))
    assert run_envc(folder.root, "history", "record").err == "1 commit recorded\n"
    assert inbox.received == [], "without a recorded parent nothing is known to have changed"
    return folder


def commits_in(inbox: Inbox) -> list[str]:
    """The commits that were told, in order."""
    return [body["commit"] for _, body in inbox.received]


def notes(folder: Folder) -> list[str]:
    """What waits to be told."""
    return sorted(path.name for path in (folder.root / ".envc" / "notify").glob("[!.]*.[nj]*"))


def test_a_recorded_change_is_told_once(told: Folder, inbox: Inbox) -> None:
    """To those who asked for the environment, with its owners; a second record says nothing more."""
    commit = told.commit("an image", base__web=deployment(image="nginx:1.28"))
    assert run_envc(told.root, "history", "record").err == "1 message sent\n1 commit recorded\n"
    assert run_envc(told.root, "history", "record").err == "recorded already\n"
    ((_, body),) = inbox.received
    assert body == {
        "environment": "prod",
        "commit": commit,
        "added": 0,
        "changed": 1,
        "removed": 0,
        "classes": ["image"],
        "owners": ["@shop/sre"],
        "resources": ["changed Deployment.apps/web"],
    }
    assert notes(told) == []


def test_what_nobody_asked_for_is_not_told(told: Folder, inbox: Inbox) -> None:
    """A change of another environment, one of words alone, and one that does not compile."""
    told.commit(
        "dev", overlays__dev__web="apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 5}\n"
    )
    assert run_envc(told.root, "history", "record").err == "1 commit recorded\n"
    told.commit("words", README="nothing\n")
    assert run_envc(told.root, "history", "record").err == "1 commit recorded\n"
    told.commit("broken", overlays__prod__web="kind: [broken")
    assert run_envc(told.root, "history", "record").code == 0
    assert inbox.received == []


def test_the_commit_that_mends_a_broken_one_is_told_with_its_own_changes(told: Folder, inbox: Inbox) -> None:
    """The comparison is with what was recorded, which is what there was before it broke."""
    told.commit("broken", overlays__prod__web="kind: [broken")
    run_envc(told.root, "history", "record")
    (told.root / "overlays" / "prod" / "web.yaml").unlink()
    mended = told.commit("mended", base__web=deployment(replicas=4))
    run_envc(told.root, "history", "record")
    assert commits_in(inbox) == [mended]
    assert inbox.received[0][1]["resources"] == ["changed Deployment.apps/web"]


def test_environments_that_come_and_go_are_told(told: Folder, inbox: Inbox) -> None:
    """All that a new one holds was added, all that an old one held was removed."""
    told.commit("comes", overlays__prod2__environment=environment("namespace: two\n"))
    run_envc(told.root, "history", "record")
    (told.root / "overlays" / "prod2" / "environment.yaml").unlink()
    told.commit("goes")
    run_envc(told.root, "history", "record")
    counts = [(body["environment"], body["added"], body["removed"]) for _, body in inbox.received]
    assert counts == [("prod2", 2, 0), ("prod2", 0, 2)]


def test_the_recorder_in_the_background_tells(told: Folder, inbox: Inbox) -> None:
    """Several commits that waited, in git's order."""
    commits = [told.commit(f"replicas {number}", base__web=deployment(replicas=number)) for number in (2, 3)]
    for commit in commits:
        Spool(told.root / ".envc").add(commit)
    assert call_envc(told.root, "history", "record", "--waiting").code == 0
    assert commits_in(inbox) == commits


def test_the_past_is_not_told(told: Folder, inbox: Inbox) -> None:
    """Neither by an import, nor when an old commit is recorded after newer ones, nor what a pull brought along."""
    told.commit("imported", base__web=deployment(replicas=2))
    run_envc(told.root, "history", "import")
    old = told.commit("old", base__web=deployment(replicas=3))
    told.commit("newer", base__web=deployment(replicas=4))
    with closing(told.past()) as past:
        newest = told.git("rev-parse", "HEAD")
        from envcompile.actions.record import record

        record(past.repository, past.store, [newest])
    assert run_envc(told.root, "history", "record", "--commit", old).err == "1 commit recorded\n"
    told.commit("between", base__web=deployment(replicas=5))
    last = told.commit("last", base__web=deployment(replicas=6))
    assert run_envc(told.root, "history", "record").err == "1 message sent\n2 commits recorded\n"
    assert commits_in(inbox) == [last]


def test_a_branch_that_is_not_checked_out_is_not_told(told: Folder, inbox: Inbox) -> None:
    """A commit that was amended away is no news either."""
    start = told.git("rev-parse", "HEAD")
    aside = told.commit("aside", base__web=deployment(replicas=2))
    told.git("reset", "--quiet", "--hard", start)
    assert run_envc(told.root, "history", "record", "--commit", aside).err == "1 commit recorded\n"
    assert inbox.received == []


def test_a_machine_without_the_address_tells_nobody(
    told: Folder, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The env var is set where telling is somebody's business; elsewhere nothing piles up."""
    monkeypatch.delenv("HOOK")
    told.commit("more", base__web=deployment(replicas=2))
    assert run_envc(told.root, "history", "record").err == "1 commit recorded\n"
    assert (notes(told), inbox.received) == ([], [])


def test_a_receiver_that_is_away_neither_fails_nor_slows_a_record(told: Folder, inbox: Inbox) -> None:
    """It is asked once and not waited for; its messages wait and are sent in order by a later record."""
    inbox.status = 503
    first = told.commit("more", base__web=deployment(replicas=2))
    done = run_envc(told.root, "history", "record")
    assert inbox.asked == 1
    assert (done.code, done.err) == (
        0,
        (
            "warning: a receiver does not answer at the first try; the message waits in .envc/notify\n"
            "1 commit recorded\n"
        ),
    )
    assert len(notes(told)) == 1
    assert "canary" not in (told.root / ".envc" / "notify" / notes(told)[0]).read_text()
    inbox.status = 200
    second = told.commit("even more", base__web=deployment(replicas=3))
    assert call_envc(told.root, "history", "record").code == 0
    deadline = time.monotonic() + PATIENCE
    while notes(told) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert commits_in(inbox) == [first, second]


def test_two_recorders_tell_once(told: Folder, inbox: Inbox) -> None:
    """Whichever records, tells."""
    commits = [told.commit(f"replicas {number}", base__web=deployment(replicas=number)) for number in range(2, 6)]
    for commit in commits:
        Spool(told.root / ".envc").add(commit)
    runs = [spawn_envc(told.root, "history", "record", "--waiting") for _ in range(3)]
    for run in runs:
        _, err = run.communicate(timeout=PATIENCE)
        assert run.returncode == 0, err
    assert commits_in(inbox) == commits


def test_another_machine_that_records_first_tells_alone(
    told: Folder, inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two clones with one database; the second finds the commit recorded and says nothing."""
    if "ENVC_HISTORY_URL" not in os.environ:
        monkeypatch.setenv("ENVC_HISTORY_URL", f"sqlite:///{told.root / '.envc' / 'history.db'}")
    commit = told.commit("more", base__web=deployment(replicas=2))
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", told.root, clone], check=True)
    assert call_envc(clone, "history", "record").err == "1 message sent\n1 commit recorded\n"
    assert call_envc(told.root, "history", "record").err == "recorded already\n"
    assert (commits_in(inbox), notes(told)) == ([commit], [])


@pytest.mark.slow
def test_a_recorder_that_is_killed_leaves_nothing_untold(told: Folder, inbox: Inbox) -> None:
    """Every commit that changed something is told, in order, and none twice.

    Between the receiver's answer and the end of its message in the spool lies the one moment in which a kill makes
    the same message come again; it carries the commit, by which the receiver can tell.
    """
    expected = []
    for number, pause in enumerate((0.05, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3), 2):
        expected.append(told.commit(f"replicas {number}", base__web=deployment(replicas=number)))
        Spool(told.root / ".envc").add(expected[-1])
        run = spawn_envc(told.root, "history", "record", "--waiting")
        time.sleep(pause)
        run.send_signal(signal.SIGKILL)
        run.communicate()
    expected.append(told.commit("last", base__settings=config_map(color="red")))
    assert call_envc(told.root, "history", "record").code == 0
    assert call_envc(told.root, "history", "record", "--waiting").code == 0
    assert [*dict.fromkeys(commits_in(inbox))] == expected
    assert notes(told) == []
    with closing(open_past(told.root)) as past:
        assert {*expected} <= past.store.known()


def test_values_of_secrets_are_never_told(told: Folder, inbox: Inbox) -> None:
    """Names and numbers are all that a message holds."""
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {token: hunter-2}\n"
    told.commit(
        "a secret",
        overlays__prod__environment=environment("secretBackend: plaintext\n"),
        overlays__prod__token=secret,
    )
    run_envc(told.root, "history", "record")
    assert inbox.received[0][1]["resources"] == ["added Secret/token"]
    assert "hunter-2" not in str(inbox.received)


def test_a_note_that_is_not_of_this_record_is_not_told(told: Folder, inbox: Inbox) -> None:
    """Its time tells: somebody else recorded the commit, and told of it."""
    commit = told.commit("an image", base__web=deployment(image="nginx:1.28"))
    assert run_envc(told.root, "history", "record").code == 0
    inbox.received.clear()
    (told.root / ".envc" / "notify" / f"{commit}.note").write_text("1")
    assert run_envc(told.root, "history", "record").code == 0
    assert (inbox.received, notes(told)) == ([], [])
