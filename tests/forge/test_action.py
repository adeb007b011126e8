"""The composite action runs as on GitHub: for pull requests, forks, queues and pushes, whatever its inputs hold."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.forge.composite import Job, install_python, read, run_action
from tests.forge.events import NOWHERE, merge_group, pull_request, push
from tests.forge.expressions import substitute
from tests.forge.origin import FILES, check_out, make_origin, push_again
from tests.forge.server import TOKEN, Failure
from tests.harness.repository import deployment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.forge.composite import Ran
    from tests.forge.origin import Origin
    from tests.forge.server import State

IMAGE = {"base/web/deployment.yaml": deployment(image="nginx:1.28")}
MEANWHILE = {"base/api/deployment.yaml": deployment("api", image="api:2")}
ROWS = "| **dev** |  | 1 |  | image |  |  |\n| **prod** |  | 1 |  | image |  | `@shop/sre` |\n"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python whose virtual environments need no network."""
    return install_python(tmp_path_factory.mktemp("python") / "bin")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Origin:
    """A repository with a pull request for a newer image in both environments; nobody changes it."""
    return make_origin(tmp_path_factory.mktemp("shop") / "origin", IMAGE)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Origin:
    """The same after the target branch went on."""
    return make_origin(tmp_path_factory.mktemp("behind") / "origin", IMAGE, meanwhile=MEANWHILE)


class Host(NamedTuple):
    """GitHub with a repository, and its runners."""

    state: State
    folder: Path
    python: Path

    def run(
        self,
        origin: Origin,
        event: Mapping[str, Any] | None = None,
        *,
        name: str = "pull_request",
        ref: str = "refs/pull/7/merge",
        depth: int = 0,
        inputs: Mapping[str, str] | None = None,
    ) -> Ran:
        """Check out and use the action in a new job."""
        folder = self.folder / f"job-{len(list(self.folder.glob('job-*')))}"
        workspace = folder / "work" / "shop"
        check_out(origin, workspace, ref, depth)
        told = pull_request(origin) if event is None else event
        api = f"{self.state.address}{self.state.prefix}"
        job = Job(workspace, folder, name, told, api, TOKEN, origin.merge)
        return run_action(job, inputs, self.python)


@pytest.fixture
def host(state: State, tmp_path: Path, python: Path) -> Host:
    """A host with nothing on it."""
    return Host(state, tmp_path, python)


def test_an_opened_pull_request_gets_its_comment(host: Host, image: Origin) -> None:
    """The comment is written, the artifact has the whole, and the PATH of later steps stays as it was."""
    ran = host.run(image)
    assert (ran.code, ran.log) == (0, "\ncomments: 1 written\n")
    (body,) = host.state.bodies()
    assert ROWS in body
    assert f"2 resources in 2 of 2 environments, from `{image.base[:12]}` to `{image.head[:12]}`." in body
    assert body.endswith(f"<!-- envcompile:pr-diff:envc part=1/1 sha={image.head} -->\n")
    (artifact,) = ran.artifacts
    assert artifact.name == "envc-diff"
    assert ROWS in artifact.text
    assert ran.outputs["file"].endswith("/temp/envc-diff.md")
    assert (ran.summary, ran.paths) == ("", ())


def test_a_push_to_the_pull_request_updates_the_comment_and_a_re_run_changes_nothing(host: Host) -> None:
    """`synchronize`, then `Re-run all jobs` with the same event."""
    origin = make_origin(host.folder / "origin", IMAGE)
    host.run(origin)
    newer = push_again(origin, {"base/api/deployment.yaml": deployment("api", image="api:3")})
    host.state.head = newer.head
    assert host.run(newer, pull_request(newer, "synchronize")).log == "\ncomments: 1 updated\n"
    assert host.run(newer, pull_request(newer, "synchronize")).log == "\ncomments: 1 unchanged\n"
    (body,) = host.state.bodies()
    assert "api:3" in body


def test_a_re_run_of_an_older_job_leaves_the_newer_comment_alone(host: Host) -> None:
    """GitHub gives it the event and the merge of that time."""
    origin = make_origin(host.folder / "origin", IMAGE)
    then = pull_request(origin)
    newer = push_again(origin, {"base/api/deployment.yaml": deployment("api", image="api:3")})
    host.state.head = newer.head
    host.run(newer, pull_request(newer, "synchronize"))
    before = host.state.bodies()
    again = host.run(origin, then, ref=origin.merge)
    said = f"comments: left to the job of {newer.head[:12]}, which is the newest commit by now"
    assert (again.code, again.log) == (0, f"\n{said}\n")
    assert host.state.bodies() == before


