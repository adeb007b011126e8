"""GitLab: jobs of GitLab CI, and the notes of merge requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from envcompile.forge.comments import Comment, dig, is_there, newer, oldest_first, pages
from envcompile.forge.http import Client
from envcompile.forge.job import Job

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "GitLab"
LIMIT: Final = 1_000_000
TOKEN_VARIABLE: Final = "GITLAB_TOKEN"
TOKEN_ADVICE: Final = (
    "add a CI/CD variable, masked and not protected, with a project access token of scope `api`;"
    " CI_JOB_TOKEN may not write notes"
)
ADVICE: Final = " (CI_JOB_TOKEN may not write notes)"
"""What messages about a refused token add."""


def find_job(environ: Mapping[str, str]) -> Job | None:
    """The job of a merge request that these env vars tell of; None for any other job.

    Source: docs.gitlab.com/ci/variables/predefined_variables.

    A pipeline of merged results, and so of a merge train, has checked out the merge: what it adds is seen against the
    target branch's commit that went into it, and the merge request's own commit is another one, too.
    """
    number = environ.get("CI_MERGE_REQUEST_IID", "")
    if environ.get("GITLAB_CI") != "true" or not number.isdigit():
        return None
    project = environ.get("CI_MERGE_REQUEST_PROJECT_ID") or environ.get("CI_PROJECT_ID", "")
    source = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") or project
    return Job(
        host=NAME,
        api=environ.get("CI_API_V4_URL") or "https://gitlab.com/api/v4",
        repository=project,
        number=int(number),
        base=environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA") or environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""),
        head=environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA", ""),
        token=environ.get("GITLAB_TOKEN", "").strip(),
        is_fork=source != project,
        summary=None,
    )


def connect(job: Job, author: str | None = None) -> GitLab:
    """The merge request's notes; whom they belong to, the token says."""
    del author
    client = Client(job.api, {"PRIVATE-TOKEN": job.token}, NAME, advice=ADVICE)
    return GitLab(client, job.repository, job.number, head=job.head)


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

    limit = LIMIT

    def __init__(self, client: Client, project: str, number: int, *, head: str = "") -> None:
        self._client = client
        self._head = head
        self._request = f"/projects/{quote(project, safe='')}/merge_requests/{number}"
        self._list = f"{self._request}/notes"

    def newer_commit(self) -> str:
        """The merge request's newest commit when that is not this job's."""
        return newer(self._client, self._request, ("sha",), self._head)

    def own_comments(self) -> list[Comment]:
        """Every note that the token's owner wrote; what the host wrote about events is left out."""
        me = dig(self._client.call("GET", "/user").value, ("id",))
        return oldest_first(
            Comment(item["id"], item.get("body") or "")
            for item in pages(self._client, self._list, "&sort=asc&order_by=created_at")
            if me is not None and (item.get("author") or {}).get("id") == me and not item.get("system")
        )

    def create(self, body: str) -> None:
        """Write a note."""
        self._client.call("POST", self._list, {"body": body})

    def update(self, comment: int, body: str) -> bool:
        """Change a note."""
        return is_there(self._client, "PUT", f"{self._list}/{comment}", {"body": body})

    def delete(self, comment: int) -> None:
        """Delete a note."""
        is_there(self._client, "DELETE", f"{self._list}/{comment}")
