"""The two hosts behind one door: list, write, change and delete comments of one pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import quote

from envcompile.forge.http import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.forge.http import Client

_PAGE = 100
_MOST_PAGES = 1_000
GITHUB_BOT = "github-actions[bot]"
"""Who writes with the token of a GitHub job; that token may not ask for its own name."""


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

    def own_comments(self) -> list[Comment]:
        """Every comment that the token's owner wrote, oldest first."""
        ...

    def create(self, body: str) -> int:
        """Write a comment; how often the request was sent."""
        ...

    def update(self, comment: int, body: str) -> None:
        """Change a comment."""
        ...

    def delete(self, comment: int) -> None:
        """Delete a comment; one that is gone already is fine."""
        ...


class GitHub:
    """Comments of a pull request on GitHub.

    `author` is the login whose comments are ours, for tokens of apps, which may not ask who they are.

    Source: docs.github.com/rest/issues/comments. The limit is 65,536 characters; counting bytes keeps below it.
    """

    limit = 65_536

    def __init__(self, client: Client, repository: str, number: int, author: str | None = None) -> None:
        self._client = client
        self._author = author
        self._repository = f"/repos/{quote(repository)}"
        self._list = f"{self._repository}/issues/{number}/comments"

    def own_comments(self) -> list[Comment]:
        """Every comment that the token's owner wrote."""
        me = self._me()
        return [
            Comment(item["id"], item.get("body") or "")
            for item in _pages(self._client, self._list)
            if (item.get("user") or {}).get("login") == me
        ]

    def _me(self) -> str:
        if self._author is not None:
            return self._author
        try:
            return str(self._client.call("GET", "/user").value["login"])
        except RefusedError as refused:
            if refused.status != 403:
                raise
            return GITHUB_BOT

    def create(self, body: str) -> int:
        """Write a comment."""
        return self._client.call("POST", self._list, {"body": body}).tries

    def update(self, comment: int, body: str) -> None:
        """Change a comment."""
        self._client.call("PATCH", f"{self._repository}/issues/comments/{comment}", {"body": body})

    def delete(self, comment: int) -> None:
        """Delete a comment."""
        _delete(self._client, f"{self._repository}/issues/comments/{comment}")


class GitLab:
    """Notes of a merge request on GitLab.

    Source: docs.gitlab.com/api/notes. The limit is 1,000,000 characters; counting bytes keeps below it.
    """

    limit = 1_000_000

    def __init__(self, client: Client, project: str, number: int) -> None:
        self._client = client
        self._list = f"/projects/{quote(project, safe='')}/merge_requests/{number}/notes"

    def own_comments(self) -> list[Comment]:
        """Every note that the token's owner wrote; what the host wrote about events is left out."""
        me = self._client.call("GET", "/user").value["id"]
        return [
            Comment(item["id"], item.get("body") or "")
            for item in _pages(self._client, self._list, "&sort=asc&order_by=created_at")
            if (item.get("author") or {}).get("id") == me and not item.get("system")
        ]

    def create(self, body: str) -> int:
        """Write a note."""
        return self._client.call("POST", self._list, {"body": body}).tries

    def update(self, comment: int, body: str) -> None:
        """Change a note."""
        self._client.call("PUT", f"{self._list}/{comment}", {"body": body})

    def delete(self, comment: int) -> None:
        """Delete a note."""
        _delete(self._client, f"{self._list}/{comment}")


def _pages(client: Client, path: str, further: str = "") -> Iterator[Any]:
    for page in range(1, _MOST_PAGES + 1):
        items = client.call("GET", f"{path}?per_page={_PAGE}&page={page}{further}").value or []
        yield from items
        if len(items) < _PAGE:
            return


def _delete(client: Client, path: str) -> None:
    try:
        client.call("DELETE", path)
    except RefusedError as refused:
        if refused.status != 404:
            raise
