"""PostgreSQL through the C library that psycopg's binary package brings along, called directly.

Importing psycopg takes longer than recording a commit; the library alone is there in a tenth of that time. What is
here is as much of a driver as the history needs. Where the library is not found, psycopg itself is used.

Source: postgresql.org/docs/current/libpq.html, chapters "Command Execution Functions" and "Pipeline Mode".
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_FOLDER = "psycopg_binary.libs"
"""Where psycopg's wheels for Linux keep the libraries they bring, beside the package itself."""
_OK = {1, 2}
"""PGRES_COMMAND_OK, PGRES_TUPLES_OK."""
_SYNC = 10
"""PGRES_PIPELINE_SYNC."""
_BYTEA, _INT8, _INT4 = 17, 20, 23
_AT_ONCE = 100
"""Statements that are sent before their answers are read."""
_CONVERTERS: dict[int, Callable[[bytes], Any]] = {
    16: lambda text: text == b"t",
    _BYTEA: lambda text: bytes.fromhex(text[2:].decode()),
    **dict.fromkeys((_INT8, 21, _INT4, 26), int),
    **dict.fromkeys((700, 701), float),
    1700: lambda text: float(text) if b"." in text else int(text),
}
"""What the columns of each type become: pg_type.dat; everything else is text."""

_POINTER, _TEXT, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "PQconnectdbParams": (_POINTER, [_POINTER, _POINTER, _INT]),
    "PQstatus": (_INT, [_POINTER]),
    "PQerrorMessage": (_TEXT, [_POINTER]),
    "PQfinish": (None, [_POINTER]),
    "PQsocket": (_INT, [_POINTER]),
    "PQsetNoticeProcessor": (_POINTER, [_POINTER, _POINTER, _POINTER]),
    "PQsendQueryParams": (_INT, [_POINTER, _TEXT, _INT, _POINTER, _POINTER, _POINTER, _POINTER, _INT]),
    "PQflush": (_INT, [_POINTER]),
    "PQconsumeInput": (_INT, [_POINTER]),
    "PQisBusy": (_INT, [_POINTER]),
    "PQgetResult": (_POINTER, [_POINTER]),
    "PQresultStatus": (_INT, [_POINTER]),
    "PQresultErrorMessage": (_TEXT, [_POINTER]),
    "PQntuples": (_INT, [_POINTER]),
    "PQnfields": (_INT, [_POINTER]),
    "PQftype": (ctypes.c_uint, [_POINTER, _INT]),
    "PQgetvalue": (_TEXT, [_POINTER, _INT, _INT]),
    "PQgetisnull": (_INT, [_POINTER, _INT, _INT]),
    "PQclear": (None, [_POINTER]),
    "PQenterPipelineMode": (_INT, [_POINTER]),
    "PQexitPipelineMode": (_INT, [_POINTER]),
    "PQpipelineSync": (_INT, [_POINTER]),
}


class LibpqError(Exception):
    """The server refuses, or does not answer; the text is the library's own."""


def load() -> ctypes.CDLL | None:
    """The library; None where it is not found, or is too old."""
    for folder in sys.path:
        path = f"{folder or '.'}/{_FOLDER}"
        with suppress(OSError, AttributeError):
            for name in os.listdir(path):  # ruff: ignore[os-listdir] - names are all that is asked
                if name.startswith("libpq-"):
                    library = ctypes.CDLL(f"{path}/{name}")
                    for function, (result, arguments) in _SIGNATURES.items():
                        found = getattr(library, function)
                        found.restype, found.argtypes = result, arguments
                    return library
    return None


