"""What can be known of a sealed value without any key: its scope's label, its parts and their sizes.

A sealed value is base64 of: two bytes with the length of the wrapped session key, the session key wrapped by RSA-OAEP
(SHA-256, the scope as label), and the value under AES-256-GCM with a nonce of twelve zero bytes and a 16-byte tag.
"""

from __future__ import annotations

import base64
import binascii
from typing import Literal, NamedTuple

Scope = Literal["strict", "namespace-wide", "cluster-wide"]
SCOPES: tuple[Scope, ...] = ("strict", "namespace-wide", "cluster-wide")

TAG_BYTES = 16
LENGTH_BYTES = 2
SMALLEST_MODULUS = 128
LARGEST_MODULUS = 2048
"""Bytes of RSA-1024 and RSA-16384: a length outside is no wrapped key of any sealing certificate."""

SCOPE_ANNOTATION = "sealedsecrets.bitnami.com/"


class BrokenCiphertextError(ValueError):
    """A text that cannot be a sealed value; the message says which structural test failed."""


class Parts(NamedTuple):
    """A sealed value taken apart."""

    wrapped: bytes
    """The session key under RSA-OAEP."""
    body: bytes
    """The value and its tag under AES-GCM."""

    @property
    def size(self) -> int:
        """Length of the plaintext in bytes: public, because AES-GCM does not pad."""
        return len(self.body) - TAG_BYTES


def label(scope: Scope, namespace: str, name: str) -> bytes:
    """The OAEP label that binds a value to its scope, as the controller computes it."""
    if scope == "cluster-wide":
        return b""
    if scope == "namespace-wide":
        return namespace.encode()
    return f"{namespace}/{name}".encode()


def scope_annotations(scope: Scope) -> dict[str, str]:
    """The annotations by which the controller learns the scope; none for strict."""
    return {} if scope == "strict" else {f"{SCOPE_ANNOTATION}{scope}": "true"}


def take_apart(sealed: object) -> Parts:
    """Split a sealed value.

    Raises:
        BrokenCiphertextError: when it cannot be one, with the test that failed.
    """
    if not isinstance(sealed, str):
        raise BrokenCiphertextError("is not a text")
    try:
        raw = base64.b64decode(sealed, validate=True)
    except (binascii.Error, ValueError):
        raise BrokenCiphertextError("is not base64") from None
    if len(raw) < LENGTH_BYTES:
        raise BrokenCiphertextError(f"has {len(raw)} bytes, too few for a sealed value")
    length = int.from_bytes(raw[:LENGTH_BYTES], "big")
    if not SMALLEST_MODULUS <= length <= LARGEST_MODULUS:
        raise BrokenCiphertextError(f"begins with a session key of {length} bytes, which no RSA key wraps")
    wrapped, body = raw[LENGTH_BYTES : LENGTH_BYTES + length], raw[LENGTH_BYTES + length :]
    if len(wrapped) < length or len(body) < TAG_BYTES:
        raise BrokenCiphertextError(
            f"is cut off: {len(raw)} bytes, at least {LENGTH_BYTES + length + TAG_BYTES} expected"
        )
    return Parts(wrapped, body)


def foreign(parts: Parts, modulus: int) -> str | None:
    """Say why a sealed value cannot be for the RSA key with this modulus; None when it may be.

    The second test is one-sided: a wrapped key not below the modulus is certainly foreign, one below may still be.
    """
    expected = (modulus.bit_length() + 7) // 8
    if len(parts.wrapped) != expected:
        return f"its session key is wrapped for RSA-{len(parts.wrapped) * 8}, the certificate is RSA-{expected * 8}"
    if int.from_bytes(parts.wrapped, "big") >= modulus:
        return "its session key was wrapped for another certificate (it is larger than this one's modulus)"
    return None
