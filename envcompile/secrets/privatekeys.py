"""Private sealing keys for recovery: PEM files (PKCS#1, PKCS#8) and the controller's backup `Secret` or `List`."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from envcompile.errors import EnvcError, fail
from envcompile.model import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
_ANY_BLOCK = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----")


def read_private_keys(data: bytes, file: str) -> list[RSAPrivateKey]:
    """Read every private RSA key of a PEM file or of a backup made by `kubectl get secret … -o yaml|json`.

    Raises:
        EnvcError: when the file holds none, or one that cannot be used; the message never quotes the file.
    """
    where = Location(file, 1, 1)
    blocks = [block[0] for block in _BLOCK.finditer(data)] if _starts_as_pem(data) else list(_from_backup(data, file))
    keys = [_load(block, where) for block in blocks]
    if not keys:
        raise fail(
            "the file holds no private key",
            "give a PEM file, or the backup made by `kubectl get secret -n kube-system "
            "-l sealedsecrets.bitnami.com/sealed-secrets-key -o yaml`",
            where,
        )
    return keys


def _starts_as_pem(data: bytes) -> bool:
    found = _ANY_BLOCK.search(data)
    return found is not None and not data[: found.start()].strip().endswith((b"|", b":", b'"'))


def _load(pem: bytes, where: Location) -> RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        raise fail(
            "the private key is encrypted", "decrypt it first: `openssl pkey -in KEY -out /dev/shm/key.pem`", where
        ) from None
    except Exception as error:  # ruff: ignore[blind-except] - as with certificates: no common error type
        raise fail(
            f"the private key cannot be read ({type(error).__name__})", "give an unencrypted RSA key in PEM", where
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise fail("the private key is not RSA", "sealed-secrets uses RSA keys only", where)
    return key


def _from_backup(data: bytes, file: str) -> Iterator[bytes]:
    from envcompile import yamlio

    try:
        documents = yamlio.load_all(data, file)
    except EnvcError:
        # The parser's message may quote the line it stumbles over, and this file is all secret.
        raise fail(
            "the file is neither PEM nor YAML", "give a PEM file or the controller's backup", Location(file, 1, 1)
        ) from None
    for document in documents:
        yield from _from_object(document, Location(file, 1, 1))


def _from_object(value: Any, where: Location) -> Iterator[bytes]:
    if not isinstance(value, dict):
        return
    if isinstance(items := value.get("items"), list):
        for item in items:
            yield from _from_object(item, where)
        return
    data = value.get("data")
    text = data.get("tls.key") if isinstance(data, dict) else None
    if value.get("kind") == "Secret" and isinstance(text, str):
        try:
            decoded = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise fail("`tls.key` in the backup is not base64", "make the backup again", where) from None
        yield from (block[0] for block in _BLOCK.finditer(decoded))
