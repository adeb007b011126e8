"""What was compiled before: the objects that stand in the cluster, as far as a repository can know."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from envcompile.actions.opening import open_repository
from envcompile.check.reading import at
from envcompile.emit.index import INDEX_NAME, parse_index
from envcompile.emit.layout import WHOLE, file_of, take_apart
from envcompile.errors import EnvcError
from envcompile.git.blob import blob_id, id_digits
from envcompile.git.trees import CommitTree, StoredTree
from envcompile.yamlio.load import load_all

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from envcompile.model import ResourceId
    from envcompile.sources import Tree
    from envcompile.units.snapshot import Look

_FOLDER: Final = "environments"
_TOGETHER: Final = ""
"""Stands for the name of files that hold several resources."""


class OlderStates:
    """The last compiled state of each environment.

    Args:
        here: the project's files.
        folder: its folder, or a bare repository.
        since: the commit whose compiled manifests are the older state; when left out HEAD's, for a commit its first
            parent's, and for an environment that is not in there those that the project itself holds.
        look: what was found out about the project's folder, if it is one.

    Raises:
        UsageError: no such commit.
        UnavailableError: a commit is named, and git does not answer.
    """

    def __init__(self, here: Tree, folder: Path, since: str | None = None, look: Look | None = None) -> None:
        self.digits = id_digits(folder)
        """Of git's names of contents."""
        self._here = here
        self._look = look
        self._is_named = since is not None
        self._tree: Tree | None = None
        try:
            before = f"{here.commit}^" if isinstance(here, CommitTree) else "HEAD"
            self._tree = open_repository(folder).commit_tree(since or before)
        except EnvcError:
            if since is not None:
                raise
            if look is not None:  # what lies in the folder is what was compiled last
                look.look_ahead(())

    def of(self, environment: str) -> OlderState | None:
        """The older state of an environment; None for one that was never compiled."""
        folder = f"{_FOLDER}/{environment}"
        index = f"{folder}/{INDEX_NAME}"
        tree = self._tree
        if tree is None or not (self._is_named or tree.is_file(index)):
            tree = self._here
        if not tree.is_file(index):
            return None
        name = tree.folder_id(folder) if isinstance(tree, StoredTree) else self._name_of(environment)
        return OlderState(tree, folder, self.digits, name)

    def _name_of(self, environment: str) -> str:
        """Names what lies in an environment's folder by what the last build left there, where nobody touched it."""
        look = self._look
        if look is None or look.snapshot is None or look.target != f"{self._here.root}/{_FOLDER}":
            return ""
        files = look.snapshot.outputs.get(environment)
        if files is None or not files.are_all_read or not look.finds_whole(environment):
            return ""
        return sha256(b"\n\n".join((files.names, files.digests))).hexdigest()


class OlderState:
    """The compiled manifests of one environment as they were.

    Args:
        tree: the commit or folder that holds them.
        folder: where in it.
        digits: of git's names of contents.
        name: the same for the same manifests; empty for what is not known by a name.
    """

    def __init__(self, tree: Tree, folder: str, digits: int, name: str) -> None:
        self._tree = tree
        self._folder = folder
        self.digits = digits
        self._names: frozenset[bytes] = frozenset()
        """The lines of the index, where many are asked for."""
        self._listed: dict[str, str] | None = None
        """Every file, with git's name of its content where git was asked, once all are listed."""
        self._index: bytes | None = None
        self._places: dict[str, list[str]] | None = None
        self._texts: dict[str, set[str]] = {}
        self._values: dict[str, list[Any]] = {}
        self.name = name

    def expect_many(self) -> None:
        """List all files at once, where most of them will be read: one that was listed is known to be a plain one."""
        with suppress(EnvcError):
            self._listed = {entry.path: entry.blob for entry in self._tree.files(self._folder)}
            self._names = frozenset(self._read_index().split(b"\n"))

    def _read_index(self) -> bytes:
        if self._index is None:
            self._index = self._tree.read(f"{self._folder}/{INDEX_NAME}")
        return self._index

    def places(self, place: str) -> list[str]:
        """The files in which a resource may have been: its own, its application's, the one for all, or one elsewhere.

        Args:
            place: where the resource is now, whatever the layout.
        """
        name = place.encode("utf-8", "surrogateescape")
        if "/" in place and (name in self._names or b"\n%b\n" % name in self._read_index()):
            return [place]  # of most resources, which nobody takes the whole index apart for
        if self._places is None:
            self._places = {}
            for path in parse_index(self._read_index()):
                self._places.setdefault(path.rpartition("/")[2] if "/" in path else _TOGETHER, []).append(path)
        alone, together = self._places.get(place.rpartition("/")[2], []), self._places.get(_TOGETHER, [])
        for file, known in ((place, alone), (file_of(place, "app"), together), (WHOLE, together)):
            if file in known:
                return [file]
        return [*alone, *together]

    def holds(self, file: str, blob: str) -> bool:
        """Tell whether a file has a text of that name; what is not there is as good as equal."""
        path = f"{self._folder}/{file}"
        if not self._is_file(path):
            return True
        if "/" in file and isinstance(self._tree, StoredTree):
            return self._blob_of(path) == blob
        if file not in self._texts:
            self._texts[file] = {blob_id(text, self.digits) for text in take_apart(self._tree.read(path))}
        return blob in self._texts[file]

    def texts(self, files: Iterable[str]) -> dict[str, bytes]:
        """The bytes of files that are there, of git's read in one go; what cannot be read says nothing."""
        paths = {path: file for file in files if self._is_file(path := f"{self._folder}/{file}")}
        found: dict[str, bytes] = {}
        with suppress(EnvcError):
            if isinstance(self._tree, StoredTree):
                ids = {path: self._blob_of(path) for path in paths}
                contents = dict(self._tree.blobs(ids.values(), within_limits=True))
                return {file: contents[ids[path]] for path, file in paths.items()}
            for path, file in paths.items():
                found[file] = self._tree.read(path)
        return found

    def _is_file(self, path: str) -> bool:
        return path in self._listed if self._listed is not None else self._tree.is_file(path)

    def _blob_of(self, path: str) -> str:
        known = self._listed.get(path) if self._listed is not None else None
        return known or (self._tree.blob_of(path) if isinstance(self._tree, StoredTree) else "")

    def value(self, file: str, resource: ResourceId) -> dict[str, Any] | None:
        """What a resource was; what cannot be read says nothing."""
        if file not in self._values:
            path = f"{self._folder}/{file}"
            try:
                self._values[file] = [value for value in load_all(self._tree.read(path), path) if value]
            except EnvcError:
                self._values[file] = []
        for old in self._values[file]:
            name, namespace = at(old, "metadata", "name"), at(old, "metadata", "namespace")
            is_here = namespace in {None, "", resource.namespace}
            if isinstance(old, dict) and old.get("kind") == resource.kind and name == resource.name and is_here:
                return old
        return None
