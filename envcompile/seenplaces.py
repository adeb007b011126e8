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


def place_in(names: bytes, path: str) -> int | None:
    """The number of a file, from 0 on in the order of the listing; None for one that is not in it."""
    folder, _, name = path.rpartition("/")
    section = section_of(names, folder)
    if section is None:
        return None
    start, end = section
    at = (b"\n%s\n" % names[start:end]).find(b"\n%s\n" % name.encode("utf-8", "surrogateescape"))
    if at < 0:
        return None
    # Each folder before it has a line of its own.
    return names.count(b"\n", 0, start + at) - names.count(_FOLDER_LINE, 0, start)
