"""Runs a composite action as GitHub's runner does, on a machine without a network.

The scripts are executed as they stand, with the shell's own options. Two things stand in for others: `pip install
FOLDER` puts an `envc` there that runs this very source, and actions/upload-artifact keeps the rules of the real one
about names and files.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.yamlio import load_all
from tests.forge.expressions import evaluate, substitute

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
_SHELLS = {"bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail")}
_STEP_KEYS = {"name", "id", "if", "shell", "env", "run", "uses", "with"}
_GITHUB_KEYS = ("token", "event_name", "repository", "run_id", "run_attempt", "sha", "ref", "workspace")
_PIP = """\
#!/bin/sh
# Takes the place of `pip install FOLDER`: no index, no build.
test "$1 $2 $3 $#" = "install --quiet --disable-pip-version-check 4" || exit 97
grep -q '^name = "envcompile"$' "$4/pyproject.toml" || exit 98
printf '#!/bin/sh\\nPYTHONPATH=%s exec %s -m envcompile "$@"\\n' "$4" {python} > "$(dirname "$0")/envc"
chmod +x "$(dirname "$0")/envc"
"""
_PYTHON = """\
#!/bin/sh
# `python3 -I -m venv` as it is, but for pip: it would have to be unpacked, and would find nothing to install from.
if test "$1 $2 $3" = "-I -m venv"; then
  {python} -I -m venv --without-pip "$4" && cp {pip} "$4/bin/pip"
else
  exec {python} "$@"
fi
"""


class Job(NamedTuple):
    """Where and for what a job runs."""

    workspace: Path
    folder: Path
    """For everything that is the runner's."""
    event_name: str
    event: Mapping[str, Any]
    api: str
    token: str
    sha: str


class Artifact(NamedTuple):
    """What was uploaded."""

    name: str
    text: str


class Ran(NamedTuple):
    """What an action left."""

    code: int
    """Of the first script that failed; 0 when all went well, 1 when an upload failed."""
    log: str
    summary: str
    artifacts: tuple[Artifact, ...]
    outputs: Mapping[str, str]
    paths: tuple[str, ...]
    """What was put in front of PATH for the steps that follow in the job."""


def read(name: str) -> Any:
    """The value of a YAML file of the repository."""
    (value,) = load_all((ROOT / name).read_bytes(), name)
    return value


def install_python(folder: Path) -> Path:
    """A folder for PATH whose `python3` makes virtual environments that need no network."""
    folder.mkdir(parents=True)
    python = shlex.quote(sys.executable)
    pip = folder / "pip-without-network"
    pip.write_text(_PIP.format(python=python), encoding="utf-8")
    script = folder / "python3"
    script.write_text(_PYTHON.format(python=python, pip=shlex.quote(str(pip))), encoding="utf-8")
    pip.chmod(0o755)
    script.chmod(0o755)
    return folder


def run_action(
    job: Job, given: Mapping[str, str] | None = None, python: Path | None = None, file: str = "action.yml"
) -> Ran:
    """Run every step of one of the project's actions.

    Args:
        job: the job that uses the action.
        given: its inputs.
        python: from `install_python`; made anew when left out.
        file: the action.
    """
    action = read(file)
    assert action["runs"]["using"] == "composite"
    path = f"{python or install_python(job.folder / 'python')}{os.pathsep}{os.environ['PATH']}"
    return _Run(job, action, path).run(given or {})


