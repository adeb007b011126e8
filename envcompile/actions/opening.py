"""The git repository that a project's folder belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.errors import EnvcError
from envcompile.git import repository as git_repository
from envcompile.git.own_folder import require_own

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.git.repository import Repository


def open_repository(folder: Path) -> Repository:
    """The repository of the project that a folder belongs to; a bare repository is taken as it is.

    Raises:
        UsageError: the folder is in no git repository, or its `.envc` is not envc's own.
    """
    from envcompile.sources import find_root

    start = folder.absolute()
    try:
        root = find_root(start)
    except EnvcError:
        root = None
    repository = git_repository.open_repository(root or start, bare=root is None)
    require_own(repository.home)
    return repository
