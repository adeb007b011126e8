"""The numbers that tell whether somebody touched a file, or put one into a folder or took it out of there.

Whoever knows that no folder changed knows the names of all files, and need not have them listed again: POSIX has each
file that comes, goes or is renamed mark the times of the folder that it is in (open(3p), unlink(3p), rename(3p)). What
is in a file its own times tell.
"""

from __future__ import annotations

import os
import struct

from envcompile.seenplaces import HERE

TYPE_CHECKING = False
"""Type checkers take it for true; a build with nothing to do imports this module."""

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Sequence
    from typing import Final

_TYPE_BITS, _FOLDER = 0o170000, 0o040000
"""S_IFMT and S_IFDIR of inode(7)."""
LARGEST: Final = (1 << 63) - 1
NO_FILE: Final = (-1, -1, -1, -1)
"""Stands for the numbers of a file that is not there."""
NO_FOLDER: Final = (-1, -1, -1)
"""Stands for the times of a folder that is not there, or is something else, such as a link to one."""
_UNKNOWN: Final = (0, 0, 0)
"""Stands for times that tell nothing: no folder has them."""
OPEN_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_BY_NAME: Final = os.stat in os.supports_dir_fd
GRANULARITY_NS: Final = 2_000_000_000
"""What was written this shortly before it was looked at is no older for its stat: that may not show a change (the
coarsest file systems in use count in two seconds; git treats its index the same way)."""
FINE_NS: Final = 100_000_000
"""The same on a file system that counts finer: Linux gives its files the time of its last tick, of which there are 100
in a second and more (time(7), "The software clock, HZ, and jiffies")."""
STEP_NS: Final = 10_000_000
"""A time that is no multiple of it is of a file system that counts finer: FAT counts in two seconds, or in 10 ms, and
not every system keeps times of its folders."""


_BYTES: Final = 24
"""Of the times of one folder."""
_NOWHERE: Final = struct.pack("3q", *NO_FOLDER)


class Folders:
    """Folders, and when each was changed last.

    Args:
        lines: the folders, each with a slash at its end.
        times: of each the times of its last change and of that of its inode in ns, and its inode, as 64 bits each.
    """

    __slots__ = ("lines", "times")

    def __init__(self, lines: list[str], times: bytes) -> None:
        self.lines = lines
        self.times = times

    def changed(self, now: Folders) -> list[str]:
        """Which of them have other times now.

        Args:
            now: the same folders.
        """
        if self.times == now.times:
            return []
        starts = range(0, len(now.times), _BYTES)
        return [
            line
            for line, at in zip(now.lines, starts, strict=True)
            if self.times[at : at + _BYTES] != now.times[at : at + _BYTES]
        ]

    def is_there(self, line: str) -> bool:
        """Tell whether one of them was there, and no link."""
        at = self.lines.index(line) * _BYTES
        return self.times[at : at + _BYTES] != _NOWHERE

    def holds(self, root: str, line: str, files: Collection[str]) -> bool:
        """Tell whether one of them holds just these files, and the folders that are known, and no link.

        Args:
            root: the folder that all are below.
            line: the folder.
            files: their names; what begins with a dot is passed over.
        """
        inner = {one for one in self.lines if one.startswith(line) and one.find("/", len(line)) == len(one) - 1}
        found = 0
        with os.scandir(f"{root}/{line}") as entries:
            for entry in entries:
                if entry.name[0] == ".":
                    continue
                if entry.is_file(follow_symlinks=False):
                    is_known = entry.name in files
                else:
                    is_known = entry.is_dir(follow_symlinks=False) and f"{line}{entry.name}/" in inner
                if not is_known:
                    return False
                found += 1
        return found == len(files) + len(inner)


NO_FOLDERS: Final = Folders([], b"")


def folders_of(lines: Iterable[str]) -> list[str]:
    """The folder that is listed and each folder that a file in it is in, from the lines of the listing."""
    found = {HERE: None}
    for line in lines:
        if line[-1] == "/" and line != HERE:
            end = line.find("/")
            while end >= 0:
                found[line[: end + 1]] = None
                end = line.find("/", end + 1)
    return list(found)


def numbers_of(path: str) -> tuple[int, int, int, int]:
    """When a file and its inode changed last, in ns, its size and its inode; -1 each when it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return NO_FILE
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def numbers_in(root: str, lines: Iterable[str], within: Container[str] | None = None) -> list[int]:
    """The numbers of files.

    Args:
        root: the folder that they are below.
        lines: their names, as in a listing.
        within: the first names of paths that must be there, without links; None for all of them.

    Raises:
        OSError: one of them is not there.
    """
    numbers: list[int] = []
    descriptor = os.open(root, OPEN_FOLDER) if _BY_NAME else None
    place = "" if descriptor is not None else f"{root}/"
    below, is_within = place, True
    try:
        for line in lines:
            if line[-1] == "/":
                below = place if line == HERE else place + line
                is_within = within is None or line.partition("/")[0] in within
            elif is_within:
                status = os.stat(below + line, dir_fd=descriptor, follow_symlinks=False)
                numbers += (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
            else:
                numbers += numbers_of(f"{root}/{below}{line}" if descriptor is not None else below + line)
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return numbers


def times_now(root: str, lines: Sequence[str]) -> list[int]:
    """The times of folders.

    Args:
        root: the folder that they are below.
        lines: the folders, each with a slash at its end.

    Raises:
        OSError: there is no such folder.
    """
    numbers: list[int] = []
    descriptor = os.open(root, OPEN_FOLDER) if _BY_NAME else None
    place = "" if descriptor is not None else f"{root}/"
    try:
        for line in lines:
            try:
                # A slash at the end would have a link followed.
                status = os.stat(place + line[:-1], dir_fd=descriptor, follow_symlinks=False)
                numbers += times_of(status)
            except OSError:
                numbers += NO_FOLDER
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return numbers


def times_of(status: os.stat_result) -> tuple[int, int, int]:
    """The times of what has this status."""
    if status.st_mode & _TYPE_BITS != _FOLDER:
        return NO_FOLDER
    return status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def steady(times: bytes, began: int) -> bytes:
    """The same times of folders, but for those that may not show the next change.

    Args:
        times: of folders.
        began: when they were looked at, in ns of the clock.
    """
    numbers = memoryview(times).cast("q").tolist()
    for at in range(0, len(numbers), 3):
        changed = numbers[at + 1]
        if tuple(numbers[at : at + 3]) != NO_FOLDER and not (changed % STEP_NS and is_old(changed, began)):
            numbers[at : at + 3] = _UNKNOWN
    return packed(numbers)


def is_old(changed: int, began: int) -> bool:
    """Tell whether what changed last at some ns of the clock shows each change since a look at it by its stat.

    Args:
        changed: when its inode changed last, in ns.
        began: when it was looked at, in ns.
    """
    return changed < began - (FINE_NS if changed % STEP_NS else GRANULARITY_NS)


def packed(numbers: list[int]) -> bytes:
    """Times and stats as they are kept."""
    form = f"{len(numbers)}q"
    try:
        return struct.pack(form, *numbers)
    except struct.error:  # some file systems count inodes in all 64 bits
        return struct.pack(form, *[number & LARGEST if number > 0 else number for number in numbers])
