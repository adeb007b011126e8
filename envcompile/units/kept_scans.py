"""What files spoke of at earlier runs, packed; each is read when somebody asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from envcompile.sources.scans import FileScan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envcompile.units.table import Table

_MANY: Final = 256
"""Scans that are looked for one by one; a dict of all takes as long as so many."""


class KeptScans(Mapping[tuple[str, str], FileScan]):
    """What files spoke of, by layer and path; they are loaded, and each is read, when somebody asks for it.

    Args:
        load: gives them packed.
    """

    def __init__(self, load: Callable[[], Table]) -> None:
        self._load = load
        self._table: Table | None = None
        self._decoder = msgspec.msgpack.Decoder(FileScan)
        self._asked = 0
        self._by_key: dict[bytes, bytes] | None = None

    @property
    def table(self) -> Table:
        """All of them, packed."""
        if self._table is None:
            self._table = self._load()
        return self._table

    def _packed(self, place: tuple[str, str]) -> bytes | memoryview | None:
        """One of them, packed; who asks for many is likely to ask for all."""
        self._asked += 1
        if self._asked > _MANY and self._by_key is None:
            self._by_key = dict(self.table.items())
        known: dict[bytes, bytes] | Table = self._by_key if self._by_key is not None else self.table
        return known.get(key_of(place))

    def __getitem__(self, place: tuple[str, str]) -> FileScan:
        packed = self._packed(place)
        if packed is None:
            raise KeyError(place)
        return self._decoder.decode(packed)

    def get(self, place: tuple[str, str], default: Any = None) -> Any:
        """One of them; None for a file that nothing is known of, or where what is known is damaged."""
        packed = self._packed(place)
        try:
            return self._decoder.decode(packed) if packed is not None else default
        except msgspec.MsgspecError:
            return default

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return (place_of(record[0]) for record in self.table.items())

    def __len__(self) -> int:
        return self.table.count


def key_of(place: tuple[str, str]) -> bytes:
    """Layer and path of a file as one key: no name holds a NUL."""
    return "\0".join(place).encode("utf-8", "surrogateescape")


def place_of(key: bytes) -> tuple[str, str]:
    """The layer and path that a key was made of."""
    layer, _, path = key.decode("utf-8", "surrogateescape").partition("\0")
    return layer, path
