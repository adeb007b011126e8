"""Whether anything changed since the last build, found out by looking at the stats of files alone.

The snapshot is a cache: it may be deleted at any time, a damaged one counts as none, and several processes may write
it at once (the last one wins). It is plain text that nothing is executed from. This module imports next to nothing,
because a build with nothing to do is over before a heavier one would have started.
"""

from __future__ import annotations

import os
import sys
import zlib
from stat import S_ISDIR, S_ISREG
from time import time_ns

from envcompile.plainfiles import read_plain

TYPE_CHECKING = False
"""Type checkers take it for true; importing `typing` for it would cost half the time of a build with nothing to do."""

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SNAPSHOT = ".envc/cache/build-%s.txt"
_FORMAT = "envc snapshot 3"
_GRANULARITY_NS = 2_000_000_000
"""Files written this shortly before the snapshot was made are compared by content: their stat may not show a change
(the coarsest file systems in use count in two seconds; git treats its index the same way)."""

UNREAD = "-"
"""Stands for the digest of a file that was not read."""

_ABSENT = "absent"
"""Stands for a file that was looked for and not there: one that appears changes the result."""

_TYPE_BITS, _FOLDER, _FILE = 0o170000, 0o040000, 0o100000
"""S_IFMT, S_IFDIR and S_IFREG of inode(7)."""

_INDEX = ".envc-index"
"""The name in `emit.index`, which takes too long to import; a test holds the two together."""

CHART = "chart"
"""The one name below environments/ that is no environment."""

INPUT_FOLDERS = ("base", "overlays", "lib", "vendor")


class Files:
    """Files as they were seen: their paths and stats, and the digests of what was in them; taken apart when asked for.

    Args:
        paths: a line a file.
        stats: a line a file, in the same order.
        digests: the same.
    """

    __slots__ = ("_digest_of", "_stat_of", "digests", "paths", "stats")

    def __init__(self, paths: bytes, stats: bytes, digests: bytes) -> None:
        self.paths = paths
        self.stats = stats
        self.digests = digests
        self._stat_of: dict[str, str] | None = None
        self._digest_of: dict[str, str] | None = None

    @property
    def stat_of(self) -> dict[str, str]:
        """Path -> stat."""
        if self._stat_of is None:
            self._stat_of = self._by_path(self.stats)
        return self._stat_of

    @property
    def digest_of(self) -> dict[str, str]:
        """Path -> digest, `UNREAD` for a file that was not read."""
        if self._digest_of is None:
            self._digest_of = self._by_path(self.digests)
        return self._digest_of

    def is_same(self, found: Mapping[str, str]) -> bool:
        """Tell whether there are just these files with just these stats; the order of the listing seldom changes."""
        if _lines(found) == self.paths:
            return _lines(found.values()) == self.stats
        return found == self.stat_of

    @classmethod
    def of(cls, stats: Mapping[str, str], digests: Iterable[str]) -> Files | None:
        """Files by their paths, with their digests in the same order; None when a name has a line break in it."""
        paths = _lines(stats)
        if paths.count(b"\n") >= max(len(stats), 1):
            return None
        return cls(paths, _lines(stats.values()), _lines([digest or UNREAD for digest in digests]))

    def _by_path(self, lines: bytes) -> dict[str, str]:
        return dict(zip(_text(self.paths).split("\n"), _text(lines).split("\n"), strict=True)) if self.paths else {}


class Snapshot:
    """What the last build saw and wrote.

    Args:
        counts: each folder below the output, in order, with the number of resources in it.
        racy: inputs that changed just before they were looked at -> a checksum of their content.
        further: the inputs outside of the input folders, those that were looked for in vain included.
        inputs: all inputs.
        outputs: what envc wrote into each folder below the output.
    """

    __slots__ = ("counts", "further", "inputs", "outputs", "racy")

    def __init__(
        self,
        *,
        counts: dict[str, int],
        racy: dict[str, int],
        further: list[str],
        inputs: Files,
        outputs: dict[str, Files],
    ) -> None:
        self.counts = counts
        self.racy = racy
        self.further = further
        self.inputs = inputs
        self.outputs = outputs

    def changed_inputs(self, root: str, inputs: Mapping[str, str]) -> set[str]:
        """The inputs that came, went or changed since.

        Args:
            root: the project's folder.
            inputs: the stats of all inputs now.
        """
        changed: set[str] = set()
        if not self.inputs.is_same(inputs):
            changed = {path for path, _ in inputs.items() ^ self.inputs.stat_of.items()}
        changed.update([path for path in self.racy if _checksum(root, path) != self.racy[path]])
        return changed


