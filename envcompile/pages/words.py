"""How pages say times, numbers and lists."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY: Final = 86_400
"""Seconds."""
_LATEST: Final = 253_402_300_799
"""Seconds since 1970 of the end of the year 9999, the last that the calendar has."""


class Moment(NamedTuple):
    """A time in UTC: for programs, and as people read it."""

    iso: str
    day: str
    """`28 Nov`, with the year when it is not this one."""
    clock: str
    weekday: str
    seconds: int


def moment(seconds: int, now: int) -> Moment:
    """A time in words.

    Args:
        seconds: since 1970.
        now: the time of reading, in seconds since 1970.
    """
    return _moment(seconds, _year(now))


@lru_cache(maxsize=16)
def _year(seconds: int) -> int:
    return datetime.fromtimestamp(seconds, UTC).year


@lru_cache(maxsize=16_384)
def _moment(seconds: int, this_year: int) -> Moment:
    """A time in words, which are the same for as long as the year is."""
    then = datetime.fromtimestamp(min(max(seconds, 0), _LATEST), UTC)
    year = "" if then.year == this_year else f" {then.year}"
    day = f"{then.day} {then:%b}{year}"
    return Moment(f"{then:%Y-%m-%dT%H:%M:%SZ}", day, f"{then:%H:%M}", f"{then:%A} {day}", seconds)


def many(count: int, word: str, plural: str = "") -> str:
    """`1 change`, `2 changes`."""
    return f"{count:,} {word if count == 1 else plural or f'{word}s'}"


def times(count: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {0: "not", 1: "once", 2: "twice"}.get(count, f"{count:,} times")


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([part for part in (", ".join(words[:-1]), *words[-1:]) if part])


def first_name(name: str) -> str:
    """How a person is called in a narrow column."""
    return name.split(maxsplit=1)[0] if name.split() else name


def sentence(text: str) -> str:
    """The text with a capital letter, unless its first word is a name as files write it."""
    word = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if word.isalpha() else text


def money(amount: float, digits: int = 0) -> str:
    """An amount with commas, without its currency."""
    return f"{amount:,.{digits}f}"
