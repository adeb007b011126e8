"""The comments of one pull request, whatever host it is on: list, write, change and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from envcompile.forge.http import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from envcompile.forge.http import Client

_PAGE = 100
_MOST_PAGES = 1_000


class Comment(NamedTuple):
    """One comment of ours."""

    id: int
    body: str


class Host(Protocol):
    """A host's comments on one pull request."""

    @property
    def limit(self) -> int:
        """Bytes that one comment may have."""
        ...

    def newer_commit(self) -> str:
        """The newest commit of the pull request when that is not this job's; empty when it is, or nobody knows."""
        ...

    def own_comments(self) -> list[Comment]:
        """Every comment that the token's owner wrote, oldest first."""
        ...

    def create(self, body: str) -> None:
        """Write a comment; a request that was tried again may have written two."""
        ...

    def update(self, comment: int, body: str) -> bool:
        """Change a comment; False when it is gone."""
        ...

    def delete(self, comment: int) -> None:
        """Delete a comment; one that is gone already is fine."""
        ...


def pages(client: Client, path: str, further: str = "") -> Iterator[Any]:
    """Every item of a list that the host gives page by page."""
    for page in range(1, _MOST_PAGES + 1):
        items = client.call("GET", f"{path}?per_page={_PAGE}&page={page}{further}").value or []
        yield from items
        if len(items) < _PAGE:
            return


def oldest_first(comments: Iterable[Comment]) -> list[Comment]:
    """Numbers grow with time on both hosts."""
    return sorted(comments, key=lambda comment: comment.id)


def newer(client: Client, path: str, keys: Sequence[str], head: str) -> str:
    """The newest commit of a pull request when that is not this job's; empty when it is, or nobody may know."""
    if not head:
        return ""
    try:
        newest = dig(client.call("GET", path).value, keys)
    except RefusedError:
        # A token that may write comments need not be one that may read the pull request.
        return ""
    return newest if isinstance(newest, str) and newest != head else ""


def is_there(client: Client, method: str, path: str, body: Any = None) -> bool:
    """Send a request about a comment; False when it is gone."""
    try:
        client.call(method, path, body)
    except RefusedError as refused:
        if refused.status != 404:
            raise
        return False
    return True


def dig(value: Any, keys: Sequence[str]) -> Any:
    """What stands at a way through maps; None when there is no such way."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
