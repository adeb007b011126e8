"""Whether anything changed since the last build, found out by looking at file times and sizes alone.

The record is a cache: it may be deleted at any time, a damaged one counts as none, and several processes may write
it at once (the last one wins). This module imports next to nothing, because a build with nothing to do is over
before a heavier one would have started.
"""

from __future__ import annotations

import marshal
import os
import sys
import zlib
from time import time_ns

TYPE_CHECKING = False
"""Type checkers take it for true; importing `typing` for it would cost half the time of a build with nothing to do."""

RECORD = ".envc/cache/build-%s.bin"
_FORMAT = 4
_GRANULARITY_NS = 2_000_000_000
"""Files written this shortly before the record was made are compared by content: their time may not show a change
(the coarsest file systems in use count in two seconds; git treats its index the same way)."""

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

Stat = tuple[int, int, int]
"""Time of the last change in ns, size in bytes, inode."""

ABSENT: Stat = (0, 0, 0)
"""Stands for a file that was looked for and not there: one that appears changes the result."""

_TYPE_BITS, _FOLDER, _FILE = 0o170000, 0o040000, 0o100000
"""S_IFMT, S_IFDIR and S_IFREG of inode(7)."""

_INDEX = ".envc-index"
"""The name in `emit.index`, which takes too long to import; a test holds the two together."""

INPUT_FOLDERS = ("base", "overlays", "lib", "vendor")


class Record:
    """What the last build saw and wrote.

    Outputs are below the output folder: `<env>/<app>/<kind>-<name>.yaml` -> stat and digest. `readers` tells for each
    output the source files that it was made from; it is empty when a change of one file may reach resources that the
    file does not name. `plain` are the files that hold nothing but ordinary resources and patches of them.
    """

    __slots__ = ("environments", "inputs", "outputs", "plain", "racy", "readers", "summary")

    def __init__(
        self,
        *,
        inputs: dict[str, Stat],
        outputs: dict[str, tuple[int, int, int, str]],
        environments: tuple[str, ...],
        racy: dict[str, int],
        summary: str,
        readers: dict[str, tuple[str, ...]],
        plain: tuple[str, ...],
    ) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.environments = environments
        self.racy = racy
        self.summary = summary
        self.readers = readers
        self.plain = plain


class Look:
    """A project's folder seen now beside what the last build saw."""

    __slots__ = ("began", "inputs", "key", "record", "root", "tag", "target")

    def __init__(self, root: str, target: str) -> None:
        self.began = time_ns()
        self.root = root
        self.target = target
        self.key = output_key(target)
        self.tag = version_tag()
        self.record = load(root, self.key, self.tag)
        self.inputs = scan_inputs(root, self.record.inputs if self.record is not None else {})

    def same_outputs(self, folders: Iterable[str] | None = None) -> dict[str, Stat] | None:
        """The files in the output folders, when all that the last build wrote there are as it left them; else None.

        A folder with an index beside those of the environments is what a build takes away: None then, too.

        Args:
            folders: only these folders below the output (`prod/web`); everything when left out.
        """
        record = self.record
        if record is None or _has_orphan(self.target, record.environments):
            return None
        chosen = record.environments if folders is None else tuple(folders)
        if folders is not None and any(os.path.islink(f"{self.target}/{folder}") for folder in chosen):
            return None
        found = scan(self.target, chosen, hidden=True)
        for path, (changed, size, inode, _) in record.outputs.items():
            if folders is not None and path.rpartition("/")[0] not in chosen:
                continue
            if found.get(path) != (changed, size, inode):
                return None
        return found

    def changed(self) -> set[str] | None:
        """The inputs that changed since the last build; None when there was none, or files came or went."""
        record = self.record
        if record is None or self.inputs.keys() != record.inputs.keys():
            return None
        known = record.inputs
        changed = {path for path, stat in self.inputs.items() if known[path] != stat}
        changed.update([path for path in record.racy if _checksum(self.root, path) != record.racy[path]])
        return changed

    def nothing_to_do(self, wanted: tuple[str, ...]) -> str | None:
        """The summary of the last build when building the wanted environments (all when none) would change nothing."""
        record = self.record
        if record is None or not set(wanted) <= set(record.environments):
            return None
        return record.summary if self.changed() == set() and self.same_outputs() is not None else None


def _has_orphan(target: str, environments: tuple[str, ...]) -> bool:
    """Tell whether a folder below the output is envc's, and of no environment that there is."""
    try:
        with os.scandir(target) as entries:
            return any(
                entry.name not in environments
                and entry.name[0] != "."
                and not entry.is_symlink()
                and os.path.isfile(f"{target}/{entry.name}/{_INDEX}")
                for entry in entries
            )
    except OSError:
        return False


