"""The GitLab template runs as on GitLab: merge requests, merged results, forks, in bash and in sh."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.forge.gitlab import run_job, template
from tests.forge.origin import check_out, make_origin
from tests.forge.server import TOKEN, running_host
from tests.harness.repository import deployment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.forge.gitlab import Ran
    from tests.forge.origin import Origin
    from tests.forge.server import State

IMAGE = {"base/web/deployment.yaml": deployment(image="nginx:1.28")}
MEANWHILE = {"base/api/deployment.yaml": deployment("api", image="api:2")}
ROWS = "| **dev** |  | 1 |  | image |  |  |\n| **prod** |  | 1 |  | image |  | `@shop/sre` |\n"
SOURCE = "refs/merge-requests/7/head"
MERGED = "refs/pull/7/merge"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Origin:
    """A project with a merge request for a newer image, whose target branch went on meanwhile."""
    return make_origin(tmp_path_factory.mktemp("shop") / "origin", IMAGE, meanwhile=MEANWHILE)


class Host(NamedTuple):
    """GitLab with the project, and its runners."""

    state: State
    folder: Path
    origin: Origin

    def variables(self, *, is_merged: bool = False) -> dict[str, str]:
        """What GitLab sets in a pipeline of the merge request, detached or of merged results."""
        origin = self.origin
        return {
            "CI_API_V4_URL": f"{self.state.address}{self.state.prefix}",
            "CI_COMMIT_SHA": origin.merge if is_merged else origin.head,
            "CI_JOB_TOKEN": "job-canary",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": origin.began,
            "CI_MERGE_REQUEST_EVENT_TYPE": "merged_result" if is_merged else "detached",
            "CI_MERGE_REQUEST_ID": "900",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_PROJECT_ID": "11",
            "CI_MERGE_REQUEST_PROJECT_PATH": "shop/shop",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature",
            "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": origin.head if is_merged else "",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "11",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": origin.base if is_merged else "",
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_PROJECT_ID": "11",
            "CI_PROJECT_PATH": "shop/shop",
            "CI_SERVER_URL": self.state.address,
        }

    def run(
        self,
        given: Mapping[str, str] | None = None,
        *,
        is_merged: bool = False,
        shell: str = "bash",
        depth: int | None = None,
        token: str = TOKEN,
        **further: str,
    ) -> Ran:
        """Check out and run the job in a new pipeline."""
        folder = self.folder / f"job-{len(list(self.folder.glob('job-*')))}"
        wanted = int(template()["variables"]["GIT_DEPTH"]) if depth is None else depth
        check_out(self.origin, folder / "builds", MERGED if is_merged else SOURCE, wanted)
        predefined = {**self.variables(is_merged=is_merged), **further, **({"GITLAB_TOKEN": token} if token else {})}
        return run_job(folder / "builds", folder / "runner", predefined, given or {}, shell)


@pytest.fixture
def state() -> Iterator[State]:
    """GitLab below a path of its own, as many run it."""
    with running_host() as host:
        host.prefix = "/gitlab/api/v4"
        yield host


@pytest.fixture
def host(state: State, tmp_path: Path, origin: Origin) -> Host:
    """A host without any note."""
    return Host(state, tmp_path, origin)


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_merge_request_gets_its_note(host: Host, shell: str) -> None:
    """A detached pipeline: the source branch is checked out and compared with where it began."""
    ran = host.run(shell=shell)
    assert (ran.code, ran.log) == (0, "comments: 1 written\n")
    assert ran.installed == (
        "apt-get update -qq",
        "apt-get install -qq -y --no-install-recommends git",
        "pip install --quiet envcompile",
    )
    (body,) = host.state.bodies()
    assert ROWS in body
    assert "api:2" not in body
    assert body.endswith(f"part=1/1 sha={host.origin.head} -->\n")
    assert ROWS in ran.artifacts["envc-diff.md"]
    assert host.run(shell=shell).log == "comments: 1 unchanged\n"


def test_merged_results_are_compared_with_what_went_into_the_merge(host: Host) -> None:
    """What the target branch got meanwhile is in the checkout, and is not the merge request's."""
    ran = host.run(is_merged=True)
    assert ran.log == "comments: 1 written\n"
    (body,) = host.state.bodies()
    assert ROWS in body
    assert "api:2" not in body
    assert f"from `{host.origin.base[:12]}` to `{host.origin.head[:12]}`" in body


