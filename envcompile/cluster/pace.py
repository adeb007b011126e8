"""How long a watcher waits: for answers, for connections, and before it tries again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random


class Pace(NamedTuple):
    """All times of a watcher, in seconds.

    Source: client-go's reflector (back-off 0.8 to 30 s with jitter, watches of 5 to 10 minutes); a watch is asked for
    anew after `least` to `most` seconds, and one that says nothing for `grace` more is half-open and given up.
    """

    least: float = 240.0
    most: float = 480.0
    grace: float = 30.0
    first: float = 0.8
    longest: float = 30.0
    forbidden: float = 3600.0
    """Until a kind that may not be read is tried again."""
    discovery: float = 600.0
    """Until the kinds are asked for again when no definition has changed."""
    initial: float = 60.0
    """Silence after which a streaming list is taken for one that the server does not know."""
    metrics: float = 60.0
    """Between two questions for usage."""
    batch: float = 1.0
    """How long events are gathered before they are stored."""
    resync: float = 6 * 3600.0
    """Until a kind is listed again although its watch goes on: a watch may have fallen silent."""


class Backoff:
    """Waits that double, each with jitter, so that many watchers do not come back at once."""

    def __init__(self, pace: Pace, chance: random.Random) -> None:
        self._pace = pace
        self._chance = chance
        self._next = pace.first

    def wait(self, least: float = 0.0) -> float:
        """Seconds until the next try.

        Args:
            least: what the server asks for.
        """
        seconds = self._next * (1 + self._chance.random())
        self._next = min(self._next * 2, self._pace.longest)
        return max(seconds, least)

    def reset(self) -> None:
        """Something succeeded."""
        self._next = self._pace.first
