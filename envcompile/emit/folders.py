"""Removing folders; `shutil` would do, at the price of the archive modules that it imports."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it; what is gone already or cannot be removed is passed over.

    A symlink is removed itself; what it leads to is not touched.
    """
    if folder.is_symlink():
        _forget(os.unlink, str(folder))
    else:
        _remove(str(folder))


def _remove(folder: str) -> None:
    try:
        with os.scandir(folder) as entries:
            found = [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in entries]
    except OSError:
        return
    for path, is_folder in found:
        if is_folder:
            _remove(path)
        else:
            _forget(os.unlink, path)
    _forget(os.rmdir, folder)


def _forget(action: Callable[[str], None], path: str) -> None:
    try:
        action(path)
    except OSError:
        return
