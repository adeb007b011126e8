"""What envc keeps below `.envc`: plain files of its own, without a value in clear, whole whoever else writes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from envcompile.plainfiles import read_plain
from tests.harness.command import PATIENCE, run_envc, spawn_envc
from tests.harness.repository import commit, config_map, deployment, environment, git, read_files, write_files

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "c4n4ry-0f-a-secret"
CLEAR = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{password: {CANARY}}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two environments with a chart; one of them with Secrets in clear."""
    return write_files(
        tmp_path / "shop",
        {
            "envc.yaml": "chart: {name: shop}\n",
            ".gitignore": "/base/app/secret.yaml\n",
            "base/app/secret.yaml": CLEAR,
            "base/app/app.yaml": deployment(),
            "base/web/web.yaml": config_map("web"),
            "base/web/made.jsonnet": "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'made'}}",
            "overlays/dev/environment.yaml": environment("namespace: dev\nsecretBackend: plaintext\n"),
            "overlays/prod/environment.yaml": environment("namespace: prod\nsecretBackend: plaintext\n"),
        },
    )


def test_no_memo_holds_a_value_in_clear(project: Path) -> None:
    """Also where `secretBackend: plaintext` puts it into the outputs; the chart is the same with a memo."""
    for _ in range(2):
        assert run_envc(project, "build").code == 0
        assert run_envc(project, "check").code in {0, 1}
    kept = read_files(project / ".envc")
    assert "units/chart" in kept
    assert not [name for name, data in kept.items() if CANARY.encode() in data]
    before = read_files(project / "environments")
    assert CANARY.encode() in b"".join(before.values())
    (project / "base/app/secret.yaml").write_text(CLEAR.replace(CANARY, "an0ther"), encoding="utf-8")
    assert run_envc(project, "build").code == 0
    after = b"".join(read_files(project / "environments" / "chart").values())
    assert b"an0ther" in after
    assert CANARY.encode() not in after


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/tty", "../../outside", "."])
def test_a_link_in_the_place_of_what_is_kept_counts_as_nothing(project: Path, target: str) -> None:
    """Nobody waits for a device or a pipe, and nothing is read from elsewhere: the build is that of a fresh copy."""
    assert run_envc(project, "build").code == 0
    fresh = read_files(project / "environments")
    for path in [path for path in (project / ".envc").rglob("*") if path.is_file() and path.name != ".gitignore"]:
        path.unlink()
        path.symlink_to(target)
    done = run_envc(project, "build", "--check")
    assert done.code in {0, 2}, done.err
    assert read_files(project / "environments") == fresh


def test_a_pipe_in_the_place_of_what_is_kept_is_not_waited_for(project: Path) -> None:
    """As a link."""
    assert run_envc(project, "build").code == 0
    for path in [path for path in (project / ".envc").rglob("*") if path.is_file() and path.name != ".gitignore"]:
        path.unlink()
        os.mkfifo(path)
    assert run_envc(project, "build", "--check").code in {0, 2}


def test_builds_at_one_time_keep_what_is_true(project: Path) -> None:
    """Whoever saves last: the next build says what a fresh one says, and finds nothing to do when nothing changed."""
    for number in range(3):
        running = [spawn_envc(project, "build") for _ in range(3)]
        (project / "base/web/web.yaml").write_text(config_map("web", count=f"'{number}'"), encoding="utf-8")
        for process in running:
            process.communicate(timeout=PATIENCE)
            assert process.returncode == 0
        assert run_envc(project, "build").code == 0
        done = run_envc(project, "build", "--check")
        assert done.code == 0
        assert f'count: "{number}"' in run_envc(project, "show", "dev", "configmap/web").out
        web = next((project / "environments/dev/web").glob("configmap-web*"))
        assert f'count: "{number}"' in web.read_text(encoding="utf-8")
    assert "nothing to do" in run_envc(project, "build").err


@pytest.mark.parametrize("words", [("check",), ("affected",), ("diff", "--from", "HEAD"), ("build", "--check")])
def test_nothing_that_is_kept_is_committed_by_accident(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Whichever command makes `.envc`, git passes over it."""
    files = {"base/app/app.yaml": deployment(), "overlays/dev/environment.yaml": environment("namespace: dev\n")}
    root = write_files(tmp_path, files)
    commit(root)
    run_envc(root, *words)
    git(root, "add", "--all")
    assert ".envc" not in git(root, "ls-files")


def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    """A pipe, a device, a link, a folder: each counts as nothing, at once."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert [read_plain(tmp_path / name) for name in ("pipe", "link", "", "none", "file")] == [None] * 4 + [b"x"]
    assert read_plain("/dev/null") is None
