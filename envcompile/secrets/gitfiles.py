"""What git knows of files: whether it ignores or tracks one, how old a line is, and the contents of the index."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

from envcompile.errors import Problem, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SOURCES = ("base/", "overlays/")
_BLAMED = re.compile(r"([0-9a-f]{40,64}) \d+ (\d+) (\d+)$")


def _git(root: Path, *arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    # A hook runs with GIT_DIR and GIT_INDEX_FILE set; the index of a partial commit is the one to read, so they stay.
    environ = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        return subprocess.run(["git", *arguments], cwd=root, input=stdin, capture_output=True, check=False, env=environ)
    except FileNotFoundError:
        return subprocess.CompletedProcess([], 127, b"", b"git is not installed")


def in_repository(root: Path) -> bool:
    """Whether a folder is inside of a git work tree."""
    return _git(root, "rev-parse", "--is-inside-work-tree").stdout.strip() == b"true"


def is_tracked(root: Path, file: str) -> bool:
    """Whether git has this file in its index."""
    return _git(root, "ls-files", "--error-unmatch", "--", file).returncode == 0


def is_ignored(root: Path, file: str) -> bool:
    """Whether git ignores a file and does not track it, so that it cannot be committed by accident."""
    return _git(root, "check-ignore", "--quiet", "--", file).returncode == 0 and not is_tracked(root, file)


class IgnoreRules:
    """Tells ignored source files; asks git once for all files below the source folders, for use during one command."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._below: frozenset[str] | None = None

    def __call__(self, file: str) -> bool:
        """Whether git ignores the file and does not track it."""
        if not file.startswith(_SOURCES):
            return is_ignored(self._root, file)
        if self._below is None:
            options = ("--others", "--ignored", "--exclude-standard", "-z")
            listed = _git(self._root, "ls-files", *options, "--", *_SOURCES).stdout
            self._below = frozenset(os.fsdecode(name) for name in listed.split(b"\0") if name)
        return file in self._below


def sealed_times(root: Path, file: str) -> dict[int, int]:
    """When each `sealed:` line of a store was committed: line from 1 -> seconds since 1970; 0 for uncommitted lines.

    Empty when git cannot tell.
    """
    answer = _git(root, "blame", "--incremental", "--", file)
    if answer.returncode:
        return {}
    times: dict[str, int] = {}
    ranges: list[tuple[int, int, str]] = []
    for text in answer.stdout.decode(errors="replace").splitlines():
        if match := _BLAMED.match(text):
            ranges.append((int(match[2]), int(match[3]), match[1]))
        elif text.startswith("committer-time "):
            # git books lines that are not committed on a commit of zeros, with the present moment.
            commit = ranges[-1][2]
            times[commit] = int(text.split()[1]) if commit.strip("0") else 0
    by_line = {line: times[commit] for first, count, commit in ranges for line in range(first, first + count)}
    content = (root / file).read_bytes().splitlines()
    return {line: by_line.get(line, 0) for line, text in enumerate(content, 1) if text.startswith(b"  sealed: ")}


def staged_files(root: Path) -> list[str]:
    """The files that the next commit adds or changes."""
    return _listed(root, "diff", "--cached", "--name-only", "-z", "--diff-filter=ACMRT")


def tracked_files(root: Path) -> list[str]:
    """Every file in the index."""
    return _listed(root, "ls-files", "-z", "--full-name")


def _listed(root: Path, *arguments: str) -> list[str]:
    answer = _git(root, *arguments)
    if answer.returncode:
        raise UnavailableError([Problem("git does not list the files to scan", "run this inside of a git repository")])
    return sorted({os.fsdecode(name) for name in answer.stdout.split(b"\0") if name})


def index_blobs(root: Path, files: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """The bytes of files as the index has them, not as the work tree has them."""
    wanted = list(files)
    names = b"".join(b":" + os.fsencode(name) + b"\n" for name in wanted if "\n" not in name)
    answer = _git(root, "cat-file", "--batch", stdin=names)
    data, position = answer.stdout, 0
    for name in wanted:
        if "\n" in name:
            yield name, _git(root, "cat-file", "blob", f":{name}").stdout
            continue
        end = data.find(b"\n", position)
        if end < 0:
            return
        header, position = data[position:end].split(b" "), end + 1
        if len(header) < 3 or not header[-1].isdigit():
            continue
        size = int(header[-1])
        if header[-2] == b"blob":
            yield name, data[position : position + size]
        position += size + 1


def past_versions(root: Path, file: str, text: str) -> Iterator[tuple[str, bytes]]:
    """The committed versions of a file in which lines with this text came or went: commit and bytes, newest first."""
    answer = _git(root, "log", "--all", "--format=%H", f"-G{re.escape(text)}", "--", file)
    for commit in answer.stdout.decode().split():
        version = _git(root, "show", f"{commit}:./{file}")
        if version.returncode == 0:
            yield commit, version.stdout
