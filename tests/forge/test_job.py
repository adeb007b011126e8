"""What a job learns from the environment variables of both hosts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.errors import UsageError
from envcompile.forge.hosts.github import GitHub
from envcompile.forge.http import Client, Reply
from envcompile.forge.job import find_job

if TYPE_CHECKING:
    from pathlib import Path

GITLAB = {
    "GITLAB_CI": "true",
    "CI_API_V4_URL": "https://git.example.com/api/v4",
    "CI_PROJECT_ID": "11",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_PROJECT_ID": "11",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "11",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA": "ba5e",
    "CI_COMMIT_SHA": "4ead",
    "GITLAB_TOKEN": "canary",
}


def github(folder: Path, event: Any, **further: str) -> dict[str, str]:
    """The env vars of a GitHub job."""
    path = folder / "event.json"
    path.write_text(json.dumps(event), encoding="utf-8")
    return {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(path), "GITHUB_REPOSITORY": "shop/shop", **further}


def pull_request(source: str = "shop/shop") -> dict[str, Any]:
    """The event of a pull request."""
    base = {"sha": "ba5e", "repo": {"full_name": "shop/shop"}}
    return {"pull_request": {"number": 7, "base": base, "head": {"sha": "4ead", "repo": {"full_name": source}}}}


def test_a_pull_request_on_github(tmp_path: Path) -> None:
    """Number, both commits, and the repository come from the event."""
    job = find_job(github(tmp_path, pull_request(), GITHUB_STEP_SUMMARY="summary.md") | {"GITHUB_TOKEN": "canary"})
    assert job is not None
    assert (job.host, job.repository, job.number, job.base, job.head) == ("GitHub", "shop/shop", 7, "ba5e", "4ead")
    assert (job.api, job.token, job.is_fork) == ("https://api.github.com", "canary", False)
    assert "canary" not in repr(job)


def test_a_pull_request_from_a_fork(tmp_path: Path) -> None:
    """Its job gets a token that may only read."""
    job = find_job(github(tmp_path, pull_request("mallory/shop")))
    assert job is not None
    assert job.is_fork


def test_a_merge_request_on_gitlab() -> None:
    """Everything is in the variables."""
    job = find_job(GITLAB)
    assert job is not None
    assert (job.host, job.repository, job.number, job.base, job.head) == ("GitLab", "11", 7, "ba5e", "4ead")
    assert (job.api, job.token, job.is_fork) == ("https://git.example.com/api/v4", "canary", False)
    fork = find_job({**GITLAB, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "12"})
    assert fork is not None
    assert fork.is_fork


def test_a_pipeline_of_merged_results_compares_with_what_went_into_the_merge() -> None:
    """The merge that is checked out has what the target branch got meanwhile, which is not the merge request's."""
    merged = {"CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "7a46", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "50ce"}
    job = find_job({**GITLAB, **merged})
    assert job is not None
    assert (job.base, job.head) == ("7a46", "50ce")


def test_a_line_end_behind_a_token_is_not_part_of_it(tmp_path: Path) -> None:
    """Secrets are pasted with one."""
    for environ in (
        {**GITLAB, "GITLAB_TOKEN": "canary\n"},
        github(tmp_path, pull_request()) | {"GITHUB_TOKEN": " canary\n"},
    ):
        job = find_job(environ)
        assert job is not None
        assert job.token == "canary"


@pytest.mark.parametrize(
    ("api", "requests"),
    [
        (
            "https://api.github.com",
            ["https://api.github.com/graphql", "https://api.github.com/repos/shop/shop/pulls/7"],
        ),
        (
            "https://ghe.example.com/api/v3/",
            ["https://ghe.example.com/api/graphql", "https://ghe.example.com/api/v3/repos/shop/shop/pulls/7"],
        ),
        (
            "https://api.shop.ghe.com",
            ["https://api.shop.ghe.com/graphql", "https://api.shop.ghe.com/repos/shop/shop/pulls/7"],
        ),
    ],
)
def test_own_servers_have_their_api_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: str, requests: list[str]
) -> None:
    """REST in /api/v3 and GraphQL in /api/graphql, or both at the top of a host of their own."""
    sent: list[str] = []

    def answer(_client: Client, _method: str, url: str, _body: Any) -> Reply:
        sent.append(url)
        return Reply(200, {}, b"{}")

    monkeypatch.setattr(Client, "_send", answer)
    job = find_job(github(tmp_path, pull_request(), GITHUB_API_URL=api) | {"GITHUB_TOKEN": "canary"})
    assert job is not None
    host = job.connect()
    assert isinstance(host, GitHub)
    host._viewer()
    host.newer_commit()
    assert sent == requests


@pytest.mark.parametrize("event", [[], {"pull_request": {}}, {"pull_request": {"number": "7"}}, {"merge_group": {}}])
def test_other_events_are_no_pull_request(tmp_path: Path, event: Any) -> None:
    """A merge queue, an event of another shape."""
    assert find_job(github(tmp_path, event)) is None


def test_a_pull_request_whose_fork_is_gone_is_a_forks(tmp_path: Path) -> None:
    """GitHub gives null for the repository of its head."""
    event = pull_request()
    event["pull_request"]["head"]["repo"] = None
    job = find_job(github(tmp_path, event))
    assert job is not None
    assert job.is_fork


def test_other_places_are_no_job(tmp_path: Path) -> None:
    """A person's shell, a push, a branch pipeline."""
    assert find_job({}) is None
    assert find_job(github(tmp_path, {"push": {}})) is None
    assert find_job({"GITLAB_CI": "true"}) is None


def test_an_event_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    """The variable is wrong, not the pull request."""
    path = tmp_path / "gone.json"
    with pytest.raises(UsageError, match="the event of this GitHub job cannot be read from"):
        find_job({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(path)})


@pytest.mark.parametrize(("name", "host"), [("GITHUB_TOKEN", "GitHub"), ("GITLAB_TOKEN", "GitLab")])
def test_a_missing_token_is_named(name: str, host: str, tmp_path: Path) -> None:
    """The message says which variable to set."""
    environ = github(tmp_path, pull_request()) if host == "GitHub" else {**GITLAB, "GITLAB_TOKEN": ""}
    job = find_job(environ)
    assert job is not None
    with pytest.raises(UsageError, match=f"{name} is not set"):
        job.connect()
