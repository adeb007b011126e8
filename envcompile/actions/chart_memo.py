"""What is remembered of a chart's parts, by the digests of what they were made from.

Like the memo of units it may be lost at any time without a changed byte: msgpack behind a checksum, in which nothing
is ever executed. It holds parts of the chart's files, but no value in clear (`secretBackend: plaintext`): texts that
show one are taken from the written chart. The files are for their owner only, and stay on this machine. Texts lie apart
from what tells them apart, a few services together, since few are asked for.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from envcompile.plainfiles import read_plain, write_plain
from envcompile.units.kept_plans import world_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from envcompile.chart.revision import Kept
    from envcompile.seenfiles import Files

FILE = ".envc/units/chart"
TEXTS = ".envc/units/chart-texts"
KEPT = ".envc/units/chart-kept"
_FORMAT = b"envc chart 2 "
_GENERATIONS = 4
"""A part that so many builds of the chart did not use is forgotten."""
_SHELVES = 64
"""Files of texts."""


class _Entry(msgspec.Struct, array_like=True):
    age: int
    data: bytes


class _Pack(msgspec.Struct, array_like=True):
    tool: str
    entries: dict[str, _Entry]


class _Shelf:
    """Entries in one file.

    Args:
        path: the file.
        tool: names this version of envc: what another one remembers does not count.
    """

    def __init__(self, path: Path, tool: str) -> None:
        self._path = path
        self._tool = tool
        self._loaded: dict[str, _Entry] | None = None
        self._changed = False

    @property
    def _entries(self) -> dict[str, _Entry]:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def replace(self, key: str, data: bytes) -> None:
        """Keep this, and nothing else."""
        self._loaded = {key: _Entry(0, data)}
        self._changed = True

    def get(self, key: str) -> bytes | None:
        """What was kept under a key; None when it is nothing."""
        entry = self._entries.get(key)
        return entry.data if entry is not None else None

    def put(self, key: str, data: bytes) -> None:
        """Keep something until `save`."""
        self._entries[key] = _Entry(0, data)
        self._changed = True

    def save(self, used: Collection[str] | None) -> None:
        """Keep what was learnt; a folder that cannot be written is no error.

        Args:
            used: the keys of what does not age; nothing does where they are not known.
        """
        if not self._changed:
            return
        kept = {}
        for key, entry in self._entries.items():
            age = entry.age if used is None else 0 if key in used else entry.age + 1
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


class ChartMemo:
    """A memo in a project's own folder.

    Args:
        root: the project's folder.
        tool: names this version of envc: what another one remembers does not count.
        folder: where the chart is written.
    """

    def __init__(self, root: Path, tool: str, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self._tool = tool
        self._known = _Shelf(root / FILE, tool)
        self._shelves: dict[int, _Shelf] = {}
        self._used: set[str] = set()
        self._kept = _Shelf(root / KEPT, tool)
        self.kept: Kept | None = None
        """What this build knows of the whole chart, once it is known."""
        self.is_revised = False
        """Whether only a few services were looked at."""

    def kept_of(self, world: str) -> Kept | None:
        """What the build that read these inputs kept of the whole chart; None where it kept nothing.

        Args:
            world: names them.
        """
        from envcompile.chart.memory import unpacked
        from envcompile.chart.revision import Kept

        return unpacked(self._kept.get(world), Kept)

    def get(self, key: str) -> bytes | None:
        """What was kept under a key; None when it is nothing."""
        data = self._known.get(key)
        if data is not None:
            self._used.add(key)
        return data

    def put(self, key: str, data: bytes) -> None:
        """Keep something until `save`."""
        self._known.put(key, data)
        self._used.add(key)

    def text(self, service: str, key: str) -> bytes | None:
        """A service's part of the chart that was kept under a key; None when it is nothing."""
        return self._shelf(service).get(key)

    def put_text(self, service: str, key: str, data: bytes) -> None:
        """Keep a service's part of the chart until `save`; whoever remembers `key`, too, is asked for it."""
        self._shelf(service).put(key, data)

    def written(self, path: str) -> bytes | None:
        """One of the chart's files as the last build left it; None when there is none."""
        return read_plain(self._folder / path)

    def save(self, inputs: Files | None) -> None:
        """Keep what was learnt; a folder that cannot be written is no error.

        Args:
            inputs: all that the build read; None where its plans are not kept.
        """
        for shelf in (self._known, *self._shelves.values()):
            shelf.save(self._used if not self.is_revised else None)
        if inputs is not None and self.kept is not None:
            self._kept.replace(world_of(self._tool, inputs), msgspec.msgpack.encode(self.kept))
            self._kept.save(None)

    def _shelf(self, service: str) -> _Shelf:
        number = zlib.crc32(service.encode("utf-8", "surrogatepass")) % _SHELVES
        if number not in self._shelves:
            self._shelves[number] = _Shelf(self._root / TEXTS / f"{number:02x}", self._tool)
        return self._shelves[number]
