"""Resources found by what a target says of them: however many there are, a glob looks at those it may match."""

from __future__ import annotations

import re
from bisect import bisect_left
from fnmatch import fnmatchcase
from itertools import chain, islice, takewhile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envcompile.compose.targets import Globs
    from envcompile.model import ResourceId

    Group = dict[ResourceId, None]

_MAGIC: Final = re.compile(r"[*?]|\[!?\]?[^\]]*(?:\]|$)")
"""What stands for other signs in a glob (fnmatch); a bracket that is not closed ends what is sure of it."""
_GRAM: Final = 3
"""Signs of a part of a name by which names are found."""


class Reachable:
    """Identities by their names, kinds and namespaces.

    Args:
        identities: those to begin with.
    """

    __slots__ = ("_all", "_kinds", "_named", "_names", "_spaces")

    def __init__(self, identities: Iterable[ResourceId] = ()) -> None:
        self._all: Group = {}
        self._names = Names()
        self._named: dict[str, Group] = {}
        self._kinds: dict[str, Group] = {}
        self._spaces: dict[str, Group] = {}
        for identity in identities:
            self.add(identity)

    def add(self, identity: ResourceId) -> None:
        """Take in one more."""
        self._all[identity] = None
        self._names.add(identity.name)
        self._named.setdefault(identity.name, {})[identity] = None
        self._kinds.setdefault(identity.kind.lower(), {})[identity] = None
        self._spaces.setdefault(identity.namespace, {})[identity] = None

    def candidates(self, target: Globs) -> Iterable[ResourceId]:
        """All that a target may name, and few others: by the one of its globs that leaves the fewest."""
        found: list[list[Group]] = [[self._all]]
        if target.name is not None:
            found.append([self._named[name] for name in self._names.matching(target.name)])
        if target.kind is not None:
            found.append(_groups(self._kinds, target.kind.lower()))
        if target.namespace is not None:
            found.append(_groups(self._spaces, target.namespace))
        fewest = min(found, key=_size)
        return chain.from_iterable(fewest)


def _size(groups: list[Group]) -> int:
    return sum(len(group) for group in groups)


def _groups(groups: dict[str, Group], glob: str) -> list[Group]:
    """Those of kinds or namespaces, which are few, that a glob matches."""
    if _MAGIC.search(glob) is None:
        return [groups[glob]] if glob in groups else []
    return [group for text, group in groups.items() if fnmatchcase(text, glob)]


class Names:
    """Names, in which a glob is looked for where the rarest of its sure parts is."""

    __slots__ = ("_grams", "_names", "_sorted")

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._sorted: list[str] = []
        self._grams: dict[str, list[str]] = {}

    def add(self, name: str) -> None:
        """Take in one more."""
        if name not in self._names:
            self._names.add(name)
            self._sorted = []
            self._grams = {}

    def matching(self, glob: str) -> list[str]:
        """The names that a glob matches."""
        return [name for name in self.candidates(glob) if fnmatchcase(name, glob)]

    def candidates(self, glob: str) -> Sequence[str]:
        """The names that are looked at for a glob: all that it matches are among them."""
        parts = _MAGIC.split(glob)
        if len(parts) == 1:
            return [glob] if glob in self._names else []
        if not self._sorted:
            self._index()
        found: Sequence[str] = self._sorted
        for gram in _grams(glob):
            held = self._grams.get(gram, [])
            found = held if len(held) < len(found) else found
        if found is self._sorted and parts[0]:
            first = islice(self._sorted, bisect_left(self._sorted, parts[0]), None)
            found = list(takewhile(lambda name: name.startswith(parts[0]), first))
        return found

    def _index(self) -> None:
        self._sorted = sorted(self._names)
        for name in self._sorted:
            for gram in _grams_in(name):
                self._grams.setdefault(gram, []).append(name)


class Patterns:
    """Globs, of which a name looks at those whose rarest sure part it has."""

    __slots__ = ("_by_gram", "_others")

    def __init__(self, globs: Iterable[tuple[int, str]]) -> None:
        """Take in globs, each with its number."""
        from collections import Counter

        numbered = list(globs)
        often = Counter(gram for _, glob in numbered for gram in _grams(glob))
        self._by_gram: dict[str, list[int]] = {}
        self._others: list[int] = []
        for number, glob in numbered:
            rarest = min(_grams(glob), key=lambda gram: (often[gram], gram), default="")
            (self._by_gram.setdefault(rarest, []) if rarest else self._others).append(number)

    def candidates(self, name: str) -> Iterable[int]:
        """The numbers of the globs that a name is compared with: all that match it are among them."""
        held = (self._by_gram[gram] for gram in _grams_in(name) if gram in self._by_gram)
        return chain(self._others, *held)


def _grams(glob: str) -> set[str]:
    """The parts that each name has which the glob matches."""
    return set().union(*(_grams_in(part) for part in _MAGIC.split(glob)))


def _grams_in(text: str) -> set[str]:
    return {text[start : start + _GRAM] for start in range(len(text) - _GRAM + 1)}
