"""`.envc-index`: the files that envc owns in one environment's folder, each with its digest."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

INDEX_NAME = ".envc-index"
_HEADER = "# files that envc wrote here, with their SHA-256; written by `envc build`, do not edit"


def digest(data: bytes) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    return sha256(data).hexdigest()


def render_index(digests: Mapping[str, str]) -> bytes:
    """The index file for path -> digest, sorted by path; `sha256sum -c` reads it, too."""
    lines = [_HEADER, *(f"{digests[path]}  {path}" for path in sorted(digests))]
    return ("\n".join(lines) + "\n").encode()


def announce(index: bytes | None, digests: dict[str, str], touched: Iterable[str]) -> bytes:
    """The index while files are being swapped: what it said before, and what the touched files will be.

    Whatever a crash leaves, each of envc's files is listed with its digest.
    """
    lines = [f"{digests[path]}  {path}\n" for path in touched if path in digests]
    return (index or f"{_HEADER}\n".encode()) + "".join(lines).encode()


def parse_index(data: bytes) -> dict[str, tuple[str, ...]]:
    """Path -> the digests that an index file gives it: one, or several when a build was cut short.

    Lines that are none (a merge conflict's marks) are passed over.
    """
    found: dict[str, tuple[str, ...]] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        value, gap, path = line.partition("  ")
        if gap and len(value) == 64 and path and ".." not in path.split("/") and not path.startswith("/"):
            found[path] = (*found.get(path, ()), value)
    return found