def test_a_pipeline_that_was_overtaken_writes_nothing(host: Host) -> None:
    """The merge request has a newer commit, whose pipeline writes."""
    host.state.head = "4e" * 20
    assert host.run().log == "comments: left to the job of 4e4e4e4e4e4e, which is the newest commit by now\n"
    assert host.state.comments == []


@pytest.mark.parametrize("shell", ["bash", "sh"])
@pytest.mark.parametrize(
    ("gates", "code"), [("prod", 16), ("dev\nprod", 16), ("", 0), ("*", 2), ("$(touch pwned)", 2), ("--dry-run", 2)]
)
def test_gates_fail_the_job_after_the_note_was_written(host: Host, shell: str, gates: str, code: int) -> None:
    """They are words and nothing else; the artifact is kept."""
    ran = host.run({"ENVC_FAIL_ON": gates}, shell=shell)
    assert ran.code == code
    assert ROWS in host.state.bodies()[0]
    assert ROWS in ran.artifacts["envc-diff.md"]
    assert not list(host.folder.glob("**/pwned"))


def test_environments_project_and_key_are_variables(host: Host) -> None:
    """A second project is a second job."""
    ran = host.run({"ENVC_ENVIRONMENTS": "prod", "ENVC_KEY": "other", "ENVC_PROJECT": "./overlays"})
    assert ran.log == "comments: 1 written\n"
    (body,) = host.state.bodies()
    assert "| **dev** |" not in body
    assert "envcompile:pr-diff:other part=1/1" in body


def test_the_jobs_own_token_is_explained(host: Host) -> None:
    """It may not write notes, whatever header it is sent in."""
    ran = host.run(token="job-canary")  # ruff: ignore[hardcoded-password-func-arg] - that of the job above
    assert ran.code == 4
    assert ran.log == (
        "error: GitLab refuses GET /user: 401 Bad credentials\n"
        "hint: the token is wrong or has expired: set a valid one (CI_JOB_TOKEN may not write notes)\n"
    )


def test_a_missing_token_is_explained(host: Host) -> None:
    """A protected variable is missing in the pipelines of merge requests."""
    ran = host.run(token="")
    assert ran.code == 2
    assert ran.log == (
        "error: GITLAB_TOKEN is not set\n"
        "hint: add a CI/CD variable, masked and not protected, with a project access token of scope `api`;"
        " CI_JOB_TOKEN may not write notes\n"
    )
    assert ROWS in ran.artifacts["envc-diff.md"]


@pytest.mark.parametrize("token", ["", "forks-own-canary"])
def test_a_forks_pipeline_keeps_the_artifact(host: Host, token: str) -> None:
    """It runs in the fork, with the fork's variables: there the host's answer is no."""
    ran = host.run(
        token=token, CI_PROJECT_ID="12", CI_PROJECT_PATH="mallory/shop", CI_MERGE_REQUEST_SOURCE_PROJECT_ID="12"
    )
    assert ran.code == 0
    assert ran.log == "the token of a fork's job may not comment: see the file of --output\n"
    assert ROWS in ran.artifacts["envc-diff.md"]
    assert template()["artifacts"]["expose_as"]


def test_a_forks_merge_request_that_runs_in_the_parent_gets_its_note(host: Host) -> None:
    """A member of the parent project may run the pipeline there, with its variables."""
    assert host.run(CI_MERGE_REQUEST_SOURCE_PROJECT_ID="12").log == "comments: 1 written\n"


def test_a_shallow_clone_is_explained(host: Host) -> None:
    """A project that sets a depth of its own."""
    ran = host.run(depth=1)
    assert ran.code == 2
    assert "fetch the rest with `git fetch --unshallow`" in ran.log


def test_the_job_runs_for_merge_requests_only_and_waits_for_nothing() -> None:
    """A newer push may cancel it."""
    job = template()
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}]
    assert (job["needs"], job["interruptible"], job["artifacts"]["when"]) == ([], True, "always")


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_no_module_of_the_merge_request_is_imported(state: State, tmp_path: Path, shell: str) -> None:
    """A branch that brings modules runs none, whatever the project's variables say of Python's path."""
    ran = tmp_path / "RAN"
    names = ("envcompile", "json", "typing", "pip", "site", "sitecustomize", "usercustomize", "runpy", "os")
    planted = {f"{name}.py": f"open({str(ran)!r}, 'a').write('{name}\\n')\n" for name in names}
    origin = make_origin(tmp_path / "origin", {**IMAGE, **planted})
    Host(state, tmp_path, origin).run(shell=shell, PYTHONPATH=".")
    assert not ran.exists()
