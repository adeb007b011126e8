"""The one holder of secret bytes: it cannot be printed, compared in variable time, pickled or written by accident."""

from __future__ import annotations

import hmac
from typing import NoReturn

REDACTED = "<redacted>"


class Plaintext:
    """Secret bytes behind a wall: every way to show them by accident gives `<redacted>` or refuses.

    The bytes leave through `reveal` only, so a search for that word finds every place that handles a secret in clear.
    """

    __hash__ = None  # type: ignore[assignment]  # a hash of a secret is a digest of it
    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """The secret bytes themselves."""
        return self._value

    @property
    def size(self) -> int:
        """How many bytes there are; a sealed value shows its length anyway."""
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        """Compare in constant time, and with another Plaintext only."""
        if not isinstance(other, Plaintext):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    def __repr__(self) -> str:
        return REDACTED

    def __format__(self, _spec: str) -> str:
        return REDACTED

    def __copy__(self) -> Plaintext:
        return self

    def __deepcopy__(self, _memo: object) -> Plaintext:
        return self

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a plaintext secret cannot be serialised")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a plaintext secret cannot be serialised")
