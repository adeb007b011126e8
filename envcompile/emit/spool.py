"""Texts that are made before it is known where they go: aside in memory, or in an unnamed file when they are many."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

_BOUND = 8_000_000
"""Bytes that are kept in memory: some thousand manifests."""


class Spool:
    """Texts by their keys; an unnamed file that only this process can read takes those beyond a bound."""

    __slots__ = ("_file", "_held", "_places", "_size")

    def __init__(self) -> None:
        self._held: dict[Hashable, bytes] = {}
        self._places: dict[Hashable, tuple[int, int]] = {}
        self._file: IO[bytes] | None = None
        self._size = 0

    def __del__(self) -> None:
        """Give the file up."""
        if self._file is not None:
            self._file.close()

    def put(self, key: Hashable, text: bytes) -> None:
        """Put a text aside."""
        self._size += len(text)
        if self._size <= _BOUND:
            self._held[key] = text
            return
        if self._file is None:
            from tempfile import TemporaryFile

            self._file = TemporaryFile()  # ruff: ignore[open-file-with-context-handler] - it lives as long as the spool
        self._places[key] = (self._file.tell(), len(text))
        self._file.write(text)

    def get(self, key: Hashable) -> bytes | None:
        """A text that was put aside; None when there is none."""
        held = self._held.get(key)
        if held is not None or self._file is None:
            return held
        place = self._places.get(key)
        if place is None:
            return None
        at, length = place
        self._file.flush()
        found = os.pread(self._file.fileno(), length, at)
        if len(found) != length:
            raise OSError(f"{length - len(found)} bytes of a temporary file are gone")
        return found
