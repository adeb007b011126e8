"""The connection to the history database: SQLite by default, PostgreSQL by `ENVC_HISTORY_URL`.

Statements are written once, with `?` for arguments. The drivers are used directly: importing SQLAlchemy takes longer
than recording a commit, so only migrations do.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envcompile.errors import Problem, UnavailableError, UsageError
from envcompile.git.own_folder import make_own
from envcompile.history.address import SQLITE, checked, shown, words_of
from envcompile.log import decision

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Sequence

VERSION = "0005"
"""The newest step of envcompile/migrations, which this code is written for."""
_LOCK = 0x656E7663
"""The PostgreSQL advisory lock that recorders take turns with."""
_AT_ONCE = 500
"""Arguments of one statement; SQLite's limit is 999 in old versions."""
_ANSWER = 5
"""Seconds that a server may take to answer at all."""
_DAMAGE = ("not a database", "malformed", "no such table", "no such column", "corrupt")
"""What SQLite says of a file that is something else, or of a part of one."""
_WAIT = 30
"""Seconds that a recorder waits for another one."""


class Database:
    """An open history database.

    Raises:
        UnavailableError: it cannot be reached, opened or written.
    """

    __slots__ = ("_connection", "_error", "_seen", "is_sqlite", "name")

    def __init__(self, connection: Any, error: type[Exception], name: str, *, is_sqlite: bool) -> None:
        self._connection = connection
        self._error = error
        self.name = name
        self.is_sqlite = is_sqlite
        self._seen = self._version_of_data()

    def was_changed_elsewhere(self) -> bool:
        """Tell whether another process has written since this was asked last, so that numbers may be used again.

        PostgreSQL never gives a number twice.
        """
        before, self._seen = self._seen, self._version_of_data()
        return before != self._seen

    def _version_of_data(self) -> int:
        return int(self.rows("PRAGMA data_version")[0][0]) if self.is_sqlite else 0

    def rows(self, statement: str, arguments: Sequence[Any] = ()) -> list[Any]:
        """The rows that a query gives."""
        try:
            return list(self._connection.execute(self._in_dialect(statement), arguments).fetchall())
        except self._error as error:
            raise broken(self.name, error) from error

    def rows_in(self, statement: str, arguments: Collection[Any], before: Sequence[Any] = ()) -> list[Any]:
        """The rows of `statement IN (...)`, asked in several parts when there are many arguments.

        Args:
            statement: up to the column.
            arguments: what the column may be, all of one type.
            before: those of the statement itself.
        """
        every = list(arguments)
        rows: list[Any] = []
        for start in range(0, len(every), _AT_ONCE):
            part = every[start : start + _AT_ONCE]
            if self.is_sqlite:
                rows += self.rows(f"{statement} IN ({', '.join('?' * len(part))})", [*before, *part])
            else:
                # One argument, so that the server meets a statement that it has planned before.
                rows += self._rows_in_binary(f"{statement} = ANY(?)", [*before, part])
        return rows

    def _rows_in_binary(self, statement: str, arguments: Sequence[Any]) -> list[Any]:
        try:
            found = self._connection.execute(self._in_dialect(statement), arguments, binary=True)
            return list(found.fetchall())
        except self._error as error:
            raise broken(self.name, error) from error

    def run(self, statement: str, arguments: Sequence[Any] = ()) -> None:
        """Run a statement that gives no rows."""
        try:
            self._connection.execute(self._in_dialect(statement), arguments)
        except self._error as error:
            raise broken(self.name, error) from error

    def run_columns(self, statement: str, columns: Sequence[Sequence[Any]]) -> None:
        """Run a statement of PostgreSQL's whose arguments are whole columns.

        They travel in binary: as text, each byte of a compressed document is two letters that are escaped before.
        """
        try:
            self._connection.execute(self._in_dialect(statement).replace("%s", "%b"), columns)
        except self._error as error:
            raise broken(self.name, error) from error

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of arguments."""
        try:
            self._connection.cursor().executemany(self._in_dialect(statement), list(rows))
        except self._error as error:
            raise broken(self.name, error) from error

    @contextmanager
    def writing(self) -> Generator[None]:
        """One transaction; recorders take turns, and what an error interrupts leaves nothing."""
        self.run("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
        try:
            if not self.is_sqlite:
                self.run("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
            yield
            self.run("COMMIT")
        except BaseException:
            with suppress(self._error):  # the connection may be gone, and the transaction with it
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def reading(self) -> Generator[None]:
        """Several questions of one state: what others write meanwhile is not seen. Nothing is written inside."""
        self.run("BEGIN" if self.is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            with suppress(self._error):  # the connection may be gone, and the transaction with it
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _in_dialect(self, statement: str) -> str:
        """The statement with `%s` for its arguments, as psycopg wants it."""
        return statement if self.is_sqlite else statement.replace("%", "%%").replace("?", "%s")


def location(home: Path) -> str:
    """The address of the database: `ENVC_HISTORY_URL`, else `history.db` in the project's `.envc` folder."""
    return os.environ.get("ENVC_HISTORY_URL") or f"sqlite:///{home / 'history.db'}"


