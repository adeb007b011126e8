"""The two hosts behind one door: list, write, change and delete comments of one pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import quote

from envcompile.forge.http import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from envcompile.forge.http import Client

_PAGE = 100
_MOST_PAGES = 1_000
GITHUB_BOT = "github-actions[bot]"
"""Who writes with the token of a GitHub job, where the host does not say whom a token belongs to."""


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


class GitHub:
    """Comments of a pull request on GitHub.

    Sources: docs.github.com/rest/issues/comments and docs.github.com/rest/pulls/pulls. The limit is 65,536 characters;
    counting bytes keeps below it.

    Args:
        client: the host's API: `https://api.github.com`, or `https://HOST/api` of an own server.
        repository: `OWNER/NAME`.
        number: the pull request's.
        author: the login whose comments are ours; the token's owner when left out.
        head: the commit that this job speaks of.
        rest: where the REST API is below the client's address: `/v3` on an own server.
    """

    limit = 65_536

    def __init__(
        self,
        client: Client,
        repository: str,
        number: int,
        author: str | None = None,
        *,
        head: str = "",
        rest: str = "",
    ) -> None:
        self._client = client
        self._author = author
        self._head = head
        self._rest = rest
        self._repository = f"{rest}/repos/{quote(repository)}"
        self._pull = f"{self._repository}/pulls/{number}"
        self._list = f"{self._repository}/issues/{number}/comments"

    def newer_commit(self) -> str:
        """The pull request's newest commit when that is not this job's."""
        return _newer(self._client, self._pull, ("head", "sha"), self._head)

    def own_comments(self) -> list[Comment]:
        """Every comment that the token's owner wrote."""
        me = self._me()
        return _oldest_first(
            Comment(item["id"], item.get("body") or "")
            for item in _pages(self._client, self._list)
            if (item.get("user") or {}).get("login") == me
        )

    def _me(self) -> str:
        if self._author is None:
            self._author = self._viewer() or self._user() or GITHUB_BOT
        return self._author

    def _viewer(self) -> str:
        """Who the token belongs to: only GraphQL answers that to the tokens of jobs and of apps."""
        try:
            answer = self._client.call("POST", "/graphql", {"query": "query { viewer { login } }"}).value
        except RefusedError as refused:
            if refused.status == 401:
                raise
            return ""
        return str(_dig(answer, ("data", "viewer", "login")) or "")

    def _user(self) -> str:
        try:
            return str(_dig(self._client.call("GET", f"{self._rest}/user").value, ("login",)) or "")
        except RefusedError as refused:
            if refused.status not in {403, 404}:
                raise
            return ""

    def create(self, body: str) -> None:
        """Write a comment."""
        self._client.call("POST", self._list, {"body": body})

    def update(self, comment: int, body: str) -> bool:
        """Change a comment."""
        return _is_there(self._client, "PATCH", f"{self._repository}/issues/comments/{comment}", {"body": body})

    def delete(self, comment: int) -> None:
        """Delete a comment."""
        _is_there(self._client, "DELETE", f"{self._repository}/issues/comments/{comment}")


class GitLab:
    """Notes of a merge request on GitLab.

    Sources: docs.gitlab.com/api/notes and docs.gitlab.com/api/merge_requests. The limit is 1,000,000 characters;
    counting bytes keeps below it.

    Args:
        client: the host's API, such as `https://gitlab.com/api/v4`.
        project: its number, or its path.
        number: the merge request's, within the project.
        head: the commit that this job speaks of.
    """

    limit = 1_000_000

    def __init__(self, client: Client, project: str, number: int, *, head: str = "") -> None:
        self._client = client
        self._head = head
        self._request = f"/projects/{quote(project, safe='')}/merge_requests/{number}"
        self._list = f"{self._request}/notes"

    def newer_commit(self) -> str:
        """The merge request's newest commit when that is not this job's."""
        return _newer(self._client, self._request, ("sha",), self._head)

    def own_comments(self) -> list[Comment]:
        """Every note that the token's owner wrote; what the host wrote about events is left out."""
        me = _dig(self._client.call("GET", "/user").value, ("id",))
        return _oldest_first(
            Comment(item["id"], item.get("body") or "")
            for item in _pages(self._client, self._list, "&sort=asc&order_by=created_at")
            if me is not None and (item.get("author") or {}).get("id") == me and not item.get("system")
        )

    def create(self, body: str) -> None:
        """Write a note."""
        self._client.call("POST", self._list, {"body": body})

    def update(self, comment: int, body: str) -> bool:
        """Change a note."""
        return _is_there(self._client, "PUT", f"{self._list}/{comment}", {"body": body})

    def delete(self, comment: int) -> None:
        """Delete a note."""
        _is_there(self._client, "DELETE", f"{self._list}/{comment}")


def _pages(client: Client, path: str, further: str = "") -> Iterator[Any]:
    for page in range(1, _MOST_PAGES + 1):
        items = client.call("GET", f"{path}?per_page={_PAGE}&page={page}{further}").value or []
        yield from items
        if len(items) < _PAGE:
            return


def _oldest_first(comments: Iterable[Comment]) -> list[Comment]:
    """Numbers grow with time on both hosts."""
    return sorted(comments, key=lambda comment: comment.id)


def _newer(client: Client, path: str, keys: Sequence[str], head: str) -> str:
    if not head:
        return ""
    try:
        newest = _dig(client.call("GET", path).value, keys)
    except RefusedError:
        # A token that may write comments need not be one that may read the pull request.
        return ""
    return newest if isinstance(newest, str) and newest != head else ""


def _is_there(client: Client, method: str, path: str, body: Any = None) -> bool:
    try:
        client.call(method, path, body)
    except RefusedError as refused:
        if refused.status != 404:
            raise
        return False
    return True


def _dig(value: Any, keys: Sequence[str]) -> Any:
    """What stands at a way through maps; None when there is no such way."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
