"""Gives every hole its place in the values, one place for what always differs together."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.chart.names import camel, plural
from envcompile.chart.shapes import Style

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.chart.services import Home
    from envcompile.chart.shapes import Hole, Subject, ValuePath

_FEWEST_SHARING: Final = 3
_SHORTEST_WORD: Final = 3
_WORDS = re.compile(r"[a-z0-9]+")
_NAMELESS: Final = frozenset({"volumes", "volumeMounts", "env", "envFrom", "annotations", "labels", "spec", "template"})


class Names:
    """The keys given so far, as a tree: a key is either one value or the map of others."""

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}

    def take(self, path: ValuePath) -> ValuePath:
        """The path itself, or the nearest one that no other value stands on or below."""
        node = self._root
        taken: list[str] = []
        for key in path[:-1]:
            free, number = key, 2
            while node.get(free, {}) is None:
                free, number = f"{key}{number}", number + 1
            node = node.setdefault(free, {})
            taken.append(free)
        key, number = path[-1], 2
        while key in node:
            key, number = f"{path[-1]}{number}", number + 1
        node[key] = None
        return (*taken, key)

    def share(self, path: ValuePath) -> ValuePath:
        """The path itself where nothing or a map of others stands there, else as `take`."""
        node = self._root
        for key in path:
            below = node.get(key, {})
            if below is None:
                return self.take(path)
            node = below
        return path if node else self.take(path)


class _Features:
    """The switches under `global.features`, named after what they switch."""

    def __init__(self, environments: tuple[str, ...], subjects: Iterable[Subject]) -> None:
        self._environments = environments
        self._words = Counter(word for subject in subjects for word in set(_WORDS.findall(subject.name.lower())))
        self._total = sum(1 for _ in subjects)
        self._taken: set[str] = set()

    def topic(self, name: str) -> ValuePath:
        """A switch for parts of one name in several resources."""
        return self._free(camel(name))

    def name(self, subjects: list[Subject]) -> ValuePath | None:
        """A switch for whole resources, by what they share: their kind, a word of all their names, a namespace.

        Never by where they are on: that would be untrue in the next environment.
        """
        kinds = {subject.kind for subject in subjects}
        if len(kinds) == 1:
            return self._free(plural(kinds.pop()))
        words = [_WORDS.findall(subject.name.lower()) for subject in subjects]
        common = [
            word
            for word in words[0]
            if len(word) >= _SHORTEST_WORD and word not in self._environments and all(word in other for other in words)
        ]
        telling = [word for word in common if self._words[word] < max(2, self._total // 2)]
        if telling:
            return self._free(camel(telling[0]))
        namespaces = {subject.namespace for subject in subjects}
        only = namespaces.pop() if len(namespaces) == 1 else ""
        return self._free(camel(only)) if only and not any(name in only for name in self._environments) else None

    def _free(self, name: str) -> ValuePath:
        free, number = name, 2
        while free in self._taken:
            free, number = f"{name}{number}", number + 1
        self._taken.add(free)
        return ("global", "features", free)


class Flagged(NamedTuple):
    """One resource of the chart, and the flag that switches it off where an environment lacks it."""

    subject: Subject
    flag: Hole | None


def _object_flags(
    templates: Sequence[Flagged], homes: Mapping[Subject, Home], features: _Features
) -> dict[Hole, ValuePath]:
    by_vector: dict[tuple[bool, ...], list[tuple[Subject, Hole]]] = {}
    members = Counter(homes[template.subject].key for template in templates)
    for template in templates:
        if template.flag is not None:
            vector = tuple(template.flag.values[index] for index in sorted(template.flag.values))
            by_vector.setdefault(vector, []).append((template.subject, template.flag))
    found: dict[Hole, ValuePath] = {}
    for flagged in by_vector.values():
        groups: dict[str, list[tuple[Subject, Hole]]] = {}
        for subject, hole in flagged:
            groups.setdefault(homes[subject].key, []).append((subject, hole))
        path = None
        if len(groups) > 1 and len(flagged) >= _FEWEST_SHARING:
            path = features.name([subject for subject, _ in flagged])
        if path is not None:
            found |= {hole: path for _, hole in flagged}
            continue
        for key, group in groups.items():
            way: ValuePath | None = None
            if len(group) == members[key]:
                way = (key, "enabled")
            elif len(group) >= _FEWEST_SHARING:
                way = features.name([subject for subject, _ in group])
            if way is not None:
                found |= {hole: way for _, hole in group}
    return found


class _Class(NamedTuple):
    """Flags of parts that are on in the same environments, as far as each of them says."""

    values: dict[int, Any]
    holes: list[Hole]

    @property
    def subjects(self) -> frozenset[Subject | None]:
        """Whose parts they are."""
        return frozenset(hole.subject for hole in self.holes)


def _classes(holes: Iterable[Hole]) -> list[_Class]:
    """Flags joined where they do not contradict each other."""
    classes: list[_Class] = []
    for hole in sorted(holes, key=lambda hole: -len(hole.values)):
        for known in classes:
            if all(known.values.get(index, value) == value for index, value in hole.values.items()):
                known.values.update(hole.values)
                known.holes.append(hole)
                break
        else:
            classes.append(_Class(dict(hole.values), [hole]))
    return classes


def _part_flags(holes: list[Hole], objects: Mapping[Hole, ValuePath], features: _Features) -> dict[Hole, ValuePath]:
    """One switch for parts of one name in many resources; parts that come and go together have one, too.

    A part without a name of its own, such as the `volumes` of a pod, follows the switch of whole resources that is on
    in the same environments, where there is one.
    """
    by_topic: dict[str, list[Hole]] = {}
    for hole in holes:
        if hole.style is Style.FLAG and hole.topic:
            by_topic.setdefault(hole.topic, []).append(hole)
    switches = [(hole.values, path) for hole, path in objects.items() if path[0] == "global"]
    found: dict[Hole, ValuePath] = {}
    given: list[tuple[_Class, ValuePath]] = []
    for topic, flagged in by_topic.items():
        for known in _classes(flagged):
            if len(known.subjects) < _FEWEST_SHARING:
                continue
            path = next((way for other, way in given if _together(other, known)), None)
            if path is None and topic in _NAMELESS:
                path = next((way for values, way in switches if values == known.values), None)
            if path is None:
                path = features.topic(topic)
            given.append((known, path))
            found |= dict.fromkeys(known.holes, path)
    return found


def _together(one: _Class, other: _Class) -> bool:
    return one.values == other.values and one.subjects == other.subjects


def factor(
    templates: Sequence[Flagged],
    parts: list[Hole],
    fixed: Iterable[Hole],
    homes: Mapping[Subject, Home],
    environments: tuple[str, ...],
) -> dict[Hole, ValuePath]:
    """The full way to the value of every hole that is not its service's alone.

    Holes with one way hold the same value wherever both matter.

    Args:
        templates: every resource of the chart, in order.
        parts: the flags of parts of resources, in order.
        fixed: the shared values that a template shows.
        homes: where the resources live.
        environments: their names.
    """
    features = _Features(environments, [template.subject for template in templates])
    objects = _object_flags(templates, homes, features)
    paths = objects | _part_flags(parts, objects, features)
    names = Names()
    taken = {names.take(path) for path in dict.fromkeys(path for path in paths.values() if path[0] == "global")}
    for hole in fixed:
        if hole.fixed is not None:
            paths[hole] = hole.fixed if hole.fixed in taken else names.take(hole.fixed)
            taken.add(paths[hole])
    return paths
