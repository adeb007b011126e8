"""What sources may see: what the project's commits can hold, and nothing else that lies in the folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envcompile.errors import UnavailableError, fail
from envcompile.git.discovery import place_of
from envcompile.git.run import run
from envcompile.sources.tree import file_start, hidden_part

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from envcompile.errors import EnvcError
    from envcompile.sources.tree import Tree


def require_visible(tree: Tree, path: str) -> None:
    """Refuse a file below a name that begins with a dot, which no commit of the project holds; symlinks are followed.

    Args:
        tree: where the file is; a commit holds nothing that is hidden.
        path: the file, relative to the project.

    Raises:
        EnvcError: the file is hidden.
    """
    parts = [part for part in path.split("/") if part not in {".", ".."}]
    if any(part.startswith(".") for part in parts):
        raise _hidden(path, "lies below a name that begins with a dot")
    if tree.root is not None and hidden_part(tree.root, os.path.realpath(tree.root / path)):
        raise _hidden(path, "leads below a name that begins with a dot")


def require_not_ignored(tree: Tree, paths: Iterable[str]) -> None:
    """Refuse files that git ignores; symlinks are followed.

    Args:
        tree: where the files are; a commit holds none that is ignored.
        paths: files that exist, relative to the project.

    Raises:
        EnvcError: one of them is ignored.
    """
    if tree.root is None:
        return
    reals = {os.path.realpath(tree.root / path): path for path in paths}
    hidden = ignored(tree.root, reals) if reals else []
    if hidden:
        raise _hidden(reals[hidden[0]], "is ignored by git")


def is_ignored_source(tree: Tree, path: str) -> bool:
    """Tell whether git ignores a source, which may then hold values of Secrets; in a commit nothing is ignored.

    Args:
        tree: where the file is.
        path: the file, relative to the project.
    """
    if tree.root is None:
        return False
    folder, name = os.path.split(tree.root / path)
    # git names nothing behind a symlinked folder; a symlink may be ignored itself, or what it leads to.
    itself = os.path.join(os.path.realpath(folder), name)  # ruff: ignore[os-path-join] - as texts, which git wants
    return bool(ignored(tree.root, {itself, os.path.realpath(itself)}))


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


def _hidden(path: str, why: str) -> EnvcError:
    what = f"`{path}` {why}, so that no commit holds it"
    return fail(what, "a build reads only what can be committed: copy it to another name", file_start(path))