def test_what_the_target_branch_got_meanwhile_is_not_the_pull_requests(host: Host, behind: Origin) -> None:
    """The event names the branch as it was, the merge that is checked out has it as it is."""
    assert host.run(behind).code == 0
    (body,) = host.state.bodies()
    assert ROWS in body
    assert "api:2" not in body
    assert f"from `{behind.base[:12]}` to" in body


def test_the_pull_requests_own_commit_can_be_checked_out_instead_of_the_merge(host: Host, behind: Origin) -> None:
    """`ref: ${{ github.event.pull_request.head.sha }}`: then it is compared with where it began."""
    assert host.run(behind, ref="refs/pull/7/head").code == 0
    (body,) = host.state.bodies()
    assert ROWS in body
    assert f"from `{behind.began[:12]}` to" in body


def test_an_own_server_has_its_api_below_a_path(host: Host, image: Origin) -> None:
    """GitHub Enterprise Server: REST in /api/v3, GraphQL beside it."""
    host.state.prefix = "/api/v3"
    assert host.run(image).log == "\ncomments: 1 written\n"
    assert host.run(image).log == "\ncomments: 1 unchanged\n"
    assert "POST /api/graphql" in host.state.requests


def test_a_fork_may_only_read_and_gets_the_summary_and_the_artifact(host: Host, image: Origin) -> None:
    """The job does not fail for what its author cannot change."""
    host.state.write_status = 403
    ran = host.run(image, pull_request(image, source="mallory/shop"))
    said = "the token of a fork's job may not comment: written to the job's summary"
    assert (ran.code, ran.log) == (0, f"\n{said}\n")
    assert ROWS in ran.summary
    assert ROWS in ran.artifacts[0].text
    assert host.state.comments == []


def test_a_difference_in_a_gated_environment_fails_the_job_after_the_comment_was_written(
    host: Host, image: Origin
) -> None:
    """So the reason is there to be read; the artifact is kept, too."""
    ran = host.run(image, inputs={"fail-on-env": "prod"})
    assert ran.code == 16
    assert ROWS in host.state.bodies()[0]
    assert ROWS in ran.artifacts[0].text


@pytest.mark.parametrize(
    ("gates", "code"), [("dev", 0), ("dev prod", 16), ("dev\nprod\n", 16), ("\n  prod", 16), ("", 0)]
)
def test_gates_are_words_on_one_line_or_on_several(host: Host, gates: str, code: int) -> None:
    """A gate that is overlooked would be a change of prod that nobody stopped."""
    change = {"overlays/prod/environment.yaml": FILES["overlays/prod/environment.yaml"] + "replicas: {web: 3}\n"}
    assert host.run(make_origin(host.folder / "origin", change), inputs={"fail-on-env": gates}).code == code


def test_environments_may_stand_on_several_lines(host: Host, image: Origin) -> None:
    """As YAML's `|` gives them."""
    host.run(image, inputs={"environments": "dev\nprod\n"})
    assert ROWS in host.state.bodies()[0]


def test_the_merge_queue_gets_a_summary(host: Host, behind: Origin) -> None:
    """There is no pull request to comment, and the gates hold all the same."""
    ran = host.run(behind, merge_group(behind), name="merge_group", inputs={"fail-on-env": "prod"})
    assert ran.code == 16
    assert ROWS in ran.summary
    assert "api:2" not in ran.summary
    assert host.state.requests == []
    assert ROWS in ran.artifacts[0].text


def test_a_push_gets_a_summary(host: Host, image: Origin) -> None:
    """Compared with what the branch was before."""
    ran = host.run(image, push(image.base, image.merge), name="push")
    assert (ran.code, host.state.requests) == (0, [])
    assert ROWS in ran.summary


def test_a_push_of_a_new_branch_is_compared_with_the_default_branch(host: Host, image: Origin) -> None:
    """Its `before` is no commit."""
    ran = host.run(image, push(NOWHERE, image.head), name="push", ref="refs/pull/7/head")
    assert ran.code == 0
    assert ROWS in ran.summary


def test_a_scheduled_job_has_nothing_to_compare_and_says_so(host: Host, image: Origin) -> None:
    """The default branch is where it began."""
    ran = host.run(image, {"schedule": "0 4 * * *"}, name="schedule", ref="refs/heads/main")
    assert (ran.code, ran.summary) == (0, "")
    assert ran.log.endswith("nothing differs: there would be no comment\n")