_MANY = 8_000
"""Files from which on it pays to start a process that looks at half of them."""

_MOST_FOLDERS = 25_000
"""Folders that are looked at; reading the sources stops before, at `limits.folders`, unless that is raised."""


class Look:
    """A project's folder seen now beside what the last build saw.

    Args:
        root: the project's folder.
        target: the folder of the output.
        is_trusted: whether what lies below `.envc` may be taken for what the last build saw.
    """

    __slots__ = ("began", "changed", "inputs", "is_plain", "root", "snapshot", "target", "tool")

    def __init__(self, root: str, target: str, *, is_trusted: bool = True) -> None:
        self.began = time_ns()
        self.root = root
        self.target = target
        self.tool = tool_stamp()
        self.snapshot = load(root, target, self.tool) if is_trusted else None
        snapshot = self.snapshot
        odd: list[str] = []
        self.inputs = scan_inputs(root, snapshot.further if snapshot is not None else (), odd)
        self.is_plain = not odd
        """Whether there is no symlink, and every folder could be read."""
        self.changed = snapshot.changed_inputs(root, self.inputs) if snapshot is not None else None

    def known_digest(self, path: str) -> str:
        """The digest of an input that did not change since the last build; an empty text for all others."""
        if self.snapshot is None or self.changed is None or path in self.changed:
            return ""
        return self.digest_before(path)

    def digest_before(self, path: str) -> str:
        """The digest that an input had at the last build; empty where that is not known."""
        found = self.snapshot.inputs.digest_of.get(path, UNREAD) if self.snapshot is not None else UNREAD
        return found if found != UNREAD else ""

    def is_there(self, path: str) -> bool:
        """Tell whether an input was there when the folder was looked at."""
        return self.inputs.get(path, _ABSENT) != _ABSENT

    def is_settled(self, path: str) -> bool:
        """Tell whether an input is certain to hold now what it held when the folder was looked at."""
        seen = self.inputs.get(path, _ABSENT)
        is_old = seen != _ABSENT and int(seen.split(" ", 2)[1]) < self.began - _GRANULARITY_NS
        return is_old and stat_of(f"{self.root}/{path}") == seen

    def is_edited(self, path: str) -> bool:
        """Tell whether a file is there now and was there at the last build."""
        return bool(self.digest_before(path)) and self.is_there(path)

    def nothing_to_do(self, wanted: tuple[str, ...]) -> str | None:
        """The summary of the last build when building the wanted environments (all when none) would change nothing."""
        known = self.snapshot
        if known is None or self.changed or not set(wanted) <= known.counts.keys() - {CHART}:
            return None
        if _has_orphan(self.target, known.counts):
            return None
        if not _are_untouched({f"{self.target}/{name}": files for name, files in known.outputs.items()}):
            return None
        chosen = [name for name in known.counts if name != CHART and (not wanted or name in wanted)]
        count = sum(known.counts[name] for name in chosen)
        things = "environment" if len(chosen) == 1 else "environments"
        return f"{len(chosen)} {things}, {count} resources: nothing to do"


def _are_untouched(folders: Mapping[str, Files]) -> bool:
    """Tell whether all folders hold what envc wrote there; of many files two processes look at half of them each."""
    names = list(folders)
    count = sum(files.paths.count(b"\n") for files in folders.values())
    if count < _MANY or len(names) < 2 or not hasattr(os, "fork") or _processors() < 2:
        return all(_is_untouched(name, folders[name]) for name in names)
    child = os.fork()
    if child == 0:
        untouched = False
        try:
            untouched = all(_is_untouched(name, folders[name]) for name in names[1::2])
        finally:
            os._exit(0 if untouched else 1)
    untouched = False
    try:
        untouched = all(_is_untouched(name, folders[name]) for name in names[::2])
    finally:
        _, status = os.waitpid(child, 0)
    return untouched and status == 0


