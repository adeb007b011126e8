"""Finds what many resources have in common and differs between environments: namespaces, labels, changing names."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from envcompile.chart.names import camel, label_key
from envcompile.chart.shapes import Hole, Style, Unset
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.chart.facts import Facts
    from envcompile.chart.shapes import Subject

    Known = tuple[Subject, dict[int, Facts]]
    """A resource, and what is known of it, by position of the environment."""

_FEWEST_SHARING = 3
_FAMILIES = {"labels": "labels", "matchLabels": "labels", "selector": "labels", "annotations": "annotations"}

Vector = tuple[tuple[int, Any], ...]
"""A field's value by position of the environment, for those environments where the question arises."""


def _agree(vector: Vector, values: dict[int, Any]) -> bool:
    """Whether a vector says the same wherever both speak, and the other knows every place it speaks of."""
    return all(index in values and values[index] == value for index, value in vector)


def _classes(vectors: Counter[Vector]) -> list[tuple[dict[int, Any], int]]:
    """Vectors that say the same of some environment and contradict each other in none, joined, with how many they were.

    Those that speak of different environments only have nothing to do with each other. Classes that speak of most
    environments come first, then the largest.
    """
    ordered = sorted(vectors.items(), key=lambda item: (-len(item[0]), -item[1], repr(item[0])))
    classes: list[tuple[dict[int, Any], int]] = []
    for vector, count in ordered:
        for position, (values, total) in enumerate(classes):
            common = [values[index] == value for index, value in vector if index in values]
            if common and all(common):
                classes[position] = ({**values, **dict(vector)}, total + count)
                break
        else:
            classes.append((dict(vector), count))
    classes.sort(key=lambda item: (-len(item[0]), -item[1], repr(sorted(item[0].items()))))
    return classes


def _differs(values: dict[int, Any]) -> bool:
    return len(set(values.values())) > 1


def _differing(known: Iterable[Known]) -> set[str]:
    """The labels and annotations that are not the same in every environment on every resource."""
    found: set[str] = set()
    for _, own in known:
        first, *others = [facts.labels for facts in own.values()]
        for other in others:
            if other != first:
                found.update([key for _, _, key, _ in {*first}.symmetric_difference(other)])
    return found


def _term(values: dict[int, Any], *path: str, label: tuple[str, str] | None = None) -> Term:
    return Term(path, tuple([(at, None if value is ABSENT else value) for at, value in values.items()]), label)


class Term(msgspec.Struct, frozen=True, array_like=True):
    """One value under `global`."""

    path: tuple[str, ...]
    """Below `global`."""
    values: tuple[tuple[int, str | None], ...]
    """By position of the environment; None where it leaves the field out."""
    label: tuple[str, str] | None = None
    """Family and key of the label or annotation that it is the value of."""


