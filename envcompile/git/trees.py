"""The files of a project as git holds them: in a commit, and in the index."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Protocol

from envcompile.errors import EnvcError, Problem, fail
from envcompile.git.blob import blob_id
from envcompile.git.objects import FOLDER, SUBMODULE, SYMLINK, OversizeError, TreeEntry, missing
from envcompile.git.tree import (
    FileEntry,
    file_start,
    hidden,
    is_hidden,
    is_ignored,
    leads_out,
    link_in_circle,
    link_to_hidden,
    link_to_nothing,
)
from envcompile.limits import DEFAULT_LIMITS, too_much

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from envcompile.errors import UnavailableError
    from envcompile.git.objects import GitObjects
    from envcompile.limits import Limits

CONFLICT = "conflict"
"""Stands in the place of a mode for a file of the index that has two sides."""
AT_ONCE = 500
"""Contents that are held at a time while many are read."""
_OUTSIDE, _CIRCLE, _NOWHERE = "/..", "/.", "/"
"""Where a path leads that leads nowhere in the repository; paths in it never begin with a slash."""
_MEBIBYTE = 1 << 20
_MOST_LINKS = 40
"""Symlinks followed for one path before it counts as a circle, as Linux does."""


class Listing(Protocol):
    """The names that a commit or an index holds; paths are relative to the top of the repository."""

    @property
    def name(self) -> str:
        """What people call it, such as `commit 1a2b3c4d5e6f`."""
        ...

    def entry(self, path: str) -> TreeEntry | None:
        """What is at a path, symlinks not followed; None for nothing. The top itself is the path `''`."""
        ...

    def folder(self, path: str) -> Mapping[str, TreeEntry]:
        """The names directly in a folder that is known to be one."""
        ...


class StoredTree:
    """The files of a project as git holds them; symlinks are followed inside of the repository.

    Args:
        listing: the names.
        objects: where contents are read.
        prefix: the project's folder inside of the repository, such as `deploy/`.
        owns_objects: end the reader of contents together with the tree.
    """

    __slots__ = ("_listing", "_objects", "_owns_objects", "_prefix", "_reals", "lacks", "limits")

    root: Path | None = None

    def __init__(self, listing: Listing, objects: GitObjects, prefix: str, *, owns_objects: bool = True) -> None:
        self._listing = listing
        self._objects = objects
        self._prefix = prefix
        self._owns_objects = owns_objects
        self._reals: dict[str, str] = {}
        self.limits = DEFAULT_LIMITS
        """What a layer and a file may hold; `limits` of envc.yaml once that is read."""
        self.lacks: UnavailableError | None = None
        """What was said when a content was wanted that the repository does not hold."""

    @property
    def name(self) -> str:
        """What people call it, such as `the index` or `commit 1a2b3c4d5e6f`."""
        return self._listing.name

    def bound(self, limits: Limits) -> None:
        """Let these limits hold from now on."""
        self.limits = limits

    def files(self, folder: str) -> list[FileEntry]:
        """Every file below a folder, sorted by path; none when the folder does not exist.

        Raises:
            EnvcError: a symlink that leaves the repository, is broken or runs in a circle; a submodule; files that
                are in conflict; more files or folders than the limits allow.
        """
        clean = "" if folder in {"", "."} else folder.rstrip("/")
        start = self._plain(clean)
        if start == _OUTSIDE:
            raise leads_out(clean, None)
        found: list[FileEntry] = []
        problems: list[Problem] = []
        if self._is_folder(start):
            self._list(clean, start, found, problems)
        if problems:
            raise EnvcError(problems)
        return sorted(found)

    def everything(self, folder: str) -> dict[str, TreeEntry]:
        """All that is below a folder, hidden files and links included, which are not followed; by the path below it.

        Raises:
            EnvcError: files there are in conflict, or more files or folders than the limits allow.
        """
        start = self._real(folder)
        found: dict[str, TreeEntry] = {}
        todo = [""] if self._is_folder(start) else []
        folders = 0
        while todo:
            below = todo.pop()
            folders += 1
            self._bound(folder, folders + len(todo), len(found))
            for name, entry in self._listing.folder(f"{start}/{below}".strip("/")).items():
                if entry.mode == FOLDER:
                    todo.append(f"{below}{name}/")
                else:
                    found[below + name] = entry
        in_conflict = [_conflict(f"{folder}/{path}") for path, entry in sorted(found.items()) if entry.mode == CONFLICT]
        if in_conflict:
            raise EnvcError(in_conflict)
        return found

    def _list(self, folder: str, start: str, found: list[FileEntry], problems: list[Problem]) -> None:
        """List a folder, whose real path is `start`, and all below it.

        A folder counts as often as a tree or a symlink names it: a few objects can name each other without end.
        """
        todo: list[tuple[str, str, tuple[str, ...]]] = [(folder, start, ())]
        folders = 0
        while todo:
            shown, real, holders = todo.pop()  # `holders` are the real folders whose symlinks led here
            folders += 1
            for part, entry in self._listing.folder(real).items():
                if is_ignored(part):
                    continue
                name = f"{shown}/{part}" if shown else part
                path = f"{real}/{part}" if real else part
                is_link = entry.mode == SYMLINK
                target, end = self._target(name, path) if is_link else (path, entry)
                if end.mode == FOLDER:
                    trail = (*holders, posixpath.dirname(path)) if is_link else holders
                    if is_link and any(f"{holder}/".startswith(f"{target}/") or not target for holder in trail):
                        raise link_in_circle(name, self._text(path))
                    todo.append((name, target, trail))
                elif end.mode == SUBMODULE:
                    raise self._submodule(name)
                elif end.mode == CONFLICT:
                    problems.append(_conflict(name))
                else:
                    found.append(self._found(name, target, end))
            self._bound(folder, folders + len(todo), len(found))

    def _bound(self, folder: str, folders: int, files: int) -> None:
        for name, count in (("folders", folders), ("files", files)):
            if count > getattr(self.limits, name):
                raise too_much(name, self.limits, f"`{folder or '.'}` of {self.name} holds more than", folder)

    def _submodule(self, name: str) -> EnvcError:
        what = f"`{name}` is a git submodule: {self._listing.name} does not hold its files"
        return fail(what, "copy its files into the repository, or move it out of this folder", file_start(name))

    def _target(self, shown: str, path: str) -> tuple[str, TreeEntry]:
        """Where a symlink ends, and what is there."""
        target = self._walk(path)
        end = self._at(target)
        if end is None:
            text = self._text(path)
            if target == _OUTSIDE:
                raise leads_out(shown, text)
            raise link_in_circle(shown, text) if target == _CIRCLE else link_to_nothing(shown, text)
        if is_hidden(target.removeprefix(self._prefix)):
            raise link_to_hidden(shown, self._text(path))
        return target, end

    def _text(self, path: str) -> str:
        """What a symlink says."""
        entry = self._listing.entry(path)
        return self._content(entry, path, path).decode("utf-8", "surrogateescape") if entry is not None else ""

    def _real(self, path: str) -> str:
        """The path in the repository that a project's path means, symlinks followed."""
        if path not in self._reals:
            self._reals[path] = self._walk(self._prefix + path)
        return self._reals[path]

    def _plain(self, path: str) -> str:
        """The same, refused where links lead below a name that begins with a dot and the path itself does not say so.

        Raises:
            EnvcError: it does.
        """
        real = self._real(path)
        if is_hidden(real.removeprefix(self._prefix)) and not is_hidden(path):
            raise hidden(path, "leads below a name that begins with a dot")
        return real

    def _walk(self, path: str) -> str:
        """Follow symlinks as the system would (path_resolution(7)); names that no repository has stand for nowhere."""
        done: list[str] = []
        todo = path.split("/")[::-1]
        links = 0
        while todo:
            part = todo.pop()
            if part in {"", ".", ".."}:
                if done and not self._is_folder("/".join(done)):
                    return _NOWHERE
                if part == "..":
                    if not done:
                        return _OUTSIDE
                    done.pop()
                continue
            done.append(part)
            here = "/".join(done)
            entry = self._listing.entry(here)
            if entry is not None and entry.mode == SYMLINK:
                links += 1
                text = self._text(here)
                if links > _MOST_LINKS:
                    return _CIRCLE
                if text.startswith("/"):
                    return _OUTSIDE
                done.pop()
                todo += text.split("/")[::-1]
        return "/".join(done)

    def _at(self, real: str) -> TreeEntry | None:
        return None if real.startswith("/") else self._listing.entry(real)

    def _is_folder(self, real: str) -> bool:
        entry = self._at(real)
        return entry is not None and entry.mode == FOLDER

    def _entry(self, path: str) -> TreeEntry | None:
        return self._at(self._real(path))

    def read(self, path: str) -> bytes:
        """The bytes of a file.

        Raises:
            EnvcError: there is no such file.
        """
        return self._content(self._file_at(path), self._plain(path), path)

    def _file_at(self, path: str) -> TreeEntry:
        entry = self._entry(path)
        if entry is not None and entry.mode == CONFLICT:
            raise EnvcError([_conflict(path)])
        if entry is None or entry.mode in {SUBMODULE, FOLDER}:
            what = f"cannot read `{path}`: {self._listing.name} has no such file"
            raise fail(what, "name another revision, or add the file and commit it", file_start(path))
        return entry

    def exists(self, path: str) -> bool:
        """Tell whether the path is a file or a folder."""
        return self._entry(path) is not None

    def is_file(self, path: str) -> bool:
        """Tell whether the path is a file."""
        entry = self._entry(path)
        return entry is not None and entry.mode != FOLDER

    def blob_of(self, path: str) -> str:
        """The git id of a file's content: equal ids are equal bytes.

        Raises:
            EnvcError: there is no such file.
        """
        return self._file_at(path).hash

    def blobs(self, ids: Iterable[str], *, within_limits: bool = False) -> Iterator[tuple[str, bytes]]:
        """The bytes of many contents by their git ids, in the order asked, read in one go.

        Args:
            ids: those.
            within_limits: refuse one that holds more than a file may.

        Raises:
            UnavailableError: the repository does not hold one of them.
            EnvcError: one holds more than a file may.
        """
        wanted = list(dict.fromkeys(ids))
        most = self.limits.file_size * _MEBIBYTE if within_limits else None
        for start in range(0, len(wanted), AT_ONCE):
            part = wanted[start : start + AT_ONCE]
            try:
                answers = self._objects.read(part, most)
            except OversizeError as error:
                raise too_much(
                    "file_size", self.limits, f"a file of {self._listing.name} holds more than", ""
                ) from error
            for blob, answer in zip(part, answers, strict=True):
                if answer is None:
                    self.lacks = missing(f"the object {blob[:12]} of {self._listing.name}")
                    raise self.lacks
                yield blob, answer[1]

    def holds(self, path: str, data: bytes) -> bool:
        """Tell whether a file has exactly these bytes, without reading it: git names contents by their hash."""
        entry = self._entry(path)
        if entry is None or entry.mode in {SUBMODULE, FOLDER, CONFLICT}:
            return False
        return blob_id(data, len(entry.hash)) == entry.hash

    def folder_id(self, path: str) -> str:
        """Git's name of a folder and all below it; empty where there is none, or an index has no such name."""
        entry = self._entry(path)
        return entry.hash if entry is not None and entry.mode == FOLDER else ""

    def _found(self, name: str, real: str, entry: TreeEntry) -> FileEntry:  # ruff: ignore[no-self-use] - one kind differs
        """A file as it is listed: its name in the project, and where it really is."""
        del real
        return FileEntry(name, entry.hash)

    def _content(self, entry: TreeEntry, real: str, shown: str) -> bytes:
        """The bytes of a file, or what a symlink says."""
        del real
        try:
            found = self._objects.read([entry.hash], self.limits.file_size * _MEBIBYTE)[0]
        except OversizeError as error:
            raise too_much("file_size", self.limits, f"`{shown}` holds more than", shown) from error
        if found is None:
            self.lacks = missing(f"`{shown}` of {self._listing.name} (object {entry.hash[:12]})")
            raise self.lacks
        return found[1]

    def close(self) -> None:
        """End the git process that reads the files, when it is the tree's own; the next read starts another."""
        if self._owns_objects:
            self._objects.close()