def _processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _is_untouched(folder: str, files: Files) -> bool:
    """Tell whether a folder holds what envc wrote there; files of others do not matter."""
    found = scan(folder, ("",), hidden=True)
    return files.is_same(found) or found.items() >= files.stat_of.items()


def _lines(texts: Iterable[str]) -> bytes:
    return "\n".join(texts).encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _has_orphan(target: str, environments: Iterable[str]) -> bool:
    """Tell whether a folder below the output is envc's, and of no environment that there is."""
    known = set(environments)
    try:
        with os.scandir(target) as entries:
            return any(
                entry.name not in known
                and entry.name[0] != "."
                and not entry.is_symlink()
                and os.path.isfile(f"{target}/{entry.name}/{_INDEX}")
                for entry in entries
            )
    except OSError:
        return False


def scan_inputs(root: str, further: Iterable[str], odd: list[str]) -> dict[str, str]:
    """Every file that a build may read, with its stat.

    Args:
        root: the project's folder.
        further: files outside of the input folders that the last build read, or looked for in vain.
        odd: takes symlinks, and folders that cannot be read.
    """
    found = scan(root, INPUT_FOLDERS, odd=odd)
    odd += [folder for folder in INPUT_FOLDERS if os.path.islink(f"{root}/{folder}")]
    for path in {"envc.yaml", *further}:
        if path not in found:
            found[path] = stat_of(f"{root}/{path}")
    return found


