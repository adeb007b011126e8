"""`envc pr comment` in a job, from a fork, and without any host."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.forge.server import TOKEN, running_host
from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.forge.server import State


@pytest.fixture
def state() -> Iterator[State]:
    """A host on this machine."""
    with running_host() as host:
        yield host


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """A branch that changes an image in two environments."""
    root = make_project({
        "envc.yaml": "environments: [dev, prod]\n",
        "base/web/deployment.yaml": deployment(),
        "overlays/dev/environment.yaml": environment("namespace: dev\nowners: ['@shop/dev']\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\nowners: ['@shop/sre', '@shop/lead']\n"),
    })
    commit(root, "start")
    git(root, "checkout", "--quiet", "-b", "feature")
    (root / "base/web/deployment.yaml").write_text(deployment(image="nginx:1.28"), encoding="utf-8")
    commit(root, "newer image")
    return root


def enter_github(
    monkeypatch: pytest.MonkeyPatch, state: State, root: Path, folder: Path, source: str = "shop/shop"
) -> None:
    """Set the env vars of a GitHub job for this repository."""
    base = {"sha": git(root, "rev-parse", "main"), "repo": {"full_name": "shop/shop"}}
    head = {"sha": git(root, "rev-parse", "HEAD"), "repo": {"full_name": source}}
    event = folder / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "base": base, "head": head}}), encoding="utf-8")
    for name, text in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": state.address,
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": "shop/shop",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_TOKEN": TOKEN,
    }.items():
        monkeypatch.setenv(name, text)


def expected(root: Path) -> str:
    """The comment."""
    before, after = git(root, "rev-parse", "main"), git(root, "rev-parse", "HEAD")
    return (
        "### Compiled environments\n"
        "\n"
        f"2 resources in 2 of 2 environments, from `{before[:12]}` to `{after[:12]}`.\n"
        "\n"
        "| environment | added | changed | removed | class of change | requests | approval |\n"
        "|---|--:|--:|--:|---|---|---|\n"
        "| **dev** |  | 1 |  | image |  | `@shop/dev` |\n"
        "| **prod** |  | 1 |  | image |  | `@shop/sre` or `@shop/lead` |\n"
        "\n"
        "<details><summary><b>Deployment.apps/web</b> changed in dev, prod (image)</summary>\n"
        "\n"
        "```diff\n"
        "- spec.template.spec.containers[name=web].image: nginx:1.27\n"
        "+ spec.template.spec.containers[name=web].image: nginx:1.28\n"
        "```\n"
        "\n"
        "</details>\n"
        "\n"
        f"<!-- envcompile:pr-diff:envc part=1/1 sha={after} -->\n"
    )


def test_a_dry_run_prints_the_comment_and_needs_no_host(project: Path) -> None:
    """Summary first, then one block for the change that both environments share."""
    done = run_envc(project, "pr", "comment", "--dry-run")
    assert (done.code, done.out, done.err) == (0, expected(project), "")


def test_a_github_job_writes_the_comment_and_updates_it(
    project: Path, state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The second run with nothing new changes nothing."""
    enter_github(monkeypatch, state, project, tmp_path)
    assert run_envc(project, "pr", "comment") == (0, "", "comments: 1 written\n")
    assert run_envc(project, "pr", "comment") == (0, "", "comments: 1 unchanged\n")
    assert state.bodies() == [expected(project)]


def test_a_gitlab_job_writes_the_note(project: Path, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same comment on the other host."""
    for name, text in {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": state.address,
        "CI_PROJECT_ID": "shop/shop",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": git(project, "rev-parse", "main"),
        "CI_COMMIT_SHA": git(project, "rev-parse", "HEAD"),
        "GITLAB_TOKEN": TOKEN,
    }.items():
        monkeypatch.setenv(name, text)
    assert run_envc(project, "pr", "comment", "--fail-on-env", "prod") == (16, "", "comments: 1 written\n")
    assert state.bodies() == [expected(project)]


def test_a_change_that_differs_in_nothing_writes_no_comment(
    project: Path, state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A comment of an earlier push says that the difference is gone."""
    enter_github(monkeypatch, state, project, tmp_path)
    run_envc(project, "pr", "comment")
    (project / "base/web/deployment.yaml").write_text(deployment(), encoding="utf-8")
    assert run_envc(project, "pr", "comment", "--output", str(tmp_path / "whole.md")).err == "comments: 1 updated\n"
    assert state.bodies()[0].startswith("### Compiled environments\n\nNo compiled environment differs any more.\n")
    assert not (tmp_path / "whole.md").read_text()
    state.comments.clear()
    assert run_envc(project, "pr", "comment").err == "comments: nothing to do\n"
    assert run_envc(project, "pr", "comment", "--dry-run") == (0, "", "nothing differs: there would be no comment\n")


def test_a_fork_may_only_read_and_gets_the_jobs_summary(
    project: Path, state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing fails; the file of --output has it too."""
    enter_github(monkeypatch, state, project, tmp_path, source="mallory/shop")
    state.write_status = 403
    done = run_envc(project, "pr", "comment", "--output", str(tmp_path / "whole.md"))
    assert done == (0, "", "the token of a fork's job may not comment: written to the job's summary\n")
    assert state.bodies() == []
    for name in ("summary.md", "whole.md"):
        assert "| **prod** |  | 1 |  | image |  | `@shop/sre` or `@shop/lead` |" in (tmp_path / name).read_text()


def test_a_refusal_in_an_own_branch_is_an_error(
    project: Path, state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """There the token should have been allowed to write."""
    enter_github(monkeypatch, state, project, tmp_path)
    state.write_status = 403
    done = run_envc(project, "pr", "comment")
    assert done.code == 4
    assert done.err == (
        "error: GitHub refuses POST /repos/shop/shop/issues/7/comments: 403 Resource not accessible by integration\n"
        "hint: the token may not write comments: give the job `pull-requests: write` (GitHub) or a token with the"
        " scope `api` (GitLab)\n"
    )


def test_what_does_not_fit_is_counted_and_goes_to_the_summary(
    project: Path, state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whole resources move to further comments; beyond the last one only the summary and the file have them."""
    for number in range(40):
        text = config_map(f"many-{number}", **{f"key{at}": f"value{number}" for at in range(30)})
        (project / f"base/web/many-{number}.yaml").write_text(text, encoding="utf-8")
    enter_github(monkeypatch, state, project, tmp_path)
    state.limit = 6_000
    done = run_envc(project, "pr", "comment", "--limit", "6000", "--max-parts", "3")
    assert done == (0, "", "comments: 3 written; the whole is in the job's summary\n")
    assert [body.rstrip()[-70:].partition("part=")[2][:3] for body in state.bodies()] == ["1/3", "2/3", "3/3"]
    assert "more resources are in the job's summary and in the file of `--output`." in state.bodies()[2]
    assert (tmp_path / "summary.md").read_text().count("<details>") == 41


def test_outside_of_a_job_only_a_dry_run_works(project: Path) -> None:
    """There is no pull request to comment."""
    assert run_envc(project, "pr", "comment") == (
        2,
        "",
        (
            "error: this is no job of a pull request in GitHub Actions or GitLab CI\n"
            "hint: print the comment with --dry-run\n"
        ),
    )


def test_a_key_that_could_end_the_marker_is_refused(project: Path) -> None:
    """The marker is an HTML comment."""
    done = run_envc(project, "pr", "comment", "--dry-run", "--key", "a-->b")
    assert (done.code, done.err) == (
        2,
        "error: `a-->b` cannot be a comment's key\nhint: write letters, digits, `.`, `_`, `/` and `-`\n",
    )
