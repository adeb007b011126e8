"""Where a file stands in the names of a listing, found in the listing itself: a line a folder, and below it its files.

Who asks for one of many thousand files need not have all of them taken apart.
"""

from __future__ import annotations

HERE = "./"
"""How the folder itself is written."""
_FOLDER_LINE = b"/\n"
"""How the line of a folder ends, and no other."""


def section_of(names: bytes, folder: str) -> tuple[int, int] | None:
    """Where the names of the files in a folder begin and end, the last line break left out; None for no files.

    Args:
        names: the listing.
        folder: its path; empty for the one that is listed.
    """
    line = (f"{folder}/" if folder else HERE).encode("utf-8", "surrogateescape") + b"\n"
    at = 0 if names.startswith(line) else names.find(b"\n" + line) + 1
    if not at and not names.startswith(line):
        return None
    start = at + len(line)
    following = names.find(_FOLDER_LINE, start)
    return start, names.rfind(b"\n", start, following) if following >= 0 else len(names)


def places_in(names: bytes, folder: str) -> dict[str, int]:
    """The files in a folder, each with its number from 0 on in the order of the whole listing; none for no folder.

    Args:
        names: the listing.
        folder: its path; empty for the one that is listed.
    """
    section = section_of(names, folder)
    if section is None:
        return {}
    start, end = section
    first = names.count(b"\n", 0, start) - names.count(_FOLDER_LINE, 0, start)  # each folder before has a line itself
    own = names[start:end].decode("utf-8", "surrogateescape").split("\n")
    return {name: first + at for at, name in enumerate(own)}
