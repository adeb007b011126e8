"""Another process that looks at folders of outputs, while this one does something else."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
"""Type checkers take it for true; a build with nothing to do may import this module."""

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.seenfiles import Files

_NO, _YES = b"\0", b"\1"


class Outlook:
    """A process that tells of folders one after the other whether they hold what envc wrote there; close it after use.

    Args:
        process: its number.
        told: the end of the pipe that it tells by.
        names: the folders, in its order.
    """

    __slots__ = ("_found", "_names", "_process", "_told")

    def __init__(self, process: int, told: int, names: list[str]) -> None:
        self._process = process
        self._told = told
        self._names = names
        self._found: dict[str, bool] = {}

    @classmethod
    def begin(cls, target: str, folders: Mapping[str, Files], *, alone: bool) -> Outlook | None:
        """Start it; None where there is no processor for it.

        Args:
            target: the folder that the others are below.
            folders: the files that envc wrote into each.
            alone: whether there may be no other files.
        """
        if not hasattr(os, "fork") or _has_threads() or _processors() < 2:
            return None
        told, tells = os.pipe()
        process = os.fork()
        if process == 0:
            try:
                for name, files in folders.items():
                    holds = files.are_all_in if alone else files.are_in
                    os.write(tells, _YES if holds(f"{target}/{name}") else _NO)
            finally:
                os._exit(0)
        os.close(tells)
        return cls(process, told, list(folders))

    def finds_untouched(self, name: str) -> bool:
        """Tell whether a folder holds what envc wrote there; false for one that nobody looked at. May wait for it."""
        while name not in self._found and len(self._found) < len(self._names):
            answer = os.read(self._told, 1)
            self._found[self._names[len(self._found)]] = answer == _YES  # one that ended early is no witness
        return self._found.get(name, False)

    def close(self) -> None:
        """End it; what it did not tell nobody wants to know."""
        os.close(self._told)
        os.kill(self._process, 9)
        os.waitpid(self._process, 0)


def _has_threads() -> bool:
    """Tell whether there are threads, which would be lost in a copy; who has none need not import what counts them."""
    threads = sys.modules.get("threading")
    return threads is not None and threads.active_count() > 1


def _processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
