"""Line ends of a working folder, which `core.autocrlf` and attributes make others than git stores (gitattributes)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.errors import UnavailableError
from envcompile.git.discovery import place_of
from envcompile.git.run import run

if TYPE_CHECKING:
    from pathlib import Path


def as_stored(root: Path | None, path: str, data: bytes) -> bytes:
    r"""The bytes of a file of a working folder as a commit holds, or would hold, them: with `\n` where git says so.

    Git is asked about files with `\r\n` only; no filter of it is run.

    Args:
        root: the project's folder; None for a tree that git holds.
        path: the file, relative to it.
        data: its bytes in the folder.
    """
    place = place_of(root) if root is not None and b"\r\n" in data else None
    if place is None:
        return data
    try:
        listed = run(place, "ls-files", "--eol", "-z", "--cached", "--others", "--", path).stdout
        in_index, _, attributes = listed.partition(b"\t")[0].decode("ascii", "replace").partition("attr/")
        is_stored = in_index.startswith("i/lf")
        if in_index.startswith("i/ "):  # not added yet: what `git add` would do
            setting = run(place, "config", "--get", "core.autocrlf").stdout.strip()
            is_text = not attributes.startswith("-text") and "w/-text" not in in_index
            is_stored = is_text and (attributes.startswith("text") or setting in {b"true", b"input"})
    except UnavailableError:
        return data
    return data.replace(b"\r\n", b"\n") if is_stored else data
