"""`.envc-index`: the files that envc owns in one environment's folder, each with its digest."""

from __future__ import annotations

from hashlib import sha256

INDEX_NAME = ".envc-index"
_HEADER = "# files that envc wrote here, with their SHA-256; written by `envc build`, do not edit"


def digest(data: bytes) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    return sha256(data).hexdigest()


def render_index(digests: dict[str, str]) -> bytes:
    """The index file for path -> digest, sorted by path; `sha256sum -c` reads it, too."""
    lines = [_HEADER, *(f"{digests[path]}  {path}" for path in sorted(digests))]
    return ("\n".join(lines) + "\n").encode()


def parse_index(data: bytes) -> dict[str, str]:
    """Path -> digest of an index file; lines that are none (a merge conflict's marks) are passed over."""
    found: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        value, gap, path = line.partition("  ")
        if gap and len(value) == 64 and path and ".." not in path.split("/") and not path.startswith("/"):
            found[path] = value
    return found
