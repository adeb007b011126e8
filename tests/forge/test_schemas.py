"""The files that hosts read keep to the hosts' published schemas, and no input becomes part of a script."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forge.composite import read

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("github-actions", "action.yml"),
        ("gitlab-ci", ".gitlab/diff.yml"),
        *(("github-workflows", str(path.relative_to(ROOT))) for path in sorted(ROOT.glob(".github/workflows/*.yml"))),
    ],
)
def test_a_file_keeps_to_the_schema_of_its_host(schema: str, file: str) -> None:
    """SchemaStore's schemas, and GitLab's own, as check-jsonschema brings them along."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", file]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_file_that_does_not_is_found(tmp_path: Path) -> None:
    """The schema really looks at the files."""
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    (tmp_path / "action.yml").write_text(text.replace("using: composite", "using: compsite"), encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "compsite" in done.stdout


def test_no_script_contains_an_expression() -> None:
    """An input that is pasted into a script is a script of its own."""
    scripts = [step["run"] for step in read("action.yml")["runs"]["steps"] if "run" in step]
    assert len(scripts) == 2
    assert not [script for script in scripts if re.search(r"\$\{\{", script)]
