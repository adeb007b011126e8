"""Small repositories written from a mapping of paths to texts."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENVIRONMENT: Final = "apiVersion: envcompile.dev/v1\nkind: Environment\n"
LINK: Final = "-> "
_GIT_SETTINGS: Final = ("user.name=test", "user.email=test@example.com", "init.defaultBranch=main")


def write_files(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder, in the mapping's order; the text `-> target` makes a symlink."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content.startswith(LINK):
            path.symlink_to(content.removeprefix(LINK))
        else:
            path.write_text(content, encoding="utf-8")
    return root


def read_files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by path; a symlink stands for itself. Nothing when there is no folder."""
    found = {}
    todo = [folder] if folder.is_dir() else []
    while todo:
        for path in todo.pop().iterdir():
            if path.is_symlink():
                found[path.relative_to(folder).as_posix()] = f"{LINK}{path.readlink()}".encode()
            elif path.is_dir():
                todo.append(path)
            else:
                found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return dict(sorted(found.items()))


def deployment(name: str = "web", *, image: str = "nginx:1.27", namespace: str = "", replicas: int = 1) -> str:
    """A complete Deployment of one container."""
    place = f"\n  namespace: {namespace}" if namespace else ""
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}{place}
spec:
  replicas: {replicas}
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      containers:
      - name: {name}
        image: {image}
"""


def config_map(name: str = "settings", **data: str) -> str:
    """A ConfigMap with one-line entries."""
    entries = "".join(f"  {key}: {value}\n" for key, value in (data or {"color": "blue"}).items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n{entries}"


def environment(settings: str = "") -> str:
    """An environment.yaml with these further lines."""
    return ENVIRONMENT + settings


def git(folder: Path, *arguments: str, fails: bool | None = False) -> str:
    """Run git in a folder with an identity and a date of its own; what it prints. With `fails=None` it may fail."""
    done = subprocess.run(
        [
            "git",
            "-c",
            "user.name=test",
            "-c",
            "user.email=test@example.com",
            "-c",
            "init.defaultBranch=main",
            *arguments,
        ],
        cwd=folder,
        env={
            **os.environ,
            "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z",
            "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z",
        },
        capture_output=True,
        check=False,
        text=True,
    )
    assert fails in {None, done.returncode != 0}, done.stdout + done.stderr
    return done.stdout.strip()


def commit(folder: Path, message: str = "change") -> str:
    """Commit everything in a folder, which becomes a git repository; the commit's hash."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", f"--message={message}")
    return git(folder, "rev-parse", "HEAD")
