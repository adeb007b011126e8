"""What a build would do to one environment's folder: write, keep, remove, and what stands in the way."""

from __future__ import annotations

import os
import re
from stat import S_ISREG
from typing import TYPE_CHECKING, NamedTuple

from envcompile.emit.index import INDEX_NAME, digest, parse_index, render_index
from envcompile.errors import Problem, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from pathlib import Path

    from envcompile.model import Bundle


_SLASH = re.compile(r"/")


class Plan(NamedTuple):
    """The difference between a folder and the bundle that belongs into it; all paths are below the folder.

    `edited` are files of ours that somebody changed by hand, `foreign` are files, folders or symlinks of others in a
    place that the bundle needs, `missing` are files of ours that are gone; `digests` is what the index will say, and
    `index_now` what it says until then. `gone` means that the folder shall not be there any more.
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
    index_now: bytes | None
    index_is_current: bool
    gone: bool = False
    stats: Mapping[str, str] = {}
    """The stat of every file that was there."""

    @property
    def is_current(self) -> bool:
        """Tell whether the folder already holds exactly the bundle."""
        return not (self.added or self.changed or self.removed or self.edited or self.foreign) and self.index_is_current


def plan(
    folder: Path,
    bundle: Bundle,
    known: Mapping[str, tuple[str, str]] | None = None,
    *,
    gone: bool = False,
    partial: bool = False,
) -> Plan:
    """Compare a folder with the bundle that belongs into it.

    Args:
        folder: the environment's folder; it need not exist.
        bundle: the files that it should hold.
        known: path -> the stat of a file when its digest was taken, as `stats` of a plan has it, and that digest.
        gone: the environment is no more: its folder goes with its files, unless others have files there.
        partial: the bundle is not all that belongs there: files of ours that it does not name stay, as does what the
            index says about them.

    Raises:
        UnavailableError: the folder cannot be read.
    """
    try:
        return _plan(folder, bundle, known or {}, gone=gone, partial=partial)
    except OSError as error:
        raise unreadable(error, folder) from error


def unreadable(error: OSError, folder: Path) -> UnavailableError:
    """What it means to a person that the output cannot be read."""
    reason = (error.strerror or str(error)).lower()
    what = f"{error.filename or folder} cannot be read: {reason}"
    return UnavailableError([Problem(what, "make it readable for you, or write elsewhere with `--output DIR`")])


def _plan(folder: Path, bundle: Bundle, known: Mapping[str, tuple[str, str]], *, gone: bool, partial: bool) -> Plan:
    present, folders_present = _walk(folder)
    index = (folder / INDEX_NAME).read_bytes() if present.get(INDEX_NAME) else None
    index_now = _with_line_feeds(index) if index is not None else None
    index_is_current = index_now == render_index(bundle.digests)
    owned: Mapping[str, tuple[str, ...]] = {}
    if index_is_current:
        owned = {path: (wanted,) for path, wanted in bundle.digests.items()}
    elif index is not None:
        owned = parse_index(index)

    def current(path: str, stat: str, wanted: str = "") -> str:
        if not stat:
            return ""
        seen, found = known.get(path, ("", ""))
        if seen == stat and found:
            return found
        return _digest_of_text((folder / path).read_bytes(), {wanted, *owned.get(path, ())})

    added: list[str] = []
    changed: list[str] = []
    unchanged: list[str] = []
    edited: list[str] = []
    foreign: list[str] = []
    missing: list[str] = []
    removed: list[str] = []
    digests: dict[str, str] = {}
    for path, wanted in bundle.digests.items():
        digests[path] = wanted
        stat = present.get(path)
        if stat is None:
            (foreign if path in folders_present else added).append(path)
            if path in owned:
                missing.append(path)
            continue
        found = current(path, stat, wanted)
        if found == wanted:
            unchanged.append(path)
        elif path not in owned:
            foreign.append(path)
        elif found in owned[path]:
            changed.append(path)
        else:
            edited.append(path)
    for path in sorted(owned.keys() - bundle.digests.keys()):
        stat = present.get(path)
        if partial:
            found = current(path, stat) if stat is not None else ""
            digests[path] = found if found in owned[path] else owned[path][-1]
        elif stat is not None:
            (removed if current(path, stat) in owned[path] else edited).append(path)
    folders = {path[: end.start()] for path in bundle.digests for end in _SLASH.finditer(path)}
    foreign += present.keys() & folders
    if INDEX_NAME in folders_present or (INDEX_NAME in present and index is None):
        foreign.append(INDEX_NAME)
    blocked = {path for path in foreign if path in folders_present}
    others = present.keys() - bundle.digests.keys() - folders - {INDEX_NAME}
    if not partial:
        others -= owned.keys()
    if blocked:
        others = {path for path in others if not any(path.startswith(f"{folder}/") for folder in blocked)}
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
        index,
        index is None if gone else index_is_current or (partial and index_now == render_index(digests)),
        gone,
        present,
    )


def _digest_of_text(data: bytes, known: Container[str]) -> str:
    """The digest of a file; of its text with LF where only the line breaks keep it from being a known one.

    Git writes CRLF into checkouts with `core.autocrlf`, and takes it out again: to git such a file is not changed.
    """
    found = digest(data)
    if found not in known and b"\r\n" in data:
        plain = digest(_with_line_feeds(data))
        return plain if plain in known else found
    return found


def _with_line_feeds(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n") if b"\r" in data else data


def _walk(folder: Path) -> tuple[dict[str, str], set[str]]:
    """Every file below a folder with its stat, and every folder.

    The stat is empty for what is never envc's, nor read: symlinks, pipes and devices.
    """
    files: dict[str, str] = {}
    folders: set[str] = set()
    top = f"{folder}/"
    todo = [""]
    while todo:
        below = todo.pop()
        try:
            with os.scandir(top + below if below else folder) as entries:
                for entry in entries:
                    path = below + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(f"{path}/")
                        folders.add(path)
                        continue
                    status = entry.stat(follow_symlinks=False)
                    files[path] = (
                        f"{status.st_mtime_ns} {status.st_ctime_ns} {status.st_size} {status.st_ino}"
                        if S_ISREG(status.st_mode)
                        else ""
                    )
        except FileNotFoundError:
            continue
    return files, folders
