"""The database: its versions, its refusals, and recorders that die or meet."""

from __future__ import annotations

import os
import sqlite3
import zlib
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.past import log, open_past
from envcompile.errors import UnavailableError, UsageError
from envcompile.history.database import VERSION, connect, version_of
from envcompile.history.migrate import upgrade
from envcompile.history.spool import Spool
from tests.harness.command import run_envc
from tests.harness.repository import deployment
from tests.history import postgres

if TYPE_CHECKING:
    from pathlib import Path

    from tests.history.conftest import Folder


LIVE = (
    *("live_setting", "live_series", "live_field", "live_version", "live_object", "live_content", "live_position"),
    *("live_kind", "live_cluster", "live_event", "live_usage", "live_usage_5m", "live_usage_1h"),
    *("drift", "drift_look", "live_rate", "live_rate_5m", "live_rate_1h"),
)
"""The tables of versions from 0003 on, so that none is referred to when it goes."""


@pytest.mark.usefixtures("backend")
def test_an_older_database_asks_for_the_upgrade_and_gets_it(folder: Folder) -> None:
    """Nothing is changed unasked; afterwards everything recorded is still there."""
    folder.commit("start")
    folder.record()
    with closing(folder.past()) as past:
        database = past.store.database
        for table in ("field_change", *LIVE):
            database.run(f"DROP TABLE {table}")
        database.run("UPDATE alembic_version SET version_num = '0001'")
        name = database.name
    outcome = run_envc(folder.root, "history", "log", "prod")
    assert (outcome.code, outcome.err) == (
        4,
        (
            f"error: the history database {name} has tables of version 0001, this envc writes {VERSION}\n"
            "hint: run `envc history upgrade`\n"
        ),
    )
    outcome = run_envc(folder.root, "history", "upgrade")
    assert (outcome.code, outcome.err) == (0, f"the history database has version {VERSION}, it had 0001\n")
    assert run_envc(folder.root, "history", "log", "prod").code == 0


@pytest.mark.usefixtures("backend")
def test_a_newer_database_is_left_alone(folder: Folder) -> None:
    """An envc that does not know the tables does not touch them, not even to upgrade."""
    folder.commit("start")
    folder.record()
    with closing(folder.past()) as past:
        past.store.database.run("UPDATE alembic_version SET version_num = '9999'")
        name = past.store.database.name
    for command in (("log", "prod"), ("record",), ("upgrade",)):
        outcome = run_envc(folder.root, "history", *command)
        assert (outcome.code, outcome.err) == (
            4,
            (
                f"error: the history database {name} has tables of version 9999, this envc knows {VERSION} at most\n"
                "hint: upgrade envc; the database was written by a newer one\n"
            ),
        )


