"""Real git repositories for the tests."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def run_git(folder: Path, *arguments: str, stdin: str = "", fails: bool = False, **environ: str) -> str:
    """Run git in a folder as nobody in particular; what it prints."""
    settings = ("user.name=test", "user.email=test@example.com", "protocol.file.allow=always")
    flags = [word for setting in settings for word in ("-c", setting)]
    done = subprocess.run(
        ["git", *flags, *arguments],
        cwd=folder,
        env={**os.environ, **environ},
        input=stdin,
        capture_output=True,
        check=False,
        text=True,
    )
    assert fails is (done.returncode != 0), done.stderr
    return done.stdout


def commit_all(folder: Path, message: str = "change") -> str:
    """Commit everything in a repository; the commit's hash."""
    run_git(folder, "add", "--all")
    run_git(folder, "commit", "--quiet", "--allow-empty", f"--message={message}")
    return run_git(folder, "rev-parse", "HEAD").strip()
