"""What is remembered of a chart: pure functions' results by the digests of what they were made from."""

from __future__ import annotations

import hashlib
from typing import Any, Protocol, TypeVar

import msgspec

_T = TypeVar("_T")


class Memo(Protocol):
    """Where parts of a chart are remembered by digests; it may forget any of them at any time."""

    def get(self, key: str) -> bytes | None:
        """What was kept under a key; None when it is nothing."""
        ...

    def put(self, key: str, data: bytes) -> None:
        """Keep something."""
        ...

    def text(self, service: str, key: str) -> bytes | None:
        """A large text of a service or portion that was kept under a key; None when it is nothing."""
        ...

    def put_text(self, service: str, key: str, data: bytes) -> None:
        """Keep a large text of a service or portion, as long as something is remembered under the same key."""
        ...

    def written(self, path: str) -> bytes | None:
        """One of the chart's files as the last build left it, by its path below the chart's folder."""
        ...


class Trace(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What tells a text apart without saying it."""

    length: int
    """In bytes."""
    digest: str

    @classmethod
    def of(cls, text: str) -> Trace:
        """That of a text."""
        return cls.of_bytes(text.encode("utf-8", "surrogatepass"))

    @classmethod
    def of_bytes(cls, data: bytes) -> Trace:
        """That of a text's bytes."""
        return cls(len(data), hashlib.sha256(data).hexdigest())

    def is_of(self, data: bytes) -> bool:
        """Tell whether these are the text's bytes."""
        return len(data) == self.length and hashlib.sha256(data).hexdigest() == self.digest


class Recollection:
    """Asks a memo, if there is one, for records of a type; a damaged one counts as none.

    Args:
        memo: the memo.
    """

    def __init__(self, memo: Memo | None) -> None:
        self.memo = memo

    def get(self, key: str, kind: type[_T]) -> _T | None:
        """The record that was kept under a key; None when it is nothing, or when the key is empty."""
        return unpacked(self.packed(key), kind)

    def packed(self, key: str) -> bytes | None:
        """The same as bytes."""
        return self.memo.get(key) if self.memo is not None and key else None

    def put(self, key: str, value: Any) -> None:
        """Keep a record, unless the key is empty."""
        if self.memo is not None and key:
            self.memo.put(key, msgspec.msgpack.encode(value))


def unpacked(data: bytes | None, kind: type[_T]) -> _T | None:
    """A record that was packed; None when it is none."""
    if data is None:
        return None
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except msgspec.MsgspecError:
        return None


def digest_of(value: Any) -> str:
    """The digest of texts, bytes and numbers in lists."""
    return hashlib.sha256(msgspec.msgpack.encode(value)).hexdigest()
