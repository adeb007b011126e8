"""History takes every commit that git takes, and shows it as git does: any bytes, any date, any author, any shape."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile.actions.past import log
from envcompile.git.identity import identity, readable
from envcompile.history.doctor import check
from envcompile.history.times import day, milliseconds, stamp
from tests.harness.command import run_envc
from tests.harness.repository import deployment
from tests.history.conftest import new_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.history.conftest import Folder

A = b"A <a@example.com>"
GOOD = A + b" 1700000000 +0000"
ODD = {
    "Latin-1 name": (b"J\xfcrg <j@example.com> 1700000000 +0000", GOOD, b"plain"),
    "Latin-1 message": (GOOD, GOOD, b"m\xfcsli"),
    "date that counts back from 2^64": (GOOD, A + b" 18446744073709501217 +0000", b"x"),
    "20 digits": (A + b" 99999999999999999999 +0000", A + b" 99999999999999999999 +0000", b"x"),
    "300 digits": (A + b" " + b"9" * 300 + b" +0000", GOOD, b"x"),
    "year 10000": (A + b" 253402300800 +0000", A + b" 253402300800 +0000", b"x"),
    "the last year of git": (A + b" 67768036191676799 +0000", A + b" 67768036191676799 +0000", b"x"),
    "the last second of 64 bits": (A + b" 9223372036854775807 +0000", A + b" 9223372036854775807 +0000", b"x"),
    "no date": (A, GOOD, b"x"),
    "no end of the address": (b"A <a@example.com", GOOD, b"x"),
    "nobody": (b"", b"", b"x"),
    "nothing but a name": (b"A", b"A", b"x"),
    "negative date": (A + b" -100 +0000", A + b" -100 +0000", b"x"),
    "no time zone": (A + b" 1700000000", A + b" 1700000000", b"x"),
    "far time zone": (A + b" 1700000000 +99999", A + b" 1700000000 -2600", b"x"),
    "zero-padded date": (A + b" 0001700000000 +0000", GOOD, b"x"),
    "a tab and an escape in the name": (b"A\tB\x1b[31m <a@example.com> 1700000000 +0000", GOOD, b"x"),
    "NUL in the message": (GOOD, GOOD, b"before\0after"),
    "no message": (GOOD, GOOD, b""),
    "half a character": (GOOD, GOOD, b"cut \xe2\x82"),
    "lone surrogate": (GOOD, GOOD, b"\xed\xa0\x80"),
}


def odd_commit(folder: Folder, author: bytes, committer: bytes, message: bytes, *parents: str) -> str:
    """A commit of these very bytes, on top of the checked-out branch or of the parents."""
    folder.git("add", "--all")
    lines = [b"tree " + folder.git("write-tree").encode()]
    above = parents or tuple(folder.git("rev-list", "--max-count=1", "--all").split())
    lines += [b"parent " + parent.encode() for parent in above]
    lines += [b"author " + author, b"committer " + committer, b"", message]
    made = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally"],
        cwd=folder.root,
        input=b"\n".join(lines),
        capture_output=True,
        check=True,
    )
    name = made.stdout.decode().strip()
    folder.git("update-ref", "refs/heads/main", name)
    return name


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_commit_is_recorded_and_so_is_what_follows(folder: Folder, kind: str) -> None:
    """Cases history-import-stops-at-old-commits and odd-commit-dates: every question about it has an answer."""
    odd = odd_commit(folder, *ODD[kind])
    for command in ("record", "sync", "import"):
        later = folder.commit("later", base__web=deployment(replicas=7))
        outcome = run_envc(folder.root, "history", command)
        assert outcome.code == 0, outcome.err
        if command != "import":
            (folder.root / ".envc" / "history.db").unlink()
            folder.git("reset", "-q", "--hard", odd)
    lines = run_envc(folder.root, "history", "log", "prod").out.splitlines()
    assert [line.split()[0] for line in lines] == [later[:12], odd[:12]]
    for question in (
        ("log", "prod", "--format=json"),
        ("show", "prod", odd),
        ("show", "prod", odd, "--format=json"),
        ("at", "2100-01-01", "prod"),
        ("diff", odd, later, "prod"),
        ("blame", "prod", "deployment/web"),
        ("blame", "prod", "deployment/web", "--format=json"),
        ("stats",),
        ("export",),
        ("doctor",),
        ("rebuild", "--check"),
    ):
        outcome = run_envc(folder.root, "history", *question)
        assert outcome.code in {0, 16} if question[0] == "diff" else outcome.code == 0, (question, outcome.err)


@pytest.mark.usefixtures("backend")
def test_both_databases_take_odd_commits(folder: Folder) -> None:
    """SQLite and PostgreSQL hold the same of them."""
    commits = [odd_commit(folder, *odd) for odd in ODD.values()]
    folder.record()
    with closing(folder.past()) as past:
        facts = past.store.commits(commits)
        assert check(past.store).damage == ()
    named = dict(zip(ODD, (facts[name] for name in commits), strict=True))
    assert named["Latin-1 name"].author_name == "J\ufffdrg"
    assert named["Latin-1 message"].message == "m\ufffdsli"
    assert named["date that counts back from 2^64"].committed_at == 0
    assert named["year 10000"].committed_at == 253402300800
    assert named["nobody"][2:8] == ("", "", 0, "", "", 0)
    assert named["no end of the address"][2:5] == ("", "", 0)
    assert named["no date"][2:5] == ("A", "a@example.com", 0)
    assert named["negative date"].authored_at == 0
    assert named["zero-padded date"].authored_at == 1700000000
    assert named["NUL in the message"].message == "before"


def test_dates_are_shown_as_git_shows_them(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case odd-commit-dates: to the minute, in this machine's time zone, whatever zone that is."""
    for odd in ODD.values():
        if b"67768036191676799" not in odd[1] and odd[1].count(b" ") == 3 and b" -" not in odd[1]:
            odd_commit(folder, *odd)
    folder.record()
    gits = folder.git("log", "--format=%cd", "--date=format-local:%Y-%m-%d %H:%M").splitlines()
    assert [
        line[14:].partition("  ")[0] for line in run_envc(folder.root, "history", "log", "prod").out.splitlines()
    ] == gits
    for zone in ("UTC+26", "UTC-26", "Asia/Kolkata", "nonsense"):
        monkeypatch.setenv("TZ", zone)
        for wanted in ("text", "json"):
            outcome = run_envc(folder.root, "history", "log", "prod", f"--format={wanted}")
            assert outcome.code == 0, outcome.err


