"""The items of two lists without merge keys: which stayed, changed, moved, came or went."""

from __future__ import annotations

import json
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.ask.redact import Hidden
from envcompile.kubernetes.sequences import common

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.kubernetes.sequences import Pair

NAMING: Final = ("name", "alert", "record", "job_name", "id", "uid", "title", "key", "host", "path")
"""Fields that name an item where no merge key does, the most telling first."""
_ALIKE: Final = 0.5
"""How much of their fields two items share before they count as one that changed."""
_MOST: Final = 2_500
"""Pairs of items between two unchanged ones whose likeness is looked at."""


class Step(NamedTuple):
    """What happened to one item; None where it is not in the list.

    An item that stands in both lists unchanged has moved; others that stand in both have changed.
    """

    old: int | None
    new: int | None
    has_moved: bool = False


def steps(old: Sequence[Any], new: Sequence[Any]) -> list[Step] | None:
    """What happened to the items of a list, in its newer order; None when they cannot be told apart.

    Items that changed in their place keep the order of those around them.
    """
    try:
        left, right = list(map(_canonical, old)), list(map(_canonical, new))
    except TypeError:
        return None
    same = common(left, right)
    moved = _moves(left, right, same)
    found: list[Step] = []
    edges = [(-1, -1), *same, (len(old), len(new))]
    for (first, begin), (last, end) in pairwise(edges):
        gone = [at for at in range(first + 1, last) if at not in moved.olds]
        come = [at for at in range(begin + 1, end) if at not in moved.news]
        pairs = dict(_changed(old, new, gone, come))
        origin = {place: at for at, place in pairs.items()}
        waiting = iter([at for at in range(first + 1, last) if at not in moved.olds])
        for place in range(begin + 1, end):
            if place in moved.news:
                found.append(Step(moved.news[place], place, has_moved=True))
                continue
            if place in origin:
                for at in waiting:
                    if at == origin[place]:
                        break
                    found.append(Step(at, None))
            found.append(Step(origin.get(place), place))
        found += [Step(at, None) for at in waiting]
    return found


def headline(item: Any) -> str:
    """What names an item, as `alert: TooSlow`; empty when nothing does."""
    field = _naming_field(item)
    return f"{field}: {item[field]}" if field else ""


def _naming_field(item: Any) -> str:
    if not isinstance(item, dict):
        return ""
    return next((field for field in NAMING if isinstance(item.get(field), str) and "\n" not in item[field]), "")


def _canonical(value: Any) -> str:
    """A text that two values share exactly when they are equal."""
    return json.dumps(value, sort_keys=True, default=_spelled)


def _spelled(value: Any) -> str:
    """A value of embedded TOML or YAML that JSON has not, such as a date; a secret is compared, never written."""
    if isinstance(value, Hidden):
        raise TypeError("a secret has no text")
    return f"{type(value).__name__} {value}"


class _Moves(NamedTuple):
    """Items that stand in both lists in another order, by their older and by their newer position."""

    olds: frozenset[int]
    news: dict[int, int]


def _moves(left: Sequence[str], right: Sequence[str], same: Sequence[Pair]) -> _Moves:
    stayed, kept = {at for at, _ in same}, {place for _, place in same}
    waiting: dict[str, list[int]] = {}
    for at in reversed(range(len(left))):
        if at not in stayed:
            waiting.setdefault(left[at], []).append(at)
    news: dict[int, int] = {}
    for place, text in enumerate(right):
        if place not in kept and waiting.get(text):
            news[place] = waiting[text].pop()
    return _Moves(frozenset(news.values()), news)


def _changed(old: Sequence[Any], new: Sequence[Any], gone: list[int], come: list[int]) -> Iterator[Pair]:
    """The items between two unchanged ones that are one item before and after; both positions rise."""
    names = common([_name(old[at], at) for at in gone], [_name(new[place], ~place) for place in come])
    edges = [(-1, -1), *names, (len(gone), len(come))]
    for (first, begin), (last, end) in pairwise(edges):
        if first >= 0:
            yield gone[first], come[begin]
        yield from _alike(old, new, gone[first + 1 : last], come[begin + 1 : end])


def _name(item: Any, other: int) -> tuple[Any, ...]:
    """What an item is called; what has no name is called like nothing else."""
    return (headline(item),) if headline(item) else ("", other)


def _alike(old: Sequence[Any], new: Sequence[Any], gone: list[int], come: list[int]) -> Iterator[Pair]:
    """Pairs of items that have no name in common: one by one where as many come as go, else the most alike."""
    if len(gone) == len(come):
        yield from ((at, place) for at, place in zip(gone, come, strict=True) if _may_be_one(old[at], new[place]))
        return
    if len(gone) * len(come) > _MOST:
        return
    # The best chain of pairs that rise on both sides; what is less alike than _ALIKE is no pair.
    best: list[list[tuple[float, Any]]] = [[(0.0, None)] * (len(come) + 1) for _ in range(len(gone) + 1)]
    for row, at in enumerate(gone, 1):
        for column, place in enumerate(come, 1):
            found = max(best[row - 1][column], best[row][column - 1], key=itemgetter(0))
            likeness = _likeness(old[at], new[place])
            if likeness >= _ALIKE and best[row - 1][column - 1][0] + likeness > found[0]:
                around = best[row - 1][column - 1]
                found = (around[0] + likeness, ((at, place), around[1]))
            best[row][column] = found
    chain, pairs = best[-1][-1][1], []
    while chain is not None:
        pairs.append(chain[0])
        chain = chain[1]
    yield from reversed(pairs)


def _may_be_one(old: Any, new: Any) -> bool:
    if isinstance(old, dict) and isinstance(new, dict):
        return not (headline(old) and headline(new)) or _likeness(old, new) > 0
    return isinstance(old, (dict, list)) == isinstance(new, (dict, list))


def _likeness(old: Any, new: Any) -> float:
    """The share of fields, of all that either has, which two maps have in common with their values; else 0."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return 0.0
    left, right = ({(key, _canonical(value)) for key, value in item.items()} for item in (old, new))
    return len(left & right) / max(1, len(left | right))
