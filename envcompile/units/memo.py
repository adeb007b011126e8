"""What is remembered of units that compiled, by the digest of everything that they were compiled from.

A memo may be lost at any time without a changed byte. It holds no values of resources, only what units tell each
other and the digests of their files, as msgpack behind a checksum: nothing in it is ever executed.
"""

from __future__ import annotations

import zlib
from functools import reduce
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

import msgspec

from envcompile.plainfiles import read_behind, write_plain
from envcompile.units.joined_paths import JoinedPaths
from envcompile.units.kept_scans import KeptScans, key_of, place_of
from envcompile.units.table import NO_RECORDS, Table, pack, pieces
from envcompile.units.unit import UnitExports
from envcompile.units.why import MadeOf  # ruff: ignore[typing-only-first-party-import] - records are read by their types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from envcompile.sources.scans import FileScan
    from envcompile.units.environment import LinkedEnvironment

FOLDER = ".envc/units"
_FORMAT = b"envc units 6 "
_GENERATIONS = 8
"""An entry that so many builds did not use is forgotten."""


_ARRAY, _MAP = 0x90, b"\xdf"
"""What stands before a few values and before a table in msgpack (https://github.com/msgpack/msgpack/blob/master/spec.md)."""
_MANY = 5_000
"""Files of which what they speak of is not held in memory for its own sake."""


class Remembered(msgspec.Struct, array_like=True):
    """A unit that compiled, with nothing wrong in it."""

    app: str
    told: bytes
    """Its exports, which nobody looks at as long as all units of the environment tell the same."""
    told_digest: str
    inputs: bytes
    """What it was compiled from: name -> digest."""
    files: dict[str, tuple[str, ...]]
    """What the other units did to it, as a digest -> the SHA-256 of each resource's file."""

    @classmethod
    def of(cls, app: str, told: bytes, inputs: Mapping[str, str], files: dict[str, tuple[str, ...]]) -> Remembered:
        """What is worth to be remembered of a unit."""
        return cls(app, told, digest_of(told), msgspec.msgpack.encode(inputs), files)

    def tells(self, exports: UnitExports) -> bool:
        """Tell whether this is what a unit tells to the others."""
        known = self.exports()
        return known is None or known == exports

    def exports(self) -> UnitExports | None:
        """What the unit tells to the others; None when that is damaged."""
        return exports_from(self.told)


def told_of(exports: UnitExports) -> bytes:
    """What a unit tells to the others as bytes: equal when it is the same."""
    return msgspec.msgpack.encode(exports)


def exports_from(told: bytes) -> UnitExports | None:
    """What a unit tells to the others; None when that is damaged."""
    try:
        return msgspec.msgpack.decode(told, type=UnitExports)
    except (msgspec.MsgspecError, RecursionError):
        return None


def digest_of(told: bytes) -> str:
    """A digest of what a unit tells."""
    return sha256(told).hexdigest()


class Memo(Protocol):
    """Where units are remembered."""

    def get(self, environment: str, key: str) -> Remembered | None:
        """What is remembered of a unit; None when it is nothing."""
        ...

    def note_used(self, environment: str, keys: Sequence[str], apps: Sequence[str]) -> None:
        """Keep what is remembered of units that nobody had to ask for.

        Args:
            environment: the environment's name.
            keys: those of the units.
            apps: the application of each.
        """
        ...

    def may_speak_of(self, environment: str, key: str, text: bytes) -> bool:
        """Tell whether what is remembered of a unit may hold a text in what it tells; nothing is unpacked for it."""
        ...

    def last(self, environment: str, app: str) -> Mapping[str, str] | None:
        """What an application was compiled from when it was remembered last: name -> digest."""
        ...

    def made_of(self, environment: str) -> MadeOf | None:
        """What digests of settings and definitions were made of; None where an envc of other code remembered units."""
        ...

    def put_made_of(self, environment: str, made: MadeOf) -> None:
        """Remember what the digests of an environment's settings and definitions are made of."""
        ...

    def put(self, environment: str, key: str, entry: Remembered) -> None:
        """Remember a unit."""
        ...

    def is_shared(self, environment: str, key: str) -> bool:
        """Tell whether what is remembered of a unit came from others just now."""
        ...

    def texts(
        self, linked: LinkedEnvironment, units: Iterable[int], digests: Callable[[int], list[str]]
    ) -> Iterable[tuple[int, Sequence[bytes]]]:
        """The numbers of units whose files are kept, each with the bytes of all of them.

        Args:
            linked: the environment.
            units: the numbers of those whose files are asked for.
            digests: gives the SHA-256 of every file of a unit.
        """
        ...

    def joined(self, environment: str, digest: str) -> JoinedPaths | None:
        """For each unit of an environment the paths of its files; None when their joining is not remembered."""
        ...

    def put_joined(self, environment: str, digest: str, paths: list[tuple[str, ...]]) -> None:
        """Remember that nothing comes of joining units but where their files are.

        Args:
            environment: the environment's name.
            digest: of what all its units tell, and of everything else that is looked at.
            paths: for each unit those of its files.
        """
        ...

    def wholes(self, environment: str) -> Mapping[str, str]:
        """The SHA-256 of files that hold several resources, by a digest of those of their resources' texts."""
        ...

    def put_wholes(self, environment: str, wholes: dict[str, str]) -> None:
        """Remember the SHA-256 of an environment's files, and no others."""
        ...


