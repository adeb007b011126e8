"""The address of the database: whatever is wrong with it, no message holds a part of its password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile.errors import UsageError
from envcompile.history.address import checked, shown, words_of
from envcompile.history.spool import Spool
from tests.harness.command import call_envc, run_envc

if TYPE_CHECKING:
    from tests.history.conftest import Folder

WRONG = {
    "host=127.0.0.1 port=1 password=SeCrEtPw dbname=x": "is no address of a database",
    "SeCrEtPw": "is no address of a database",
    "": "is no address of a database",
    "postgresql:u:SeCrEtPw@127.0.0.1/h": "lacks `//` behind `postgresql:`",
    "POSTGRES:u:SeCrEtPw@127.0.0.1/h": "lacks `//` behind `postgres:`",
    "postgresql://u:Se%ZZcrEtPw@127.0.0.1:1/h": "holds a `%` that is not followed by two digits of hexadecimal",
    "postgresql://u:SeCrEtPw%@127.0.0.1:1/h": "holds a `%` that is not followed by two digits of hexadecimal",
    "postgresql://u:SeCrEt%00Pw@127.0.0.1:1/h": "holds a `%` that is not followed by two digits of hexadecimal",
    "postgresql://u:SeCr@tPw@127.0.0.1:1/h": "holds more than one `@`, or one behind the host",
    "postgresql://u:SeC/rEtPw@127.0.0.1:1/h": "holds more than one `@`, or one behind the host",
    "postgresql://u:SeC?rEtPw@127.0.0.1:1/h": "holds more than one `@`, or one behind the host",
    "postgresql://u:12/SeCrEtPw@127.0.0.1:1/h": "holds more than one `@`, or one behind the host",
    "postgresql://u:SeCrEtPw@127.0.0.1:port/h": "names a port that is no number up to 65535",
    "postgresql://u:SeCrEtPw@127.0.0.1:99999/h": "names a port that is no number up to 65535",
    "postgresql://u:SeCrEtPw@[::1/h": "names a port that is no number up to 65535",
    "postgresql://u:SeCrEtPw": "names a port that is no number up to 65535",
    "postgresql://u:SeC rEtPw@h/x": "holds a space, a line break or a control character",
    "postgresql://u:SeC\nrEtPw@h/x": "holds a space, a line break or a control character",
    "mysql://u:SeCrEtPw@h/x": "names a database of the kind `mysql`, which envc cannot use",
}
PARTS = ("SeC", "rEt", "tPw")


@pytest.mark.parametrize("url", [url for url in WRONG if url])
def test_password_in_database_error(folder: Folder, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Case password-in-database-error: what is wrong with the form is said, nothing of it quoted; the commit waits."""
    commit = folder.commit("start")
    monkeypatch.setenv("ENVC_HISTORY_URL", url)
    outcome = run_envc(folder.root, "history", "record")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: ENVC_HISTORY_URL {WRONG[url]}\nhint: ")
    spool = Spool(folder.root / ".envc")
    assert spool.waiting() == [commit]
    said = outcome.out + outcome.err + spool.last_error()
    assert not [part for part in PARTS if part in said]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:SeCrEtPw@127.0.0.1:1/h",
        "postgresql://u:SeC#rEtPw@127.0.0.1:1/h",
        "postgresql://127.0.0.1:1/h?password=SeCrEtPw",
        "postgresql://127.0.0.1:1/h?password=SeCrEtPw&bogus=1",
        "postgresql://127.0.0.1:1/h?pass=SeCrEtPw",
        "postgresql://u:SeCrEtPw@127.0.0.1:1,127.0.0.1:2/h",
    ],
)
def test_a_library_that_refuses_quotes_no_password(folder: Folder, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Its words pass through one place; the spool's note, too."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    folder.commit("start")
    monkeypatch.setenv("ENVC_HISTORY_URL", url)
    outcome = run_envc(folder.root, "history", "record")
    assert outcome.code == 4
    said = outcome.out + outcome.err + Spool(folder.root / ".envc").last_error()
    assert not [part for part in PARTS if part in said]


def test_a_certificates_address_is_shown_without_its_password(folder: Folder) -> None:
    """Whether nothing answers there, or it is no address to ask."""
    folder.commit("start")
    for url in ("https://u:SeCrEtPw@127.0.0.1:9/x", "ftp://u:SeCrEtPw@127.0.0.1/x", "http://u:SeC/rEtPw@127.0.0.1:9/"):
        outcome = call_envc(folder.root, "secrets", "fetch-cert", "prod", url)
        assert outcome.code in {2, 4}
        assert not [part for part in PARTS if part in outcome.err]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u@h/x", "postgresql://u@h/x"),
        ("postgresql+psycopg://u:p@h:1/x?sslmode=require", "postgresql://u:p@h:1/x?sslmode=require"),
        ("postgresql:///x?host=/run/postgresql&options=-c%20a", "postgresql:///x?host=/run/postgresql&options=-c%20a"),
        ("postgresql://[::1]:5432,h2/x", "postgresql://[::1]:5432,h2/x"),
        ("postgresql://u:a%40b%2Fc@h", "postgresql://u:a%40b%2Fc@h"),
        ("sqlite:////tmp/a b@c?.db", "sqlite:////tmp/a b@c?.db"),
    ],
)
def test_addresses_that_libpq_takes(url: str, expected: str) -> None:
    """Several hosts, sockets, encoded characters."""
    assert checked(url) == expected


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_whatever_the_password_is(password: str) -> None:
    """It is refused without being quoted, or accepted and not shown (law)."""
    marked = f"Q{password}Q"
    url = f"postgresql://user:{marked}@host:5432/name"
    try:
        said = shown(checked(url))
    except UsageError as error:
        said = str(error)
    assert said == "postgresql://user@host:5432/name" or said.startswith("error: ENVC_HISTORY_URL holds ")
    assert marked not in said


def test_what_a_database_says() -> None:
    """Its first line, without what stands before an `@`."""
    assert words_of(Exception('could not translate host name "tPw@127.0.0.1" to address\nmore')) == (
        'could not translate host name 127.0.0.1" to address'
    )
    assert words_of(Exception("")) == "Exception"
