"""Finds which resources of different environments are one resource, although names or namespaces may differ."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from envcompile.chart.portions import Held, Portion
from envcompile.chart.shapes import Subject
from envcompile.kubernetes.generated import GENERATED_KINDS, without_content_hash
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from envcompile.chart.facts import Key

_FEWEST_FOR_AN_AFFIX = 3


class _Placed(Record, frozen=True):
    key: Key
    app: str
    held: Held


def numbered(resources: Iterable[tuple[str, Any]]) -> dict[Key, tuple[str, dict[str, Any]]]:
    """Resources by identity; of two with one identity the last wins, those with a generated name are all kept."""
    portion = Portion("", lambda: resources)
    return {key: (placed.app, portion.values[placed.held.position]) for key, placed in _by_key([portion]).items()}


def _by_key(portions: Iterable[Portion]) -> dict[Key, _Placed]:
    found: dict[Key, _Placed] = {}
    generated: dict[Key, list[tuple[str, _Placed]]] = {}
    for portion in portions:
        for position, facts in enumerate(portion.facts):
            placed = _Placed(facts.key, facts.app, Held(portion, position))
            if facts.key[3].startswith("~"):
                generated.setdefault(facts.key, []).append((facts.text, placed))
            else:
                found[facts.key] = placed
    for key, values in generated.items():
        values.sort(key=itemgetter(0))
        for number, (_, placed) in enumerate(values):
            own = (*key[:3], f"{key[3]}~{number}" if number else key[3])
            found[own] = placed._replace(key=own)
    return found


def _common_prefix(names: Iterable[str]) -> str:
    """What all names begin with, up to and with a dash."""
    ordered = sorted(names)
    first, last = ordered[0], ordered[-1]
    length = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[: first[:length].rfind("-") + 1]


def _affixes(names: list[str]) -> tuple[str, str]:
    """What all names of an environment begin and end with, cut at a dash."""
    if len(names) < _FEWEST_FOR_AN_AFFIX:
        return "", ""
    return _common_prefix(names), _common_prefix(name[::-1] for name in names)[::-1]


def _bare(name: str, affixes: tuple[str, str]) -> str:
    prefix, suffix = affixes
    if prefix and name.startswith(prefix) and len(name) > len(prefix):
        name = name[len(prefix) :]
    if suffix and name.endswith(suffix) and len(name) > len(suffix):
        name = name[: -len(suffix)]
    return name


class _Aligner:
    """Joins what belongs together, by ever looser keys; a key with two resources in one environment joins nothing."""

    def __init__(self, environments: tuple[str, ...], placed: list[list[_Placed]]) -> None:
        self._words = [re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])") for name in environments]
        by_key: dict[Key, dict[int, _Placed]] = {}
        for index, items in enumerate(placed):
            for item in items:
                by_key.setdefault(item.key, {})[index] = item
        self.clusters = [*by_key.values()]

    def join(self, loosen: Callable[[int, Key], Key | None]) -> None:
        """Join clusters whose members' loosened keys agree, where that means at most one resource an environment."""
        by_key: dict[Key, list[dict[int, _Placed]]] = {}
        everywhere = len(self._words)
        # No loosened key joins two kinds: where all resources of a kind are complete there is nothing to join.
        open_kinds = {
            item.key[:2] for cluster in self.clusters if len(cluster) < everywhere for item in cluster.values()
        }
        for cluster in self.clusters:
            if next(iter(cluster.values())).key[:2] not in open_kinds:
                continue
            for key in dict.fromkeys(loosen(index, item.key) for index, item in cluster.items()):
                if key is not None:
                    by_key.setdefault(key, []).append(cluster)
        gone: set[int] = set()
        for clusters in by_key.values():
            if len(clusters) == 1 or any(id(cluster) in gone for cluster in clusters):
                continue
            if sum(map(len, clusters)) == len({index for cluster in clusters for index in cluster}):
                for cluster in clusters[1:]:
                    clusters[0].update(cluster)
                    gone.add(id(cluster))
        self.clusters = [cluster for cluster in self.clusters if id(cluster) not in gone]

    def without_own_name(self, index: int, key: Key) -> Key:
        """The key with the environment's own name taken out of its namespace and name."""
        word = self._words[index]
        return (key[0], key[1], word.sub("*", key[2]), word.sub("*", key[3]))

    def without_environment(self, index: int, name: str) -> str:
        """A name without the environment's own: no value of all environments is called after one of them."""
        return re.sub(r"[-_.]{2,}", "-", self._words[index].sub("", name)).strip("-_.") or name


def _without_hash(_index: int, key: Key) -> Key | None:
    """The key of a resource whose name ends in a digest of its content, as kustomize's generators write it."""
    return (key[0], key[1], "", without_content_hash(key[3])) if key[1] in GENERATED_KINDS else None


def align(environments: tuple[str, ...], portions: Sequence[Sequence[Portion]], default: int) -> list[Subject]:
    """All resources of all environments as subjects, in an order that does not depend on the order of files.

    Args:
        environments: their names.
        portions: the resources of each.
        default: the position of the environment by whose names resources are called.
    """
    placed = [list(_by_key(own).values()) for own in portions]
    aligner = _Aligner(environments, placed)
    if len(placed) > 1:
        affixes = [_affixes([item.key[3] for item in items]) for items in placed]
        aligner.join(lambda _index, key: (key[0], key[1], "", key[3]))
        aligner.join(_without_hash)
        aligner.join(aligner.without_own_name)
        if len(set(affixes)) > 1:
            aligner.join(lambda index, key: (key[0], key[1], "", _bare(key[3], affixes[index])))
    subjects = []
    for versions in aligner.clusters:
        shown = versions.get(default) or versions[min(versions)]
        group, kind, namespace, name = shown.key
        held = {index: versions[index].held for index in sorted(versions)}
        stem = without_content_hash(name) if kind in GENERATED_KINDS else name
        if len({item.key[3] for item in versions.values()}) > 1:
            stem = aligner.without_environment(default if default in versions else min(versions), stem)
        subjects.append(Subject(group, kind, namespace, name, shown.app, stem, held))
    subjects.sort(key=lambda subject: subject.order)
    return subjects
