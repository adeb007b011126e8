"""The files of a project as one commit holds them."""

from __future__ import annotations

import hashlib
import os
import posixpath
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import Problem, UnavailableError, UsageError, fail, nearest
from envcompile.sources.gitobjects import SUBMODULE, SYMLINK, GitObjects
from envcompile.sources.tree import FileEntry, file_start, is_ignored, leads_out, link_in_circle, link_to_nothing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SHA1_DIGITS = 40
_MOST_FILES = 1_000_000
"""Files of one commit; the largest public repositories have half as many."""
_MOST_LINKS = 40
"""Symlinks followed for one path before it counts as a circle, as Linux does."""


class _Entry(NamedTuple):
    mode: str
    blob: str
    size: int


class GitTree:
    """The files of one commit; symlinks are followed inside the commit.

    Args:
        folder: the project's root on disk, anywhere inside of the git repository.
        revision: whatever git takes for a commit: a branch, a tag, `HEAD~3`, a hash.
        objects: what reads the repository already; then the revision must be a full hash.
        prefix: the project's folder inside of the repository, such as `deploy/`, when that is known.

    Raises:
        UsageError: the folder is in no git repository, or the revision does not exist.
        UnavailableError: there is no git on this machine.
    """

    __slots__ = ("_entries", "_folders", "_is_own", "_objects", "_prefix", "commit", "revision")

    root: Path | None = None

    def __init__(
        self, folder: Path, revision: str, *, objects: GitObjects | None = None, prefix: str | None = None
    ) -> None:
        self.revision = revision
        self._prefix = _git(folder, "rev-parse", "--show-prefix").rstrip("\n") if prefix is None else prefix
        self.commit = _resolve(folder, revision) if objects is None else revision
        self._entries: dict[str, _Entry] = {}
        self._folders: set[str] = {""}
        self._objects = objects or GitObjects(folder)
        self._is_own = objects is None
        for line in _listing(folder, self.commit):
            facts, _, path = line.partition("\t")
            if path:
                mode, _, blob, size = facts.split()
                self._entries[path] = _Entry(mode, blob, int(size) if size != "-" else 0)
                while path and (path := posixpath.dirname(path)) not in self._folders:
                    self._folders.add(path)

    def files(self, folder: str) -> list[FileEntry]:
        """Every file below a folder, sorted by path; none when the folder does not exist.

        Raises:
            EnvcError: a symlink that leaves the repository, is broken or runs in a circle; a submodule.
        """
        clean = "" if folder in {"", "."} else folder.rstrip("/")
        start = self._real(clean)
        found: list[FileEntry] = []
        if start is not None and start in self._folders:
            self._list(clean, start, (), found)
        return sorted(found)

    def _list(self, shown: str, real: str, holders: tuple[str, ...], found: list[FileEntry]) -> None:
        prefix = f"{real}/" if real else ""
        for path, entry in self._entries.items():
            if not path.startswith(prefix):
                continue
            below = path.removeprefix(prefix)
            if any(is_ignored(part) for part in below.split("/")):
                continue
            name = f"{shown}/{below}" if shown else below
            if entry.mode == SUBMODULE:
                what = f"`{name}` is a git submodule: commit {self.commit[:12]} does not hold its files"
                raise fail(what, "copy its files into the repository, or move it out of this folder", file_start(name))
            if entry.mode != SYMLINK:
                found.append(FileEntry(name, 0, entry.size, int(entry.blob[:15], 16)))
                continue
            target = self._target(name, path)
            if target in self._folders:
                trail = (*holders, posixpath.dirname(path))
                if any(f"{holder}/".startswith(f"{target}/") or not target for holder in trail):
                    raise link_in_circle(name, self._blob(entry).decode(errors="replace"))
                self._list(name, target, trail, found)
            else:
                end = self._entries[target]
                found.append(FileEntry(name, 0, end.size, int(end.blob[:15], 16)))

    def _target(self, shown: str, path: str) -> str:
        """Where a symlink of the commit ends."""
        text = self._blob(self._entries[path]).decode(errors="replace")
        target = self._walk(path)
        if target is not None and (target in self._entries or target in self._folders):
            return target
        if text.startswith("/") or posixpath.normpath(posixpath.join(posixpath.dirname(path), text)).startswith(".."):
            raise leads_out(shown, text)
        raise link_in_circle(shown, text) if target is None else link_to_nothing(shown, text)

    def _real(self, path: str) -> str | None:
        """The path in the commit that a project path means, symlinks followed; None when it leaves the commit."""
        full = posixpath.normpath(self._prefix + path)
        return "" if full == "." else self._walk(full)

    def _walk(self, path: str) -> str | None:
        done: list[str] = []
        todo = path.split("/")[::-1]
        links = 0
        while todo:
            part = todo.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                if not done:
                    return None
                done.pop()
                continue
            done.append(part)
            entry = self._entries.get("/".join(done))
            if entry is not None and entry.mode == SYMLINK:
                links += 1
                text = self._blob(entry).decode(errors="replace")
                if links > _MOST_LINKS or text.startswith("/"):
                    return None
                done.pop()
                todo += text.split("/")[::-1]
        return "/".join(done)

    def read(self, path: str) -> bytes:
        """The bytes of a file.

        Raises:
            EnvcError: the commit has no such file.
        """
        real = self._real(path)
        entry = self._entries.get(real) if real is not None else None
        if entry is None or entry.mode == SUBMODULE:
            what = f"cannot read `{path}`: commit {self.commit[:12]} has no such file"
            raise fail(what, "name another revision, or add the file and commit it", file_start(path))
        return self._blob(entry)

    def exists(self, path: str) -> bool:
        """Tell whether the path is a file or a folder."""
        real = self._real(path)
        return real is not None and (real in self._folders or real in self._entries)

    def is_file(self, path: str) -> bool:
        """Tell whether the path is a file."""
        return self._real(path) in self._entries

    def holds(self, path: str, data: bytes) -> bool:
        """Tell whether a file has exactly these bytes, without reading it: git names contents by their hash."""
        real = self._real(path)
        entry = self._entries.get(real) if real is not None else None
        if entry is None or entry.mode == SUBMODULE or entry.size != len(data):
            return False
        made = hashlib.sha1 if len(entry.blob) == _SHA1_DIGITS else hashlib.sha256
        # Git itself refuses contents made to collide, and a machine in FIPS mode would refuse the hash as such.
        return made(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest() == entry.blob

    def _blob(self, entry: _Entry) -> bytes:
        found = self._objects.read([entry.blob])[0]
        if found is None:
            problem = Problem(
                f"git cannot read the object {entry.blob[:12]} of commit {self.commit[:12]}",
                "run `git fsck`; in a partial clone, fetch the commit's files first",
            )
            raise UnavailableError([problem])
        return found[1]

    def close(self) -> None:
        """End the git process that reads the files, when it is the tree's own; the next read starts another."""
        if self._is_own:
            self._objects.close()


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}