class _Run:
    def __init__(self, job: Job, action: Mapping[str, Any], path: str) -> None:
        self._job = job
        self._action = action
        self._temp = job.folder / "temp"
        self._temp.mkdir(parents=True, exist_ok=True)
        (job.folder / "event.json").write_text(json.dumps(job.event), encoding="utf-8")
        self._variables = {
            "HOME": str(job.folder),
            "PATH": path,
            "LC_ALL": "C.UTF-8",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_API_URL": job.api,
            "GITHUB_EVENT_NAME": job.event_name,
            "GITHUB_EVENT_PATH": str(job.folder / "event.json"),
            "GITHUB_REPOSITORY": "shop/shop",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_RUN_ID": "4711",
            "GITHUB_SHA": job.sha,
            "GITHUB_WORKSPACE": str(job.workspace),
            "RUNNER_TEMP": str(self._temp),
        }
        github = {name: self._variables.get(f"GITHUB_{name.upper()}", "") for name in _GITHUB_KEYS}
        # What a step has not put out, or a step that never ran, is empty.
        names = re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", json.dumps(action))
        steps: dict[str, Any] = {step["id"]: {"outputs": {}} for step in action["runs"]["steps"] if "id" in step}
        for step, name in names:
            steps[step]["outputs"][name] = ""
        self._contexts: dict[str, Any] = {
            "github": {**github, "token": job.token, "event": job.event},
            "steps": steps,
            "success": True,
        }
        self._log: list[str] = []
        self._summary = ""
        self._paths: list[str] = []
        self._artifacts: list[Artifact] = []
        self._code = 0

    def run(self, given: Mapping[str, str]) -> Ran:
        declared = self._action["inputs"]
        unknown = set(given) - set(declared)
        assert not unknown, f"Unexpected input(s) {unknown}"
        defaults = {name: substitute(about["default"], self._contexts) for name, about in declared.items()}
        self._contexts["inputs"] = {**defaults, **given}
        for number, step in enumerate(self._action["runs"]["steps"]):
            assert set(step) <= _STEP_KEYS, f"the harness does not know {set(step) - _STEP_KEYS}"
            assert ("run" in step) == ("shell" in step) != ("uses" in step)
            wanted = evaluate(step.get("if", "success()"), self._contexts)
            if not wanted or (self._code and "always()" not in step.get("if", "")):
                continue
            if "run" in step:
                self._run_script(number, step)
            else:
                self._upload(step)
            self._contexts["success"] = not self._code
        outputs = {name: substitute(about["value"], self._contexts) for name, about in self._action["outputs"].items()}
        return Ran(self._code, "\n".join(self._log), self._summary, tuple(self._artifacts), outputs, tuple(self._paths))

    def _run_script(self, number: int, step: Mapping[str, Any]) -> None:
        files = {name: self._temp / f"{name}_{number}" for name in ("output", "path", "step_summary", "env")}
        for file in files.values():
            file.touch()
        script = self._temp / f"script_{number}.sh"
        script.write_text(substitute(step["run"], self._contexts), encoding="utf-8")
        env = {
            **self._variables,
            **{name: substitute(text, self._contexts) for name, text in step.get("env", {}).items()},
            **{f"GITHUB_{name.upper()}": str(file) for name, file in files.items()},
        }
        done = subprocess.run(
            [*_SHELLS[step["shell"]], str(script)],
            cwd=self._job.workspace,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
        )
        self._log.append(done.stdout)
        self._code = self._code or done.returncode
        self._summary += files["step_summary"].read_text(encoding="utf-8")
        self._paths += files["path"].read_text(encoding="utf-8").splitlines()
        assert not files["env"].read_text(encoding="utf-8")
        if "id" in step:
            pairs = [line.split("=", 1) for line in files["output"].read_text(encoding="utf-8").splitlines()]
            self._contexts["steps"][step["id"]]["outputs"] |= dict(pairs)

    def _upload(self, step: Mapping[str, Any]) -> None:
        """Source: the README of actions/upload-artifact, version 4."""
        assert step["uses"].partition("@")[0] == "actions/upload-artifact"
        given = {name: substitute(str(text), self._contexts) for name, text in step["with"].items()}
        assert set(given) <= {"name", "path", "if-no-files-found", "overwrite"}
        path = Path(given["path"])
        if not given["path"] or re.search(r'[":<>|*?\r\n\\/]', given["name"]) or not given["name"]:
            self._log.append(f"upload-artifact: cannot upload {given}")
            self._code = self._code or 1
        elif path.is_file():
            self._artifacts.append(Artifact(given["name"], path.read_text(encoding="utf-8")))