def test_a_shallow_checkout_says_what_to_do(host: Host, image: Origin) -> None:
    """`fetch-depth: 1` is what actions/checkout does when nothing is said."""
    ran = host.run(image, depth=1)
    assert ran.code == 2
    assert ran.log == (
        f"\nerror: git knows no revision `{image.began}`\n"
        "hint: this clone is shallow: fetch the rest with `git fetch --unshallow`, in GitHub Actions `fetch-depth: 0`\n"
    )
    assert host.state.requests == []
    assert ran.artifacts == ()


def test_a_checkout_of_two_commits_is_enough_for_a_merge(host: Host, behind: Origin) -> None:
    """`fetch-depth: 2` has the merge and both of its parents: nothing else is needed."""
    assert host.run(behind, depth=2).code == 0
    assert ROWS in host.state.bodies()[0]


def test_the_target_branch_is_not_taken_for_the_pull_request(host: Host, image: Origin) -> None:
    """`pull_request_target` checks out the target branch: `nothing differs` would be a lie."""
    ran = host.run(image, name="pull_request_target", ref="refs/heads/main")
    assert ran.code == 1
    assert ran.log == (
        "\n::error::pull_request_target checks out the target branch, not the pull request: run on pull_request\n"
    )
    assert host.run(image, name="pull_request_target").log == "\ncomments: 1 written\n"


@pytest.mark.parametrize("project", ["deploy/shop", "./deploy/shop/", "with space/$(touch pwned)"])
def test_a_project_in_a_folder_of_its_own(host: Host, project: str) -> None:
    """Whatever it is called."""
    folder = project.removeprefix("./").rstrip("/")
    origin = make_origin(
        host.folder / "origin", {f"{path}": text for path, text in IMAGE.items()}, project=f"{folder}/"
    )
    assert host.run(origin, inputs={"project": project}).log == "\ncomments: 1 written\n"
    assert ROWS in host.state.bodies()[0]


ODD = "a $(touch pwned) `touch pwned`'; touch pwned; '\"; touch pwned; \"\ntouch pwned\n${{ github.token }}"


@pytest.mark.parametrize("text", [ODD, "--dry-run", "*", "-"])
@pytest.mark.parametrize("name", ["environments", "fail-on-env", "from", "project", "key"])
def test_no_input_is_run_or_taken_for_an_option(host: Host, image: Origin, name: str, text: str) -> None:
    """A branch or a label that somebody names as they like may become an input."""
    ran = host.run(image, inputs={name: text})
    assert not list(host.folder.glob("**/pwned"))
    assert "Traceback" not in ran.log
    assert TOKEN not in ran.log
    if (name, text) == ("key", "-"):
        assert (ran.code, [artifact.name for artifact in ran.artifacts]) == (0, ["--diff"])
        return
    assert ran.code in {2, 4}
    assert "error:" in ran.log


@pytest.mark.parametrize("name", ["key", "project", "environments", "from", "fail-on-env"])
def test_an_empty_input_is_the_default(host: Host, image: Origin, name: str) -> None:
    """Whoever passes on an input of their own, passes on an empty text."""
    ran = host.run(image, inputs={name: ""})
    assert ran.log == "\ncomments: 1 written\n"
    assert host.state.bodies()[0].rpartition("<!-- ")[2].startswith("envcompile:pr-diff:envc part=1/1")


def test_two_projects_have_a_comment_and_an_artifact_each(host: Host, image: Origin) -> None:
    """The key tells them apart; a slash in it may be in a comment, and not in an artifact's name."""
    first = host.run(image, inputs={"key": "team/shop"})
    second = host.run(image, inputs={"key": "other"})
    assert [artifact.name for artifact in (*first.artifacts, *second.artifacts)] == ["team-shop-diff", "other-diff"]
    assert len(host.state.comments) == 2


def test_a_pull_request_that_changes_no_environment_gets_no_comment(host: Host) -> None:
    """And an artifact that is empty."""
    ran = host.run(make_origin(host.folder / "origin", {"README.md": "words\n"}))
    assert ran.log == "\ncomments: nothing to do\n"
    assert [artifact.text for artifact in ran.artifacts] == [""]
    assert host.state.comments == []


def test_a_project_that_does_not_compile_is_told_in_the_comment(host: Host) -> None:
    """With the place and the mend, and in the artifact; the job is only failed by an environment that is asked for."""
    typo = {"overlays/prod/web.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: wbe}\n"}
    ran = host.run(make_origin(host.folder / "origin", typo))
    assert ran.code == 0
    (comment,) = host.state.comments
    assert "does not compile for **" in comment["body"]
    assert "(overlays/prod/web.yaml:1:1); did you mean 'web'?" in comment["body"]
    assert [artifact.text for artifact in ran.artifacts] != [""]
    assert host.run(make_origin(host.folder / "again", typo), inputs={"fail-on-env": "prod"}).code == 16


