"""The files of a project in one commit, read by the hashes that git gives them: what is equal is not looked into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.git.objects import FOLDER, SUBMODULE, SYMLINK
from envcompile.sources.tree import FileEntry, is_ignored

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.git.objects import Entry, GitObjects

_OUTPUT = "environments"
_LAYERS = ("base", "overlays")


class NoShortcutError(Exception):
    """A commit cannot be compared with its parent file by file: the whole must be compiled."""


class CommitFiles:
    """The files of a project in one commit, found as they are asked for.

    Args:
        objects: where they are read.
        commit: the commit's full hash.
        prefix: the project's folder inside of the repository, such as `deploy/`.
    """

    __slots__ = ("_objects", "_top", "layers")

    root: Path | None = None

    def __init__(self, objects: GitObjects, commit: str, prefix: str) -> None:
        self._objects = objects
        self._top = objects.root(commit)
        if not self._top:
            raise NoShortcutError  # where a shallow clone ends
        for name in (name for name in prefix.split("/") if name):
            entry = objects.folder(self._top).get(name) if self._top else None
            self._top = entry.hash if entry is not None and entry.mode == FOLDER else ""
        self.layers: dict[str, Entry] = {}
        """Every file of base/ and overlays/, also those that nobody reads."""
        for folder in _LAYERS:
            self.layers.update(self._below(folder))

    def files(self, folder: str) -> list[FileEntry]:
        """Every file below a folder, sorted by path."""
        clean = folder.rstrip("/")
        found = self._below(clean) if clean not in _LAYERS else self.layers
        listed = [path for path in found if path.startswith(f"{clean}/") and not is_hidden(path)]
        return [FileEntry(path, 0, 0, int(found[path].hash[:15], 16)) for path in sorted(listed)]

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        entry = self.entry(path)
        found = self._objects.read([entry.hash])[0] if entry is not None else None
        if found is None:
            raise NoShortcutError
        return found[1]

    def exists(self, path: str) -> bool:
        """Tell whether the path is a file or a folder."""
        return self.entry(path) is not None

    def is_file(self, path: str) -> bool:
        """Tell whether the path is a file."""
        entry = self.entry(path)
        return entry is not None and entry.mode != FOLDER

    def entry(self, path: str) -> Entry | None:
        """What is at a path; the same entry means the same content, all that is below it included.

        Raises:
            NoShortcutError: there is a symlink, or a submodule.
        """
        known = self.layers.get(path)
        if known is not None:
            return known
        entry: Entry | None = None
        tree = self._top
        for name in path.split("/"):
            entry = self._objects.folder(tree).get(name) if tree else None
            if entry is None:
                return None
            if entry.mode in {SYMLINK, SUBMODULE}:
                raise NoShortcutError
            tree = entry.hash if entry.mode == FOLDER else ""
        return entry

    def _below(self, folder: str) -> dict[str, Entry]:
        entry = self.entry(folder)
        if entry is None or entry.mode != FOLDER:
            return {}
        found = self._objects.below(entry.hash, f"{folder}/")
        if any(entry.mode in {SYMLINK, SUBMODULE} for entry in found.values()):
            raise NoShortcutError
        return found


def inputs_of(objects: GitObjects, commit: str, prefix: str) -> str:
    """A digest of everything in a commit that can have a say in what it compiles to: all but the output."""
    import hashlib

    digest = hashlib.sha256()
    tree = objects.root(commit)
    for part in [*(name for name in prefix.split("/") if name), _OUTPUT]:
        entries = objects.folder(tree) if tree else {}
        for name, entry in sorted(entries.items()):
            if name != part:
                digest.update(f"{entry.mode} {entry.hash} {name}\0".encode("utf-8", "surrogateescape"))
        digest.update(b"\0")
        below = entries.get(part)
        tree = below.hash if below is not None and below.mode == FOLDER else ""
        if below is not None and below.mode != FOLDER:
            digest.update(f"{below.mode} {below.hash}".encode())
    return digest.hexdigest()


def is_output_the_same(objects: GitObjects, prefix: str, parent: str, commit: str) -> bool:
    """Tell whether two commits have the same in committed output, as far as it has a say in what is compiled."""
    try:
        return not is_secret_changed(
            objects, CommitFiles(objects, parent, prefix), CommitFiles(objects, commit, prefix)
        )
    except NoShortcutError:
        return False


def is_secret_changed(objects: GitObjects, before: CommitFiles, after: CommitFiles) -> bool:
    """Tell whether some SealedSecret of the committed output differs.

    What an immutable Secret may become depends on what was written for it before.
    """
    todo = [(_OUTPUT, before.entry(_OUTPUT), after.entry(_OUTPUT))]
    while todo:
        name, left, right = todo.pop()
        if left == right:
            continue
        if name.startswith("sealedsecret-"):
            return True
        sides = [
            objects.folder(side.hash) if side is not None and side.mode == FOLDER else {} for side in (left, right)
        ]
        todo += [(below, sides[0].get(below), sides[1].get(below)) for below in sides[0].keys() | sides[1].keys()]
    return False


def is_hidden(path: str) -> bool:
    """Tell whether a file, or a folder that it is in, has a name that is passed over."""
    return any(is_ignored(part) for part in path.split("/"))
