"""The objects of a git repository, read through one process however many are asked for."""

from __future__ import annotations

import re
import select
import weakref
from contextlib import suppress
from typing import IO, TYPE_CHECKING, NamedTuple

from envcompile.errors import Problem, UnavailableError
from envcompile.git.run import HOW_TO_COMPLETE, start

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence

    from envcompile.git.run import Place

FOLDER, SYMLINK, SUBMODULE = "40000", "120000", "160000"
"""Modes of tree entries that are no plain files, as tree objects write them."""
_UNREAD = select.PIPE_BUF
"""Bytes of questions that may wait for git: what the smallest pipe holds (POSIX, pipe(7)).

More would let envc wait for git to read while git waits for envc to read.
"""
_BYTES = {40: 20, 64: 32}
"""Hexadecimal digits of a hash -> its bytes in a tree object."""
_MOST_FOLDERS = 20_000
"""Folders that are remembered, roughly."""


class TreeEntry(NamedTuple):
    """One name in a folder of a commit: what it is, and the hash of its content."""

    mode: str
    hash: str


class OversizeError(Exception):
    """An object holds more bytes than it may."""


class GitObjects:
    """Reads blobs, trees and commits by hash, or by anything else that `git rev-parse` takes.

    Args:
        place: the repository.
    """

    __slots__ = ("__weakref__", "_place", "_process", "_roots", "_stop", "_trees")

    def __init__(self, place: Place) -> None:
        self._place = place
        self._process: subprocess.Popen[bytes] | None = None
        self._stop: weakref.finalize[..., GitObjects] | None = None
        self._trees: dict[str, dict[str, TreeEntry]] = {}
        self._roots: dict[str, str] = {}

    def start(self) -> None:
        """Start git, so that it is ready when the first question comes.

        Raises:
            UnavailableError: there is no git on this machine.
        """
        if self._process is None:
            process = self._process = start(self._place, "cat-file", "--batch")
            self._stop = weakref.finalize(self, _stop, process)

    def read(self, names: Sequence[str], most: int | None = None) -> list[tuple[str, bytes] | None]:
        """The hash and the content of each object, in the order asked; None for one that is not there.

        Args:
            names: what git takes for an object.
            most: bytes that each may hold; as many as there are when left out.

        Raises:
            OversizeError: one of them holds more; nothing of it is read.
        """
        found: list[tuple[str, bytes] | None] = []
        while len(found) < len(names):
            is_new = self._process is None
            self.start()
            before = len(found)
            try:
                found += self._answers(names[before:], most)
            except OversizeError:
                self.close()  # git would go on telling all of it
                raise
            if len(found) < len(names):
                # Git ends at a damaged object; a process that ended before it was asked anything is started anew.
                self.close()
                if is_new or len(found) > before:
                    found.append(None)
        return found

    def _answers(self, names: Sequence[str], most: int | None) -> Iterator[tuple[str, bytes] | None]:
        """The answers until git has no more to say; a few questions are always ahead, so that git never waits."""
        questions = [f"{name}\n".encode("utf-8", "surrogateescape") if "\n" not in name else b"\n" for name in names]
        asks, answers = _pipes(self._process)
        asked = unread = 0
        for at, question in enumerate(questions):
            if unread <= _UNREAD // 2:
                first = asked
                while asked < len(questions) and (asked == at or unread + len(questions[asked]) <= _UNREAD):
                    unread += len(questions[asked])
                    asked += 1
                try:
                    asks.write(b"".join(questions[first:asked]))
                    asks.flush()
                except BrokenPipeError:
                    return
            line = answers.readline()
            if not line:
                return
            header = line.split()
            unread -= len(question)
            if len(header) == 3 and header[2].isdigit():
                if most is not None and int(header[2]) > most:
                    raise OversizeError
                data = answers.read(int(header[2]))
                answers.read(1)
                yield header[0].decode(), data
            else:
                yield None

    def resolve(self, revision: str) -> str:
        """The full hash of the commit that a revision means; empty when git knows none, or cannot be asked so."""
        if not revision or "\n" in revision:
            return ""
        found = self.read([f"{revision}^{{commit}}"])[0]
        return found[0] if found is not None else ""

    def parents(self, commit: str) -> tuple[str, ...] | None:
        """The parents that a commit names; None when there is no commit of this full hash."""
        found = self.read([f"{commit}^{{commit}}"])[0]
        if found is None or found[0] != commit:
            return None
        head = found[1].partition(b"\n\n")[0].decode("utf-8", "replace")
        return tuple(line.removeprefix("parent ") for line in head.splitlines() if line.startswith("parent "))

    def root(self, commit: str) -> str:
        """The hash of a commit's top folder; empty when the commit is not there."""
        known = self._roots.get(commit)
        if known is not None:
            return known
        found = self.read([f"{commit}^{{tree}}"])[0]
        if found is None:
            return ""
        self._trees.setdefault(found[0], _entries(found[1], len(found[0])))
        if len(commit) == len(found[0]):  # a whole hash, which never means another commit
            self._roots[commit] = found[0]
        return found[0]

    def folder(self, tree: str) -> dict[str, TreeEntry]:
        """The names in a folder, by the folder's hash.

        Raises:
            UnavailableError: the repository does not hold it.
        """
        if tree not in self._trees:
            self._load([tree])
        return self._trees[tree]

    def below(self, tree: str, path: str, most: int) -> dict[str, TreeEntry] | None:
        """Every file below a folder of which the hash is given; None when there are too many names to go through.

        Args:
            tree: the folder's hash.
            path: what the files' paths begin with, such as `base/`.
            most: how many files and folders may be there: few objects can name one folder again and again.
        """
        found: dict[str, TreeEntry] = {}
        todo = [(path, tree)]
        while todo:
            self._load(list(dict.fromkeys(hashed for _, hashed in todo if hashed not in self._trees)))
            deeper: list[tuple[str, str]] = []
            for prefix, hashed in todo:
                for name, entry in self._trees[hashed].items():
                    if entry.mode == FOLDER:
                        deeper.append((f"{prefix}{name}/", entry.hash))
                    else:
                        found[prefix + name] = entry
                if len(found) + len(deeper) > most:
                    return None
            todo = deeper
        return found

    def forget(self) -> None:
        """Drop what is remembered of folders, when it has become much."""
        if len(self._trees) > _MOST_FOLDERS:
            self._trees.clear()
            self._roots.clear()

    def close(self) -> None:
        """End the git process; the next question starts another."""
        if self._stop is not None:
            self._stop()
        self._process = None

    def _load(self, trees: list[str]) -> None:
        for hashed, answer in zip(trees, self.read(trees) if trees else (), strict=True):
            if answer is None:
                raise missing(f"the folder {hashed[:12]}")
            self._trees[hashed] = _entries(answer[1], len(hashed))


