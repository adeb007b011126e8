"""PostgreSQL: values come back as they were, writes are whole, and what the server says is told."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from envcompile.errors import UnavailableError
from envcompile.history.database import connect
from tests.history import postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from envcompile.history.database import Database


@pytest.fixture
def address(new_postgres: Callable[[], str]) -> str:
    """An empty database."""
    return new_postgres()


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    """An open database with a table."""
    with closing(connect(address)) as opened:
        opened.run("CREATE TABLE thing (id SERIAL PRIMARY KEY, name TEXT, size BIGINT, body BYTEA, part REAL)")
        yield opened


def test_values_come_back_as_they_were(database: Database) -> None:
    """Texts of any letters, large and negative numbers, bytes, nothing, and results that were computed."""
    rows = [
        ("plain", 1, b"\0\xff\x80'\\", 0.5),
        ("", -1, b"", 2.0),
        ("Zoë 'quoted' \\ 100% $1 \U0001f600\n\t", 2**62, None, None),
        (None, None, b"x" * 100_000, 1.0),
    ]
    database.run_many("INSERT INTO thing (name, size, body, part) VALUES (?, ?, ?, ?)", rows)
    found = database.rows("SELECT name, size, body, part FROM thing ORDER BY id")
    assert [tuple(bytes(cell) if isinstance(cell, memoryview) else cell for cell in row) for row in found] == rows
    assert database.rows("SELECT COUNT(*), SUM(size) > 0, COALESCE(MAX(LENGTH(body)), 0) FROM thing") == [
        (4, True, 100_000)
    ]
    assert database.rows("SELECT SUM(size) FROM thing WHERE name LIKE ?", ("%",)) == [(2**62,)]
    assert database.rows("SELECT name FROM thing WHERE size = ? AND name = ? LIMIT ?", (1, "plain", 5)) == [("plain",)]
    assert database.rows_in("SELECT size FROM thing WHERE name", ["plain", "", "no"]) in ([(1,), (-1,)], [(-1,), (1,)])


def test_many_rows_are_all_written_or_none(database: Database) -> None:
    """One that is refused takes the whole transaction with it, and the connection can be used afterwards."""
    rows = [(f"n{number}", number) for number in range(1001)]
    with database.writing():
        database.run_many("INSERT INTO thing (name, size) VALUES (?, ?)", rows)
    assert database.rows("SELECT COUNT(*) FROM thing") == [(1001,)]

    def write_too_much() -> None:
        with database.writing():
            database.run_many("INSERT INTO thing (id, name) VALUES (?, ?)", [(5000, "a"), (5001, "b"), (5000, "c")])

    with pytest.raises(UnavailableError) as caught:
        write_too_much()
    assert "duplicate key value" in str(caught.value)
    assert database.rows("SELECT COUNT(*) FROM thing") == [(1001,)]


def test_what_the_server_refuses_is_said(database: Database) -> None:
    """An error of one statement is that statement's; a closed connection is an error, too."""
    for _ in range(2):
        with pytest.raises(UnavailableError) as caught:
            database.rows("SELECT nothing FROM nowhere WHERE x = ?", (1,))
        assert 'relation "nowhere" does not exist' in str(caught.value)
    assert database.rows("SELECT 1") == [(1,)]
    database.close()
    with pytest.raises(UnavailableError):
        database.rows("SELECT 1")


def test_a_server_that_refuses_is_said_without_the_password(address: str, postgres_socket: Path) -> None:
    """A password is in no message."""
    del address
    with pytest.raises(UnavailableError) as caught:
        connect(postgres.url(postgres_socket, "nosuch", "hunter-2"))
    assert str(caught.value) == (
        "error: the history database postgresql://test@/nosuch refuses the user or the password\n"
        "hint: correct them in ENVC_HISTORY_URL"
    )
    with pytest.raises(UnavailableError) as caught:
        connect(postgres.url(postgres_socket, "nosuch"))
    assert 'database "nosuch" does not exist' in str(caught.value)
    assert postgres.PASSWORD not in str(caught.value)
