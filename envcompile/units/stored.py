"""The trees of a project that git holds: what the next commit will be, and what a commit is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.errors import Problem, UsageError
from envcompile.git.repository import open_repository
from envcompile.git.trees import CommitTree

if TYPE_CHECKING:
    from envcompile.git.repository import Repository
    from envcompile.git.trees import StoredTree


class NoProjectError(UsageError):
    """A commit or an index holds no project where one is asked for."""


def index_tree(path: str | os.PathLike[str]) -> tuple[StoredTree, Path]:
    """A project's files in the index, and the folder that the project has in the work tree.

    Args:
        path: a folder of the project.

    Raises:
        UsageError: the folder is in no git repository, or git does not trust its owner.
        NoProjectError: the index holds no project there.
        UnavailableError: git cannot read the index.
    """
    repository = open_repository(Path(os.path.abspath(path)))  # ruff: ignore[os-path-abspath] - as in Project.open
    whole = repository._replace(prefix="").index_tree()
    prefix = _project(whole, repository, "the index")
    return (repository._replace(prefix=prefix).index_tree() if prefix else whole), repository.top / prefix


def commit_tree(path: str | os.PathLike[str], revision: str) -> tuple[CommitTree, Path]:
    """A project's files in a commit, and the folder that the project has in the work tree.

    Args:
        path: a folder of the project, or a bare repository.
        revision: whatever git takes for a commit.

    Raises:
        UsageError: the folder is in no git repository, or git knows no such revision.
        NoProjectError: it holds no project there.
        UnavailableError: the repository does not hold the commit's folders.
    """
    repository = open_repository(Path(os.path.abspath(path)), bare=True)  # ruff: ignore[os-path-abspath] - as above
    objects = repository.objects()
    whole = repository._replace(prefix="").commit_tree(revision, objects)
    prefix = _project(whole, repository, f"commit {whole.commit[:12]}")
    return CommitTree(objects, whole.commit, prefix, revision=revision), repository.top / prefix


def holds_project(tree: StoredTree, folder: str = "") -> bool:
    """Tell whether a tree has a project in a folder: an envc.yaml, `base/` or `overlays/`."""
    return any(tree.exists(folder + name) for name in ("envc.yaml", "base", "overlays"))


def _project(tree: StoredTree, repository: Repository, name: str) -> str:
    """The folder of the project that a folder of the repository belongs to, such as `deploy/`.

    Raises:
        NoProjectError: there is none.
    """
    parts = [part for part in repository.prefix.split("/") if part]
    around = ["".join(f"{part}/" for part in parts[:count]) for count in range(len(parts), -1, -1)]
    for folder in around:
        if tree.is_file(f"{folder}envc.yaml") or (tree.exists(f"{folder}base") and tree.exists(f"{folder}overlays")):
            return folder
    for folder in around:
        if holds_project(tree, folder):
            return folder
    what = f"{name} holds no project here: no base/, overlays/ or envc.yaml"
    raise NoProjectError([Problem(what, "`git add` the project, or name another revision")])
