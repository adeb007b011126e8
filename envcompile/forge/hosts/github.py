"""GitHub: jobs of GitHub Actions, and the comments of pull requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from envcompile.errors import Problem, UsageError
from envcompile.forge.comments import Comment, dig, is_there, newer, oldest_first, pages
from envcompile.forge.http import Client, RefusedError
from envcompile.forge.job import Job

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "GitHub"
LIMIT: Final = 65_536
TOKEN_VARIABLE: Final = "GITHUB_TOKEN"
TOKEN_ADVICE: Final = "pass it to the step: `env: {GITHUB_TOKEN: ${{ github.token }}}`"
GITHUB_BOT: Final = "github-actions[bot]"
"""Who writes with the token of a GitHub job, where the host does not say whom a token belongs to."""


def find_job(environ: Mapping[str, str]) -> Job | None:
    """The job of a pull request that these env vars tell of; None for any other job.

    Source: docs.github.com/actions/reference/variables, and the payload of the event `pull_request`.

    Raises:
        UsageError: the job's event cannot be read.
    """
    if environ.get("GITHUB_ACTIONS") != "true":
        return None
    path = environ.get("GITHUB_EVENT_PATH", "")
    try:
        event: Any = json.loads(Path(path).read_bytes()) if path else {}
    except (OSError, ValueError) as error:
        what = f"the event of this GitHub job cannot be read from {path}"
        raise UsageError([Problem(what, "GITHUB_EVENT_PATH must name the file that GitHub wrote")]) from error
    request = event.get("pull_request") if isinstance(event, dict) else None
    if not isinstance(request, dict) or not isinstance(request.get("number"), int):
        return None
    base, head = request.get("base") or {}, request.get("head") or {}
    own = (base.get("repo") or {}).get("full_name", "")
    summary = environ.get("GITHUB_STEP_SUMMARY")
    return Job(
        host=NAME,
        api=environ.get("GITHUB_API_URL") or "https://api.github.com",
        repository=environ.get("GITHUB_REPOSITORY") or own,
        number=request["number"],
        base=str(base.get("sha", "")),
        head=str(head.get("sha", "")),
        token=(environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or "").strip(),
        is_fork=(head.get("repo") or {}).get("full_name", "") != own,
        summary=Path(summary) if summary else None,
    )


def connect(job: Job, author: str | None = None) -> GitHub:
    """The pull request's comments; an own server has its REST API in /api/v3 and GraphQL beside that."""
    headers = {
        "Authorization": f"Bearer {job.token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    base = job.api.rstrip("/").removesuffix("/v3")
    client = Client(base, headers, NAME)
    return GitHub(
        client, job.repository, job.number, author, head=job.head, rest=job.api.rstrip("/").removeprefix(base)
    )


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

    limit = LIMIT

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
        return newer(self._client, self._pull, ("head", "sha"), self._head)

    def own_comments(self) -> list[Comment]:
        """Every comment that the token's owner wrote."""
        me = self._me()
        return oldest_first(
            Comment(item["id"], item.get("body") or "")
            for item in pages(self._client, self._list)
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
        return str(dig(answer, ("data", "viewer", "login")) or "")

    def _user(self) -> str:
        try:
            return str(dig(self._client.call("GET", f"{self._rest}/user").value, ("login",)) or "")
        except RefusedError as refused:
            if refused.status not in {403, 404}:
                raise
            return ""

    def create(self, body: str) -> None:
        """Write a comment."""
        self._client.call("POST", self._list, {"body": body})

    def update(self, comment: int, body: str) -> bool:
        """Change a comment."""
        return is_there(self._client, "PATCH", f"{self._repository}/issues/comments/{comment}", {"body": body})

    def delete(self, comment: int) -> None:
        """Delete a comment."""
        is_there(self._client, "DELETE", f"{self._repository}/issues/comments/{comment}")
