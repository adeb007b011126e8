"""A page of differences is printed into the logs of jobs, and acts on nothing there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.harness.command import run_envc
from tests.harness.repository import commit, environment, write_files

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data:
  x: |
    %s
    ::error::kept
    ##[group]kept
"""


def test_a_line_that_a_runner_obeys_is_told_inert(tmp_path: Path) -> None:
    """Lines that stay stand behind blanks alone, which a runner passes over; Azure's are obeyed anywhere in a line."""
    write_files(
        tmp_path, {"base/a/c.yaml": TEXT % "one", "overlays/dev/environment.yaml": environment("namespace: d\n")}
    )
    commit(tmp_path)
    write_files(tmp_path, {"base/a/c.yaml": TEXT % "##vso[task.setvariable variable=a]b"})
    commit(tmp_path)
    done = run_envc(tmp_path, "diff", "--from", "HEAD~1", "--to", "HEAD", "--format", "markdown")
    assert done.code == 16
    assert not [line for line in done.out.splitlines() if line.lstrip().startswith("::")]
    assert "##vso[" not in done.out
    assert "##[" not in done.out
    assert "task.setvariable" in done.out
    assert r"\::error::kept" in done.out
