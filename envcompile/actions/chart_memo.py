"""What is remembered of a chart's parts, by the digests of what they were made from.

Like the memo of units it may be lost at any time without a changed byte: msgpack behind a checksum, in which nothing
is ever executed. It holds parts of the chart's files, but no value in clear (`secretBackend: plaintext`): texts that
show one are taken from the written chart. The file is for its owner only, and stays on this machine.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from envcompile.plainfiles import read_plain, write_plain

if TYPE_CHECKING:
    from pathlib import Path

FILE = ".envc/units/chart"
_FORMAT = b"envc chart 1 "
_GENERATIONS = 4
"""A part that so many builds of the chart did not use is forgotten."""


class _Entry(msgspec.Struct, array_like=True):
    age: int
    data: bytes


class _Pack(msgspec.Struct, array_like=True):
    tool: str
    entries: dict[str, _Entry]


class ChartMemo:
    """A memo in a project's own folder.

    Args:
        root: the project's folder.
        tool: names this version of envc: what another one remembers does not count.
        folder: where the chart is written.
    """

    def __init__(self, root: Path, tool: str, folder: Path) -> None:
        self._folder = folder
        self._path = root / FILE
        self._tool = tool
        self._entries = self._load()
        self._used: set[str] = set()
        self._changed = False

    def get(self, key: str) -> bytes | None:
        """What was kept under a key; None when it is nothing."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._used.add(key)
        return entry.data

    def put(self, key: str, data: bytes) -> None:
        """Keep something until `save`."""
        self._entries[key] = _Entry(0, data)
        self._used.add(key)
        self._changed = True

    def written(self, path: str) -> str | None:
        """One of the chart's files as the last build left it; None when there is none."""
        data = read_plain(self._folder / path)
        try:
            return data.decode() if data is not None else None
        except UnicodeDecodeError:
            return None

    def save(self) -> None:
        """Keep what was learnt; a folder that cannot be written is no error."""
        if not self._changed:
            return
        kept = {}
        for key, entry in self._entries.items():
            age = 0 if key in self._used else entry.age + 1
            if age < _GENERATIONS:
                kept[key] = _Entry(age, entry.data)
        body = msgspec.msgpack.encode(_Pack(self._tool, kept))
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        write_plain(self._path, (_FORMAT + b"%08x" % zlib.crc32(body), body), mode=0o600)

    def _load(self) -> dict[str, _Entry]:
        data = memoryview(read_plain(self._path) or b"")
        body = data[len(_FORMAT) + 8 :]
        if bytes(data[: len(_FORMAT) + 8]) != _FORMAT + b"%08x" % zlib.crc32(body):
            return {}
        try:
            found = msgspec.msgpack.decode(body, type=_Pack)
        except msgspec.MsgspecError:
            return {}
        return found.entries if found.tool == self._tool else {}
