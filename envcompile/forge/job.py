"""What a CI job knows about the pull request it runs for, from the environment variables of GitHub and GitLab."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.errors import Problem, UsageError
from envcompile.forge.hosts import GitHub, GitLab
from envcompile.forge.http import Client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.forge.hosts import Host


class Job(NamedTuple):
    """A CI job for a pull request."""

    host: str
    """`GitHub` or `GitLab`."""
    api: str
    repository: str
    number: int
    base: str
    """A commit of the branch that the pull request goes to."""
    head: str
    """The pull request's newest commit."""
    token: str
    is_fork: bool
    """True when the change comes from another repository, whose jobs get a token that may only read."""
    summary: Path | None
    """The file that becomes the job's summary."""

    def __repr__(self) -> str:
        return f"Job({self.host} {self.repository} {self.number})"

    def connect(self, author: str | None = None) -> Host:
        """The host's comments; on GitHub those of this author, of the token's owner when left out.

        Raises:
            UsageError: there is no token.
        """
        if not self.token:
            name = "GITHUB_TOKEN" if self.host == "GitHub" else "GITLAB_TOKEN"
            fix = (
                "pass it to the step: `env: {GITHUB_TOKEN: ${{ github.token }}}`"
                if self.host == "GitHub"
                else "add a CI/CD variable, masked and not protected, with a project access token of scope `api`;"
                " CI_JOB_TOKEN may not write notes"
            )
            raise UsageError([Problem(f"{name} is not set", fix)])
        if self.host == "GitHub":
            headers = {
                "Authorization": f"Bearer {self.token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            }
            # An own server has its REST API in /api/v3 and GraphQL beside that.
            base = self.api.rstrip("/").removesuffix("/v3")
            client = Client(base, headers, "GitHub")
            rest = self.api.rstrip("/").removeprefix(base)
            return GitHub(client, self.repository, self.number, author, head=self.head, rest=rest)
        client = Client(self.api, {"PRIVATE-TOKEN": self.token}, "GitLab")
        return GitLab(client, self.repository, self.number, head=self.head)


def find_job(environ: Mapping[str, str]) -> Job | None:
    """The job that this process is part of; None outside of a pull request's job.

    Raises:
        UsageError: the job's event cannot be read.
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        return _github(environ)
    if environ.get("GITLAB_CI") == "true":
        return _gitlab(environ)
    return None


def _github(environ: Mapping[str, str]) -> Job | None:
    """Source: docs.github.com/actions/reference/variables, and the payload of the event `pull_request`."""
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
        host="GitHub",
        api=environ.get("GITHUB_API_URL") or "https://api.github.com",
        repository=environ.get("GITHUB_REPOSITORY") or own,
        number=request["number"],
        base=str(base.get("sha", "")),
        head=str(head.get("sha", "")),
        token=(environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or "").strip(),
        is_fork=(head.get("repo") or {}).get("full_name", "") != own,
        summary=Path(summary) if summary else None,
    )


def _gitlab(environ: Mapping[str, str]) -> Job | None:
    """Source: docs.gitlab.com/ci/variables/predefined_variables.

    A pipeline of merged results, and so of a merge train, has checked out the merge: what it adds is seen against the
    target branch's commit that went into it, and the merge request's own commit is another one, too.
    """
    number = environ.get("CI_MERGE_REQUEST_IID", "")
    if not number.isdigit():
        return None
    project = environ.get("CI_MERGE_REQUEST_PROJECT_ID") or environ.get("CI_PROJECT_ID", "")
    source = environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") or project
    return Job(
        host="GitLab",
        api=environ.get("CI_API_V4_URL") or "https://gitlab.com/api/v4",
        repository=project,
        number=int(number),
        base=environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA") or environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""),
        head=environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA", ""),
        token=environ.get("GITLAB_TOKEN", "").strip(),
        is_fork=source != project,
        summary=None,
    )
