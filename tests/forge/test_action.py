"""The GitHub Action and the GitLab template: well-formed, safe against inputs, and their scripts run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from envcompile.yamlio import load_all

ROOT = Path(__file__).parents[2]


def read(name: str) -> Any:
    """The value of a YAML file of the repository."""
    (value,) = load_all((ROOT / name).read_bytes(), name)
    return value


@pytest.fixture
def envc(tmp_path: Path) -> Path:
    """A folder with an `envc` that writes down its arguments and exits as it is told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "envc"
    script.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$RUNNER_TEMP/arguments"\nexit "${ENVC_EXIT:-0}"\n')
    script.chmod(0o755)
    return folder


def run(script: str, envc: Path, temp: Path, **variables: str) -> tuple[int, list[str]]:
    """Run a step's script as the hosts do; the exit code, and the arguments that envc got."""
    env = {"PATH": f"{envc}:{os.environ['PATH']}", "RUNNER_TEMP": str(temp), **variables}
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", script], env=env, cwd=temp, check=False)
    written = temp / "arguments"
    return done.returncode, written.read_text().splitlines() if written.exists() else []


def test_the_action_has_what_a_composite_action_needs() -> None:
    """Every step has a shell or uses another action; every output has a value."""
    action = read("action.yml")
    assert action["runs"]["using"] == "composite"
    assert all("uses" in step or ("run" in step and "shell" in step) for step in action["runs"]["steps"])
    assert all("description" in given for given in (*action["inputs"].values(), *action["outputs"].values()))


def test_no_script_contains_an_expression() -> None:
    """An input that is pasted into a script is a script of its own."""
    scripts = [step["run"] for step in read("action.yml")["runs"]["steps"] if "run" in step]
    assert len(scripts) == 2
    assert not [script for script in scripts if re.search(r"\$\{\{", script)]


@pytest.mark.parametrize("code", [0, 16])
def test_the_actions_script_hands_its_inputs_on(envc: Path, tmp_path: Path, code: int) -> None:
    """Inputs become arguments whatever they hold, and the exit code is the step's."""
    script = next(step["run"] for step in read("action.yml")["runs"]["steps"] if step.get("id") == "compare")
    output = tmp_path / "output"
    variables = {"ENVIRONMENTS": "dev prod", "FAIL_ON": "prod", "FROM": "a b", "PROJECT": ".", "KEY": "$(touch pwned)"}
    found = run(script, envc, tmp_path, GITHUB_OUTPUT=str(output), ENVC_EXIT=str(code), **variables)
    file = f"{tmp_path}/envc-diff.md"
    assert found == (
        code,
        [
            *("--project", ".", "pr", "comment", "--key", "$(touch pwned)", "--output", file, "dev", "prod"),
            *("--fail-on-env", "prod", "--from", "a b"),
        ],
    )
    assert output.read_text() == f"file={file}\n"
    assert not (tmp_path / "pwned").exists()


def test_the_actions_script_runs_without_inputs(envc: Path, tmp_path: Path) -> None:
    """Empty inputs add nothing."""
    script = next(step["run"] for step in read("action.yml")["runs"]["steps"] if step.get("id") == "compare")
    variables = dict.fromkeys(("ENVIRONMENTS", "FAIL_ON", "FROM"), "") | {"PROJECT": ".", "KEY": "envc"}
    code, arguments = run(script, envc, tmp_path, GITHUB_OUTPUT=str(tmp_path / "output"), **variables)
    assert (code, arguments[-2:]) == (0, ["--output", f"{tmp_path}/envc-diff.md"])


def test_the_workflow_may_write_comments_and_nothing_else() -> None:
    """It uses the action of this repository on a whole clone, whose token is not left behind."""
    workflow = read(".github/workflows/diff.yml")
    job = workflow["jobs"]["diff"]
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert job["steps"][0]["with"] == {"fetch-depth": 0, "persist-credentials": False}
    assert job["steps"][1] == {"uses": "./"}


def test_the_gitlab_template_runs_for_merge_requests(envc: Path, tmp_path: Path) -> None:
    """Its script is a shell's, and gates become options."""
    job = read(".gitlab/diff.yml")["envc-diff"]
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}]
    assert job["variables"]["GIT_DEPTH"] == "0"
    found = run("\n".join(job["script"]), envc, tmp_path, ENVC_PROJECT="deploy", ENVC_FAIL_ON="staging prod")
    expected = ["--project", "deploy", "pr", "comment", "--output", "envc-diff.md"]
    assert found == (0, [*expected, "--fail-on-env", "staging", "--fail-on-env", "prod"])
