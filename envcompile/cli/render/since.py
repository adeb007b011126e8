"""Since when a value is as it is, in few words and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.history.times import day, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.actions.origins import Since
    from envcompile.git.repository import Commit

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def since_data(since: Since | None, commits: Mapping[str, Commit]) -> dict[str, Any] | None:
    """Commit, author and time as data; None where that is not known."""
    commit = commits.get(since.commit) if since is not None else None
    if since is None or commit is None:
        return None
    return {
        "commit": since.commit,
        "author": commit.author_name,
        "time": stamp(commit.authored_at),
        "message": commit.message.partition("\n")[0],
        "how": since.how,
        "orBefore": since.or_before,
    }


def newest_year(commits: Iterable[Commit]) -> str:
    """The year of the newest commit: days of others are told with theirs."""
    return day(max((commit.authored_at for commit in commits), default=0))[:4]


def in_few_words(since: Since | None, commits: Mapping[str, Commit], year: str) -> str:
    """Day and first name, such as `19 Oct Jonas`; empty where that is not known.

    Args:
        since: the commit that gave a field its value.
        commits: the facts of commits, by hash.
        year: is not told.
    """
    commit = commits.get(since.commit) if since is not None else None
    if since is None or commit is None:
        return ""
    return f"{short_day(commit.authored_at, year)} {(commit.author_name.split() or ['?'])[0]}"


def short_day(seconds: int, year: str) -> str:
    """A day as people say it; `19 Oct`, or `19 Oct 2024` when the year is another one."""
    text = day(seconds)
    said = f"{int(text[-8:-6])} {_MONTHS[int(text[-11:-9]) - 1]}"
    return said if text.startswith(f"{year}-") else f"{said} {text.partition('-')[0]}"
