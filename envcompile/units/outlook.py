"""Another process that looks at folders of outputs, while this one does something else."""

from __future__ import annotations

import os
import sys
from itertools import pairwise

from envcompile.seenfiles import Files
from envcompile.seenplaces import HERE

TYPE_CHECKING = False
"""Type checkers take it for true; a build with nothing to do may import this module."""

if TYPE_CHECKING:
    from collections.abc import Mapping

_NO, _YES = b"\0", b"\1"


class Outlook:
    """A process that tells of folders whether they hold what envc wrote there; close it after use.

    It tells of one after the other whether all is there, and then of each whether there is anything else.

    Args:
        process: its number.
        told: the end of the pipe that it tells by.
        names: the folders, in its order.
    """

    __slots__ = ("_found", "_process", "_told", "names")

    def __init__(self, process: int, told: int, names: list[str]) -> None:
        self._process = process
        self._told = told
        self.names = names
        self._found: list[bool] = []

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
                for look in (Files.are_in, _is_alone):
                    for name, files in folders.items():
                        os.write(tells, _YES if look(files, f"{target}/{name}") else _NO)
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

    def _answer(self, number: int) -> bool:
        while number >= len(self._found):
            self._found.append(os.read(self._told, 1) == _YES)  # one that ended early is no witness
        return self._found[number]

    def close(self) -> None:
        """End it; what it did not tell nobody wants to know."""
        os.close(self._told)
        os.kill(self._process, 9)
        os.waitpid(self._process, 0)


def _is_alone(files: Files, folder: str) -> bool:
    """Tell whether a folder that holds all of some files holds nothing else: so many names it has, and those in it."""
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
    try:
        return all(len(os.listdir(f"{folder}/{line}")) == count for line, count in counts.items())  # ruff: ignore[os-listdir] - imports nothing
    except OSError:
        return False


def _has_threads() -> bool:
    """Tell whether there are threads, which would be lost in a copy; who has none need not import what counts them."""
    threads = sys.modules.get("threading")
    return threads is not None and threads.active_count() > 1


def _processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
