"""The trees of a project that git holds: what the next commit will be, and what a commit is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import Problem, UsageError
from envcompile.git.blob import id_digits
from envcompile.git.own_folder import require_own
from envcompile.git.repository import open_repository
from envcompile.git.trees import CommitTree
from envcompile.sources import ParsedFiles
from envcompile.units.kept_plans import KeptPlans, KeptRecords
from envcompile.units.memo import FolderMemo
from envcompile.units.snapshot import tool_stamp

if TYPE_CHECKING:
    from envcompile.git.repository import Repository
    from envcompile.git.trees import StoredTree
    from envcompile.limits import Limits
    from envcompile.units.project import Project
    from envcompile.units.shared_memo import SharedMemo


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
    at = repository.commit_tree(revision, objects)
    whole = CommitTree(objects, at.commit, "", owns_objects=False)
    try:
        prefix = _project(whole, repository, f"commit {at.commit[:12]}")
    except NoProjectError:
        if not holds_project(at):
            raise
        return CommitTree(objects, at.commit, at.prefix, revision=revision), repository.top / repository.prefix
    return CommitTree(objects, at.commit, prefix, revision=revision), repository.top / prefix


class Known(NamedTuple):
    """What earlier runs know of a tree that git holds."""

    parsed: ParsedFiles
    memo: FolderMemo | SharedMemo
    kept: KeptPlans | None
    records: KeptRecords


def known_of(tree: StoredTree, folder: Path, limits: Limits, beside: Project | None) -> Known:
    """What earlier runs know of a project in a tree that git holds.

    Args:
        tree: its files.
        folder: the folder that the project has in the work tree.
        limits: whether what lies below `.envc` may be used.
        beside: another state of the same project, which has compiled much of it.
    """
    is_kept = limits.is_trusted and (folder / ".envc").is_dir()
    if is_kept:
        require_own(folder / ".envc")
    tool = beside.look.tool if beside is not None and beside.look is not None else tool_stamp()
    memo = (beside.memo if beside is not None else None) or FolderMemo(folder, tool, is_kept=is_kept)
    records = (beside.records if beside is not None else None) or KeptRecords(folder)
    parsed = ParsedFiles(tree.blob_of, memo.scans(), id_digits(folder))
    kept = None
    if is_kept and isinstance(tree, CommitTree):
        kept = KeptPlans.at_commit(records, tool, tree, parsed)
    return Known(parsed, memo, kept, records)


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
