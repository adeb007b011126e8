"""The commits that wait to be recorded: one empty file each, named by its hash, in `.envc/spool`.

The hook writes them with a shell's `mv`, so that it needs no Python. A file goes when its commit is recorded; what is
in it does not matter, and the order comes from git. Nothing can be recorded twice, as a commit is recorded once.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from envcompile.errors import Problem, UnavailableError
from envcompile.files import lock, write_atomically
from envcompile.git.own_folder import make_own

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_OWN = frozenset({"lock", "last-error"})


class Spool:
    """The folder of waiting commits."""

    __slots__ = ("folder",)

    def __init__(self, home: Path) -> None:
        self.folder = home / "spool"

    def waiting(self) -> list[str]:
        """The commits that wait."""
        return [name for name, is_file in self._names() if is_file and _HASH.fullmatch(name)]

    def strangers(self) -> list[str]:
        """What no commit is named by: somebody else's, or damaged."""
        return [
            name
            for name, is_file in self._names()
            if not (is_file and _HASH.fullmatch(name)) and name not in _OWN and "." not in name
        ]

    def add(self, commit: str) -> None:
        """Let a commit wait.

        Raises:
            UnavailableError: the folder cannot be written.
        """
        try:
            self._make()
            os.close(os.open(self.folder / commit, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666))
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def _make(self) -> None:
        make_own(self.folder.parent)
        self.folder.mkdir(exist_ok=True)

    def done(self, commit: str) -> None:
        """A commit is recorded: it waits no more.

        Raises:
            UnavailableError: the folder cannot be written.
        """
        try:
            (self.folder / commit).unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def note(self, error: str) -> None:
        """Keep why the last try to record failed; an empty text forgets it."""
        file = self.folder / "last-error"
        try:
            if error:
                self._make()
                write_atomically(file, f"{error}\n".encode())
            else:
                file.unlink(missing_ok=True)
        except (OSError, UnavailableError):
            pass  # a full disk must not hide the error that it causes

    def last_error(self) -> str:
        """Why the last try to record failed; empty when it did not."""
        try:
            return (self.folder / "last-error").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return ""

    def alone(self) -> AbstractContextManager[None]:
        """Wait until no other process of this machine empties the spool, and keep others waiting meanwhile.

        Without locks several may record at once: the database sees to it that each commit is recorded once.
        """
        return lock(self.folder / "lock")

    def _names(self) -> list[tuple[str, bool]]:
        """What is in the folder, each with whether it is a file."""
        try:
            with os.scandir(self.folder) as entries:
                return sorted((entry.name, entry.is_file(follow_symlinks=False)) for entry in entries)
        except OSError:
            return []


def _unwritable(folder: Path, error: OSError) -> UnavailableError:
    return UnavailableError([
        Problem(f"cannot write to {folder}: {error.strerror}", "make room, or correct the permissions of the folder")
    ])
