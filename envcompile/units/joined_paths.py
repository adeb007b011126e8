"""The paths of an environment's files, unit by unit, as the memo of joinings keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import msgspec

if TYPE_CHECKING:
    from collections.abc import Container, Iterable


class JoinedPaths(Sequence[tuple[str, ...]]):
    """For each unit of an environment the paths of its files; those of a unit are read when asked for.

    Args:
        packed: one a unit.
        resources: so many paths there are in all.
    """

    __slots__ = ("_packed", "resources")

    def __init__(self, packed: Sequence[bytes], resources: int) -> None:
        self._packed = packed
        self.resources = resources

    @overload
    def __getitem__(self, number: int) -> tuple[str, ...]: ...
    @overload
    def __getitem__(self, number: slice) -> list[tuple[str, ...]]: ...
    def __getitem__(self, number: int | slice) -> tuple[str, ...] | list[tuple[str, ...]]:
        if isinstance(number, slice):
            return [self[at] for at in range(*number.indices(len(self)))]
        return msgspec.msgpack.decode(self._packed[number], type=tuple[str, ...])

    def __len__(self) -> int:
        return len(self._packed)

    def packed(self, number: int) -> bytes:
        """The paths of a unit's files as bytes: equal when they are the same."""
        return self._packed[number]

    def place_of(self, path: str) -> tuple[int, int] | None:
        """The number of the unit that has a file, and the file's own in there; only units that speak of it are read."""
        text = path.encode("utf-8", "surrogateescape")
        for number, packed in enumerate(self._packed):
            if text in packed and path in (own := self[number]):
                return number, own.index(path)
        return None

    def any_below(self, folders: Iterable[str], but: Container[int]) -> bool:
        """Tell whether a unit has files in some folders; only units that speak of one are looked at.

        Args:
            folders: names of folders below the environment's.
            but: numbers of units that do not count.
        """
        starts = tuple([f"{folder}/" for folder in folders])
        texts = [start.encode() for start in starts]
        return any(
            any(text in packed for text in texts) and any(path.startswith(starts) for path in self[number])
            for number, packed in enumerate(self._packed)
            if number not in but
        )
