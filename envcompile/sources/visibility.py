"""What sources may see: what the project's commits can hold, and nothing else that lies in the folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envcompile.git.tree import hidden, is_hidden
from envcompile.sources.project import SOURCE_ENDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.errors import Problems
    from envcompile.sources.tree import Tree


def require_visible(path: str) -> None:
    """Refuse a name with a part that begins with a dot; the tree itself refuses visible names that lead there.

    Args:
        path: the file, relative to the project.

    Raises:
        EnvcError: the file is hidden.
    """
    if is_hidden(path):
        raise hidden(path, "lies below a name that begins with a dot")


def require_not_ignored(tree: Tree, paths: Iterable[str]) -> None:
    """Refuse files that git ignores; symlinks are followed.

    Args:
        tree: where the files are; a commit holds none that is ignored.
        paths: files that exist, relative to the project.

    Raises:
        EnvcError: one of them is ignored.
    """
    for path in _ignored(tree, paths):
        raise hidden(path, "is ignored by git")


def report_ignored(tree: Tree, paths: Iterable[str], problems: Problems) -> None:
    """Note the sources of a tree that is not trusted which git ignores.

    Somebody's own file among the sources counts where its owner compiles what they trust: there it may hold values that
    nobody commits. What a stranger wrote is not put together with it.

    Args:
        tree: where the files are.
        paths: files that are listed as sources, relative to the project.
        problems: takes what is wrong.
    """
    if tree.limits.is_trusted:
        return
    for path in _ignored(tree, [path for path in paths if path.lower().endswith(SOURCE_ENDINGS)]):
        problems.extend(hidden(path, "is ignored by git", "move it away, or trust this tree"))


def _ignored(tree: Tree, paths: Iterable[str]) -> list[str]:
    """The files that git ignores, wherever symlinks lead; a commit holds none."""
    if tree.root is None:
        return []
    from envcompile.git.ignore import ignored

    reals = {os.path.realpath(tree.root / path): path for path in paths}
    return [reals[real] for real in ignored(tree.root, reals)] if reals else []


def is_ignored_source(tree: Tree, path: str) -> bool:
    """Tell whether git ignores a source, which may then hold values of Secrets; in a commit nothing is ignored.

    Args:
        tree: where the file is.
        path: the file, relative to the project.
    """
    if tree.root is None:
        return False
    from envcompile.git.ignore import ignored

    folder, name = os.path.split(tree.root / path)
    # git names nothing behind a symlinked folder; a symlink may be ignored itself, or what it leads to.
    itself = os.path.join(os.path.realpath(folder), name)  # ruff: ignore[os-path-join] - as texts, which git wants
    return bool(ignored(tree.root, {itself, os.path.realpath(itself)}))