def stat_of(path: str) -> str:
    """The stat of one file as a text; another text when it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return _ABSENT
    return f"{status.st_mtime_ns} {status.st_ctime_ns} {status.st_size} {status.st_ino}"


def scan(root: str, folders: Iterable[str], *, hidden: bool = False, odd: list[str] | None = None) -> dict[str, str]:
    """Every file below the folders with its stat; symlinks to folders are followed, but not in circles.

    With `hidden` names that begin with a dot count, too, and symlinks do not: this is how outputs are looked at. `odd`
    takes symlinks, and folders that cannot be read.
    """
    found: dict[str, str] = {}
    todo: list[tuple[str, tuple[tuple[int, int], ...]]] = [(f"{folder}/" if folder else "", ()) for folder in folders]
    visited = 0
    while todo:
        below, links = todo.pop()
        visited += 1
        if visited > _MOST_FOLDERS:
            # Links that multiply: reading the sources says so. What was not looked at always counts as changed.
            found[below] = str(time_ns())
            if odd is not None:
                odd.append(below)
            return found
        try:
            entries = os.scandir(f"{root}/{below}")
        except FileNotFoundError:
            continue
        except OSError:
            if odd is not None:
                odd.append(below)
            continue
        with entries:
            for entry in entries:
                name = entry.name
                if entry.is_symlink() if hidden else name[0] == ".":
                    continue
                if odd is not None and entry.is_symlink():
                    odd.append(below + name)
                if entry.is_dir(follow_symlinks=False):
                    todo.append((f"{below}{name}/", links))
                    continue
                try:
                    status = entry.stat()
                except OSError:
                    found[below + name] = _ABSENT  # a symlink to nothing, which is an error of the project
                    continue
                if status.st_mode & _TYPE_BITS == _FOLDER:
                    if (link := (status.st_dev, status.st_ino)) not in links:
                        todo.append((f"{below}{name}/", (*links, link)))
                    continue
                if status.st_mode & _TYPE_BITS != _FILE:
                    continue  # a pipe, say: no source, and whoever opened it would wait
                found[below + name] = f"{status.st_mtime_ns} {status.st_ctime_ns} {status.st_size} {status.st_ino}"
    return found


def load(root: str, target: str, tool: str) -> Snapshot | None:
    """What the last build saw; None when there is nothing that this version of envc wrote and can trust."""
    data = read_plain(_file(root, target))
    if data is None:
        return None
    head, _, body = data.partition(b"\n")
    if head != f"{_FORMAT} {tool} {zlib.crc32(body):08x}".encode():
        return None
    counts, racy, further, paths, stats, digests, *outputs = body.split(b"\n\n")
    return Snapshot(
        counts={name: int(number) for number, _, name in _pairs(counts)},
        racy={path: int(number) for number, _, path in _pairs(racy)},
        further=_text(further).split("\n") if further else [],
        inputs=Files(paths, stats, digests),
        outputs={_text(outputs[at]): Files(*outputs[at + 1 : at + 4]) for at in range(0, len(outputs), 4)},
    )


def _pairs(part: bytes) -> list[tuple[str, str, str]]:
    return [line.partition(" ") for line in _text(part).split("\n")] if part else []


def save(look: Look, snapshot: Snapshot) -> None:
    """Keep a snapshot, replacing the last one in one step; a folder that cannot be written is no error."""
    parts = [
        "\n".join([f"{count} {name}" for name, count in snapshot.counts.items()]),
        "\n".join([f"{checksum} {path}" for path, checksum in snapshot.racy.items()]),
        "\n".join(snapshot.further),
    ]
    data = [part.encode("utf-8", "surrogateescape") for part in parts]
    data += (snapshot.inputs.paths, snapshot.inputs.stats, snapshot.inputs.digests)
    for name, files in snapshot.outputs.items():
        data += (name.encode("utf-8", "surrogateescape"), files.paths, files.stats, files.digests)
    # Joined part by part: together they are large.
    data[1:] = [part for each in data[1:] for part in (b"\n\n", each)]
    checksum = 0
    for part in data:
        checksum = zlib.crc32(part, checksum)
    path = _file(look.root, look.target)
    beside = f"{path}.{os.getpid()}"
    folder = os.path.dirname(path)
    if os.path.islink(folder) or os.path.islink(os.path.dirname(folder)):
        return  # a link in the place of a folder leads to files of others
    try:
        os.makedirs(folder, exist_ok=True)
        with open(beside, "wb") as file:
            file.write(f"{_FORMAT} {look.tool} {checksum:08x}\n".encode())
            file.writelines(data)
        os.replace(beside, path)
    except OSError:
        _remove(beside)


def _file(root: str, target: str) -> str:
    key = zlib.crc32(os.path.realpath(target).encode("utf-8", "surrogateescape"))
    return f"{root}/{SNAPSHOT % format(key, '08x')}"


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def racy_inputs(root: str, inputs: Mapping[str, str], began: int) -> dict[str, int]:
    """The inputs that changed so recently that their stat may not show the next change, with their checksum.

    Args:
        root: the project's folder.
        inputs: what the build saw.
        began: when it looked, in ns of the clock.
    """
    edge = began - _GRANULARITY_NS
    return {
        path: checksum
        for path, stat in inputs.items()
        if stat != _ABSENT and int(stat.split(" ", 2)[1]) >= edge and (checksum := _checksum(root, path))
    }


def _checksum(root: str, path: str) -> int:
    try:
        # A pipe that nobody writes to would be waited for.
        descriptor = os.open(f"{root}/{path}", os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return 0
    try:
        mode = os.fstat(descriptor).st_mode
        if S_ISDIR(mode):
            return zlib.crc32("/".join(sorted(os.listdir(descriptor))).encode("utf-8", "surrogateescape")) + 1
        if not S_ISREG(mode):  # a device would be read on and on
            return 0
        with open(descriptor, "rb", closefd=False) as file:
            return zlib.crc32(file.read()) + 1
    except OSError:
        return 0
    finally:
        os.close(descriptor)


def tool_stamp() -> str:
    """Names this envc on this machine, down to the stats of all its own files: an upgrade makes every memo stale.

    So does one of its libraries, which shows by the times of the folders that packages are installed in.
    """
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    lines: list[str] = [here, sys.version]
    lines += [f"{folder} {stat_of(folder)}" for folder in sys.path if folder.endswith("-packages")]
    todo = [here]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    if entry.name != "__pycache__":
                        todo.append(entry.path)
                elif not entry.name.endswith(".pyc"):
                    status = entry.stat()
                    lines.append(f"{entry.path} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_size}")
    lines.sort()
    text = "\n".join(lines).encode("utf-8", "surrogateescape")
    return f"{zlib.crc32(text):08x}{zlib.adler32(text):08x}"