def scan_inputs(root: str, known: dict[str, Stat]) -> dict[str, Stat]:
    """Every file that a build may read, with its stat.

    Files outside of the input folders (`envc.yaml`, the `crds:` it names, what jsonnet imports) are looked at when
    the last build did.
    """
    found = scan(root, INPUT_FOLDERS)
    for path in {"envc.yaml", *known} - found.keys():
        stat = stat_file(f"{root}/{path}")
        if stat is not None:
            found[path] = stat
        elif known.get(path) == ABSENT:
            found[path] = ABSENT
    return found


def stat_file(path: str) -> Stat | None:
    """The stat of one file; None when it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def scan(root: str, folders: Iterable[str], *, hidden: bool = False) -> dict[str, Stat]:
    """Every file below the folders with its stat; symlinks to folders are followed, but not in circles.

    With `hidden` names that begin with a dot count, too, and symlinks do not: this is how outputs are looked at.
    """
    found: dict[str, Stat] = {}
    todo: list[tuple[str, tuple[tuple[int, int], ...]]] = [(f"{folder}/", ()) for folder in folders]
    while todo:
        below, links = todo.pop()
        try:
            entries = os.scandir(f"{root}/{below}")
        except OSError:
            continue
        with entries:
            for entry in entries:
                name = entry.name
                if entry.is_symlink() if hidden else name[0] == ".":
                    continue
                if entry.is_dir(follow_symlinks=False):
                    todo.append((f"{below}{name}/", links))
                    continue
                try:
                    status = entry.stat()
                except OSError:
                    continue
                if status.st_mode & _TYPE_BITS == _FOLDER:
                    if (link := (status.st_dev, status.st_ino)) not in links:
                        todo.append((f"{below}{name}/", (*links, link)))
                    continue
                if status.st_mode & _TYPE_BITS == _FILE:
                    found[below + name] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def output_key(target: str) -> str:
    """The name of the record for an output folder."""
    return format(zlib.crc32(os.path.realpath(target).encode("utf-8", "surrogateescape")), "08x")


def load(root: str, key: str, tag_now: tuple[object, ...]) -> Record | None:
    """The record of the last build; None when there is none that this version of envc wrote and can trust."""
    try:
        with open(f"{root}/{RECORD % key}", "rb") as file:
            data = file.read()
    except OSError:
        return None
    if len(data) < 4 or zlib.crc32(data[4:]).to_bytes(4, "big") != data[:4]:
        return None
    try:
        fields = marshal.loads(data[4:])
        tag, inputs, outputs, environments, racy, summary, readers, plain = fields
    except (ValueError, EOFError, TypeError):
        return None
    if tag != tag_now:
        return None
    return Record(
        inputs=inputs,
        outputs=outputs,
        environments=environments,
        racy=racy,
        summary=summary,
        readers=readers,
        plain=plain,
    )


def save(root: str, key: str, record: Record, tag: tuple[object, ...]) -> None:
    """Keep a record, replacing the last one in one step; a folder that cannot be written is no error."""
    content: Any = (
        tag,
        record.inputs,
        record.outputs,
        record.environments,
        record.racy,
        record.summary,
        record.readers,
        record.plain,
    )
    data = marshal.dumps(content)
    path = f"{root}/{RECORD % key}"
    beside = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(beside, "wb") as file:
            file.write(zlib.crc32(data).to_bytes(4, "big") + data)
        os.replace(beside, path)
    except OSError:
        _remove(beside)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def racy_inputs(root: str, inputs: dict[str, Stat], began: int) -> dict[str, int]:
    """The inputs that changed so recently that their time may not show the next change, with their checksum.

    Args:
        root: the project's folder.
        inputs: what the build saw.
        began: when it looked, in ns of the clock.
    """
    edge = began - _GRANULARITY_NS
    return {path: checksum for path, stat in inputs.items() if stat[0] >= edge and (checksum := _checksum(root, path))}


def _checksum(root: str, path: str) -> int:
    try:
        with open(f"{root}/{path}", "rb") as file:
            return zlib.crc32(file.read()) + 1
    except IsADirectoryError:
        return zlib.crc32("/".join(sorted(os.listdir(f"{root}/{path}"))).encode("utf-8", "surrogateescape")) + 1
    except OSError:
        return 0


def version_tag() -> tuple[object, ...]:
    """Names this version of envc, down to the times of its own files: an upgrade makes every record stale."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    newest = 0
    for below in ("", *_rooms(here)):
        with os.scandir(f"{here}/{below}") as entries:
            for entry in entries:
                if entry.name.endswith((".py", ".json")):
                    newest += entry.stat().st_mtime_ns
    return (_FORMAT, sys.version_info[:3], here, newest)


def _rooms(here: str) -> list[str]:
    with os.scandir(here) as entries:
        return [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("__")]