class CommitTree(StoredTree):
    """The files of one commit."""

    __slots__ = ("_commit", "commit", "prefix", "revision")

    def __init__(
        self, objects: GitObjects, commit: str, prefix: str, *, revision: str = "", owns_objects: bool = True
    ) -> None:
        listing = _Commit(objects, commit)
        super().__init__(listing, objects, prefix, owns_objects=owns_objects)
        self.commit = commit
        """The commit's full hash."""
        self.prefix = prefix
        """The project's folder in it, such as `deploy/`."""
        self._commit = listing
        self.revision = revision or commit
        """What it was asked for by."""

    def plain_files(self, names: Iterable[str]) -> dict[str, str] | None:
        """Every file at or below some names of the project's folder -> git's name of its content.

        Names that begin with a dot are left out. None where there is a link or a submodule among them, or more than the
        limits let through.
        """
        found: dict[str, str] = {}
        for name in names:
            entry = self._commit.entry(self._prefix + name)
            if entry is None:
                continue
            most = self.limits.files + self.limits.folders
            entries = self._objects.below(entry.hash, f"{name}/", most) if entry.mode == FOLDER else {name: entry}
            if entries is None or any(each.mode in {SYMLINK, SUBMODULE} for each in entries.values()):
                return None
            found.update({path: each.hash for path, each in entries.items() if "/." not in path})
        return found

    def changed_since(self, names: Iterable[str], known: Callable[[str], Mapping[str, str]]) -> dict[str, str] | None:
        """The files at or below some names of the project's folder whose content differs -> git's name of it.

        Folders that git calls by the same name as before are not looked into. Names that begin with a dot are left out.

        Args:
            names: those names.
            known: the names in a folder as they were, with git's names of what they held (`folders_of`).

        Returns:
            None where a file came or went, or where there is a link or a submodule.
        """
        changed: dict[str, str] = {}
        todo: list[tuple[str, str]] = []
        top = known("")
        here = {name: entry for name in names if (entry := self._commit.entry(self._prefix + name)) is not None}
        if not _alike("", here, top, changed, todo):
            return None
        while todo:
            folder, hashed = todo.pop()
            if not _alike(f"{folder}/", self._objects.folder(hashed), known(folder), changed, todo):
                return None
        return changed


