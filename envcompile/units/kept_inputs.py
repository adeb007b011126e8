"""What was read for plans that builds keep: an edit changes the folders that it is in, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from envcompile.git.folders import edited, folders_of
from envcompile.seenfiles import UNREAD
from envcompile.sources.project import PROJECT_FILE
from envcompile.units.snapshot import INPUT_FOLDERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.seenfiles import Files
    from envcompile.units.project import Project
    from envcompile.units.snapshot import Look


class KeptInputs(msgspec.Struct, array_like=True):
    """What was read for plans that were kept, by git's names of it."""

    world: str
    tool: str
    folders: dict[str, bytes]
    """Of each folder its names, with git's names of what they hold; empty where there are files outside of the input
    folders."""

    def names(self, folder: str) -> dict[str, str]:
        """The names in a folder, with git's names of what they hold."""
        packed = self.folders.get(folder)
        return msgspec.msgpack.decode(packed, type=dict[str, str]) if packed is not None else {}

    def digest_of(self, path: str) -> str:
        """The digest that a file had; empty for one that was not there."""
        folder, _, name = path.rpartition("/")
        return self.names(folder).get(name, "")

    @classmethod
    def of(cls, world: str, tool: str, digests: Mapping[str, str]) -> KeptInputs:
        """The inputs with these digests of files."""
        folders = folders_of(digests) if digests else {}
        return cls(world, tool, _packed(folders))

    def edited(self, world: str, digests: Mapping[str, str]) -> KeptInputs:
        """The inputs of which these files hold something else."""
        return KeptInputs(world, self.tool, {**self.folders, **_packed(edited(self.names, digests))})


def _packed(folders: Mapping[str, dict[str, str]]) -> dict[str, bytes]:
    return {folder: msgspec.msgpack.encode(names) for folder, names in folders.items()}


def inputs_now(project: Project, look: Look, inputs: Files, world: str, kept: KeptInputs | None) -> KeptInputs:
    """Everything that was there; nothing where one digest is not known, or a file lies outside of the inputs.

    Args:
        project: what was built.
        look: its folder beside what the last build saw.
        inputs: everything that was read for it, with digests.
        world: names that.
        kept: what the last build kept, where its plans hold.
    """
    plans = project.kept
    older: KeptInputs = kept or KeptInputs("", "", {})
    before = look.snapshot.inputs.names if look.snapshot is not None else None
    is_known = plans is not None and older.world == plans.world and bool(older.folders) and before == inputs.names
    # The digests of all others are the same.
    paths = look.changed if is_known and look.changed is not None else None
    digests = _digests_of(project, look, inputs, paths if paths is not None else inputs.paths(), older)
    return older.edited(world, digests) if paths is not None and digests else KeptInputs.of(world, look.tool, digests)


def _digests_of(project: Project, look: Look, inputs: Files, paths: Iterable[str], older: KeptInputs) -> dict[str, str]:
    """The digest of each of these files; none of all where one is not known, or lies outside of the inputs."""
    read = {}
    if project.kept is None:
        documents = (project.sources.document, *(one.document for one in project.sources.overlays.values()))
        read = {one.source.path: one.source.read() for one in documents if one is not None}
    found: dict[str, str] = {}
    for path in paths:
        if not look.is_there(path):
            continue
        known = inputs.digest(path)
        if path.partition("/")[0] not in {*INPUT_FOLDERS, PROJECT_FILE}:
            return {}
        digest = known if known != UNREAD else older.digest_of(path)
        if not digest and not project.tree.is_file(path):
            return {}  # a folder that `crds:` names: its files have digests, it has none
        if not digest and (path in read or look.is_settled(path)):
            digest = project.parsed.digest(project.tree, path)
            if path in read and project.parsed.file(project.tree, path).data != read[path]:
                return {}
        if not digest:
            return {}
        found[path] = digest
    return found
