"""The audit trail, its gaps, and the chain that shows a changed past."""

from __future__ import annotations

import hashlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions.audit import audit, verify
from envcompile.actions.timeline import recorded_line
from envcompile.errors import UsageError
from envcompile.history.chain import canonical, chain
from envcompile.history.database import Database
from tests.harness.command import run_envc
from tests.harness.repository import config_map
from tests.history.conftest import START

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.actions.audit import Audit
    from tests.history.conftest import Folder

NOW = START + 86_400


@pytest.fixture
def recorded(folder: Folder) -> Folder:
    """Three commits: the start, a change that Bo approved, and one that nobody did."""
    folder.commit("start")
    folder.commit("green\n\nReviewed-by: Bo <bo@example.com>", base__settings=config_map(color="green", size="small"))
    folder.commit("large", base__settings=config_map(color="green", size="large"))
    folder.record()
    return folder


def trail(folder: Folder, *environments: str, since: str | None = None) -> Audit:
    """The trail as it stands now."""
    with closing(folder.past()) as past:
        return audit(past, environments, NOW, since=since)


def test_who_changed_what_from_to(recorded: Folder) -> None:
    """Each commit by environment, with fields, places and approvals; the first commit is the record's own."""
    found = trail(recorded, "prod")
    assert [entry.commit.message.splitlines()[0] for entry in found.entries] == ["start", "green", "large"]
    first, second, third = found.entries
    assert {change.what for change in first.changes} == {"recorded"}
    (change,) = second.changes
    (field,) = change.fields
    assert (change.what, field.field, field.old, field.new) == ("changed", "data.color", '"blue"', '"green"')
    assert field.place.startswith("base/settings.yaml:")
    assert (second.approved_by, third.approved_by) == (("Bo <bo@example.com>",), ())
    assert found.unapproved == {"prod": (third.commit.hash,)}
    assert {entry.environment for entry in trail(recorded).entries} == {"dev", "prod"}


def test_a_period(recorded: Folder) -> None:
    """What came before it is not told; its hashes are those of the whole chain."""
    whole = trail(recorded, "prod")
    last = whole.entries[-1]
    part = trail(recorded, "prod", since="2023-11-14T22:15:00Z")
    assert [entry.commit.hash for entry in part.entries] == [
        entry.commit.hash for entry in whole.entries if entry.commit.committed_at >= part.start
    ]
    assert part.head == whole.head == last.hash


def test_commits_that_are_not_recorded_are_a_gap(recorded: Folder) -> None:
    """They are named, and do not end the chain."""
    head = trail(recorded).head
    newest = recorded.commit("not recorded", base__settings=config_map(color="red", size="large"))
    found = trail(recorded)
    assert found.unrecorded == (newest,)
    assert found.head == head
    assert "gap: 1 commit is not recorded" in run_envc(recorded.root, "compliance", "--audit").out


