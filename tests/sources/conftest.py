"""Projects for the tests, written from a mapping of paths to texts."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Write = Callable[[Mapping[str, str]], Path]
    Commit = Callable[[Path], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files into the test's project; an `-> target` text makes a symlink. Gives the project's root."""
    root = tmp_path / "project"
    root.mkdir()

    def written(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text.startswith("-> "):
                path.symlink_to(text.removeprefix("-> "))
            else:
                path.write_text(text, encoding="utf-8")
        return root

    return written


@pytest.fixture
def commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Commit:
    """Commit everything in a folder, which becomes a git repository; gives the commit's hash."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "no-gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(tmp_path / "no-gitconfig"))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.com")
        monkeypatch.setenv(f"GIT_{role}_DATE", "2024-01-01T00:00:00Z")

    def committed(folder: Path) -> str:
        def git(*arguments: str) -> str:
            done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True, text=True)
            return done.stdout.strip()

        if not (folder / ".git").exists():
            git("init", "--quiet", "--initial-branch=main")
        git("add", "--all")
        git("commit", "--quiet", "--allow-empty", "--message=change")
        return git("rev-parse", "HEAD")

    return committed
