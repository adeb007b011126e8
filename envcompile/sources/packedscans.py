"""What files speak of, by layer and path, packed once all of them are planned: each is read again when asked for."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Final, cast

import msgspec

from envcompile.files import Spool
from envcompile.sources.scans import FileScan

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[str, str]
_BOUND: Final = 1 << 20
"""Bytes of packed scans that are kept in memory; an unnamed file takes the rest."""


class PackedScans(MutableMapping[Place, FileScan]):
    """Scans of which those that were packed take a fifth of the room, and none beyond a bound."""

    __slots__ = ("_decoder", "_packed", "_plain")

    def __init__(self) -> None:
        self._plain: dict[Place, FileScan] = {}
        self._packed = Spool(_BOUND)
        self._decoder = msgspec.msgpack.Decoder(FileScan)

    def pack(self) -> None:
        """Pack all of them; one with a name that is no text stays as it is."""
        for place in list(self._plain):
            try:
                self._packed.put(place, msgspec.msgpack.encode(self._plain[place]))
            except UnicodeEncodeError:
                continue
            del self._plain[place]

    def __getitem__(self, place: Place) -> FileScan:
        found = self._plain.get(place)
        packed = self._packed.get(place) if found is None else None
        if packed is not None:
            return self._decoder.decode(packed)
        if found is None:
            raise KeyError(place)
        return found

    def __setitem__(self, place: Place, scan: FileScan) -> None:
        self._packed.drop(place)
        self._plain[place] = scan

    def __delitem__(self, place: Place) -> None:
        if place not in self:
            raise KeyError(place)
        self._plain.pop(place, None)
        self._packed.drop(place)

    def __contains__(self, place: object) -> bool:
        return place in self._plain or place in self._packed

    def __iter__(self) -> Iterator[Place]:
        yield from self._plain
        yield from cast("Iterator[Place]", iter(self._packed))

    def __len__(self) -> int:
        return len(self._plain) + len(self._packed)