def test_settings_of_git_change_nothing(folder: Folder) -> None:
    """Signatures, other encodings, colours and notes are left out of what is asked."""
    commit = folder.commit("grüße")
    folder.git("notes", "add", "-m", "a note")
    for name, value in {
        "log.showSignature": "true",
        "i18n.logOutputEncoding": "ISO-8859-1",
        "color.ui": "always",
        "log.decorate": "full",
        "log.date": "human",
        "format.pretty": "oneline",
    }.items():
        folder.git("config", name, value)
    with closing(folder.past()) as past:
        found = past.repository.commit(commit)
    assert (found.message, found.author_name, found.committed_at % 60) == ("grüße", "Ada", 1700000000 % 60)


def test_a_repository_of_longer_hashes_is_recorded(tmp_path: Path) -> None:
    """SHA-256: import, hook's recorder, questions and the rebuild."""
    root = tmp_path / "project"
    root.mkdir()
    folder = new_folder(root)
    subprocess.run(["rm", "-rf", root / ".git"], check=True)
    folder.git("init", "--quiet", "--object-format=sha256", "--initial-branch=main")
    folder.git("config", "user.name", "Ada")
    folder.git("config", "user.email", "ada@example.com")
    first = folder.commit("first")
    assert len(first) == 64
    assert run_envc(root, "history", "record").code == 0
    second = folder.commit("second", base__web=deployment(replicas=7))
    assert run_envc(root, "history", "import").code == 0
    assert [line[:12] for line in run_envc(root, "history", "log", "prod").out.splitlines()] == [
        second[:12],
        first[:12],
    ]
    assert run_envc(root, "history", "diff", first[:9], second, "prod").code == 16
    assert run_envc(root, "history", "rebuild", "--check").code == 0