def test_a_host_that_fails_is_an_error_of_its_own_and_the_artifact_is_kept(host: Host, image: Origin) -> None:
    """Exit 4: nothing is wrong with the change."""
    host.state.failures = [Failure(422, {}, "Validation Failed")] * 2
    ran = host.run(image, inputs={"fail-on-env": "prod"})
    assert ran.code == 4
    assert ROWS in ran.artifacts[0].text


def test_an_old_python_is_reported(host: Host, image: Origin) -> None:
    """Where the runner has an older one, pip would talk of everything but that."""
    folder = host.folder / "old"
    folder.mkdir()
    (folder / "python3").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (folder / "python3").chmod(0o755)
    ran = host._replace(python=folder).run(image)
    assert ran.code == 1
    assert ran.log == "::error::envc needs Python 3.11 or newer: put actions/setup-python before this step\n"
    assert (ran.artifacts, ran.outputs) == ((), {"file": ""})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_checkout_that_belongs_to_another_user_is_read(host: Host, image: Origin) -> None:
    """So it is in a job that runs in a container."""
    folder = host.folder / "job"
    check_out(image, folder / "work", "refs/pull/7/merge", 0)
    for path in ((folder / "work"), *(folder / "work").rglob("*")):
        os.lchown(path, 1001, 1001)
    job = Job(folder / "work", folder, "pull_request", pull_request(image), host.state.address, TOKEN, image.merge)
    assert run_action(job, python=host.python).log == "\ncomments: 1 written\n"


def test_the_workflow_runs_the_action_and_may_write_comments_and_nothing_else(host: Host, image: Origin) -> None:
    """It uses the action of this repository on a whole clone, whose token is not left behind; a push cancels it."""
    workflow = read(".github/workflows/diff.yml")
    (job,) = workflow["jobs"].values()
    # `on` is a yes in the YAML that kubectl reads.
    assert (workflow["true"], workflow["permissions"]) == ({"pull_request": None}, {})
    assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
    checkout, action = job["steps"]
    assert checkout["uses"].startswith("actions/checkout@")
    assert (checkout["with"], action) == ({"fetch-depth": 0, "persist-credentials": False}, {"uses": "./"})
    contexts = {"github": {"event": pull_request(image)}}
    assert substitute(workflow["concurrency"]["group"], contexts) == "diff-7"
    assert workflow["concurrency"]["cancel-in-progress"] is True
    assert host.run(image, depth=checkout["with"]["fetch-depth"]).log == "\ncomments: 1 written\n"


def test_no_module_of_the_pull_request_is_imported(host: Host) -> None:
    """Case action-venv-from-checkout: nor of hooks-import-from-checkout; a branch that brings modules runs none."""
    names = (
        "venv",
        "envcompile",
        "json",
        "typing",
        "pip",
        "ensurepip",
        "site",
        "sitecustomize",
        "usercustomize",
        "runpy",
    )
    planted = {f"{name}.py": f"open({str(host.folder / 'RAN')!r}, 'a').write('{name}\\n')\n" for name in names}
    origin = make_origin(host.folder / "origin", {**IMAGE, **planted})
    folder = host.folder / "job"
    check_out(origin, folder / "work", "refs/pull/7/merge", 0)
    api = f"{host.state.address}{host.state.prefix}"
    job = Job(folder / "work", folder, "pull_request", pull_request(origin), api, TOKEN, origin.merge)
    assert (folder / "work" / "venv.py").exists()
    assert run_action(job, {}, host.python).code == 0
    assert not (host.folder / "RAN").exists()


def test_a_folder_that_looks_like_a_repository_is_none(host: Host, tmp_path: Path) -> None:
    """A pull request cannot configure the git of the job: a folder with HEAD, objects and refs is no repository."""
    ran = tmp_path / "RAN"
    core = f"repositoryformatversion = 0\n\tbare = false\n\tworktree = .\n\tfsmonitor = touch {ran}\n"
    planted = {
        "shop/HEAD": "ref: refs/heads/main\n",
        "shop/config": f"[core]\n\t{core}",
        "shop/objects/x": "",
        "shop/refs/x": "",
        "shop/base/web.yaml": deployment(),
        "shop/overlays/dev/environment.yaml": "apiVersion: envcompile.dev/v1\nkind: Environment\n",
    }
    origin = make_origin(host.folder / "origin", {**IMAGE, **planted})
    host.run(origin, inputs={"project": "shop"})
    assert not ran.exists()