def test_a_wrong_password_is_said_and_never_shown(
    folder: Folder, postgres_socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit waits, and is recorded when the password is right."""
    commit = folder.commit("start")
    monkeypatch.setenv("ENVC_HISTORY_URL", postgres.url(postgres_socket, "postgres", "not-it"))
    outcome = run_envc(folder.root, "history", "record")
    assert (outcome.code, outcome.err) == (
        4,
        (
            "error: the history database postgresql://test@/postgres refuses the user or the password\n"
            "hint: correct them in ENVC_HISTORY_URL\n"
        ),
    )
    assert Spool(folder.root / ".envc").waiting() == [commit]
    monkeypatch.setenv("ENVC_HISTORY_URL", postgres.url(postgres_socket, "postgres"))
    assert run_envc(folder.root, "history", "record", "--waiting").err == "1 commit recorded\n"
    assert Spool(folder.root / ".envc").waiting() == []


def test_a_server_that_is_away_is_said(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 4, and the commits wait."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    commits = [folder.commit("start"), folder.commit("more", base__web=deployment(replicas=2))]
    monkeypatch.setenv("ENVC_HISTORY_URL", f"postgresql://test:secret-word@/x?host={tmp_path}")
    for commit in commits:
        outcome = run_envc(folder.root, "history", "record", "--commit", commit)
        assert outcome.code == 4
        assert "secret-word" not in outcome.err
    monkeypatch.delenv("ENVC_HISTORY_URL")
    assert run_envc(folder.root, "history", "record", "--waiting").err == "2 commits recorded\n"
    with closing(open_past(folder.root)) as past:
        assert [entry.commit.hash for entry in log(past, "prod")] == commits[::-1]


def test_other_databases_are_refused(monkeypatch: pytest.MonkeyPatch, folder: Folder) -> None:
    """The message says what can be written."""
    folder.commit("start")
    monkeypatch.setenv("ENVC_HISTORY_URL", "mysql://host/name")
    outcome = run_envc(folder.root, "history", "record")
    assert (outcome.code, outcome.err) == (
        2,
        (
            "error: ENVC_HISTORY_URL names a database of the kind `mysql`, which envc cannot use\n"
            "hint: write sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME\n"
        ),
    )


def test_questions_make_no_database(folder: Folder) -> None:
    """Who asks before anything is recorded learns how to begin."""
    folder.commit("start")
    outcome = run_envc(folder.root, "history", "log", "prod")
    assert (outcome.code, outcome.err) == (
        2,
        (
            "error: there is no history yet\n"
            "hint: `envc history import` records the past, `envc hook install` what comes\n"
        ),
    )
    assert not (folder.root / ".envc" / "history.db").exists()


def test_a_file_that_is_no_database_is_said(folder: Folder) -> None:
    """It is not overwritten."""
    folder.commit("start")
    file = folder.root / ".envc" / "history.db"
    file.parent.mkdir()
    file.write_bytes(b"this is not a database at all" * 100)
    outcome = run_envc(folder.root, "history", "record")
    assert outcome.code == 4
    assert "file is not a database" in outcome.err
    assert file.read_bytes().startswith(b"this is not")


@pytest.mark.parametrize("kind", ["text", "cut short", "scribbled", "no tables", "a body", "a JSON"])
def test_a_damaged_database_says_what_helps(folder: Folder, kind: str) -> None:
    """Whatever happened to the file, the answer is exit code 4 with what to do, and doing it helps."""
    for number in range(1, 4):
        folder.commit(f"replicas {number}", base__web=deployment(replicas=number))
    folder.record()
    file = folder.root / ".envc" / "history.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if kind == "no tables":
            connection.execute("DROP TABLE field_change")
            connection.execute("DROP TABLE resource_change")
        elif kind == "a body":
            connection.execute("UPDATE content SET body = x'00'")
        elif kind == "a JSON":
            connection.execute("UPDATE content SET body = ?", (zlib.compress(b"{"),))
        connection.commit()
    size = file.stat().st_size
    with file.open("r+b") as stream:
        if kind == "text":
            stream.write(b"this is no database")
        elif kind == "cut short":
            stream.truncate(size // 2)
        elif kind == "scribbled":
            stream.seek(4096)
            stream.write(b"\xff" * (size - 4096))
    codes = set()
    for question in (
        ("log", "prod"),
        ("show", "prod"),
        ("show", "prod", "HEAD", "deployment/web"),
        ("stats",),
        ("record",),
    ):
        outcome = run_envc(folder.root, "history", *question)
        assert outcome.code in {0, 4}, outcome.err
        codes.add(outcome.code)
        if outcome.code:
            assert f"{file} is damaged: " in outcome.err
            assert "move it away and run `envc history import`" in outcome.err
    assert 4 in codes
    for left in file.parent.glob("history.db*"):
        left.unlink()
    assert run_envc(folder.root, "history", "import").err == "3 commits recorded\n"


def test_damage_is_found(folder: Folder) -> None:
    """The doctor reads everything."""
    folder.commit("start")
    folder.record()
    assert run_envc(folder.root, "history", "doctor").code == 0
    with closing(sqlite3.connect(folder.root / ".envc" / "history.db")) as connection:
        connection.execute("UPDATE content SET body = x'00' WHERE id = 1")
        connection.execute("DELETE FROM resource_change WHERE content_id = 2")
        connection.commit()
    folder.commit("not recorded")
    outcome = run_envc(folder.root, "history", "doctor")
    assert outcome.code == 1
    assert "content 1 is damaged" in outcome.out
    assert "is not what was recorded" in outcome.out
    assert "1 of 2 commits not recorded" in outcome.out


@pytest.mark.usefixtures("backend")
def test_an_upgrade_of_a_current_database_does_nothing(tmp_path: Path) -> None:
    """Several processes may find the same empty database."""
    address = os.environ.get("ENVC_HISTORY_URL") or f"sqlite:///{tmp_path / 'history.db'}"
    upgrade(address)
    upgrade(address)
    with closing(connect(address)) as database:
        assert version_of(database) == VERSION


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL is an option that need not be installed."""
    import sys

    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError) as caught:
        connect("postgresql://host/name")
    assert "pip install 'envcompile[postgres]'" in str(caught.value)
    assert not isinstance(caught.value, UnavailableError)
