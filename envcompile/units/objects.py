"""Objects at an address that a team shares, through fsspec: safe to lose, to damage, and not to reach.

Whatever goes wrong there costs time, never a build: after the first trouble, or when the time is up, the store says so
once and answers nothing any more. What is read is believed only as far as its own digest goes.
"""

from __future__ import annotations

import hashlib
import zlib
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_HEAD = b"envc object 1 "
_HEAD_LENGTH = len(_HEAD) + 64 + 1
_LARGEST = 32 * 1024 * 1024
"""Bytes of an object as it is stored; of a larger one nothing is read."""
_LARGEST_BODY = 8 * _LARGEST
"""Bytes of an object when it is unpacked: a small one must not fill the memory."""
_WORKERS = 8
"""Requests at a time: such places answer slowly, but many at once."""
SECONDS = 20.0
"""So long a build waits for the shared place in all; longer, and compiling would be quicker."""


class ObjectStore:
    """A place that fsspec can reach.

    Args:
        address: what fsspec understands: `s3://bucket/envc`, `file:///mnt/team/envc`.
        seconds: for how long it may be waited for, in all.
    """

    def __init__(self, address: str, *, seconds: float = SECONDS) -> None:
        self._address = address
        self._left = seconds
        self._place: tuple[Any, str] | None = None
        self.trouble = ""
        """Why the place is not used any more, in words; empty while all is well."""

    def get(self, names: Iterable[str]) -> dict[str, bytes]:
        """The bodies of those objects that are there and whole."""
        found = {}
        for name, data in self._all({name: partial(self._read, name) for name in names}).items():
            body = _opened(data) if data is not None else None
            if body is not None:
                found[name] = body
        return found

    def put(self, objects: Mapping[str, bytes]) -> None:
        """Keep objects; each is there whole or not at all."""
        self._all({name: partial(self._write, name, body) for name, body in objects.items()})

    def _all(self, jobs: Mapping[str, Callable[[], bytes | None]]) -> dict[str, bytes | None]:
        """Do what is asked for, several at a time; what did not get ready in time is left out."""
        if self.trouble or not jobs:
            return {}
        begun = monotonic()
        todo: SimpleQueue[tuple[str, Callable[[], bytes | None]]] = SimpleQueue()
        done: SimpleQueue[tuple[str, bytes | None, str]] = SimpleQueue()
        if self._place is None:  # opened by one: file systems are not made to be opened by several threads at once
            todo.put(("", self._open))
            _start(todo, done, 1)
            if not self._collect(done, 1, begun, {}):
                return {}
        for job in jobs.items():
            todo.put(job)
        _start(todo, done, min(_WORKERS, len(jobs)))
        found: dict[str, bytes | None] = {}
        self._collect(done, len(jobs), begun, found)
        self._left -= monotonic() - begun
        return found

    def _collect(self, done: SimpleQueue[Any], number: int, begun: float, found: dict[str, bytes | None]) -> bool:
        for _ in range(number):
            try:
                name, data, trouble = done.get(timeout=max(0.0, begun + self._left - monotonic()))
            except Empty:
                trouble = "it did not answer in time"
            if trouble:
                self.trouble = f"the shared memo is not used: {trouble} ({self._scheme}; ENVC_CACHE)"
                return False
            found[name] = data
        return True

    @property
    def _scheme(self) -> str:
        """The part of the address that holds no password."""
        return f"{self._address.partition('://')[0]}://…" if "://" in self._address else "a folder"

    def _open(self) -> bytes | None:
        from fsspec.core import url_to_fs

        self._place = url_to_fs(self._address)
        return None

    def _path(self, name: str) -> tuple[Any, str]:
        if self._place is None:
            raise RuntimeError("the store is not open")
        system, base = self._place
        return system, f"{base.rstrip('/')}/{name[:2]}/{name}"

    def _read(self, name: str) -> bytes | None:
        system, path = self._path(name)
        try:
            data: Any = system.cat_file(path, start=0, end=_LARGEST + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        return data if isinstance(data, bytes) else None

    def _write(self, name: str, body: bytes) -> bytes | None:
        from uuid import uuid4

        data = _packed(body)
        system, path = self._path(name)
        beside = f"{path}.{uuid4().hex}"
        if len(data) <= _LARGEST:
            system.makedirs(path.rpartition("/")[0], exist_ok=True)
            system.pipe_file(beside, data)
            system.mv(beside, path)
        return None


def _start(todo: SimpleQueue[Any], done: SimpleQueue[Any], number: int) -> None:
    # Daemons: one that waits for an answer that never comes must not keep the command from ending.
    for _ in range(number):
        Thread(target=_work, args=(todo, done), daemon=True).start()


def _work(todo: SimpleQueue[Any], done: SimpleQueue[Any]) -> None:
    while True:
        try:
            name, job = todo.get_nowait()
        except Empty:
            return
        try:
            done.put((name, job(), ""))
        except ImportError as error:
            done.put((name, None, f"the package {error.name} is missing: pip install 'envcompile[fsspec]'"))
        except Exception as error:  # ruff: ignore[blind-except] - every file system raises what it likes
            # Its words are left out: they may quote an address with a password in it.
            done.put((name, None, f"{type(error).__name__} was raised"))


def _packed(body: bytes) -> bytes:
    data = zlib.compress(body, 1)
    return _HEAD + hashlib.sha256(data).hexdigest().encode() + b"\n" + data


def _opened(stored: bytes) -> bytes | None:
    """The body of an object; None when it is not exactly what was written."""
    head, data = stored[:_HEAD_LENGTH], stored[_HEAD_LENGTH:]
    if len(stored) > _LARGEST or head != _HEAD + hashlib.sha256(data).hexdigest().encode() + b"\n":
        return None
    unpacker = zlib.decompressobj()
    try:
        body = unpacker.decompress(data, _LARGEST_BODY)
    except zlib.error:
        return None
    return body if unpacker.eof else None