class _Pack(msgspec.Struct, array_like=True):
    """All that is remembered of the units of one environment."""

    tool: str
    entries: dict[str, msgspec.Raw]
    """By their keys; each is read when somebody asks for it."""
    ages: dict[str, int]
    """How many builds did not use an entry, where there were some."""
    latest: dict[str, str]
    """Application -> the key that was used last."""
    wholes: dict[str, str]
    """The SHA-256 of files that hold several resources, by a digest of those of their resources' texts."""
    made_of: MadeOf
    """What the last digests of settings and definitions are made of, the newest at the end."""


def _pieces(pack: _Pack) -> Iterator[bytes | msgspec.Raw]:
    """A pack as msgpack writes it, entry by entry: all of them together would lie in memory once more."""
    encode = msgspec.msgpack.encode
    yield bytes([_ARRAY | len(msgspec.structs.fields(_Pack))])
    yield encode(pack.tool)
    yield _MAP + len(pack.entries).to_bytes(4)
    for key, entry in pack.entries.items():
        yield encode(key)
        yield entry
    for one in (pack.ages, pack.latest, pack.wholes, pack.made_of):
        yield encode(one)


_ENTRY = msgspec.msgpack.Decoder(Remembered)


class _Joined(msgspec.Struct, array_like=True):
    """What came of the last joining of one environment's units."""

    tool: str
    digest: str
    """Of all that went into it."""
    paths: list[bytes]
    """For each unit the paths of its files."""
    resources: int


