"""A digest of everything in a commit that can have a say in what it compiles to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.git.objects import FOLDER

if TYPE_CHECKING:
    from envcompile.git.objects import GitObjects

_OUTPUT = "environments"


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
