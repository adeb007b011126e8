"""What a build would do to one environment's folder: write, keep, remove, and what stands in the way."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from envcompile.emit.index import INDEX_NAME, digest, parse_index, render_index

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from envcompile.model import Bundle

    DigestOf = Callable[[str, os.stat_result], str | None]

_SLASH = re.compile(r"/")


class Plan(NamedTuple):
    """The difference between a folder and the bundle that belongs into it; all paths are below the folder.

    `edited` are files of ours that somebody changed by hand, `foreign` are files or symlinks of others in a place that
    the bundle needs, `missing` are files of ours that are gone; `digests` is what the index will say.
    """

    bundle: Bundle
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    edited: tuple[str, ...]
    foreign: tuple[str, ...]
    missing: tuple[str, ...]
    others: tuple[str, ...]
    digests: dict[str, str]
    index_is_current: bool

    @property
    def is_current(self) -> bool:
        """Tell whether the folder already holds exactly the bundle."""
        return not (self.added or self.changed or self.removed or self.edited or self.foreign) and self.index_is_current


def plan(folder: Path, bundle: Bundle, digest_of: DigestOf | None = None) -> Plan:
    """Compare a folder with the bundle that belongs into it.

    Args:
        folder: the environment's folder; it need not exist.
        bundle: the files that it should hold.
        digest_of: the digest of a file that is known to be unread since (its path and stat), else None.
    """
    index_text = _read(folder / INDEX_NAME)
    owned = parse_index(index_text) if index_text is not None else {}
    present = _walk(folder)
    added, changed, unchanged, edited, foreign, missing = [], [], [], [], [], []
    digests: dict[str, str] = {}
    for path, data in bundle.files.items():
        wanted = digests[path] = digest(data)
        stat = present.get(path)
        if stat is None:
            added.append(path)
            if path in owned:
                missing.append(path)
            continue
        current = (digest_of(path, stat) if digest_of else None) or digest((folder / path).read_bytes())
        if current == wanted:
            unchanged.append(path)
        elif path not in owned:
            foreign.append(path)
        elif current != owned[path]:
            edited.append(path)
        else:
            changed.append(path)
    removed = []
    for path in sorted(owned.keys() - bundle.files.keys()):
        stat = present.get(path)
        if stat is None:
            continue
        current = (digest_of(path, stat) if digest_of else None) or digest((folder / path).read_bytes())
        if current == owned[path]:
            removed.append(path)
        else:
            edited.append(path)
    folders = {path[: end.start()] for path in bundle.files for end in _SLASH.finditer(path)}
    foreign += present.keys() & folders
    others = present.keys() - bundle.files.keys() - owned.keys() - folders - {INDEX_NAME}
    return Plan(
        bundle,
        tuple(sorted(added)),
        tuple(sorted(changed)),
        tuple(removed),
        tuple(unchanged),
        tuple(sorted(edited)),
        tuple(sorted(foreign)),
        tuple(sorted(missing)),
        tuple(sorted(others)),
        digests,
        index_text == render_index(digests),
    )


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _walk(folder: Path) -> dict[str, os.stat_result]:
    """Every file below a folder with its stat; a symlink counts as a file of its own."""
    found: dict[str, os.stat_result] = {}
    todo = [""]
    while todo:
        below = todo.pop()
        try:
            with os.scandir(folder / below) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(f"{below}{entry.name}/")
                    else:
                        found[below + entry.name] = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
    return found
