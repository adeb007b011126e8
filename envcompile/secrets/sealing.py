"""Sealing and opening one value, byte for byte as the sealed-secrets controller and kubeseal do."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from envcompile.secrets.ciphertext import LENGTH_BYTES, take_apart
from envcompile.secrets.plaintext import Plaintext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

SESSION_KEY_BYTES = 32
NONCE = bytes(12)
"""All zero: every value has a session key of its own, so no nonce is used twice with one key."""


class NoKeyOpensError(ValueError):
    """None of the private keys opens the value under this label."""


def _oaep(label: bytes) -> padding.OAEP:
    return padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=label or None)


def seal(key: RSAPublicKey, value: Plaintext, label: bytes) -> str:
    """Encrypt a value for the holder of the private key, bound to the label of its scope."""
    session = os.urandom(SESSION_KEY_BYTES)
    wrapped = key.encrypt(session, _oaep(label))
    body = AESGCM(session).encrypt(NONCE, value.reveal(), None)
    return base64.b64encode(len(wrapped).to_bytes(LENGTH_BYTES, "big") + wrapped + body).decode("ascii")


def open_sealed(keys: Sequence[RSAPrivateKey], sealed: str, label: bytes) -> Plaintext:
    """Decrypt a sealed value with the first private key that fits.

    Raises:
        BrokenCiphertextError: when the text cannot be a sealed value.
        NoKeyOpensError: when no key opens it under this label.
    """
    parts = take_apart(sealed)
    for key in keys:
        if key.key_size != len(parts.wrapped) * 8:
            continue
        try:
            session = key.decrypt(parts.wrapped, _oaep(label))
            return Plaintext(AESGCM(session).decrypt(NONCE, parts.body, None))
        except (ValueError, InvalidTag):
            continue
    raise NoKeyOpensError("no private key opens it")