class Answer:
    """The rows that a statement gave."""

    __slots__ = ("_rows",)

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows."""
        return self._rows


class Connection:
    """A connection that commits each statement by itself, unless `BEGIN` was among them.

    Args:
        library: what `load` gave.
        url: `postgresql://USER:PASSWORD@HOST/NAME`, and whatever else the library takes.
        timeout: seconds to wait for the server to answer at all.

    Raises:
        LibpqError: it does not answer, or refuses.
    """

    __slots__ = ("_handle", "_pq", "_silence", "_socket")

    def __init__(self, library: ctypes.CDLL, url: str, timeout: int) -> None:
        self._pq = library
        options = {"dbname": url, "connect_timeout": str(timeout), "client_encoding": "UTF8"}
        names = (_TEXT * 4)(*(name.encode() for name in options), None)
        values = (_TEXT * 4)(*(text.encode() for text in options.values()), None)
        self._handle = library.PQconnectdbParams(names, values, 1)
        if library.PQstatus(self._handle):
            error = self._last_error()
            self.close()
            raise LibpqError(error)
        self._silence = ctypes.CFUNCTYPE(None, _POINTER, _TEXT)(lambda *_: None)
        library.PQsetNoticeProcessor(self._handle, self._silence, None)
        self._socket = library.PQsocket(self._handle)

    def execute(self, statement: str, arguments: Sequence[Any] = ()) -> Answer:
        """Run one statement with `?` for its arguments.

        Raises:
            LibpqError: the server refuses it, or is gone.
        """
        self._send(statement, arguments)
        rows: list[tuple[Any, ...]] = []
        errors: list[str] = []
        for result in self._results():
            if self._pq.PQresultStatus(result) in _OK:
                rows = list(self._rows(result))
            else:
                errors.append(self._error_of(result))
        if errors:
            raise LibpqError(errors[0])
        return Answer(rows)

    def cursor(self) -> Connection:
        """This connection: it runs one statement at a time."""
        return self

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each row of arguments, without waiting for one answer before the next question.

        Raises:
            LibpqError: the server refuses one of them, or is gone.
        """
        for start in range(0, len(rows), _AT_ONCE):
            self._run_together(statement, rows[start : start + _AT_ONCE])

    def close(self) -> None:
        """Give the connection back; a second time does nothing."""
        if self._handle:
            self._pq.PQfinish(self._handle)
            self._handle = None

    def _run_together(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self._check(self._pq.PQenterPipelineMode(self._handle))
        errors: list[str] = []
        sent = 0
        for row in rows:
            self._send(statement, row)
            sent += 1
        self._check(self._pq.PQpipelineSync(self._handle))
        # Every statement's answer ends with a NULL, and the last answer is that of the synchronisation.
        for _ in range(sent + 1):
            for result in self._results(is_single=False):
                status = self._pq.PQresultStatus(result)
                if status not in _OK and status != _SYNC:
                    errors.append(self._error_of(result))
        self._check(self._pq.PQexitPipelineMode(self._handle))
        if errors:
            raise LibpqError(errors[0])

    def _send(self, statement: str, arguments: Sequence[Any]) -> None:
        if not self._handle:
            raise LibpqError("the connection is closed")
        count = len(arguments)
        types, lengths, formats = (ctypes.c_uint * count)(), (_INT * count)(), (_INT * count)()
        values = (_TEXT * count)()
        for position, value in enumerate(arguments):
            if isinstance(value, bytes):
                types[position], formats[position], lengths[position] = _BYTEA, 1, len(value)
                values[position] = value
            elif isinstance(value, int):
                types[position] = _INT4 if -(2**31) <= value < 2**31 else _INT8
                values[position] = str(int(value)).encode()
            elif value is not None:
                values[position] = str(value).encode()
        sent = self._pq.PQsendQueryParams(
            self._handle, _numbered(statement).encode(), count, types, values, lengths, formats, 0
        )
        self._check(sent)
        while self._pq.PQflush(self._handle) == 1:
            self._wait(writing=True)

    def _results(self, *, is_single: bool = True) -> Iterator[Any]:
        """The results of the oldest statement without answers; each is given back when the next is asked for."""
        while True:
            while self._pq.PQisBusy(self._handle):
                self._wait(writing=False)
            result = self._pq.PQgetResult(self._handle)
            if not result:
                return
            try:
                yield result
                is_sync = self._pq.PQresultStatus(result) == _SYNC
            finally:
                self._pq.PQclear(result)
            if is_sync and not is_single:
                return

    def _rows(self, result: Any) -> Iterator[tuple[Any, ...]]:
        value, is_null = self._pq.PQgetvalue, self._pq.PQgetisnull
        columns = range(self._pq.PQnfields(result))
        converters = [_CONVERTERS.get(self._pq.PQftype(result, column), bytes.decode) for column in columns]
        for row in range(self._pq.PQntuples(result)):
            cells = [value(result, row, column) for column in columns]
            yield tuple(
                None if not cell and is_null(result, row, column) else converters[column](cell)
                for column, cell in enumerate(cells)
            )

    def _wait(self, *, writing: bool) -> None:
        """Wait for the server, so that an interruption is noticed meanwhile."""
        import select

        select.select([self._socket], [self._socket] if writing else [], [])
        self._check(self._pq.PQconsumeInput(self._handle))

    def _check(self, done: int) -> None:
        if not done:
            raise LibpqError(self._last_error())

    def _last_error(self) -> str:
        return (self._pq.PQerrorMessage(self._handle) or b"").decode("utf-8", "replace").strip() or "out of memory"

    def _error_of(self, result: Any) -> str:
        text = (self._pq.PQresultErrorMessage(result) or b"").decode("utf-8", "replace").strip()
        return text or self._last_error()


def _numbered(statement: str) -> str:
    """The statement with `$1`, `$2` for its arguments, as the server counts them."""
    first, *rest = statement.split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))
