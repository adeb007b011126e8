"""Which items two lists have in common: the longest common subsequence, at a price that a large list can pay."""

from __future__ import annotations

from bisect import bisect_left
from difflib import SequenceMatcher
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

Pair = tuple[int, int]
"""The positions of one item in both lists."""

_MOST: Final = 300_000
"""Pairs of equal items that are looked at; beyond it, items that stand once in both lists divide the work."""


def common(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[Pair]:
    """The longest common subsequence of two lists, as rising pairs of positions.

    Where the lists hold so many equal items that looking at each pair of them would cost its square, the result is a
    common subsequence, but need not be the longest one.

    Source: J. W. Hunt, T. G. Szymanski, A fast algorithm for computing longest common subsequences, CACM 20 (1977).
    """
    found: list[Pair] = []
    budget = _MOST
    todo = [(0, len(left), 0, len(right))]
    while todo:
        first, last, begin, end = todo.pop()
        while first < last and begin < end and left[first] == right[begin]:
            found.append((first, begin))
            first, begin = first + 1, begin + 1
        while first < last and begin < end and left[last - 1] == right[end - 1]:
            last, end = last - 1, end - 1
            found.append((last, end))
        if first == last or begin == end:
            continue
        places = _places(right, range(begin, end))
        price = sum(len(places.get(left[at], ())) for at in range(first, last))
        if price <= budget:
            budget -= price
            found += _longest((at, place) for at in range(first, last) for place in reversed(places.get(left[at], ())))
            continue
        own = _places(left, range(first, last))
        once = [(at[0], places[item][0]) for item, at in own.items() if len(at) == 1 == len(places.get(item, ()))]
        anchors = _longest(once)
        if not anchors:
            found += _longest(pair for item, at in own.items() for pair in zip(at, places.get(item, ()), strict=False))
            continue
        found += anchors
        edges = [(first - 1, begin - 1), *anchors, (last, end)]
        todo += [(one + 1, two, other + 1, next_) for (one, other), (two, next_) in pairwise(edges)]
    return sorted(found)


def _places(items: Sequence[Hashable], positions: Iterable[int]) -> dict[Hashable, list[int]]:
    places: dict[Hashable, list[int]] = {}
    for at in positions:
        places.setdefault(items[at], []).append(at)
    return places


def _longest(pairs: Iterable[Pair]) -> list[Pair]:
    """The longest chain of pairs in which both positions rise; several pairs of one item come with the last first."""
    tails: list[int] = []
    chains: list[tuple[Pair, Any]] = []
    for pair in sorted(pairs, key=_order):
        at = bisect_left(tails, pair[1])
        chain = (pair, chains[at - 1] if at else None)
        if at == len(tails):
            tails.append(pair[1])
            chains.append(chain)
        else:
            tails[at] = pair[1]
            chains[at] = chain
    found: list[Pair] = []
    last: Any = chains[-1] if chains else None
    while last is not None:
        found.append(last[0])
        last = last[1]
    return found[::-1]


def _order(pair: Pair) -> Pair:
    return pair[0], -pair[1]


class Matcher(SequenceMatcher[Any]):
    """The standard library's matcher with the longest common subsequence: its own takes the square of the length."""

    def __init__(self, left: Sequence[Any], right: Sequence[Any]) -> None:
        self._pairs = common(left, right)
        super().__init__(None, (), ())
        self.a, self.b = left, right

    def get_matching_blocks(self) -> list[Any]:
        """The runs of common items, and an empty one at the end of both lists."""
        from difflib import Match

        blocks: list[Any] = []
        for at, place in self._pairs:
            if blocks and (blocks[-1].a + blocks[-1].size, blocks[-1].b + blocks[-1].size) == (at, place):
                blocks[-1] = blocks[-1]._replace(size=blocks[-1].size + 1)
            else:
                blocks.append(Match(at, place, 1))
        return [*blocks, Match(len(self.a), len(self.b), 0)]


def unified(left: Sequence[str], right: Sequence[str], context: int) -> Iterator[str]:
    """The lines of a unified diff without its head: each hunk begins with `@@ -1,2 +1,3 @@`.

    Args:
        left: the older lines, without line breaks.
        right: the newer ones.
        context: unchanged lines around a change.
    """
    for group in Matcher(left, right).get_grouped_opcodes(context):
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@"
        for tag, one, two, begin, end in group:
            if tag == "equal":
                yield from (f" {line}" for line in left[one:two])
                continue
            yield from (f"-{line}" for line in left[one:two])
            yield from (f"+{line}" for line in right[begin:end])


def _range(start: int, stop: int) -> str:
    """A range as unified diffs write it (POSIX diff, `-u`)."""
    length = stop - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"