def connect(url: str, *, create: bool = True, any_version: bool = False) -> Database:
    """Open a history database; an empty one gets its tables.

    Args:
        url: `sqlite:///PATH` or `postgresql://USER@HOST/NAME`.
        create: make the SQLite file when there is none.
        any_version: do not ask for the tables of this version of envc.

    Raises:
        UsageError: the address is of another kind, or there is no database yet and none shall be made.
        UnavailableError: the database does not answer, or has tables of another version.
    """
    url = checked(url)
    decision("history", "the database is %s", url.removeprefix(SQLITE) if url.startswith(SQLITE) else shown(url))
    database = _opened(url, create=create)
    try:
        version = version_of(database)
        if version and not any_version:
            _check(version, database.name)
    except BaseException:
        database.close()
        raise
    if version:
        return database
    from envcompile.history.migrate import upgrade

    # Some servers take one connection at a time.
    database.close()
    upgrade(url)
    return _opened(url, create=create)


def _opened(url: str, *, create: bool) -> Database:
    return _sqlite(Path(url.removeprefix(SQLITE)), create=create) if url.startswith(SQLITE) else _postgresql(url)


def version_of(database: Database) -> str:
    """The version of the tables; empty for a database without any."""
    if database.is_sqlite:
        query = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    else:
        query = "SELECT 1 FROM information_schema.tables WHERE table_name = 'alembic_version'"
    if not database.rows(query):
        return ""
    rows = database.rows("SELECT version_num FROM alembic_version")
    return str(rows[0][0]) if rows else ""


def _check(version: str, name: str) -> None:
    if version == VERSION:
        return
    if version < VERSION:
        raise UnavailableError([
            Problem(
                f"the history database {name} has tables of version {version}, this envc writes {VERSION}",
                "run `envc history upgrade`",
            )
        ])
    raise UnavailableError([
        Problem(
            f"the history database {name} has tables of version {version}, this envc knows {VERSION} at most",
            "upgrade envc; the database was written by a newer one",
        )
    ])


def _sqlite(path: Path, *, create: bool) -> Database:
    name = str(path)
    if not create and not path.is_file():
        raise UsageError([
            Problem("there is no history yet", "`envc history import` records the past, `envc hook install` what comes")
        ])
    try:
        if path.parent.name == ".envc":
            make_own(path.parent)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=_WAIT, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
    except (OSError, sqlite3.Error) as error:
        raise broken(name, error) from error
    return Database(connection, sqlite3.Error, name, is_sqlite=True)


def _postgresql(url: str) -> Database:
    name = shown(url)
    try:
        import psycopg
    except ImportError as error:
        raise UsageError([
            Problem(
                "ENVC_HISTORY_URL names a PostgreSQL database, and its driver is not installed",
                "install it: pip install 'envcompile[postgres]'",
            )
        ]) from error
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=_ANSWER)
    except psycopg.Error as error:
        raise broken(name, error) from error
    return Database(connection, psycopg.Error, name, is_sqlite=False)


def broken(name: str, error: Exception) -> UnavailableError:
    """The error for a database that refuses, without what it may quote."""
    reason = words_of(error)
    if "password" in reason:
        return UnavailableError([
            Problem(f"the history database {name} refuses the user or the password", "correct them in ENVC_HISTORY_URL")
        ])
    if any(word in reason for word in _DAMAGE):
        return damaged(name, reason)
    return UnavailableError([
        Problem(
            f"the history database {name} does not answer: {reason}",
            "commits that could not be recorded wait in .envc/spool; `envc history record` takes them up",
        )
    ])


def damaged(name: str, reason: str) -> UnavailableError:
    """The error for a database that answers with something else than what was recorded."""
    fix = "restore it from a copy, or move it away and run `envc history import`: git still has the commits"
    return UnavailableError([Problem(f"the history database {name} is damaged: {reason}", fix)])