def test_replaced_commits_and_grafts_are_shown_as_git_shows_them(folder: Folder) -> None:
    """The history follows `git log`: what `git replace` and grafts put in the place of something counts."""
    first = folder.commit("first")
    second = folder.commit("second", base__web=deployment(replicas=2))
    third = folder.commit("third", base__web=deployment(replicas=3))
    other = folder.git("commit-tree", f"{second}^{{tree}}", "-p", first, "-m", "instead of the second")
    folder.git("replace", second, other)
    folder.git("replace", "--graft", third, first)
    assert run_envc(folder.root, "history", "import").code == 0
    assert folder.git("log", "--format=%H").split() == [third, first]
    lines = run_envc(folder.root, "history", "log", "prod").out.splitlines()
    assert [line[:12] for line in lines] == [third[:12], first[:12]]
    assert run_envc(folder.root, "history", "record", "--commit", second).code == 0
    assert "instead of the second" in run_envc(folder.root, "history", "show", "prod", second).out
    assert run_envc(folder.root, "history", "rebuild", "--check").code == 0


def test_a_merge_of_many_branches_is_recorded(folder: Folder) -> None:
    """An octopus has more than two parents; what it changes is told against the first."""
    start = folder.commit("start")
    tips = []
    for name in ("one", "two", "three"):
        folder.git("checkout", "-q", "-b", name, start)
        tips.append(folder.commit(name, **{f"base__{name}": deployment(name)}))
    folder.git("checkout", "-q", "main")
    start = folder.commit("meanwhile")
    folder.git("merge", "-q", "-m", "octopus", "one", "two", "three")
    merge = folder.git("rev-parse", "HEAD")
    assert run_envc(folder.root, "history", "import").code == 0
    with closing(folder.past()) as past:
        assert past.store.commits([merge])[merge].parents == (start, *tips)
        (entry,) = [entry for entry in log(past, "prod") if entry.commit.hash == merge]
    assert entry.changed == 3
    shown = json.loads(run_envc(folder.root, "history", "show", "prod", "--format=json").out)
    assert len(shown["parents"]) == 4


def test_names_of_files_that_are_no_text_are_recorded(folder: Folder) -> None:
    """A source whose name is no UTF-8, and one that does not compile: the place is readable."""
    bad = folder.root / "base" / "m\udcfcsli.yaml"
    bad.write_text(deployment("other"))
    folder.commit("start")
    bad.write_text(deployment("other", replicas=5))
    folder.commit("five")
    bad.write_text("kind: [")
    folder.commit("broken")
    outcome = run_envc(folder.root, "history", "import")
    assert outcome.code == 0, outcome.err
    for question in (("log", "prod"), ("show", "prod"), ("blame", "prod", "deployment/other"), ("rebuild", "--check")):
        outcome = run_envc(folder.root, "history", *question)
        assert outcome.code in {0, 2}, outcome.err


@given(st.integers(-(2**70), 2**70))
def test_every_time_has_a_text_and_a_place_in_a_column(seconds: int) -> None:
    """No number of seconds fails, and equal texts mean equal times."""
    text = stamp(seconds, utc=True)
    assert day(seconds).count("-") == 2
    assert 0 <= milliseconds(text) < 2**63
    if 0 <= seconds < 2**63 // 1000 and seconds <= 67_767_976_233_532_799:
        assert milliseconds(text) == seconds * 1000


@given(st.binary())
def test_every_text_can_be_stored(data: bytes) -> None:
    """Bytes of any encoding become text that every database and every terminal takes."""
    text = readable(data.decode("utf-8", "surrogateescape"))
    assert text.encode() == data.decode("utf-8", "replace").encode()


@given(st.text())
def test_every_date_becomes_a_number(text: str) -> None:
    """What is no date is the beginning of 1970."""
    assert 0 <= identity("A", "a", text)[2] < 2**63