def _alike(
    prefix: str,
    entries: Mapping[str, TreeEntry],
    known: Mapping[str, str],
    changed: dict[str, str],
    todo: list[tuple[str, str]],
) -> bool:
    """Tell whether a folder has the same names; what differs in it is added to `changed` and `todo`."""
    count = 0
    for name, entry in entries.items():
        if name.startswith("."):
            continue
        count += 1
        is_folder = entry.mode == FOLDER
        before = known.get(f"{name}/" if is_folder else name)
        if before is None or entry.mode in {SYMLINK, SUBMODULE}:
            return False
        if before != entry.hash and is_folder:
            todo.append((prefix + name, entry.hash))
        elif before != entry.hash:
            changed[prefix + name] = entry.hash
    return count == len(known)


class _Commit:
    """The names in a commit, found folder by folder as they are asked for."""

    __slots__ = ("_objects", "_top", "name")

    def __init__(self, objects: GitObjects, commit: str) -> None:
        self.name = f"commit {commit[:12]}"
        self._objects = objects
        top = objects.root(commit)
        if not top:
            raise missing(self.name)
        self._top = TreeEntry(FOLDER, top)

    def entry(self, path: str) -> TreeEntry | None:
        """What is at a path."""
        entry: TreeEntry | None = self._top
        for name in path.split("/") if path else ():
            if entry is None or entry.mode != FOLDER:
                return None
            entry = self._objects.folder(entry.hash).get(name)
        return entry

    def folder(self, path: str) -> Mapping[str, TreeEntry]:
        """The names directly in a folder."""
        entry = self.entry(path)
        return self._objects.folder(entry.hash) if entry is not None else {}


def _conflict(path: str) -> Problem:
    what = f"`{path}` is in conflict: the index holds both sides of a merge"
    return Problem(
        what, "resolve it and `git add` it, or give the merge up with `git merge --abort`", (file_start(path),)
    )
