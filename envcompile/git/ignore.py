"""Which files git ignores, so that they cannot be committed by accident."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.errors import UnavailableError
from envcompile.git.discovery import place_of
from envcompile.git.run import run
from envcompile.git.tree import hidden, hidden_part, is_hidden

if TYPE_CHECKING:
    from collections.abc import Iterable

_SOURCES = ("base/", "overlays/")


def in_repository(root: Path) -> bool:
    """Whether a folder is inside of a git work tree."""
    return _prints(root, "rev-parse", "--is-inside-work-tree").strip() == b"true"


def is_ignored(root: Path, file: str) -> bool:
    """Whether git ignores a file and does not track it."""
    place = place_of(root)
    if place is None or run(place, "check-ignore", "--quiet", "--", file).returncode:
        return False
    return run(place, "ls-files", "--error-unmatch", "--", file).returncode != 0


def ignored(root: Path, paths: Iterable[str]) -> list[str]:
    """The files of a working folder that git ignores; files that are committed all the same are not among them.

    Args:
        root: a folder of the repository; without one, or without git, nothing is ignored.
        paths: real paths of files.
    """
    place = place_of(root)
    if place is None:
        return []
    wanted = b"\0".join(map(os.fsencode, paths))
    try:
        found = run(place, "check-ignore", "-z", "--stdin", stdin=wanted).stdout
    except UnavailableError:
        return []
    return [os.fsdecode(path) for path in found.split(b"\0") if path]


def is_one_ignored(root: str, paths: Iterable[str]) -> bool:
    """Tell whether git ignores one of the files that a build read although nobody may: their stats do not tell.

    Args:
        root: the project's folder.
        paths: files relative to it; those that are not there do not count.
    """
    reals = [real for path in paths if Path(real := os.path.realpath(f"{root}/{path}")).exists()]
    return bool(reals and ignored(Path(root), reals))


def require_committable(root: Path, path: str, fix: str = "copy it to another name") -> None:
    """Refuse a file that no commit of the project is to hold, whatever links lead to it.

    Args:
        root: the project's folder.
        path: a file that exists, relative to it.
        fix: what to do with one that git ignores.

    Raises:
        EnvcError: it lies below a name that begins with a dot, or git ignores it.
    """
    own = os.path.realpath(root)
    real = os.path.realpath(root / path)
    if is_hidden(path) or hidden_part(Path(own), real):
        raise hidden(path, "lies below a name that begins with a dot")
    if ignored(root, (real,)):
        raise hidden(path, "is ignored by git", fix)


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
            listed = _prints(self._root, "ls-files", *options, "--", *_SOURCES)
            self._below = frozenset(os.fsdecode(name) for name in listed.split(b"\0") if name)
        return file in self._below


def _prints(root: Path, *arguments: str) -> bytes:
    """What git prints; nothing outside of a repository, or without git."""
    place = place_of(root)
    return run(place, *arguments).stdout if place is not None else b""
