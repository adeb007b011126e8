"""The files of a large environment in columns: a path and a digest take a quarter of the room of two texts."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import ItemsView, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Final, overload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.emit.plan import Plan

MANY: Final = 1_500
"""Files that are worth it."""
_BYTES: Final = 32
"""Of a SHA-256."""
_BITS: Final = 20
"""Bits of a number that hold a file's own number in its unit; those above hold the unit's."""


class SortedPaths(Sequence[str]):
    """Paths in their order, one behind the other in one piece of memory.

    Args:
        paths: sorted.
    """

    __slots__ = ("_ends", "_names", "_next")

    def __init__(self, paths: Iterable[str]) -> None:
        encoded = [path.encode("utf-8", "surrogateescape") for path in paths]
        self._names = b"".join(encoded)
        self._ends = array("Q", accumulate(map(len, encoded)))
        self._next = 0
        """The number after that of the path that was asked for last: most ask for one after the other."""

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> list[str]: ...
    def __getitem__(self, number: int | slice) -> str | list[str]:
        if isinstance(number, slice):
            return [self[at] for at in range(*number.indices(len(self)))]
        if number < 0:
            number = range(len(self))[number]
        start = self._ends[number - 1] if number else 0
        return self._names[start : self._ends[number]].decode("utf-8", "surrogateescape")

    def __iter__(self) -> Iterator[str]:
        start = 0
        for end in self._ends:
            yield self._names[start:end].decode("utf-8", "surrogateescape")
            start = end

    def place_of(self, path: object) -> int:
        """The number of a path; -1 for one that is not there."""
        if not isinstance(path, str):
            return -1
        at = self._next
        if at >= len(self) or self[at] != path:
            at = bisect_left(self, path)
            if at >= len(self) or self[at] != path:
                return -1
        self._next = at + 1
        return at

    def __contains__(self, path: object) -> bool:
        return self.place_of(path) >= 0


class DigestColumns(Mapping[str, str]):
    """The SHA-256 of each of many files, sorted by path.

    Args:
        digests: those of all files, in hexadecimal.

    Raises:
        ValueError: one of them is no SHA-256.
    """

    __slots__ = ("_digests", "paths")

    def __init__(self, digests: Mapping[str, str]) -> None:
        paths = sorted(digests)
        self.paths = SortedPaths(paths)
        self._digests = b"".join([bytes.fromhex(digests[path]) for path in paths])
        if len(self._digests) != _BYTES * len(paths):
            raise ValueError("no SHA-256")

    def __getitem__(self, path: str) -> str:
        at = self.paths.place_of(path)
        if at < 0:
            raise KeyError(path)
        return self.at(at)

    def items(self) -> ItemsView[str, str]:
        """Each path with its digest, one after the other: none of them is looked for."""
        return _Pairs(self)

    def in_order(self) -> Iterator[str]:
        """The digests, in the order of the paths."""
        return (self._digests[start : start + _BYTES].hex() for start in range(0, len(self._digests), _BYTES))

    def at(self, number: int) -> str:
        """The digest of a file by its number."""
        return self._digests[_BYTES * number : _BYTES * (number + 1)].hex()

    def __contains__(self, path: object) -> bool:
        return path in self.paths

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


class _Pairs(ItemsView[str, str]):
    """Paths with their digests.

    Args:
        columns: those.
    """

    def __init__(self, columns: DigestColumns) -> None:
        super().__init__(columns)
        self._columns = columns

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return zip(self._columns.paths, self._columns.in_order(), strict=True)


class PlaceColumns(Sequence[tuple[str, ...]]):
    """For each unit of an environment the paths of its files.

    Args:
        places: the same as texts.
        digests: of all files.
    """

    __slots__ = ("_digests", "_order", "_paths", "_positions", "_starts")

    def __init__(self, places: Sequence[tuple[str, ...]], digests: DigestColumns) -> None:
        self._digests, self._paths = digests, digests.paths
        numbers = {path: at for at, path in enumerate(self._paths)}
        self._order = array("Q", [numbers[path] for own in places for path in own])
        self._starts = array("Q", accumulate(map(len, places), initial=0))
        self._positions = array("Q", bytes(8 * len(numbers)))
        for unit, own in enumerate(places):
            for position, path in enumerate(own):
                self._positions[numbers[path]] = (unit + 1) << _BITS | position

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, number: int) -> tuple[str, ...]: ...
    @overload
    def __getitem__(self, number: slice) -> list[tuple[str, ...]]: ...
    def __getitem__(self, number: int | slice) -> tuple[str, ...] | list[tuple[str, ...]]:
        if isinstance(number, slice):
            return [self[at] for at in range(*number.indices(len(self)))]
        return tuple([self._paths[at] for at in self._files_of(number)])

    def _files_of(self, number: int) -> Sequence[int]:
        unit = range(len(self))[number]
        return self._order[self._starts[unit] : self._starts[unit + 1]]

    def digests(self, number: int) -> list[str]:
        """The SHA-256 of every file of a unit."""
        return [self._digests.at(at) for at in self._files_of(number)]

    def find(self, path: str) -> tuple[tuple[int, int] | None, str]:
        """The number of a file's unit and the file's own in there, None for one that no unit has; and its SHA-256."""
        at = self._paths.place_of(path)
        if at < 0:
            return None, ""
        found = self._positions[at]
        place = ((found >> _BITS) - 1, found & ((1 << _BITS) - 1)) if found else None
        return place, self._digests.at(at)


def in_columns(plan: Plan) -> tuple[Plan, DigestColumns] | None:
    """A plan that holds the paths of its files once, with their digests; None where that is not worth it."""
    digests, whole = plan.bundle.digests, len(plan.bundle.digests)
    if whole < MANY or type(digests) is not dict or plan.digests is not digests:
        return None
    found = DigestColumns(digests)
    return (
        plan._replace(
            bundle=plan.bundle._replace(digests=found),
            digests=found,
            added=found.paths if len(plan.added) == whole else plan.added,
            changed=found.paths if len(plan.changed) == whole else plan.changed,
            unchanged=found.paths if len(plan.unchanged) == whole else plan.unchanged,
        ),
        found,
    )
