"""Names the envc that compiled something, wherever it is installed: its version, and a digest of its own files."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from envcompile import __version__

_KNOWN = "cache/tool"
_DIGITS = 16


def tool_of(home: Path, stamp: str) -> str:
    """The version of this envc with a digest of its code and data: the same on every machine that has the same files.

    Args:
        home: the project's `.envc`, where the digest is kept until a file of envc changes.
        stamp: names this envc on this machine.
    """
    known = home / _KNOWN
    with suppress(OSError, UnicodeDecodeError):
        found, _, digest = known.read_text(encoding="utf-8").partition(" ")
        if found == stamp and len(digest) == _DIGITS:
            return f"{__version__}+{digest}"
    digest = _digest()
    if home.is_dir() and not known.parent.is_symlink():
        with suppress(OSError):
            known.parent.mkdir(exist_ok=True)
            known.write_text(f"{stamp} {digest}", encoding="utf-8")
    return f"{__version__}+{digest}"


def _digest() -> str:
    here = Path(__file__).parent.parent
    total = hashlib.sha256()
    for path in sorted(here.rglob("*")):
        if "__pycache__" not in path.parts and path.suffix != ".pyc" and path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(here).as_posix()} {content}\0".encode("utf-8", "surrogateescape"))
    return total.hexdigest()[:_DIGITS]
