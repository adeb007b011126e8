"""The units of one environment before they are compiled, in columns: one that a build kept is read when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from envcompile.units.cut import Part
    from envcompile.units.unit import SecretInput


class PlannedUnit(Record, frozen=True):
    """A unit before its files are read."""

    app: str
    parts: tuple[Part, ...]
    """Sorted as their layers lay them."""
    secrets: SecretInput | None
    sealed: str
    """The digest of what `secrets` says to it."""
    may_be_remembered: bool
    """Whether nothing goes into it that git ignores: of such files not even a digest is kept."""
    key: str


class PlannedUnits(Sequence[PlannedUnit]):
    """The units of one environment, sorted by application.

    Args:
        apps: the application of each.
        keys: the digest of everything that each is compiled from.
        told: the digest of what each tells to the others; empty where that is not known.
        read: makes one of them.
        holding: the numbers of those that a file may go into.
        made: those that are made.
        packed: those that a build kept, as it kept them.
    """

    __slots__ = ("_holding", "_made", "_read", "apps", "keys", "packed", "told")

    def __init__(
        self,
        apps: Sequence[str],
        keys: Sequence[str],
        told: Sequence[str],
        read: Callable[[int], PlannedUnit],
        holding: Callable[[str], Iterable[int]],
        made: Mapping[int, PlannedUnit],
        packed: Sequence[bytes] = (),
    ) -> None:
        self.apps = apps
        self.keys = keys
        self.told = told
        self._read = read
        self._holding = holding
        self._made = dict(made)
        self.packed = packed

    @classmethod
    def of(cls, units: Iterable[PlannedUnit]) -> PlannedUnits:
        """Units that are made."""
        made = dict(enumerate(units))
        apps, keys = [unit.app for unit in made.values()], [unit.key for unit in made.values()]
        return cls(apps, keys, [""] * len(made), made.__getitem__, lambda _: range(len(made)), made)

    @overload
    def __getitem__(self, number: int) -> PlannedUnit: ...
    @overload
    def __getitem__(self, number: slice) -> list[PlannedUnit]: ...
    def __getitem__(self, number: int | slice) -> PlannedUnit | list[PlannedUnit]:
        if isinstance(number, slice):
            return [self[at] for at in range(*number.indices(len(self)))]
        at = range(len(self))[number]
        found = self._made.get(at)
        if found is None:
            found = self._made[at] = self._read(at)
        return found

    def __len__(self) -> int:
        return len(self.apps)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PlannedUnits) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # units hold sealed values

    @property
    def made(self) -> Mapping[int, PlannedUnit]:
        """Those that somebody asked for so far, or that were made anew, by their number."""
        return self._made

    @property
    def are_known(self) -> bool:
        """Whether a build made all but a few of them, which are told apart by `told`."""
        return any(self.told)

    @property
    def unknown(self) -> Sequence[int]:
        """The numbers of those of which it is not known what they tell."""
        return [number for number, digest in enumerate(self.told) if not digest] if self.are_known else range(len(self))

    @property
    def may_all_be_remembered(self) -> bool:
        """Whether nothing goes into any of them that git ignores."""
        return self.are_known or all(unit.may_be_remembered for unit in self)

    def into(self, paths: Collection[str]) -> list[int]:
        """The numbers of the units that files go into."""
        near = sorted({number for path in paths for number in self._holding(path)})
        return [number for number in near if not {*paths}.isdisjoint([part.path for part in self[number].parts])]

    def recut(self, near: Collection[int], units: Iterable[PlannedUnit]) -> PlannedUnits:
        """The same with some of them cut anew: applications may come or go by that.

        Args:
            near: the numbers of those.
            units: what is in their place, which may be more or fewer.
        """
        kept = {app: number for number, app in enumerate(self.apps) if number not in near}
        made = {unit.app: unit for unit in units}
        apps = sorted({*kept, *made})
        places = {kept[app]: number for number, app in enumerate(apps) if app not in made}
        found = {number: made[app] for number, app in enumerate(apps) if app in made}

        def holding(path: str) -> list[int]:
            return [*(places[number] for number in self._holding(path) if number in places), *found]

        return PlannedUnits(
            apps,
            [made[app].key if app in made else self.keys[kept[app]] for app in apps],
            ["" if app in made else self.told[kept[app]] for app in apps],
            lambda number: self[kept[apps[number]]],
            holding,
            found,
        )

    def replaced(self, units: Mapping[int, PlannedUnit]) -> PlannedUnits:
        """The same with some of them made anew, of the same applications and files."""
        if not units:
            return self
        keys, told = list(self.keys), list(self.told)
        for number, unit in units.items():
            keys[number], told[number] = unit.key, ""
        made = {**self._made, **units}
        return PlannedUnits(self.apps, keys, told, self._read, self._holding, made, self.packed)
