"""Values that say the same of each environment's own, folded where two environments are compared."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.ask.ownwords import OwnWords
    from envcompile.model import Resource


class Folded(NamedTuple):
    """The second environment's resources with the first one's words where both mean their own, and how often."""

    resources: tuple[Resource, ...]
    times: int


def fold(left: Iterable[Resource], right: Iterable[Resource], words: OwnWords, others: OwnWords) -> Folded:
    """Make equal what differs only in what each environment calls its own.

    Args:
        left: the first environment's resources.
        right: those of the second one; they are paired by their identities.
        words: what the first environment calls its own.
        others: the same of the second one.
    """
    folding = _Folding(words, others)
    known = {resource.id: resource.value for resource in left}
    found = []
    for resource in right:
        value = folding.value(known.get(resource.id), resource.value)
        found.append(resource if value is resource.value else resource._replace(value=value))
    return Folded(tuple(found), folding.count)


class _Folding:
    def __init__(self, words: OwnWords, others: OwnWords) -> None:
        self._words = words
        self._others = others
        self.count = 0

    def value(self, left: Any, right: Any) -> Any:
        """The second value, with what is folded as in the first one; itself where nothing is."""
        if isinstance(left, dict) and isinstance(right, dict):
            items = {key: self.value(left.get(key), item) for key, item in right.items()}
            return items if any(items[key] is not right[key] for key in right) else right
        if isinstance(left, list) and isinstance(right, list):
            beside = [*left, *[None] * len(right)]
            held = list(starmap(self.value, zip(beside, right, strict=False)))
            return held if any(new is not old for new, old in zip(held, right, strict=True)) else right
        if not isinstance(left, str) or not isinstance(right, str) or left == right:
            return right
        return self._lines(left, right) if "\n" in right else self._text(left, right)

    def _text(self, left: str, right: str) -> str:
        if self._words.neutral(left) != self._others.neutral(right):
            return right
        self.count += 1
        return left

    def _lines(self, left: str, right: str) -> str:
        """A text of several lines is folded line by line: a configuration file is compared key by key."""
        there = left.split("\n")
        known = {self._words.neutral(line): line for line in there}
        every = set(there)
        lines = []
        for line in right.split("\n"):
            same = known.get(self._others.neutral(line)) if line not in every else None
            self.count += same is not None
            lines.append(line if same is None else same)
        return "\n".join(lines) if lines != right.split("\n") else right