def _listing(folder: Path, commit: str) -> Iterator[str]:
    """The lines of `git ls-tree`; a tree that names one folder again and again would never end, and is refused.

    Raises:
        EnvcError: the commit holds more than `_MOST_FILES` files.
    """
    command = ["git", "ls-tree", "-r", "-z", "-l", "--full-tree", commit]
    count, rest = 0, b""
    with subprocess.Popen(
        command, cwd=folder, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as listing:
        if listing.stdout is None:
            raise AssertionError("git has no output")
        while block := listing.stdout.read(1 << 20):
            *lines, rest = (rest + block).split(b"\0")
            count += len(lines)
            if count > _MOST_FILES:
                listing.kill()
                what = f"commit {commit[:12]} holds more than {_MOST_FILES:,} files"
                raise fail(what, "name another revision: git trees like this are made to exhaust who reads them")
            for line in lines:
                yield line.decode("utf-8", "surrogateescape")


def _git(folder: Path, *arguments: str) -> str:
    """What git prints; the errors speak of the folder, never in git's words alone."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, env=_environment(), capture_output=True, check=False)
    except FileNotFoundError as error:
        problem = Problem("git is not installed", "install git, or leave out the revision")
        raise UnavailableError([problem]) from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        reason = lines[0].removeprefix("fatal: ") if lines else f"git {arguments[0]} failed"
        raise UsageError([Problem(f"cannot read git history here: {reason}", "run envc inside of a git repository")])
    return done.stdout.decode("utf-8", "surrogateescape")


def _resolve(folder: Path, revision: str) -> str:
    """The commit's full hash."""
    found = ""
    if not revision.startswith("-"):
        done = subprocess.run(
            ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"],
            cwd=folder,
            env=_environment(),
            capture_output=True,
            check=False,
        )
        found = done.stdout.decode().strip() if done.returncode == 0 else ""
    if found:
        return found
    references = _git(folder, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes")
    near = nearest(revision, references.split())
    if near:
        fix = f"did you mean {' or '.join(f'`{name}`' for name in near)}?"
    elif _git(folder, "rev-parse", "--is-shallow-repository").strip() == "true":
        fix = "this clone is shallow: fetch the rest with `git fetch --unshallow`"
    else:
        fix = "name a branch, a tag or a commit that this repository holds"
    raise UsageError([Problem(f"git knows no revision `{revision}`", fix)])
