"""Digests of what in a commit has a say in what it compiles to, taken from git's names of contents: nothing is read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from envcompile.git.objects import FOLDER, SUBMODULE, SYMLINK, missing
from envcompile.git.tree import join
from envcompile.sources.project import BASE, OVERLAYS
from envcompile.sources.yamlfiles import JSONNET_ENDING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from envcompile.git.objects import GitObjects, TreeEntry

_OUTPUT = "environments"


def inputs_of(objects: GitObjects, commit: str, prefix: str) -> str:
    """A digest of everything in a commit that can have a say in what it compiles to: all but the output.

    Raises:
        UnavailableError: the repository does not hold it, or its file is damaged.
    """
    digest = hashlib.sha256()
    tree = objects.root(commit)
    if not tree:
        raise missing(f"the top folder of commit {commit[:12]}")
    for part in [*(name for name in prefix.split("/") if name), _OUTPUT]:
        entries = objects.folder(tree) if tree else {}
        for line in _lines(entries, {part}):
            digest.update(line)
        digest.update(b"\0")
        below = entries.get(part)
        tree = below.hash if below is not None and below.mode == FOLDER else ""
        if below is not None and below.mode != FOLDER:
            digest.update(f"{below.mode} {below.hash}".encode())
    return digest.hexdigest()


class EnvironmentInputs:
    """Digests of what in a commit has a say in one environment: another environment's overlay has none.

    That holds as long as no file leads elsewhere. Where a layer holds a symlink, a submodule or jsonnet, which imports
    what it likes, or where `crds:` names files of an overlay, everything in the commit has a say in every environment.

    Args:
        objects: reads the repository.
        prefix: the project's folder inside of it, such as `deploy/`.
    """

    def __init__(self, objects: GitObjects, prefix: str) -> None:
        self._objects = objects
        self._prefix = prefix
        self._plain: dict[str, bool] = {}

    def of(self, commit: str, layers: Mapping[str, Collection[str]], crds: Collection[str]) -> dict[str, str]:
        """The digest of each environment at a commit.

        Args:
            commit: the commit's hash.
            layers: environment -> the names of its overlays.
            crds: what `crds:` of envc.yaml names.
        """
        whole = inputs_of(self._objects, commit, self._prefix)
        top = self._top(commit)
        base, overlays = top.get(BASE), top.get(OVERLAYS)
        paths = [join("", name) for name in crds]
        read = [base, overlays, *(top.get(path.partition("/")[0]) for path in paths if path is not None)]
        if (
            overlays is None
            or any(path is None or path == "." or path.partition("/")[0] == OVERLAYS for path in paths)
            or any(entry.mode == SYMLINK for entry in top.values())
            or not all(self._is_plain(entry) for entry in read if entry is not None)
        ):
            return dict.fromkeys(layers, whole)
        folders = self._objects.folder(overlays.hash)
        around = hashlib.sha256(b"".join(_lines(top, {OVERLAYS, _OUTPUT})))
        around.update(self._outside(commit))
        found: dict[str, str] = {}
        for name, own in layers.items():
            others = {folder for folder, entry in folders.items() if entry.mode == FOLDER} - {*own}
            digest = around.copy()
            digest.update(b"\0" + b"".join(_lines(folders, others)))
            found[name] = digest.hexdigest()
        return found

    def forget(self) -> None:
        """Drop what is remembered of folders."""
        self._plain.clear()

    def _top(self, commit: str) -> Mapping[str, TreeEntry]:
        """The project's folder."""
        *_, (entries, _) = self._way(commit)
        return entries

    def _outside(self, commit: str) -> bytes:
        """What lies around the project's folder."""
        return b"\0".join([b"".join(_lines(entries, {part})) for entries, part in self._way(commit) if part])

    def _way(self, commit: str) -> Iterator[tuple[Mapping[str, TreeEntry], str]]:
        """The folders from the top of the repository to the project's, each with the name of the next."""
        tree = self._objects.root(commit)
        for part in [*(name for name in self._prefix.split("/") if name), ""]:
            entries = self._objects.folder(tree) if tree else {}
            yield entries, part
            below = entries.get(part)
            tree = below.hash if below is not None and below.mode == FOLDER else ""

    def _is_plain(self, entry: TreeEntry) -> bool:
        """Tell whether what lies below leads nowhere else."""
        if entry.mode != FOLDER:
            return entry.mode not in {SYMLINK, SUBMODULE}
        known = self._plain.get(entry.hash)
        if known is None:
            known = self._plain[entry.hash] = all(
                self._is_plain(below) and (below.mode == FOLDER or not name.endswith(JSONNET_ENDING))
                for name, below in self._objects.folder(entry.hash).items()
            )
        return known


def _lines(entries: Mapping[str, TreeEntry], without: Collection[str]) -> Iterator[bytes]:
    for name, entry in sorted(entries.items()):
        if name not in without:
            yield f"{entry.mode} {entry.hash} {name}\0".encode("utf-8", "surrogateescape")
