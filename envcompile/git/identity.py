"""Who made a commit and when, as git tells it: with bytes of any encoding, and with dates that are none."""

from __future__ import annotations

_LATEST = 2**63 - 1
"""Seconds since 1970; git shows a later date as the beginning of 1970 (`date_overflows` of its date.c)."""


def identity(name: str, mail: str, seconds: str) -> tuple[str, str, int]:
    """Name, address and seconds since 1970 of what `%aN`, `%aE` and `%at` print.

    Where a commit names nobody whom git can read, git prints the placeholders themselves, and no date.
    """
    is_unreadable = not seconds and name in {"%aN", "%cN"}
    return ("", "", 0) if is_unreadable else (readable(name), readable(mail), _moment(seconds))


def readable(text: str) -> str:
    """A text of git's as people can read it: bytes that are no UTF-8 are U+FFFD, as in `git log` on a terminal."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _moment(seconds: str) -> int:
    """A date; the beginning of 1970 where there is none, or one that git cannot show either."""
    if not (seconds.isascii() and seconds.isdigit()) or len(seconds) > 4000:
        return 0
    value = int(seconds)
    return value if value <= _LATEST else 0