class Shared:
    """The values under `global` that fields of many resources are filled from.

    Args:
        terms: all of them.
    """

    def __init__(self, terms: Iterable[Term] = ()) -> None:
        self._namespaces: list[Hole] = []
        self._labels: dict[tuple[str, str], Hole] = {}
        self._names: dict[tuple[int, str], list[Hole]] = {}
        self.holes: list[Hole] = []
        self.terms: list[Term] = []
        for term in terms:
            self._add(term)

    @classmethod
    def of(cls, subjects: list[Subject]) -> Shared:
        """Those of resources."""
        found = cls()
        known = [(subject, subject.facts) for subject in subjects]
        if known:
            found._find_namespaces(known)
            found._find_labels(known)
            found._find_names(known)
        return found

    def _add(self, term: Term) -> None:
        values: dict[int, Any] = {index: ABSENT if value is None else value for index, value in term.values}
        known = [value for value in values.values() if value is not ABSENT]
        unset = Unset.NEVER if len(known) == len(values) else Unset.EMPTY if all(known) else Unset.NULL
        hole = Hole(None, term.path, Style.STRING, values, unset, fixed=("global", *term.path))
        self.holes.append(hole)
        self.terms.append(term)
        if term.label is not None:
            self._labels[term.label] = hole
        elif term.path[0] == "names":
            for index, value in values.items():
                self._names.setdefault((index, str(value)), []).append(hole)
        else:
            self._namespaces.append(hole)

    def _find_namespaces(self, known: list[Known]) -> None:
        vectors: Counter[Vector] = Counter()
        for _, own in known:
            vector = tuple([
                (index, ABSENT if facts.namespace is None else facts.namespace) for index, facts in own.items()
            ])
            if any(isinstance(value, str) and value for _, value in vector) and all(
                value is ABSENT or isinstance(value, str) for _, value in vector
            ):
                vectors[vector] += 1
        taken: set[str] = set()
        for position, (values, _) in enumerate(_classes(vectors)):
            if position == 0:
                self._add(_term(values, "namespace"))
            elif _differs(values):
                name = camel(next(value for value in values.values() if value is not ABSENT))
                while name in taken:
                    name += "2"
                taken.add(name)
                self._add(_term(values, "namespaces", name))

    def _find_labels(self, known: list[Known]) -> None:
        vectors: dict[tuple[str, str], Counter[Vector]] = {}
        differing = _differing(known)
        for subject, own in known if differing else ():
            found: dict[tuple[int, str, str], dict[int, Any]] = {}
            for index, facts in own.items():
                for position, family, key, value in facts.labels:
                    if key in differing:
                        found.setdefault((position, family, key), {})[index] = value
            for (_, family, key), values in found.items():
                if all(value is not None for value in values.values()):
                    vector = tuple((index, values.get(index, ABSENT)) for index in subject.held)
                    vectors.setdefault((family, key), Counter())[vector] += 1
        taken: set[tuple[str, str]] = set()
        for (family, key), counted in sorted(vectors.items()):
            if not any(_differs(dict(vector)) for vector in counted):
                continue
            for values, count in _classes(counted):
                name = label_key(key)
                if count >= _FEWEST_SHARING and _differs(values) and (family, name) not in taken:
                    taken.add((family, name))
                    self._add(_term(values, family, name, label=(family, key)))
                    break

    def _find_names(self, known: list[Known]) -> None:
        taken: set[str] = set()
        for subject, own in known:
            values = {index: facts.name for index, facts in own.items()}
            if not _differs(values) or not all(isinstance(value, str) for value in values.values()):
                continue
            if self._match(values) is not None:
                continue
            name = camel(subject.stem)
            while name in taken:
                name += "2"
            taken.add(name)
            self._add(_term(values, "names", name))

    def _match(self, values: dict[int, Any]) -> Hole | None:
        vector = tuple(values.items())
        for hole in self._names.get((vector[0][0], vector[0][1]), ()):
            if _agree(vector, hole.values):
                return hole
        return None

    def namespace(self, values: dict[int, Any]) -> Hole | None:
        """The shared value of a field that holds a namespace; ABSENT where an environment leaves the field out."""
        if all(value is ABSENT for value in values.values()):
            return None
        vector = tuple(values.items())
        return next((hole for hole in self._namespaces if _agree(vector, hole.values)), None)

    @property
    def has_names(self) -> bool:
        """Whether any resource's name changes."""
        return bool(self._names)

    def has_label(self, holder: object, key: str) -> bool:
        """Whether a label or annotation in the map called `holder` is ever a shared value."""
        return isinstance(holder, str) and (_FAMILIES.get(holder, ""), key) in self._labels

    def label(self, holder: str, key: str, values: dict[int, Any]) -> Hole | None:
        """The shared value of a label or annotation in the map called `holder`."""
        family = _FAMILIES.get(holder)
        hole = self._labels.get((family, key)) if family else None
        if hole is None or all(value is ABSENT for value in values.values()):
            return None
        return hole if _agree(tuple(values.items()), hole.values) else None

    def name(self, values: dict[int, Any]) -> Hole | None:
        """The shared value of a field that follows a resource's changing name."""
        if not self._names or not _differs(values) or not all(isinstance(value, str) for value in values.values()):
            return None
        return self._match(values)
