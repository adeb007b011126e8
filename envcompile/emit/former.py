"""What is known of the files in an environment's folder: who wrote them, and whether git keeps what they hold.

The index says which files are envc's. Whether one was edited since is known from the record of what builds wrote,
which lies in `.envc` and is not committed, and from git: what it holds cannot be lost.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING
from zlib import crc32

from envcompile.emit.index import INDEX_NAME, digest, parse_index, render_record
from envcompile.emit.revised import RevisedDigests
from envcompile.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from envcompile.git.kept import KeptFiles

_FOLDER = "written"
_CONFLICT = (
    rb"(?m)^<{7} [^\n]*\n(?P<ours>(?:(?![<>|=]{7}(?: |\r?\n)).*\n)*)"
    rb"(?:\|{7}[^\n]*\n(?:(?![<>|=]{7}(?: |\r?\n)).*\n)*)?"
    rb"={7}\r?\n(?P<theirs>(?:(?![<>|=]{7}(?: |\r?\n)).*\n)*)"
    rb">{7} [^\n]*$"
)
"""What git writes around the lines of both sides (git-merge(1), "How conflicts are presented")."""


class Former:
    """What is known of one environment's folder before a build.

    Args:
        folder: the environment's folder; it need not exist.
        root: the project's folder; the record lies in its `.envc`, or in one beside the environment.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        key = crc32(os.path.realpath(folder).encode("utf-8", "surrogateescape"))
        self._name = f"{_FOLDER}/{folder.name}-{key:08x}"
        self._homes = (root / ".envc", folder.parent / ".envc")
        self.now = self._read()
        """The record's bytes as they were; empty when there is none."""
        self._there: bytes | None = None
        """The record's bytes as this build wrote them."""
        self._rendered: tuple[Mapping[str, str], bytes] = ({}, b"")

    @cached_property
    def _written(self) -> Mapping[str, tuple[str, ...]]:
        return parse_index(self.now)

    @cached_property
    def _kept(self) -> KeptFiles | None:
        if not self._folder.is_dir():
            return None
        from envcompile.git.kept import kept_files

        try:
            return kept_files(self._folder)
        except UnavailableError:
            return None  # no git on this machine

    @property
    def is_blind(self) -> bool:
        """Tell whether nothing is known: there is no git repository, and no record of a build."""
        return not self.now and self._kept is None

    def written(self, path: str) -> tuple[str, ...]:
        """The digests of what builds wrote to a file."""
        return self._written.get(path, ())

    def is_disposable(self, path: str, data: bytes) -> bool:
        """Tell whether a file may be written anew: git holds its content, or it is what a merge made of two sides."""
        kept = self._kept
        if kept is not None and (path in kept.in_conflict or kept.holds(path, data)):
            return True
        if kept is not None and b"\r\n" in data and kept.holds(path, data.replace(b"\r\n", b"\n")):
            return True
        return has_conflict(data)

    def joined(self, paths: Iterable[str]) -> set[str]:
        """The files of these that are in conflict, and that envc owns on one side of the merge."""
        kept = self._kept
        found = kept.in_conflict.intersection(paths) if kept is not None else frozenset[str]()
        if kept is None or not found:
            return set()
        owned = {path for side in kept.sides(INDEX_NAME) for path in parse_index(side)}
        return {*found & owned}

    def is_same(self) -> bool:
        """Tell whether no other build has written since."""
        return self._read() == self.now

    def is_now(self, digests: Mapping[str, str]) -> bool:
        """Tell whether the record says this already."""
        found, wanted = self._read(), self._record(digests)
        return found == wanted or sorted(found.splitlines()) == sorted(wanted.splitlines())

    def announce(self, digests: Mapping[str, str], home: Path) -> None:
        """Record what is about to be written, beside what is there.

        Args:
            digests: path -> SHA-256.
            home: the folder of envc's own that this build works in.

        Raises:
            OSError: it cannot be recorded.
        """
        new = digests.changed if isinstance(digests, RevisedDigests) and self._revised(digests) else None
        self._write(self.now + (render_record(new) if new is not None else self._record(digests)), home)

    def settle(self, digests: Mapping[str, str], home: Path) -> None:
        """Record what is there now; when that fails, what was announced says it, too."""
        record = self._record(digests)
        if record != (self._read() if self._there is None else self._there):
            with suppress(OSError):
                self._write(record, home)
        self._rendered, self._there = ({}, b""), None  # a build of many environments is not over yet

    def take_back(self, home: Path) -> None:
        """Record what was there before; when that fails, what was announced says it, too."""
        with suppress(OSError):
            self._write(self.now, home)

    def _record(self, digests: Mapping[str, str]) -> bytes:
        """The record of these digests, which is asked for more than once."""
        if self._rendered[0] is not digests:
            self._rendered = (digests, self._revised(digests) or render_record(digests))
        return self._rendered[1]

    def _revised(self, digests: Mapping[str, str]) -> bytes:
        """The record with a few other digests, where it is that of the last build; empty where it may not be."""
        record = self.now
        if not isinstance(digests, RevisedDigests) or record.count(b"\n") != len(digests):
            return b""
        for path, found in digests.changed.items():
            line = render_record({path: digests.before.digest(path)})
            at = 0 if record.startswith(line) else record.find(b"\n" + line) + 1
            if not at and not record.startswith(line):
                return b""
            record = record[:at] + found.encode() + record[at + len(found) :]
        return record

    def _read(self) -> bytes:
        found = b""
        for file in [home / self._name for home in self._homes]:
            with suppress(OSError):
                found += file.read_bytes() if file.is_file() and not file.is_symlink() else b""
        return found

    def _write(self, record: bytes, home: Path) -> None:
        """Write the record in one step."""
        file = home / self._name
        beside = home / f"staging-{os.getpid()}-{file.name}"  # swept with all else that a killed build leaves
        if not record:
            file.unlink(missing_ok=True)
            return
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(record)
            beside.replace(file)
            self._there = record
        except OSError:
            with suppress(OSError):
                beside.unlink()
            raise


def has_conflict(data: bytes) -> bool:
    """Tell whether a text holds git's marks of a conflict around the lines of both sides, and no other marks."""
    if b"<<<<<<< " not in data:
        return False
    rest = re.sub(_CONFLICT, b"", data)
    return rest != data and not re.search(rb"^(?:<{7} |={7}\r?$|>{7} )", rest, re.MULTILINE)


def digest_of_text(data: bytes, known: Iterable[str]) -> str:
    """The digest of a file; of its text with LF where only the line breaks keep it from being a known one.

    Git writes CRLF into checkouts with `core.autocrlf`, and takes it out again: to git such a file is not changed.
    """
    found, wanted = digest(data), set(known)
    if found not in wanted and b"\r\n" in data:
        plain = digest(data.replace(b"\r\n", b"\n"))
        return plain if plain in wanted else found
    return found
