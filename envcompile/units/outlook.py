"""Another process that looks at folders of outputs, while this one does something else."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from time import time_ns

from envcompile.seenplaces import HERE
from envcompile.seentimes import Folders, steady

TYPE_CHECKING = False
"""Type checkers take it for true; a build with nothing to do may import this module."""

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.seenfiles import Files

_NO, _YES = b"\0", b"\1"
_SIZE = 4
"""Bytes of the size of what follows a yes."""


class Outlook:
    """A process that tells of folders whether they hold what envc wrote there; close it after use.

    It tells of one after the other whether all is there, and then of each whether there is anything else. Folders with
    the times at which nothing else was in them are not listed for it; of others it tells their times.

    Args:
        process: its number.
        told: the end of the pipe that it tells by.
        names: the folders, in its order.
    """

    __slots__ = ("_found", "_process", "_times", "_told", "names")

    def __init__(self, process: int, told: int, names: list[str]) -> None:
        self._process = process
        self._told = told
        self.names = names
        self._found: list[bool] = []
        self._times: dict[str, bytes] = {}

    @classmethod
    def begin(cls, target: str, folders: Mapping[str, Files]) -> Outlook | None:
        """Start it; None where there is no processor for it.

        Args:
            target: the folder that the others are below.
            folders: the files that envc wrote into each.
        """
        if not hasattr(os, "fork") or _has_threads() or _processors() < 2:
            return None
        told, tells = os.pipe()
        process = os.fork()
        if process == 0:
            try:
                _look(target, folders, tells)
            finally:
                os._exit(0)
        os.close(tells)
        return cls(process, told, list(folders))

    def finds_whole(self, name: str) -> bool:
        """Tell whether a folder holds all that envc wrote there; false for one that nobody looked at. May wait."""
        return name in self.names and self._answer(self.names.index(name))

    def finds_untouched(self, name: str) -> bool:
        """Tell whether it holds that and nothing else. May wait."""
        return self.finds_whole(name) and self._answer(len(self.names) + self.names.index(name))

    def times(self, name: str) -> bytes:
        """The times of a folder that was found untouched, and of those in it; nothing where they are as before."""
        return self._times.get(name, b"")

    def _answer(self, number: int) -> bool:
        while number >= len(self._found):
            is_found = self._read(1) == _YES  # one that ended early is no witness
            if is_found and len(self._found) >= len(self.names):
                size = int.from_bytes(self._read(_SIZE))
                times = self._read(size)
                is_found = len(times) == size
                self._times[self.names[len(self._found) - len(self.names)]] = times
            self._found.append(is_found)
        return self._found[number]

    def _read(self, size: int) -> bytes:
        found = b""
        while len(found) < size and (data := os.read(self._told, size - len(found))):
            found += data
        return found

    def close(self) -> None:
        """End it; what it did not tell nobody wants to know."""
        os.close(self._told)
        os.kill(self._process, 9)
        os.waitpid(self._process, 0)


def _look(target: str, folders: Mapping[str, Files], tells: int) -> None:
    """Look at folders, and tell of it.

    Args:
        target: the folder that they are below.
        folders: the files that envc wrote into each.
        tells: the end of a pipe.
    """
    began = time_ns()
    found: list[bytes | None] = []
    for name, files in folders.items():
        found.append(files.times_in(f"{target}/{name}"))
        _tell(tells, _NO if found[-1] is None else _YES)
    for (name, files), times in zip(folders.items(), found, strict=True):
        if times == files.times:
            _tell(tells, _YES + bytes(_SIZE))
        elif times is not None and _is_alone(files, f"{target}/{name}", times):
            steadied = steady(times, began)
            _tell(tells, _YES + len(steadied).to_bytes(_SIZE) + steadied)
        else:
            _tell(tells, _NO)


def _tell(tells: int, data: bytes) -> None:
    while data:
        data = data[os.write(tells, data) :]


def _is_alone(files: Files, folder: str, times: bytes) -> bool:
    """Tell whether a folder that holds all of some files holds nothing else: so many names it has, and those in it.

    Args:
        files: the files.
        folder: the folder.
        times: those of it and of all in it; one that has them since it was known to hold nothing else is not listed.
    """
    lines = files.names.decode("utf-8", "surrogateescape").split("\n")
    starts = [start for start, line in enumerate(lines) if line.endswith("/")]
    counts = {lines[start]: end - start - 1 for start, end in pairwise((*starts, len(lines)))}
    for below in list(counts):
        line = below
        while line != HERE:
            head = line[:-1].rpartition("/")[0]
            above = f"{head}/" if head else HERE
            is_known = above in counts
            counts[above] = counts.get(above, 0) + 1
            if is_known:
                break
            line = above
    now = Folders(files.folder_lines, times)
    changed = Folders(now.lines, files.times).changed(now)
    try:
        return all(len(os.listdir(f"{folder}/{line}")) == counts.get(line, 0) for line in changed)  # ruff: ignore[os-listdir] - imports nothing
    except OSError:
        return False


def _has_threads() -> bool:
    """Tell whether there are threads, which would be lost in a copy; who has none need not import what counts them."""
    threads = sys.modules.get("threading")
    return threads is not None and threads.active_count() > 1


def _processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
