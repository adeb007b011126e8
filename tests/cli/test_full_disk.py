"""Case disk-full-answers: files that people keep survive a disk that has no room, and exit 4 says which and why."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import PATIENCE, call_envc, spawn_envc
from tests.harness.repository import commit, config_map, deployment, environment, read_files, write_files

if TYPE_CHECKING:
    from tests.conftest import MakeProject
    from tests.harness.command import Outcome

LIMIT = 2048
"""Bytes that a file may grow to in these tests; what is written is larger."""
LARGE = "# " + "x" * 78 + "\n"


def call_without_room(folder: Path, *arguments: str) -> Outcome:
    """Run `envc` in a folder; no file can grow beyond the limit. Its compiled modules are not written for that time."""

    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))

    return call_envc(None, *arguments, preexec_fn=no_room, cwd=folder, env={"PYTHONDONTWRITEBYTECODE": "1"})


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """A project whose files are larger than the limit when they are written."""
    root = make_project({
        "envc.yaml": "environments: [dev, prod]\n",
        **{f"base/web/web-{number}.yaml": deployment(f"web-{number}") for number in range(20)},
        "overlays/dev/environment.yaml": environment(
            "namespace: dev\nowners: ['@shop/dev']\nimages: [{name: nginx, newTag: '2.0'}]\n"
        ),
        "overlays/prod/environment.yaml": environment("namespace: prod\nowners: ['@shop/sre']\n") + LARGE * 40,
    })
    (root / "CODEOWNERS").write_text(LARGE * 40, encoding="utf-8")
    (root / "comment.md").write_text("as it was\n", encoding="utf-8")
    commit(root, "start")
    (root / "base/web/more.yaml").write_text(
        "---\n".join(config_map(f"more-{number}", text="x" * 100) for number in range(20)), encoding="utf-8"
    )
    commit(root, "more")
    return root


def without_cache(root: Path) -> dict[str, bytes]:
    """The files of a project that people keep."""
    return {name: data for name, data in read_files(root).items() if not name.startswith((".envc/", ".git/"))}


@pytest.mark.parametrize(
    ("arguments", "file", "first"),
    [
        (("check", "--write-baseline"), ".envc-baseline.json", ("check", "--write-baseline")),
        (("pr", "comment", "--dry-run", "--from", "HEAD~1", "--output", "comment.md"), "comment.md", ()),
        (("promote", "dev", "prod"), "overlays/prod/environment.yaml", ()),
        (("owners", "--write"), "CODEOWNERS", ()),
    ],
    ids=["baseline", "comment", "promote", "owners"],
)
def test_a_disk_without_room_leaves_every_file_as_it_was(
    project: Path, arguments: tuple[str, ...], file: str, first: tuple[str, ...]
) -> None:
    """The old file is whole, nothing lies beside it, the message names it; with room the same command succeeds."""
    if first:
        assert call_envc(project, *first).code == 0
    before = without_cache(project)
    refused = call_without_room(project, *arguments)
    assert refused.code == 4, refused
    assert f"{Path(file).name} cannot be written: file too large\n" in refused.err
    assert "(`ulimit -f`)" in refused.err
    assert without_cache(project) == before
    assert call_envc(project, *arguments, cwd=project).code in {0, 16}


def test_a_repository_that_has_no_room_is_taken_away_again(tmp_path: Path) -> None:
    """`envc init` leaves a folder as it found it, and can be run again."""
    refused = call_without_room(tmp_path, "init", "shop")
    assert refused.code == 4
    assert "cannot be written: file too large" in refused.err
    assert list(tmp_path.iterdir()) == []
    assert call_envc(None, "init", "shop", cwd=tmp_path).code == 0


def test_a_repository_whose_writing_was_killed_can_be_written_again(tmp_path: Path) -> None:
    """Whatever `envc init` had written: its own files are no reason to refuse; others are."""
    write_files(tmp_path / "old", {"prod.yaml": "---\n".join(config_map(f"c{number}") for number in range(9))})
    arguments = ("init", "new", "--from-manifests", "old")
    assert call_envc(None, *arguments, cwd=tmp_path).code == 0
    whole = read_files(tmp_path / "new")
    for name in list(whole)[::2]:
        (tmp_path / "new" / name).unlink()
    (tmp_path / "new/base/.c1.yaml.tmp-1-a").write_bytes(b"half")
    assert call_envc(None, *arguments, cwd=tmp_path).code == 0
    (tmp_path / "new/base/.c1.yaml.tmp-1-a").unlink()
    assert read_files(tmp_path / "new") == whole
    (tmp_path / "new" / next(name for name in whole if name.startswith("base/"))).write_text("mine: 1\n")
    refused = call_envc(None, *arguments, cwd=tmp_path)
    assert refused.code == 1
    assert "is not empty where the new repository belongs" in refused.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("show", "prod"),
        ("check",),
        ("diff", "--from", "HEAD~1"),
        ("guide",),
        ("init", "x"),
    ],
    ids=" ".join,
)
def test_stdout_that_cannot_be_written_is_no_bug(project: Path, arguments: tuple[str, ...]) -> None:
    """Case full-disk-is-called-a-bug: exit 4 and the reason; neither a report nor a traceback."""
    with Path("/dev/full").open("wb") as full, spawn_envc(None, *arguments, stdout=full, cwd=project) as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert err.decode().endswith(
        "error: stdout cannot be written: no space left on device\nhint: free some space, or send it elsewhere\n"
    )
    assert b"Traceback" not in err
    assert process.returncode == 4


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("check",), ("build",)], ids=" ".join)
def test_a_closed_stdout_is_no_bug(project: Path, arguments: tuple[str, ...]) -> None:
    """`envc … >&-`: what has nothing to print succeeds, the rest says that it cannot."""
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "envcompile", *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=project,
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    assert b"bug" not in done.stderr
    assert done.returncode == (0 if arguments == ("build",) else 4)