@pytest.mark.usefixtures("backend")
def test_a_commit_recorded_while_the_chain_is_read_is_not_half_of_it(
    recorded: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All questions of one chain are about one state of the record, whatever a recorder does in between."""
    recorded.record()
    head = trail(recorded).head
    newest = recorded.commit("meanwhile", base__settings=config_map(color="red", size="large"))
    with closing(recorded.past()) as past:
        line = recorded_line(past)[0]
        ask, recordings = Database.rows, []

        def rows(database: Database, statement: str, arguments: Sequence[Any] = ()) -> list[Any]:
            found = ask(database, statement, arguments)
            if "FROM revision r" in statement and database is past.store.database:
                recordings.append(recorded.record())
            return found

        monkeypatch.setattr(Database, "rows", rows)
        links = chain(past.store, line)
    assert links[-1].hash == head
    assert len(recordings) == 1
    with closing(recorded.past()) as past:
        assert chain(past.store, recorded_line(past)[0])[-1].commit == newest


def test_the_chain_is_made_as_it_is_written_down(recorded: Folder) -> None:
    """SHA-256 over the hash before and the canonical form."""
    with closing(recorded.past()) as past:
        first = past.repository.walk(["HEAD"], oldest_first=True)[0]
        facts = past.store.commits([first])[first]
        environments = {}
        for name, revision in past.store.revisions_of(first).items():
            held = past.store.state(revision.id)
            rows = sorted([*identity, item.digest.hex(), item.file] for identity, item in held.items())
            environments[name] = {"digest": revision.digest.hex(), "problem": "", "resources": rows, "fields": []}
    entry = {
        "commit": first,
        "parents": [],
        "author": [facts.author_name, facts.author_email, facts.authored_at],
        "committer": [facts.committer_name, facts.committer_email, facts.committed_at],
        "message": facts.message,
        "environments": environments,
    }
    text = canonical({"b": [1, "ä"], "a": None})
    assert text == '{"a":null,"b":[1,"ä"]}'.encode()
    assert trail(recorded).entries[0].hash == hashlib.sha256(bytes(32) + canonical(entry)).hexdigest()


def test_a_record_that_is_made_anew_has_the_same_chain(recorded: Folder) -> None:
    """When and where it was recorded has no say."""
    before = trail(recorded).head
    (recorded.root / ".envc" / "history.db").unlink()
    recorded.record()
    assert trail(recorded).head == before


def test_what_comes_later_leaves_the_past_as_it_was(recorded: Folder) -> None:
    """The hash that somebody kept is found, with how much came since."""
    kept = trail(recorded).head
    recorded.commit("later", base__settings=config_map(color="red", size="large"))
    recorded.record()
    with closing(recorded.past()) as past:
        found = verify(past, kept)
        assert (found.holds, found.later) == (True, 1)
        assert verify(past, kept[:16]).holds
        with pytest.raises(UsageError, match="no hash"):
            verify(past, "abc")
    done = run_envc(recorded.root, "compliance", "--verify", kept)
    assert (done.code, done.out) == (0, f"the record up to commit {found.commit[:12]} is as it was; 1 came since\n")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE recorded_commit SET author_name = 'Mallory' WHERE id = 1",
        "UPDATE recorded_commit SET message = 'green\n\nApproved-by: Everybody' WHERE id = 2",
        "UPDATE recorded_commit SET committed_at = committed_at - 60 WHERE id = 1",
        "UPDATE field_change SET new = '\"red\"' WHERE id = 1",
        "UPDATE field_change SET place = 'elsewhere:1:1' WHERE id = 1",
        "DELETE FROM field_change WHERE id = 1",
        "UPDATE resource_change SET content_id = 1 WHERE revision_id = 3",
        "UPDATE revision SET problem = 'never compiled' WHERE id = 2",
        "UPDATE resource SET name = 'other' WHERE id = 1",
        "PRAGMA foreign_keys = OFF; DELETE FROM recorded_commit WHERE id = 2",
        "PRAGMA foreign_keys = OFF; DELETE FROM recorded_commit WHERE id = 3",
    ],
)
def test_a_changed_past_is_seen(recorded: Folder, change: str) -> None:
    """Whatever is changed below the hash, it is not found any more: exit 1."""
    kept = trail(recorded).head
    with closing(recorded.past()) as past:
        for statement in change.split("; "):
            past.store.database.run(statement)
    done = run_envc(recorded.root, "compliance", "--verify", kept)
    assert done.code == 1
    assert "no commit of the record has this hash" in done.err


def test_an_environment_that_goes_takes_its_resources_along(recorded: Folder) -> None:
    """A folder that has another name since is told as what it was: removed there, and a record that begins."""
    recorded.git("mv", "overlays/prod", "overlays/live")
    recorded.commit("prod is called live")
    recorded.commit("later", base__settings=config_map(color="red", size="large"))
    recorded.record()
    gone = trail(recorded, "prod").entries[-1]
    assert gone.commit.message.startswith("prod is called live")
    assert {change.what for change in gone.changes} == {"removed"}
    assert {change.resource.name for change in gone.changes} >= {"settings", "web"}
    assert trail(recorded, "prod").unapproved["prod"][-1] == gone.commit.hash
    first, later = trail(recorded, "live").entries
    assert {change.what for change in first.changes} == {"recorded"}
    assert {change.what for change in later.changes} == {"changed"}


def test_a_changed_content_is_seen(recorded: Folder) -> None:
    """Its digest is in the chain, its text is held against the digest."""
    kept = trail(recorded).head
    with closing(recorded.past()) as past:
        past.store.database.run("UPDATE content SET body = (SELECT body FROM content WHERE id = 2) WHERE id = 1")
    done = run_envc(recorded.root, "compliance", "--verify", kept)
    assert done.code == 1
    assert "is not what was recorded" in done.err


def test_hostile_words_are_inert(folder: Folder) -> None:
    """Messages and names of commits are text that somebody else wrote."""
    folder.commit("start")
    folder.git(
        "-c", "user.name=Eve\u202e\x1b[31m", "commit", "--allow-empty", "-qm", "x\x1b[2J\n\nReviewed-by: \x1b]0;a\x07"
    )
    folder.commit("red", base__settings=config_map(color="red"))
    folder.record()
    out = run_envc(folder.root, "compliance", "--audit").out
    assert "\x1b" not in out
    assert "\u202e" not in out
