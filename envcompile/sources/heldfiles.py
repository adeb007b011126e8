"""Files with their values, in memory or put aside as bytes: who looks at all files holds few of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from envcompile.sources.tree import File

if TYPE_CHECKING:
    from envcompile.errors import EnvcError
    from envcompile.files import Spool

_BOUND = 1_000_000
"""Bytes of sources that are kept with their values while all files are looked at; the values take 15 times as much.

Those beyond are put aside as bytes, of which as many are kept again; an unnamed file takes the rest.
"""


class HeldFiles:
    """What was read of files so far."""

    __slots__ = ("_held", "_packed", "files", "values")

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        """With their bytes, by path."""
        self.values: dict[str, list[Any] | EnvcError] = {}
        """Every document of a YAML or JSON file, or what is wrong with it."""
        self._held = 0
        self._packed: Spool | None = None

    @property
    def is_full(self) -> bool:
        """Whether more is held than should be."""
        return self._held > _BOUND

    def add(self, path: str, data: bytes) -> File:
        """Hold a file with its bytes."""
        file = self.files[path] = File(path, data)
        self._held += len(data)
        return file

    def drop(self, path: str) -> None:
        """Give up what was read of a file."""
        self.values.pop(path, None)
        if self._packed is not None:
            self._packed.drop(path)
        file = self.files.pop(path, None)
        if file is not None:
            self._held -= len(file.data)

    def put_aside(self, path: str) -> bool:
        """Put a file and its values aside as bytes; False where these have no such form."""
        try:
            packed = msgspec.msgpack.encode((self.files[path].data, self.values[path]))
        except (OverflowError, UnicodeEncodeError):
            return False  # a number or a text that msgpack has no form for
        if self._packed is None:
            from envcompile.files import Spool

            self._packed = Spool(_BOUND)
        self.drop(path)
        self._packed.put(path, packed)
        return True

    def take_up(self, path: str) -> None:
        """Take a file and its values up again that were put aside."""
        packed = self._packed.get(path) if self._packed is not None else None
        if self._packed is not None and packed is not None:
            data, self.values[path] = msgspec.msgpack.decode(packed)
            self._packed.drop(path)
            self.add(path, data)
