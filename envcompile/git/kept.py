"""What git holds of the files in one folder: nothing that it holds is lost when a file is written anew."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import UsageError
from envcompile.git.blob import blob_id
from envcompile.git.discovery import find
from envcompile.git.objects import GitObjects
from envcompile.git.run import run

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.git.run import Place

_OTHER_SIDES = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD", "REVERT_HEAD")
"""The commit that is being joined with HEAD (gitrevisions(7))."""


class KeptFiles(NamedTuple):
    """The contents that git holds for the files below a folder, in HEAD and in the index."""

    blobs: dict[str, frozenset[str]]
    """Path below the folder -> git ids of its contents, those of both sides of a merge included."""
    in_conflict: frozenset[str]
    """The files that have two sides."""
    place: Place
    prefix: str
    """The folder inside of the repository, such as `environments/prod/`; empty at the top."""

    def holds(self, path: str, data: bytes) -> bool:
        """Tell whether git holds this content of a file."""
        return any(blob_id(data, len(known)) == known for known in self.blobs.get(path, ()))

    def sides(self, path: str) -> list[bytes]:
        """A file as HEAD has it, and as the commit has it that is being merged, picked or rebased."""
        names = [f"{revision}:{self.prefix}{path}" for revision in ("HEAD", *_OTHER_SIDES)]
        with closing(GitObjects(self.place)) as objects:
            return [found[1] for found in objects.read(names) if found is not None]


def kept_files(folder: Path) -> KeptFiles | None:
    """What git holds of the files below a folder that is there; None outside of a work tree.

    Raises:
        UnavailableError: there is no git on this machine.
    """
    try:
        found = find(folder)
    except UsageError:
        return None
    if found.is_bare:
        return None
    blobs: dict[str, set[str]] = {}
    in_conflict: set[str] = set()
    for facts, path in _lines(found.place, "ls-files", "-s", "-z"):
        _, blob, stage = facts.split()
        blobs.setdefault(path, set()).add(blob)
        if stage != "0":
            in_conflict.add(path)
    for facts, path in _lines(found.place, "ls-tree", "-r", "-z", "HEAD"):
        blobs.setdefault(path, set()).add(facts.split()[2])
    return KeptFiles(
        {path: frozenset(ids) for path, ids in blobs.items()}, frozenset(in_conflict), found.place, found.prefix
    )


def _lines(place: Place, *arguments: str) -> list[tuple[str, str]]:
    """What git lists of the folder it runs in: facts and path; nothing when there is no commit yet."""
    done = run(place, *arguments)
    if done.returncode:
        return []
    listed = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    return [(facts, path) for facts, tab, path in (line.partition("\t") for line in listed) if tab]
