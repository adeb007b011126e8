"""What a build would do to an environment's folder in a tree that git holds; nothing is written there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.emit.former import digest_of_text
from envcompile.emit.index import INDEX_NAME, parse_index
from envcompile.emit.plan import Plan, is_index_current
from envcompile.git.objects import SUBMODULE, SYMLINK

if TYPE_CHECKING:
    from envcompile.git.trees import StoredTree
    from envcompile.model import Bundle


def plan_stored(tree: StoredTree, folder: str, bundle: Bundle, *, gone: bool = False) -> Plan:
    """Compare a folder of a tree with the bundle that belongs into it.

    Args:
        tree: the index, or a commit.
        folder: the environment's folder, such as `environments/prod`.
        bundle: the files that it should hold.
        gone: the environment is no more.

    Raises:
        EnvcError: files there are in conflict.
        UnavailableError: the repository does not hold one of the contents.
    """
    place = f"{folder}/{INDEX_NAME}"
    index = tree.read(place) if tree.is_file(place) else None
    owned = parse_index(index) if index is not None else {}
    present = tree.everything(folder)
    blobs = {path: entry.hash for path, entry in present.items() if path != INDEX_NAME}
    wanted_of: dict[str, set[str]] = {}
    for path, wanted in bundle.digests.items():
        if path in blobs and present[path].mode not in {SYMLINK, SUBMODULE}:
            wanted_of.setdefault(blobs[path], set()).add(wanted)
    digests = {blob: digest_of_text(data, wanted_of[blob]) for blob, data in tree.blobs(wanted_of)}
    added: list[str] = []
    changed: list[str] = []
    unchanged: list[str] = []
    foreign: list[str] = []
    for path, wanted in bundle.digests.items():
        if path not in blobs:
            added.append(path)
        elif digests.get(blobs[path]) == wanted:
            unchanged.append(path)
        else:
            (changed if path in owned else foreign).append(path)
    removed = owned.keys() & blobs.keys() - bundle.digests.keys()
    is_current = is_index_current(index, owned, bundle.digests, gone=gone)
    return Plan(
        bundle,
        tuple(sorted(added)),
        tuple(sorted(changed)),
        tuple(sorted(removed)),
        tuple(unchanged),
        (),
        tuple(sorted(foreign)),
        tuple(sorted(path for path in added if path in owned)),
        tuple(sorted(blobs.keys() - bundle.digests.keys() - owned.keys())),
        dict(bundle.digests),
        index,
        index_is_current=is_current,
        index_is_canonical=is_current,
        gone=gone,
    )
