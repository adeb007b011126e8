"""actionlint, which knows GitHub's expressions, contexts and runners, finds nothing in the workflows."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _lint(actionlint: Path, folder: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [str(actionlint), "-no-color", "-shellcheck=", "-pyflakes=", *map(str, files)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_workflows_are_right(actionlint: Path) -> None:
    """Every expression names what exists, every job needs one that exists."""
    done = _lint(actionlint, ROOT, *sorted(ROOT.glob(".github/workflows/*.yml")))
    assert (done.returncode, done.stdout) == (0, "")


def test_a_wrong_one_is_found(actionlint: Path, tmp_path: Path) -> None:
    """It really looks."""
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    wrong = tmp_path / "release.yml"
    wrong.write_text(text.replace("needs.archives.outputs.version", "needs.archive.outputs.version"), encoding="utf-8")
    done = _lint(actionlint, tmp_path, wrong)
    assert done.returncode == 1
    assert "archive" in done.stdout
