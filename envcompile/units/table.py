"""Many small records in one piece of memory, each found by its key while the others stay packed."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NUMBER: Final = 8
"""Bytes of a number."""


def pack(records: Mapping[bytes, bytes]) -> bytes:
    """Records as a `Table` reads them."""
    return b"".join(pieces(records))


def pieces(records: Mapping[bytes, bytes]) -> Iterator[bytes]:
    """The same one piece after the other: count, where each key and each value ends, the sorted keys, the values."""
    keys = sorted(records)
    lengths = map(len, map(records.__getitem__, keys))
    ends = array("Q", [*accumulate(map(len, keys)), *accumulate(lengths)])
    yield struct.pack("Q", len(keys))
    yield ends.tobytes()
    yield from keys
    yield from map(records.__getitem__, keys)


class Table:
    """Records that were packed.

    Args:
        data: what `pack` gave.

    Raises:
        ValueError: it is something else, or from a machine that writes numbers the other way round.
    """

    __slots__ = ("_data", "_ends", "_keys_at", "_values_at", "count")

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self.count = struct.unpack_from("Q", data)[0] if len(data) >= _NUMBER else -1
        self._keys_at = _NUMBER * (1 + 2 * self.count)
        if not 0 <= self.count <= len(data) or self._keys_at > len(data):
            raise ValueError("no table")
        self._ends = data[_NUMBER : self._keys_at].cast("Q")
        self._values_at = self._keys_at + (self._ends[self.count - 1] if self.count else 0)
        if self._values_at + (self._ends[-1] if self.count else 0) != len(data):
            raise ValueError("no table")

    def get(self, key: bytes) -> memoryview | None:
        """A record; None where there is none of this key."""
        at = self._place(key)
        return self._value(at) if at >= 0 else None

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Every record with its key, sorted."""
        ends = self._ends.tolist()
        keys = _cut(self._data[self._keys_at : self._values_at].tobytes(), ends[: self.count])
        return zip(keys, _cut(self._data[self._values_at :].tobytes(), ends[self.count :]), strict=True)

    def edited(self, records: Mapping[bytes, bytes]) -> bytes | None:
        """All of them packed, some as others of the same length; None where one has another length, or no record."""
        ends = []
        for key, record in records.items():
            at = self._place(key)
            if at < 0 or len(self._value(at)) != len(record):
                return None
            ends.append(self._values_at + self._ends[at + self.count])
        found = bytearray(self._data)
        for end, record in zip(ends, records.values(), strict=True):
            found[end - len(record) : end] = record
        return bytes(found)

    def _place(self, key: bytes) -> int:
        """The number of a key's record; -1 where it has none."""
        at = bisect_left(range(self.count), key, key=self._key)
        return at if at < self.count and self._key(at) == key else -1

    def _key(self, at: int) -> bytes:
        start = self._ends[at - 1] if at else 0
        return bytes(self._data[self._keys_at + start : self._keys_at + self._ends[at]])

    def _value(self, at: int) -> memoryview:
        at += self.count
        start = self._ends[at - 1] if at > self.count else 0
        return self._data[self._values_at + start : self._values_at + self._ends[at]]


def _cut(data: bytes, ends: list[int]) -> list[bytes]:
    """Pieces that lie one behind the other."""
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


NO_RECORDS: Final = Table(memoryview(pack({})))
