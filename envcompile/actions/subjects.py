"""Which resources each source file speaks of, remembered by the file's content: files that stay are not read again.

The memory is a cache: it may be deleted at any time, and a damaged one counts as none.
"""

from __future__ import annotations

import json
import os
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.errors import EnvcError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

_FILE = "cache/subjects.json"
_FORMAT = 1
"""Goes up when files are said to speak of something else than before."""
_MARK = "${{"

Subject = tuple[str, str]
"""Kind and name: all that say the same may speak of one resource."""


class Said(NamedTuple):
    """What one file speaks of.

    A special file holds more than ordinary resources with names that can be read off it: patches of many resources,
    definitions of custom kinds, names that parameters or the API server complete, or what cannot be read at all.
    """

    subjects: frozenset[Subject]
    is_special: bool


SPECIAL = Said(frozenset(), is_special=True)
"""What is said of a file that nobody looks into, such as one of jsonnet."""


class Subjects:
    """What files speak of, by the hash of their content."""

    __slots__ = ("_changed", "_file", "_known", "_used")

    def __init__(self, home: Path) -> None:
        self._file = home / _FILE
        self._known: dict[str, Said] | None = None
        self._changed = False
        self._used: frozenset[str] = frozenset()

    def of(self, contents: Iterable[str], read: Callable[[list[str]], Mapping[str, bytes]]) -> dict[str, Said]:
        """What contents speak of; those that are not known yet are read."""
        if self._known is None:
            self._known = _load(self._file)
        self._used = frozenset(contents)
        missing = self._used - self._known.keys()
        if missing:
            self._known.update((name, said_by(data)) for name, data in read(sorted(missing)).items())
            self._changed = True
        return {name: self._known[name] for name in self._used}

    def save(self) -> None:
        """Keep what was used last, when something of it is new; a folder that cannot be written is no error."""
        if not self._changed or self._known is None:
            return
        kept = {name: self._known[name] for name in self._used}
        plain = {name: (said.is_special, sorted(said.subjects)) for name, said in kept.items()}
        data = json.dumps([_FORMAT, plain]).encode()
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(b"%08x\n%s" % (zlib.crc32(data), data))
            beside.replace(self._file)
        except OSError:
            with suppress(OSError):
                beside.unlink()
        self._changed = False


def said_by(data: bytes) -> Said:
    """What a YAML or JSON file speaks of."""
    from envcompile import yamlio

    try:
        documents = yamlio.load_all(data, "")
    except EnvcError:
        return SPECIAL
    subjects: set[Subject] = set()
    for document in documents:
        if document is None:
            continue
        subject = _subject(document)
        if subject is None:
            return SPECIAL
        subjects.add(subject)
    return Said(frozenset(subjects), is_special=False)


def _subject(value: Any) -> Subject | None:
    """Kind and name of an ordinary resource; None for everything else."""
    metadata = value.get("metadata") if type(value) is dict else None
    if type(metadata) is not dict:
        return None
    kind, name = value.get("kind"), metadata.get("name")
    texts = (value.get("apiVersion"), kind, name, metadata.get("namespace", ""))
    if not all(type(text) is str and _MARK not in text for text in texts) or not kind or not name:
        return None
    is_own = value["apiVersion"].startswith("envcompile.dev/")
    if is_own or kind.endswith("List") or kind == "CustomResourceDefinition":
        return None
    return (kind, name)


def _load(file: Path) -> dict[str, Said]:
    try:
        checksum, _, data = file.read_bytes().partition(b"\n")
    except OSError:
        return {}
    if checksum != b"%08x" % zlib.crc32(data):
        return {}
    written, plain = json.loads(data)
    if written != _FORMAT:
        return {}
    return {
        name: Said(frozenset([(kind, of) for kind, of in subjects]), is_special)
        for name, (is_special, subjects) in plain.items()
    }
