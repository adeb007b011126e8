"""`.envc-index`: the files that envc owns in one folder; below environments/ names alone, in an order that merges.

Names that two branches add would meet in any list that is sorted by name alone. Here each name stands below one of
many fixed lines, chosen by a checksum of the name: git sees a line between two additions, and merges them. The few
that still meet are joined by the `union` driver that `environments/.gitattributes` names, where git honours it.
A folder that nothing else is recorded of, such as a converted chart, has the SHA-256 of each file in its index.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

INDEX_NAME = ".envc-index"
FORMER_ATTRIBUTES = "*/.envc-index merge=union\n"
"""What envc wrote before it had a merge driver."""
ATTRIBUTES = f"{FORMER_ATTRIBUTES}*.yaml merge=envc\n*.json merge=envc\n"
"""What a `.gitattributes` beside the environments says (gitattributes(5), `merge`).

Of indexes both sides' names count. Manifests and a chart's values are merged by keys where `envc hook install` told git
how; everywhere else git knows no driver of that name, and merges them as any text.
"""
_HEADER = "# files that envc wrote here; written by `envc build`, do not edit"
_HEADER_OF_DIGESTS = "# files that envc wrote here, with their SHA-256; written by `envc build`, do not edit"
_PLACES = 256
"""Fixed lines: two branches that add a file each meet once in 256 times, with three files each once in thirty."""
_OLD = re.compile(r"[0-9a-f]{64}  ")
"""What stands before a name: the SHA-256 of its content. Envc 0.1 wrote all indexes so."""
_MARKS = ("<<<<<<< ", "||||||| ", ">>>>>>> ")


def digest(data: bytes) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    return sha256(data).hexdigest()


def render_names(paths: Iterable[str]) -> bytes:
    """The index of an environment, for the paths of all files that are envc's.

    Raises:
        ValueError: a path has a line break, and would be taken for two.
    """
    places: list[list[str]] = [[] for _ in range(_PLACES)]
    for path in sorted(paths):
        if "\n" in path or "\r" in path:
            raise ValueError(f"a line break in the path {path!r}")
        places[crc32(path.encode("utf-8", "surrogateescape")) % _PLACES].append(path)
    lines = [_HEADER]
    for number, names in enumerate(places):
        lines += [f"#{number:02x}", *names]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def render_digests(digests: Mapping[str, str]) -> bytes:
    """The index of a folder by itself, for path -> digest, sorted by path; `sha256sum -c` reads it, too."""
    lines = [_HEADER_OF_DIGESTS, *(f"{digests[path]}  {path}" for path in sorted(digests))]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def parse_index(data: bytes) -> dict[str, tuple[str, ...]]:
    """Path -> the digests that the index gives it: none of an environment's, several when a build was cut short.

    The marks of a merge conflict are passed over: the names of both sides count.
    """
    found: dict[str, tuple[str, ...]] = {}
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        text = line.removesuffix("\r")
        known: tuple[str, ...] = ()
        if _OLD.match(text):
            known, text = (text[:64],), text[66:]
        if _is_path(text):
            found[text] = (*found.get(text, ()), *known)
    return found


def is_readable(data: bytes) -> bool:
    """Tell whether an index is one of names, without marks of a merge conflict; their order does not matter."""
    lines = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
    return lines[0] == _HEADER and not any(line.startswith(_MARKS) for line in lines)


def has_digests(data: bytes) -> bool:
    """Tell whether an index is one of digests, without marks of a merge conflict."""
    lines = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n").rstrip("\n").split("\n")
    return lines[0] == _HEADER_OF_DIGESTS and all(_OLD.match(line) for line in lines[1:])


def render_record(digests: Mapping[str, str]) -> bytes:
    """What builds wrote, path by path with the SHA-256; paths without one are left out."""
    lines = [f"{known}  {path}\n" for path, known in digests.items() if known]
    return "".join(lines).encode("utf-8", "surrogateescape")


def _is_path(text: str) -> bool:
    if not text or text[0] in "#/" or text.startswith(_MARKS) or text in {"=======", INDEX_NAME} or "\0" in text:
        return False
    return ".." not in text.split("/")
