"""Which envc this is, by content: what machines compare that share what they remember."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_REMEMBERED = ".envc/cache/tool.txt"
_HAVE_A_SAY = ("cryptography", "deepmerge", "gojsonnet", "msgspec", "pyyaml")
"""Packages by which the same sources may come to other bytes."""


def tool_digest(root: Path, stamp: str) -> str:
    """The SHA-256 of the package's files and of the versions of the packages that have a say in what is compiled.

    Args:
        root: the project's folder, where the digest of the files is kept as long as their stats stay.
        stamp: those stats, `snapshot.tool_stamp()`.
    """
    kept = root / _REMEMBERED
    files = ""
    with suppress(OSError, ValueError):
        before, _, known = kept.read_text(encoding="ascii").partition(" ")
        files = known if before == stamp and len(known) == 64 else ""
    if not files:
        files = package_digest()
        with suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(f"{stamp} {files}", encoding="ascii")
    found = [files, *(f"{name} {_version(name)}" for name in _HAVE_A_SAY)]
    return hashlib.sha256("\0".join(found).encode()).hexdigest()


@cache
def package_digest() -> str:
    """The SHA-256 of the package's files; byte code left out, which differs from machine to machine."""
    folder = Path(__file__).parents[1]
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix != ".pyc" and path.is_file():
            name = path.relative_to(folder).as_posix()
            whole.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
