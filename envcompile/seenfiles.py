"""Files as they are seen in a folder: their names, and the numbers that tell whether somebody touched one.

Thousands of files are looked at before a build knows that nothing is left to do, so this module imports next to
nothing and keeps the numbers as they come: two looks at the same files are two equal pieces of memory.
"""

from __future__ import annotations

import os
from itertools import pairwise
from time import time_ns

from envcompile.seenplaces import HERE, places_in
from envcompile.seentimes import (
    LARGEST,
    NO_FILE,
    NO_FOLDER,
    NO_FOLDERS,
    OPEN_FOLDER,
    Folders,
    folders_of,
    numbers_in,
    numbers_of,
    packed,
    times_now,
    times_of,
)

TYPE_CHECKING = False
"""Type checkers take it for true; importing `typing` for it would cost half the time of a build with nothing to do."""

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from typing import Final

    _Links = tuple[tuple[int, int], ...]
    _Todo = list[tuple[str, _Links]]

UNREAD: Final = "-"
"""Stands for the digest of a file that was not read."""

ABSENT: Final = "absent"
"""Stands for the stat of a file that was looked for and not there: one that appears changes the result."""

_TYPE_BITS, _FOLDER, _FILE = 0o170000, 0o040000, 0o100000
"""S_IFMT, S_IFDIR and S_IFREG of inode(7)."""
_BYTES: Final = 32
"""Of the stats of one file."""
_DIGITS: Final = 64
"""Of a SHA-256."""
_LINE: Final = _DIGITS + 1
"""Of the digest of one file."""
_FEW: Final = 24
"""So many folders are looked for in the names; whoever asks for more has a table of all made."""
_BLOCK: Final = _BYTES * 64
_BY_DESCRIPTOR: Final = os.scandir in os.supports_fd

MOST_FOLDERS: Final = 25_000
"""Folders that are looked at; reading the sources stops before, at `limits.folders`, unless that is raised."""