def missing(what: str) -> UnavailableError:
    """The error of an object that a repository should hold and does not.

    Args:
        what: what the object is to people, such as a path with its commit.
    """
    return UnavailableError([Problem(f"git cannot read {what}", HOW_TO_COMPLETE)])


def _entries(data: bytes, digits: int) -> dict[str, TreeEntry]:
    """The entries of a tree object: mode, space, name, NUL, hash.

    Raises:
        ValueError: it is none.
    """
    size = _BYTES.get(digits, 20)
    found = re.findall(rb"([0-7]+) ([^\0]+)\0(.{%d})" % size, data, re.DOTALL)
    if sum(len(mode) + len(name) for mode, name, _ in found) + len(found) * (size + 2) != len(data):
        raise ValueError(digits)
    return {
        name.decode("utf-8", "surrogateescape"): TreeEntry(mode.decode(), hashed.hex()) for mode, name, hashed in found
    }


def _pipes(process: subprocess.Popen[bytes] | None) -> tuple[IO[bytes], IO[bytes]]:
    if process is None or process.stdin is None or process.stdout is None:
        raise ValueError("the process has no pipes")
    return process.stdin, process.stdout


def _stop(process: subprocess.Popen[bytes]) -> None:
    asks, answers = _pipes(process)
    with suppress(BrokenPipeError):  # git has ended before
        asks.close()
    answers.close()
    process.wait()
