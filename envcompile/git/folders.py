"""Git's names of folders, made from those of the files in them: equal names are equal folders, however many files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from envcompile.git.blob import SHA1_DIGITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def folders_of(files: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Each folder's names with git's names of what they hold; those of folders end with a slash.

    A file counts as one that nobody may execute: a folder in which one is has another name in git.

    Args:
        files: path -> git's name of the content.
    """
    found: dict[str, dict[str, str]] = {"": {}}
    for path, digest in files.items():
        folder, _, name = path.rpartition("/")
        while folder not in found:
            found[folder] = {}
            folder = folder.rpartition("/")[0]
        found[path.rpartition("/")[0]][name] = digest
    _name(found)
    return found


def edited(names_in: Callable[[str], dict[str, str]], digests: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The folders that are others when some files hold something else, as `folders_of` gives them.

    Args:
        names_in: gives the names in a folder as they were.
        digests: path -> git's name of the content now, of files that were there.
    """
    found = {"": names_in("")}
    for path, digest in digests.items():
        folder, _, name = path.rpartition("/")
        above = folder
        while above not in found:
            found[above] = names_in(above)
            above = above.rpartition("/")[0]
        found[folder][name] = digest
    _name(found)
    return found


def _name(folders: dict[str, dict[str, str]]) -> None:
    """Put git's name of each folder into the one around it."""
    for folder in sorted(folders, key=lambda folder: -folder.count("/")):
        if folder:
            around, _, name = folder.rpartition("/")
            folders[around][f"{name}/"] = tree_id(folders[folder])


def tree_id(names: Mapping[str, str]) -> str:
    """The name that git gives to a folder (`git mktree`).

    Args:
        names: as `folders_of` gives them.
    """
    digits = next((len(digest) for digest in names.values()), SHA1_DIGITS)
    entries = sorted((name.encode("utf-8", "surrogateescape"), digest) for name, digest in names.items())
    data = b"".join([
        b"%b %b\0%b" % (b"40000" if name.endswith(b"/") else b"100644", name.rstrip(b"/"), bytes.fromhex(digest))
        for name, digest in entries
    ])
    made = hashlib.sha1 if digits == SHA1_DIGITS else hashlib.sha256
    return made(b"tree %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()