class Files:  # ruff: ignore[too-many-public-methods] - every question that is asked of files seen
    """Files by folder, with their stats, and the digests of what was in them; taken apart when asked for.

    Args:
        names: a line a folder, which ends with a slash, and below it a line for each file in it.
        stats: of each file the times of its last change and of that of its inode in ns, its size and inode, as 64 bits
            each; -1 for one that is not there.
        digests: a line a file; nothing at all where they are not known.
        lines: the lines of the names, where they are at hand.
    """

    __slots__ = ("_digests", "_lines", "_near", "_paths", "_places", "digests", "names", "stats", "times")

    def __init__(self, names: bytes, stats: bytes, digests: bytes = b"", lines: list[str] | None = None) -> None:
        self.names = names
        self.stats = stats
        self.digests = digests
        self._lines = lines
        self._digests: list[str] | None = None
        self._paths: list[str] | None = None
        self._places: dict[str, int] | None = None
        self._near: dict[str, dict[str, int]] = {}
        """The numbers of the files in folders that somebody asked for."""
        self.times = b""
        """Of each of `folder_lines` the times at which it held these files and no other; nothing where not known."""

    def __len__(self) -> int:
        return len(self.stats) // _BYTES

    def __contains__(self, path: str) -> bool:
        return self.place_of(path) is not None

    @property
    def is_readable(self) -> bool:
        """Whether the names can be told apart again: none has a line break in it."""
        return self._lines is None or self.names.count(b"\n") < max(len(self._lines), 1)

    @property
    def places(self) -> dict[str, int]:
        """Path -> the number of the file, from 0 on in the order of the listing."""
        if self._places is None:
            self._places = {path: place for place, path in enumerate(self.paths())}
        return self._places

    @property
    def stat_of(self) -> dict[str, str]:
        """Path -> stat, as `stat` gives it."""
        return dict(zip(self.paths(), map(_stat_text, self.numbers()), strict=True))

    @property
    def digest_of(self) -> dict[str, str]:
        """Path -> digest, `UNREAD` for a file that was not read."""
        return dict(zip(self.paths(), self._digest_lines(), strict=True))

    def stat(self, path: str) -> str:
        """The four numbers of a file as a text, `ABSENT` for one that was not there."""
        place = self.place_of(path)
        if place is None:
            return ABSENT
        changed, touched, size, inode = memoryview(self.stats).cast("q")[place * 4 : place * 4 + 4]
        return _stat_text((changed, touched, size, inode))

    def digest(self, path: str) -> str:
        """The digest of a file, `UNREAD` for one that was not read, or not seen."""
        place = self.place_of(path)
        if place is None:
            return UNREAD
        if self._digests is None and self.are_all_read:
            start = place * _LINE
            return self.digests[start : start + _DIGITS].decode()
        return self._digest_lines()[place]

    @property
    def are_all_read(self) -> bool:
        """Whether it is known of each file what is in it, as a SHA-256: the digests are all of one length then."""
        return len(self.digests) == len(self) * _LINE - 1 and UNREAD.encode() not in self.digests

    def place_of(self, path: str) -> int | None:
        """The number of one file; None for one that was not seen. A table of all is made where many are asked for."""
        if self._places is None and len(self._near) < _FEW:
            folder, _, name = path.rpartition("/")
            if folder not in self._near:
                if not self.is_readable:
                    return self.places.get(path)  # of the lines as they were seen: a name has a break in it
                self._near[folder] = places_in(self.names, folder)
            return self._near[folder].get(name)
        return self.places.get(path)

    def numbers(self) -> Iterator[tuple[int, int, int, int]]:
        """The four numbers of each file."""
        each = iter(memoryview(self.stats).cast("q"))
        return zip(each, each, each, each, strict=True)

    def paths(self) -> list[str]:
        """The path of each file."""
        if self._paths is None:
            self._paths = found = []
            folder = ""
            for line in self._names():
                if line[-1] == "/":
                    folder = "" if line == HERE else line
                else:
                    found.append(folder + line)
        return self._paths

    def is_same(self, other: Files) -> bool:
        """Tell whether there are just these files with just these stats; the order of a listing seldom changes."""
        return self._is_equal(other) or (len(self) == len(other) and self.stat_of == other.stat_of)

    @property
    def folder_lines(self) -> list[str]:
        """The folder that was listed, and each that a file in it is in, with a slash at the end."""
        return folders_of(self._names())

    def are_in(self, folder: str) -> bool:
        """Tell whether a folder holds all of these as files with these stats, whatever else it holds."""
        return self.times_in(folder) is not None

    def times_in(self, folder: str) -> bytes | None:
        """The times of the folders that these are in, where one holds all of them with these stats; None elsewhere.

        Each is asked for by its name: that takes less than to list the folders that they are in.
        """
        try:
            times = times_now(folder, self.folder_lines)
            is_whole = NO_FOLDER[0] not in times and packed(numbers_in(folder, self._names())) == self.stats
        except OSError:
            return None
        return packed(times) if is_whole else None

    def again(self, root: str, folders: Folders, within: Container[str]) -> tuple[Files, Folders] | None:
        """The same files as they are now, and their folders, where none came or went; None elsewhere.

        Args:
            root: the folder that all are below.
            folders: every folder that was listed, with the times at which it held these files and no other.
            within: the first names of their paths; all other files were looked for one by one.
        """
        try:
            now = Folders(folders.lines, packed(times_now(root, folders.lines)))
            changed = folders.changed(now)
            if len(changed) > _FEW or not all(now.is_there(line) for line in changed):
                return None
            if not all(now.holds(root, line, places_in(self.names, line[:-1])) for line in changed):
                return None
            numbers = numbers_in(root, self._names(), within)
        except OSError:
            return None
        return self._again(packed(numbers), ""), now

    def changes(self, other: Files) -> set[str]:
        """The files that are in one of both only, or have another stat there."""
        if self.names != other.names:
            return {path for path, _ in self.stat_of.items() ^ other.stat_of.items()}
        if self.stats == other.stats:
            return set()
        paths = self.paths()
        other._lines, other._paths, other._places = self._names(), paths, self._places
        return {paths[number] for number in self._different(other)}

    def seen(self) -> Seen:
        """The same, to be added to."""
        lines = self._names()
        numbers = memoryview(self.stats).cast("q").tolist()
        starts = [start for start, line in enumerate(lines) if line[-1] == "/"]
        found = Seen()
        for above, (start, end) in enumerate(pairwise((*starts, len(lines)))):
            # So many lines before it are folders.
            files = slice((start - above) * 4, (end - above - 1) * 4)
            found.put(lines[start], lines[start + 1 : end], numbers[files])
        return found

    def release(self) -> None:
        """Give up what was taken apart; it is made again when somebody asks."""
        if self.is_readable:
            self._lines = self._paths = self._places = self._digests = None
            self._near = {}

    def with_digests(self, digests: Iterable[str]) -> Files | None:
        """The same files with the digests of what is in them; None when a name has a line break in it."""
        if not self.is_readable:
            return None
        lines = "\n".join([digest or UNREAD for digest in digests])
        return self._again(self.stats, lines)

    def edited(self, stats: bytes, digests: Mapping[str, str]) -> Files:
        """The same files with other stats, and some with another digest."""
        lines = list(self._digest_lines())
        for path, digest in digests.items():
            lines[self.places[path]] = digest or UNREAD
        return self._again(stats, "\n".join(lines))

    @classmethod
    def of(cls, stats: Mapping[str, str], digests: Iterable[str]) -> Files | None:
        """Files by their paths, with their digests in the same order; None when a name has a line break in it."""
        seen = Seen()
        for path, stat in stats.items():
            seen.add(path, map(int, stat.split(" ")) if stat != ABSENT else NO_FILE)
        found, digest_of = seen.files(), dict(zip(stats, digests, strict=True))
        return found.with_digests([digest_of[path] for path in found.paths()]) if found.is_readable else None

    def _again(self, stats: bytes, digests: str) -> Files:
        found = Files(self.names, stats, digests.encode(), self._lines)
        found._paths, found._places, found.times = self._paths, self._places, self.times
        return found

    def _names(self) -> list[str]:
        if self._lines is None:
            self._lines = _text(self.names).split("\n") if self.names else []
        return self._lines

    def _is_equal(self, other: Files) -> bool:
        return self.names == other.names and self.stats == other.stats

    def _different(self, other: Files) -> Iterator[int]:
        """The numbers of the files whose stats differ, of the same number of files."""
        mine, theirs = self.stats, other.stats
        for start in range(0, len(mine), _BLOCK):
            if mine[start : start + _BLOCK] != theirs[start : start + _BLOCK]:
                for at in range(start, min(start + _BLOCK, len(mine)), _BYTES):
                    if mine[at : at + _BYTES] != theirs[at : at + _BYTES]:
                        yield at // _BYTES

    def _digest_lines(self) -> list[str]:
        if self._digests is None:
            self._digests = self.digests.decode().split("\n") if self.digests else []
        return self._digests