class FolderMemo:
    """A memo in a project's own folder, one file an environment.

    Args:
        root: the project's folder.
        tool: names this version of envc: what another one remembers does not count.
        is_kept: whether the folder is read and written; else what is learnt is lost with this object.
    """

    def __init__(self, root: Path, tool: str, *, is_kept: bool = True) -> None:
        self._folder = root / FOLDER
        self._is_kept = is_kept
        self._tool = tool
        self._packs: dict[str, _Pack] = {}
        self._used: dict[str, dict[str, str]] = {}
        """Of each environment the keys that were asked for, with their applications."""
        self._changed: set[str] = set()
        self._joined: dict[str, _Joined] = {}
        self._paths: dict[tuple[str, str], JoinedPaths] = {}
        self._newly_joined: set[str] = set()
        self._scans: KeptScans | None = None
        self._foreign: set[str] = set()

    def get(self, environment: str, key: str) -> Remembered | None:
        """What is remembered of a unit; None when it is nothing."""
        entry = self._entry(environment, key)
        if entry is not None:
            self._used.setdefault(environment, {})[key] = entry.app
        return entry

    def note_used(self, environment: str, keys: Sequence[str], apps: Sequence[str]) -> None:
        """Keep what is remembered of units that nobody had to ask for."""
        self._used.setdefault(environment, {}).update(zip(keys, apps, strict=True))

    def may_speak_of(self, environment: str, key: str, text: bytes) -> bool:
        """Tell whether what is remembered of a unit may hold a text in what it tells; nothing is unpacked for it."""
        packed = self._pack(environment).entries.get(key)
        return packed is None or text in bytes(packed)

    def _entry(self, environment: str, key: str) -> Remembered | None:
        packed = self._pack(environment).entries.get(key)
        try:
            return _ENTRY.decode(packed) if packed is not None else None
        except (msgspec.MsgspecError, RecursionError):
            return None

    def last(self, environment: str, app: str) -> Mapping[str, str] | None:
        """What an application was compiled from when it was remembered last: name -> digest."""
        pack = self._pack(environment)
        entry = self._entry(environment, pack.latest.get(app, ""))
        try:
            return msgspec.msgpack.decode(entry.inputs, type=dict[str, str]) if entry is not None else None
        except msgspec.MsgspecError:
            return None

    def made_of(self, environment: str) -> MadeOf | None:
        """What digests of settings and definitions were made of; None where an envc of other code remembered units."""
        found = self._pack(environment).made_of
        return None if environment in self._foreign else found

    def put_made_of(self, environment: str, made: MadeOf) -> None:
        """Remember what the digests of an environment's settings and definitions are made of; `save` keeps it."""
        pack = self._pack(environment)
        others = {digest: parts for digest, parts in pack.made_of.items() if digest not in made}
        self._foreign.discard(environment)
        pack.made_of = {**dict([*others.items()][-_GENERATIONS:]), **made}
        self._changed.add(environment)

    @staticmethod
    def is_shared(_environment: str, _key: str) -> bool:
        """Tell whether what is remembered of a unit came from others just now: never in a project's own folder."""
        return False

    @staticmethod
    def texts(_linked: LinkedEnvironment, _units: object, _digests: object) -> Iterable[tuple[int, Sequence[bytes]]]:
        """Units whose files are kept: none, the outputs are there."""
        return ()

    def put(self, environment: str, key: str, entry: Remembered) -> None:
        """Remember a unit; `save` keeps it."""
        self._pack(environment).entries[key] = msgspec.Raw(msgspec.msgpack.encode(entry))
        self._used.setdefault(environment, {})[key] = entry.app
        self._changed.add(environment)

    def joined(self, environment: str, digest: str) -> JoinedPaths | None:
        """For each unit of an environment the paths of its files; None when their joining is not remembered."""
        found = self._joined.get(environment)
        if found is None:
            data = self._read(f"joined-{environment}")
            try:
                found = msgspec.msgpack.decode(data, type=_Joined) if data is not None else None
            except msgspec.MsgspecError:
                found = None
            found = found if found is not None and found.tool == self._tool else _Joined(self._tool, "", [], 0)
            self._joined[environment] = found
        if found.digest != digest:
            return None
        return self._paths.setdefault((environment, digest), JoinedPaths(found.paths, found.resources))

    def put_joined(self, environment: str, digest: str, paths: list[tuple[str, ...]]) -> None:
        """Remember that nothing comes of joining units but where their files are; `save` keeps it."""
        packed = [msgspec.msgpack.encode(own) for own in paths]
        self._joined[environment] = _Joined(self._tool, digest, packed, sum(map(len, paths)))
        self._newly_joined.add(environment)

    def wholes(self, environment: str) -> Mapping[str, str]:
        """The SHA-256 of files that hold several resources, by a digest of those of their resources' texts."""
        return self._pack(environment).wholes

    def put_wholes(self, environment: str, wholes: dict[str, str]) -> None:
        """Remember the SHA-256 of an environment's files, and no others; `save` keeps them."""
        if wholes != self._pack(environment).wholes:
            self._pack(environment).wholes = wholes
            self._changed.add(environment)

    def save(self) -> None:
        """Keep what was learnt; a folder that cannot be written is no error."""
        for environment in self._changed if self._is_kept else ():
            self._save(environment)
        for environment in self._newly_joined if self._is_kept else ():
            self._save_joined(environment)
        self._changed.clear()
        self._newly_joined.clear()

    def close(self, environment: str) -> None:
        """Keep what was learnt of an environment, and give it up in memory; it is loaded again when asked for."""
        if not self._is_kept:
            return
        if environment in self._changed:
            self._save(environment)
            self._changed.discard(environment)
        if environment in self._newly_joined:
            self._save_joined(environment)
            self._newly_joined.discard(environment)
        self._joined.pop(environment, None)
        self._packs.pop(environment, None)
        self._used.pop(environment, None)

    def _save(self, environment: str) -> None:
        pack = self._packs[environment]
        used = self._used.get(environment, {})
        ages = {key: pack.ages.get(key, 0) + 1 for key in pack.entries if key not in used}
        kept = {key: entry for key, entry in pack.entries.items() if ages.get(key, 0) < _GENERATIONS}
        ages = {key: age for key, age in ages.items() if key in kept}
        pack.latest.update({app: key for key, app in used.items()})
        latest = {app: key for app, key in pack.latest.items() if key in kept}
        pack = _Pack(self._tool, kept, ages, latest, pack.wholes, pack.made_of)
        write_checked(self._file(f"env-{environment}"), *_pieces(pack))

    def _save_joined(self, environment: str) -> None:
        write_checked(self._file(f"joined-{environment}"), msgspec.msgpack.encode(self._joined[environment]))

    def scans(self) -> KeptScans:
        """What files spoke of, by layer and path."""
        if self._scans is None:
            self._scans = KeptScans(self._load_scans)
        return self._scans

    def save_scans(self, scans: Mapping[tuple[str, str], FileScan], without: Iterable[str] = ()) -> None:
        """Keep what files speak of beside what is known already; a folder that cannot be written is no error.

        Args:
            scans: by layer and path.
            without: the files of which nothing is kept.
        """
        refused = frozenset(without)
        new = [place for place in scans if place[1] not in refused]
        if not self._is_kept or not (new or refused):
            return
        known = self.scans()
        written = {key_of(place): msgspec.msgpack.encode(scans[place]) for place in new}
        body = known.table.edited(written) if new and not refused else None
        if body is None:
            packed = dict(known.table.items())
            if refused:
                packed = {key: one for key, one in packed.items() if place_of(key)[1] not in refused}
            if not new and len(packed) == len(known):
                return
            packed.update(written)
            if len(packed) > _MANY:
                write_checked(self._file("scans"), self._tool.encode(), b"\n", *pieces(packed))
                self._scans = None  # which is read again when somebody asks
                return
            body = pack(packed)
        kept = Table(memoryview(body))
        write_checked(self._file("scans"), self._tool.encode(), b"\n", body)
        self._scans = KeptScans(lambda: kept)

    def _load_scans(self) -> Table:
        data = self._read("scans")
        if data is None:
            return NO_RECORDS
        tool, _, _ = data[: len(self._tool) + 1].partition(b"\n")
        try:
            return Table(memoryview(data)[len(tool) + 1 :]) if tool == self._tool.encode() else NO_RECORDS
        except ValueError:
            return NO_RECORDS

    def _pack(self, environment: str) -> _Pack:
        known = self._packs.get(environment)
        if known is None:
            known = self._packs[environment] = self._load(environment)
        return known

    def _load(self, environment: str) -> _Pack:
        data = self._read(f"env-{environment}")
        if data is not None:
            try:
                found = msgspec.msgpack.decode(data, type=_Pack)
            except msgspec.MsgspecError:
                pass
            else:
                if found.tool == self._tool:
                    return found
                self._foreign.add(environment)
        return _Pack(self._tool, {}, {}, {}, {}, {})

    def _read(self, name: str) -> bytes | None:
        return read_checked(self._file(name)) if self._is_kept else None

    def _file(self, name: str) -> Path:
        return self._folder / name


def read_checked(path: Path) -> bytes | None:
    """What `write_checked` wrote to a file; None when it is not there, or damaged."""
    found = read_behind(path, len(_FORMAT) + 8)
    if found is None:
        return None
    head, body = found
    return body if head == _FORMAT + b"%08x" % zlib.crc32(body) else None


def write_checked(path: Path, *body: bytes | msgspec.Raw) -> None:
    """Write a file of a memo behind its checksum, in one step; a folder that cannot be written is no error.

    Args:
        path: the file.
        body: its content, one part behind the other.
    """
    from envcompile.git.own_folder import make_own

    if path.parent.is_symlink() or path.parent.parent.is_symlink():
        return  # a link in the place of a folder leads to files of others
    try:
        make_own(path.parent.parent)
        path.parent.mkdir(exist_ok=True)
    except OSError:
        return
    write_plain(path, (_FORMAT + b"%08x" % reduce(lambda checksum, part: zlib.crc32(part, checksum), body, 0), *body))
