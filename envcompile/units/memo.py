"""What is remembered of units that compiled, by the digest of everything that they were compiled from.

A memo may be lost at any time without a changed byte. It holds no values of resources, only what units tell each
other and the digests of their files, as msgpack behind a checksum: nothing in it is ever executed.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Protocol

import msgspec

from envcompile.sources.scans import FileScan  # ruff: ignore[typing-only-first-party-import] - records are read by their types
from envcompile.units.unit import UnitExports  # ruff: ignore[typing-only-first-party-import] - as above

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from envcompile.model import ResourceId
    from envcompile.units.environment import LinkedEnvironment

FOLDER = ".envc/units"
_FORMAT = b"envc units 1 "
_GENERATIONS = 8
"""An entry that so many builds did not use is forgotten."""


class Remembered(msgspec.Struct, frozen=True, array_like=True):
    """A unit that compiled, with nothing wrong in it."""

    exports: UnitExports
    inputs: dict[str, str]
    """What it was compiled from: name -> digest."""
    files: dict[str, tuple[str, ...]]
    """What the other units did to it, as a digest -> the SHA-256 of each resource's file."""


class Memo(Protocol):
    """Where units are remembered."""

    def get(self, environment: str, key: str) -> Remembered | None:
        """What is remembered of a unit; None when it is nothing."""
        ...

    def last(self, environment: str, app: str) -> Mapping[str, str] | None:
        """What an application was compiled from when it was remembered last: name -> digest."""
        ...

    def put(self, environment: str, app: str, key: str, entry: Remembered) -> None:
        """Remember a unit."""
        ...

    def is_shared(self, environment: str, key: str) -> bool:
        """Tell whether what is remembered of a unit came from others just now."""
        ...

    def texts(
        self, linked: LinkedEnvironment, wanted: Iterable[ResourceId], digests: Mapping[ResourceId, str]
    ) -> dict[str, bytes]:
        """The bytes of files that are kept, by their SHA-256."""
        ...


class _Entry(msgspec.Struct, array_like=True):
    app: str
    age: int
    data: bytes


class _Pack(msgspec.Struct, array_like=True):
    """All that is remembered of one environment."""

    tool: str
    entries: dict[str, _Entry]
    latest: dict[str, str]
    """Application -> the key that was used last."""


class _Scans(msgspec.Struct, array_like=True):
    tool: str
    scans: list[tuple[str, FileScan]]


class FolderMemo:
    """A memo in a project's own folder, one file an environment.

    Args:
        root: the project's folder.
        tool: names this version of envc: what another one remembers does not count.
    """

    def __init__(self, root: Path, tool: str) -> None:
        self._folder = root / FOLDER
        self._tool = tool
        self._packs: dict[str, _Pack] = {}
        self._used: dict[str, set[str]] = {}
        self._changed: set[str] = set()

    def get(self, environment: str, key: str) -> Remembered | None:
        """What is remembered of a unit; None when it is nothing."""
        entry = self._pack(environment).entries.get(key)
        if entry is None:
            return None
        self._used.setdefault(environment, set()).add(key)
        try:
            return msgspec.msgpack.decode(entry.data, type=Remembered)
        except msgspec.MsgspecError:
            return None

    def last(self, environment: str, app: str) -> Mapping[str, str] | None:
        """What an application was compiled from when it was remembered last: name -> digest."""
        pack = self._pack(environment)
        entry = pack.entries.get(pack.latest.get(app, ""))
        try:
            return msgspec.msgpack.decode(entry.data, type=Remembered).inputs if entry is not None else None
        except msgspec.MsgspecError:
            return None

    def put(self, environment: str, app: str, key: str, entry: Remembered) -> None:
        """Remember a unit until `save`."""
        self.put_encoded(environment, app, key, msgspec.msgpack.encode(entry))

    def put_encoded(self, environment: str, app: str, key: str, data: bytes) -> None:
        """Remember a unit until `save`, given as msgpack."""
        pack = self._pack(environment)
        pack.entries[key] = _Entry(app, 0, data)
        self._used.setdefault(environment, set()).add(key)
        self._changed.add(environment)

    @staticmethod
    def is_shared(_environment: str, _key: str) -> bool:
        """Tell whether what is remembered of a unit came from others just now: never in a project's own folder."""
        return False

    @staticmethod
    def texts(_linked: LinkedEnvironment, _wanted: object, _digests: object) -> dict[str, bytes]:
        """The bytes of files that are kept: none, the outputs are there."""
        return {}

    def save(self) -> None:
        """Keep what was learnt; a folder that cannot be written is no error."""
        for environment in self._changed:
            pack = self._packs[environment]
            used = self._used.get(environment, set())
            kept = {}
            for key, entry in pack.entries.items():
                age = 0 if key in used else entry.age + 1
                if age < _GENERATIONS:
                    kept[key] = _Entry(entry.app, age, entry.data)
                if key in used:
                    pack.latest[entry.app] = key
            latest = {app: key for app, key in pack.latest.items() if key in kept}
            _write(self._file(f"env-{environment}"), msgspec.msgpack.encode(_Pack(self._tool, kept, latest)))
        self._changed.clear()

    def scans(self) -> dict[tuple[str, str], FileScan]:
        """What files spoke of, by layer and path."""
        data = _read(self._file("scans"))
        if data is None:
            return {}
        try:
            found = msgspec.msgpack.decode(data, type=_Scans)
        except msgspec.MsgspecError:
            return {}
        if found.tool != self._tool:
            return {}
        return {(layer, scan.path): scan for layer, scan in found.scans}

    def save_scans(self, scans: Iterable[tuple[str, FileScan]]) -> None:
        """Keep what files speak of; a folder that cannot be written is no error."""
        _write(self._file("scans"), msgspec.msgpack.encode(_Scans(self._tool, list(scans))))

    def _pack(self, environment: str) -> _Pack:
        known = self._packs.get(environment)
        if known is None:
            known = self._packs[environment] = self._load(environment)
        return known

    def _load(self, environment: str) -> _Pack:
        data = _read(self._file(f"env-{environment}"))
        if data is not None:
            try:
                found = msgspec.msgpack.decode(data, type=_Pack)
            except msgspec.MsgspecError:
                pass
            else:
                if found.tool == self._tool:
                    return found
        return _Pack(self._tool, {}, {})

    def _file(self, name: str) -> Path:
        return self._folder / name


def _read(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head, body = data[: len(_FORMAT) + 8], data[len(_FORMAT) + 8 :]
    return body if head == _FORMAT + b"%08x" % zlib.crc32(body) else None


def _write(path: Path, body: bytes) -> None:
    import os
    from contextlib import suppress

    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(_FORMAT + b"%08x" % zlib.crc32(body) + body)
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
