"""Whether a project is as it was: what its sources are, and what its history has."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.errors import EnvcError
from envcompile.history.events import newest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from envcompile.actions.past import Past

_WATCHED: Final = ("base", "overlays", "checks", "envc.yaml")
"""What a project is compiled from, besides what its files name."""


class Seen(NamedTuple):
    """A look at a project."""

    identity: str
    """Changes when a source is saved, another commit is checked out, or a commit is recorded."""
    history: str
    """Changes when another commit is checked out, or something is recorded; empty where there is no history."""


def look(root: Path) -> Seen:
    """Look at a project, without reading a source.

    Args:
        root: its folder.
    """
    digest = hashlib.sha256()
    for line in _stats(root):
        digest.update(line.encode("utf-8", "surrogateescape"))
    history = ""
    past = open_or_none(root)
    try:
        if past is not None and past.repository.has_commits():
            history = f"{past.repository.resolve('HEAD')} {newest(past.store.database)}"
    finally:
        if past is not None:
            past.close()
    digest.update(history.encode())
    return Seen(digest.hexdigest()[:16], history)


def open_or_none(root: Path) -> Past | None:
    """The history of a project; None where there is none, or its database does not answer."""
    from envcompile.actions.past import open_past

    try:
        return open_past(root)
    except EnvcError:
        return None


def _stats(root: Path) -> Iterator[str]:
    """Path, size and time of every source, in a fixed order."""
    todo = [str(root / name) for name in _WATCHED]
    while todo:
        path = todo.pop()
        try:
            stat = os.stat(path)  # ruff: ignore[os-stat] - one call a file of a whole project
            if os.path.isdir(path):  # ruff: ignore[os-path-isdir]
                todo += sorted(entry.path for entry in os.scandir(path))
            else:
                yield f"{path} {stat.st_size} {stat.st_mtime_ns}\n"
        except OSError:
            continue
