"""Workflows and actions hold what they promise: pinned, with no more rights than needed, and no input in a script."""

from __future__ import annotations

import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from envcompile.yamlio import load_all

ROOT = Path(__file__).parents[2]
ZIZMOR = Path(sysconfig.get_path("scripts")) / "zizmor"
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
ACTIONS = [ROOT / "action.yml", ROOT / "setup" / "action.yml"]
ALL = [*WORKFLOWS, *ACTIONS]
NAMES = [str(path.relative_to(ROOT)) for path in ALL]


def read(path: Path) -> Any:
    """The one document of a file."""
    (value,) = load_all(path.read_bytes(), path.name)
    return value


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_every_action_is_pinned_by_digest(path: Path) -> None:
    """A tag can be moved by whoever holds the account; the version stands beside it for people."""
    used = re.findall(r"uses: (\S+)(.*)", path.read_text(encoding="utf-8"))
    for name, comment in used:
        if name != "./":
            assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", name), name
            assert re.match(r" # v\d+\.\d+\.\d+$", comment), f"{name}{comment}"


@pytest.mark.parametrize("path", WORKFLOWS, ids=[path.name for path in WORKFLOWS])
def test_a_job_states_its_rights_and_its_end(path: Path) -> None:
    """Nothing is granted to the workflow as a whole, and no job runs for hours."""
    workflow = read(path)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert "permissions" in job, name
        assert "write-all" not in str(job["permissions"])
        if name != "required":
            assert job["timeout-minutes"] <= 90


@pytest.mark.parametrize("path", ALL, ids=NAMES)
def test_zizmor_finds_nothing(path: Path) -> None:
    """The auditor of workflows, without asking anybody."""
    command = [str(ZIZMOR), "--offline", "--no-progress", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings to report" in done.stdout


def test_zizmor_looks(tmp_path: Path) -> None:
    """It would find an action that is not pinned, and an input that is pasted into a script."""
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    bad = re.sub(r"@[0-9a-f]{40}.*", "@v4", text).replace('"--project=$PROJECT"', '"--project=${{ inputs.project }}"')
    (tmp_path / "action.yml").write_text(bad, encoding="utf-8")
    command = [str(ZIZMOR), "--offline", "--no-progress", str(tmp_path / "action.yml")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "unpinned-uses" in done.stdout
    assert "template-injection" in done.stdout
