"""What files speak of, by layer and path, packed once all of them are planned: each is read again when asked for."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING

import msgspec

from envcompile.sources.scans import FileScan

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[str, str]


class PackedScans(MutableMapping[Place, FileScan]):
    """Scans of which those that were packed take a fifth of the room."""

    __slots__ = ("_decoder", "_packed", "_plain")

    def __init__(self) -> None:
        self._plain: dict[Place, FileScan] = {}
        self._packed: dict[Place, bytes] = {}
        self._decoder = msgspec.msgpack.Decoder(FileScan)

    def pack(self) -> None:
        """Pack all of them; one with a name that is no text stays as it is."""
        for place in list(self._plain):
            try:
                self._packed[place] = msgspec.msgpack.encode(self._plain[place])
            except UnicodeEncodeError:
                continue
            del self._plain[place]

    def __getitem__(self, place: Place) -> FileScan:
        found = self._plain.get(place)
        return found if found is not None else self._decoder.decode(self._packed[place])

    def __setitem__(self, place: Place, scan: FileScan) -> None:
        self._packed.pop(place, None)
        self._plain[place] = scan

    def __delitem__(self, place: Place) -> None:
        if self._plain.pop(place, None) is None:
            del self._packed[place]

    def __contains__(self, place: object) -> bool:
        return place in self._plain or place in self._packed

    def __iter__(self) -> Iterator[Place]:
        yield from self._plain
        yield from self._packed

    def __len__(self) -> int:
        return len(self._plain) + len(self._packed)
