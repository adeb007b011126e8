"""The ids that git gives to contents; this module imports next to nothing, because every build asks for them."""

from __future__ import annotations

import hashlib
import os

TYPE_CHECKING = False
"""Type checkers take it for true; importing `typing` for it would take as long as to hash hundreds of files."""

if TYPE_CHECKING:
    from pathlib import Path

SHA1_DIGITS, SHA256_DIGITS = 40, 64
"""Hexadecimal digits of an id in a repository of either kind."""
_SHA256 = rb"(?im)^\s*objectformat\s*=\s*sha256\s*$"


def blob_id(data: bytes, digits: int = SHA1_DIGITS) -> str:
    """The id that git gives to the content of a file (`git hash-object`).

    Args:
        data: the content.
        digits: hexadecimal digits of an id in this repository: 40 (SHA-1) or 64 (SHA-256).
    """
    made = hashlib.sha1 if digits == SHA1_DIGITS else hashlib.sha256
    # Git itself refuses contents made to collide, and a machine in FIPS mode would refuse the hash as such.
    return made(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()


def id_digits(root: Path) -> int:
    """How many digits an id has in the repository around a folder; looks at files only (git-config(1), extensions).

    Outside of a repository ids are SHA-1's.
    """
    import re
    from pathlib import Path

    for around in (real := Path(os.path.realpath(root)), *real.parents):
        marker = around / ".git"
        try:
            if marker.is_file():
                marker = around / os.fsdecode(marker.read_bytes().removeprefix(b"gitdir:").strip())
                named = marker / "commondir"
                marker = marker / os.fsdecode(named.read_bytes().strip()) if named.is_file() else marker
            elif not marker.is_dir():
                continue
            config = (marker / "config").read_bytes()
            return SHA256_DIGITS if b"256" in config and re.search(_SHA256, config) else SHA1_DIGITS
        except OSError:
            return SHA1_DIGITS
    return SHA1_DIGITS