NO_FILES: Final = Files(b"", b"")


def outputs_in(folder: str) -> Files:
    """Every file below a folder of outputs."""
    seen = Seen()
    seen.look_below(folder, ("",), is_output=True)
    return seen.files()


class Seen:
    """Files while they are looked at."""

    __slots__ = ("_found", "_times", "folders", "odd", "refused")

    def __init__(self) -> None:
        self._found: dict[str, tuple[list[str], list[int]]] = {}
        self._times: dict[str, tuple[int, int, int]] = {}
        self.odd: list[str] = []
        """Symlinks, folders that cannot be read, and what is neither a file nor a folder."""
        self.folders: list[str] = []
        """Every folder that was found below those that were looked at."""
        self.refused: OSError | None = None
        """Why the first of the folders that cannot be read cannot be."""

    def files(self) -> Files:
        """What was seen, folder by folder in the order of their names; within a folder as the system lists them."""
        lines: list[str] = []
        numbers: list[int] = []
        for folder in sorted(self._found):
            names, stats = self._found[folder]
            lines.append(folder)
            lines += names
            numbers += stats
        return Files("\n".join(lines).encode("utf-8", "surrogateescape"), packed(numbers), b"", lines)

    def listed(self) -> Folders:
        """Every folder that was listed, with the times that it had before; none where these are not known."""
        if not _BY_DESCRIPTOR:
            return NO_FOLDERS
        return Folders([*self._times], packed([number for times in self._times.values() for number in times]))

    def put(self, folder: str, names: list[str], numbers: list[int]) -> None:
        """Put down all files of one folder, which is written as in the names of `Files`."""
        self._found[folder] = (names, numbers)

    def forget(self, path: str) -> None:
        """Leave out a file, or all files of a folder and of those in it."""
        for folder in [folder for folder in self._found if folder.startswith(f"{path}/")]:
            del self._found[folder]
        above, slash, name = path.rpartition("/")
        names, numbers = self._found.get(above + slash or HERE, ([], []))
        if name in names:
            place = names.index(name)
            del names[place]
            del numbers[place * 4 : place * 4 + 4]
            if not names:
                del self._found[above + slash or HERE]

    def add(self, path: str, numbers: Iterable[int]) -> None:
        """Put down one file."""
        folder, slash, name = path.rpartition("/")
        names, stats = self._found.setdefault(folder + slash or HERE, ([], []))
        names.append(name)
        stats += numbers

    def arrange(self, root: str, folder: str) -> None:
        """Put the files of one folder into the order in which the system lists them now.

        Args:
            root: the folder that all paths are below.
            folder: a folder's path; an empty one is the root itself.
        """
        key = f"{folder}/" if folder else HERE
        names, numbers = self._found.pop(key, ([], []))
        stats = {name: numbers[place * 4 : place * 4 + 4] for place, name in enumerate(names)}
        try:
            listed = os.listdir(f"{root}/{folder}")
        except OSError:
            listed = []  # somebody took it away meanwhile
        for name in dict.fromkeys([*listed, *names]):
            if name in stats:
                self.add(f"{folder}/{name}" if folder else name, stats[name])

    def look_for(self, root: str, paths: Iterable[str]) -> None:
        """Look at single files, one by one; who is not there is put down as that.

        Args:
            root: the folder that the paths are below.
            paths: of files that were not seen yet.
        """
        for path in paths:
            self.add(path, numbers_of(f"{root}/{path}"))

    def look_below(
        self, root: str, folders: Iterable[str], *, is_output: bool = False, leave: Sequence[str] = ()
    ) -> None:
        """Look at every file below some folders; symlinks to folders are followed, but not in circles.

        Args:
            root: the folder that they are below.
            folders: their paths, without a slash at the end; an empty one is the root itself.
            is_output: names that begin with a dot count, too, and symlinks are not followed.
            leave: the names of folders that are left out, wherever they are.
        """
        todo: _Todo = [(f"{folder}/" if folder else "", ()) for folder in folders]
        visited = 0
        while todo:
            below, links = todo.pop()
            visited += 1
            if visited > MOST_FOLDERS and not is_output:
                # Links that multiply: reading the sources says so. What was not looked at always counts as changed.
                self.add(f"{below}*", (time_ns(), 0, 0, 0))
                self.odd.append(below)
                return
            path = f"{root}/{below}" if below else root
            try:
                if _BY_DESCRIPTOR:
                    # The stats of many files are found faster from the folder itself than by long paths.
                    descriptor = os.open(path, OPEN_FOLDER)
                    try:
                        self._times[below or HERE] = times_of(os.fstat(descriptor))
                        with os.scandir(descriptor) as entries:
                            self._list(entries, below, links, todo, leave, is_output=is_output)
                    finally:
                        os.close(descriptor)
                else:
                    with os.scandir(path) as entries:
                        self._list(entries, below, links, todo, leave, is_output=is_output)
            except FileNotFoundError:
                self._times[below or HERE] = NO_FOLDER
            except OSError as error:
                self.odd.append(below)
                error.filename = path
                self.refused = self.refused or error

    def _list(
        self,
        entries: Iterable[os.DirEntry[str]],
        below: str,
        links: _Links,
        todo: _Todo,
        leave: Sequence[str],
        *,
        is_output: bool,
    ) -> None:
        """Put down the files of one folder, and the folders that are to be looked at."""
        here: list[str] = []
        numbers: list[int] = []
        for entry in entries:
            name = entry.name
            if name[0] == "." and not is_output:
                continue
            try:
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat()
                elif entry.is_dir(follow_symlinks=False):
                    if name not in leave:
                        self.folders.append(below + name)
                        todo.append((f"{below}{name}/", links))
                    continue
                else:
                    self.odd.append(below + name)
                    if is_output:
                        continue
                    status = entry.stat()
                    kind, link = status.st_mode & _TYPE_BITS, (status.st_dev, status.st_ino)
                    if kind == _FOLDER and link not in links:
                        todo.append((f"{below}{name}/", (*links, link)))
                    if kind != _FILE:
                        continue  # a pipe, say: no source, and whoever opened it would wait
            except OSError:
                if not is_output:
                    here.append(name)  # a symlink to nothing, which is an error of the project
                    numbers += NO_FILE
                continue
            here.append(name)
            numbers += (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        if here:
            self._found[below or HERE] = (here, numbers)


def stat_of(path: str) -> str:
    """The stat of one file as a text; `ABSENT` when it is not there."""
    return _stat_text(numbers_of(path))


def _stat_text(numbers: tuple[int, int, int, int]) -> str:
    changed, touched, size, inode = numbers
    return f"{changed} {touched} {size} {inode & LARGEST}" if size >= 0 else ABSENT


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
