"""The digests of a folder's files after a build of which only a few differ from what the last one wrote."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from envcompile.emit.index import INDEX_NAME
from envcompile.seenfiles import Files
from envcompile.seenplaces import section_of
from envcompile.seentimes import numbers_of, packed

if TYPE_CHECKING:
    from collections.abc import Iterator

_STAT: Final = 32
"""Bytes of the stats of one file."""
_DIGITS: Final = 64
"""Of a SHA-256."""
_LINE: Final = _DIGITS + 1


class RevisedDigests(Mapping[str, str]):
    """The SHA-256 of each file that belongs into a folder, of which the last build knew all but a few.

    Args:
        before: the files as it left them, its index among them.
        changed: those of a few, none of which is new.
    """

    __slots__ = ("before", "changed")

    def __init__(self, before: Files, changed: Mapping[str, str]) -> None:
        self.before = before
        self.changed = {path: digest for path, digest in changed.items() if before.digest(path) != digest}
        """Those that differ."""

    def __getitem__(self, path: str) -> str:
        found = self.changed.get(path)
        if found is not None:
            return found
        if path == INDEX_NAME or path not in self.before:
            raise KeyError(path)
        return self.before.digest(path)

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and path != INDEX_NAME and path in self.before

    def __iter__(self) -> Iterator[str]:
        return (path for path in self.before.paths() if path != INDEX_NAME)

    def __len__(self) -> int:
        return len(self.before) - 1

    @property
    def unchanged(self) -> Collection[str]:
        """The paths of the others."""
        return _Unchanged(self)

    def whole(self) -> dict[str, str]:
        """All of them."""
        found = {**self.before.digest_of, **self.changed}
        del found[INDEX_NAME]
        return found


class _Unchanged(Collection[str]):
    def __init__(self, digests: RevisedDigests) -> None:
        self._digests = digests

    def __contains__(self, path: object) -> bool:
        return path in self._digests and path not in self._digests.changed

    def __iter__(self) -> Iterator[str]:
        return (path for path in self._digests if path not in self._digests.changed)

    def __len__(self) -> int:
        return len(self._digests) - len(self._digests.changed)


def renewed(files: Files, root: str, path: str, digest: str) -> Files | None:
    """What is in a folder after one of its files was replaced; None where that is not there, or was not before.

    Args:
        files: the files before, with what was in each of them.
        root: the folder.
        path: the file.
        digest: of what is in it now.
    """
    folder, _, name = path.rpartition("/")
    place, section, numbers = files.place_of(path), section_of(files.names, folder), numbers_of(f"{root}/{path}")
    if place is None or section is None or numbers[2] < 0 or not files.are_all_read:
        return None
    start, end = section
    names = files.names[start:end].decode("utf-8", "surrogateescape").split("\n")
    first, last = place - names.index(name), place - names.index(name) + len(names)
    try:
        listed = {other: at for at, other in enumerate(os.listdir(f"{root}/{folder}"))}  # ruff: ignore[os-listdir] - names, in the system's order
    except OSError:
        listed = {}  # somebody took it away meanwhile
    order = sorted(range(len(names)), key=lambda at: listed.get(names[at], len(listed) + at))  # as the system lists it
    stats = [files.stats[(first + at) * _STAT : (first + at + 1) * _STAT] for at in order]
    digests = [files.digests[(first + at) * _LINE : (first + at) * _LINE + _DIGITS] for at in order]
    here = order.index(place - first)
    stats[here], digests[here] = packed(list(numbers)), digest.encode()
    after = files.digests[last * _LINE :]
    found = Files(
        files.names[:start]
        + "\n".join([names[at] for at in order]).encode("utf-8", "surrogateescape")
        + files.names[end:],
        files.stats[: first * _STAT] + b"".join(stats) + files.stats[last * _STAT :],
        files.digests[: first * _LINE] + b"\n".join(digests) + (b"\n" + after if after else b""),
    )
    found.times = files.times  # but for those of the folder of this file, which is listed again then
    return found
