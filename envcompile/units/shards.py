"""Records of a memo by the group that they are of, in several files: after one change one of them is written anew.

Like all of a memo they may be lost at any time; whoever asks for one that is gone makes it again.
"""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, Final

import msgspec

from envcompile.units.memo import read_checked, write_checked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

_COUNT: Final = 16
"""Files of a series: few are written anew after one change, and few are looked for in a small project."""


def shard_of(group: str) -> int:
    """The number of the file that the records of a group are in."""
    return zlib.crc32(group.encode("utf-8", "surrogateescape")) % _COUNT


def file_of(folder: Path, series: str, shard: int) -> Path:
    """The file of a series with a number."""
    return folder / f"{series}-{shard:02d}"


class _Shard(msgspec.Struct, array_like=True):
    tool: str
    records: dict[str, bytes]


class Shards:
    """A series of files of a memo.

    Args:
        folder: where they are; nothing is kept without one.
        series: what their names begin with.
        tool: names this version of envc: what another one kept does not count.
    """

    def __init__(self, folder: Path | None, series: str, tool: str) -> None:
        self._folder = folder
        self._series = series
        self._tool = tool
        self._known: dict[int, dict[str, bytes]] = {}
        self._changed: set[int] = set()

    def get(self, group: str, key: str) -> bytes | None:
        """A record of a group; None where there is none."""
        return self._shard(shard_of(group)).get(key)

    def put(self, group: str, key: str, record: bytes) -> None:
        """Keep a record of a group; `save` writes it."""
        shard = shard_of(group)
        self._shard(shard)[key] = record
        self._changed.add(shard)

    def are_there(self, shards: Collection[int]) -> bool:
        """Tell whether the files of some numbers are there."""
        if self._folder is None:
            return not shards
        return all(os.path.lexists(file_of(self._folder, self._series, shard)) for shard in shards)

    def save(self, is_kept: Callable[[str], bool]) -> None:
        """Write the files in which a record was put.

        Args:
            is_kept: whether the record of a key is wanted any more.
        """
        if self._folder is None:
            return
        for shard in sorted(self._changed):
            records = {key: record for key, record in self._known[shard].items() if is_kept(key)}
            data = msgspec.msgpack.encode(_Shard(self._tool, records))
            write_checked(file_of(self._folder, self._series, shard), data)
            self._known[shard] = records
        self._changed.clear()

    def _shard(self, shard: int) -> dict[str, bytes]:
        if shard not in self._known:
            self._known[shard] = self._load(shard)
        return self._known[shard]

    def _load(self, shard: int) -> dict[str, bytes]:
        data = read_checked(file_of(self._folder, self._series, shard)) if self._folder is not None else None
        try:
            found = msgspec.msgpack.decode(data, type=_Shard) if data is not None else None
        except msgspec.MsgspecError:
            return {}
        return found.records if found is not None and found.tool == self._tool else {}
