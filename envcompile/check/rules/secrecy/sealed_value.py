"""The rule `sealed-value`."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _sealed(inputs: CheckInput) -> Iterator[Hit]:
    for sealed in inputs.of_kind("bitnami.com", "SealedSecret"):
        for key, value in map_at(sealed.value, "spec", "encryptedData").items():
            if not _is_ciphertext(value):
                yield Hit(
                    sealed.id,
                    ("spec", "encryptedData", key),
                    f"the value of `{key}` is no ciphertext: the controller opens none of the Secret's values",
                    f"seal it again: `envc secrets set {inputs.environment} {sealed.id.name} {key}`",
                )


def _is_ciphertext(value: Any) -> bool:
    """Tell whether a value has the form of a sealed one.

    Two bytes of length, an RSA block of that length (1024 bits or more), and a tag of 16 bytes at least.
    Source: sealed-secrets, pkg/crypto/crypto.go, HybridEncrypt.
    """
    try:
        raw = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return False
    length = int.from_bytes(raw[:2], "big")
    return length >= 128 and len(raw) >= 2 + length + 16


RULE: Final = Rule(
    "sealed-value",
    "error",
    "Every value of a SealedSecret is a ciphertext; one that is not keeps the whole Secret from being made.",
    "sealed-secrets, pkg/crypto/crypto.go",
    _sealed,
    alone=True,
    why=(
        "The controller decrypts all values or makes no Secret: one that was pasted in clear stops the whole "
        "Secret, and is readable in git."
    ),
    fix="Seal the value: `envc secrets seal`; treat what stood in clear as known.",
    links=("https://github.com/bitnami-labs/sealed-secrets",),
    fires="""\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: api-secret}
spec: {encryptedData: {database_url: AgBy3i4OJSWK+PiTySYZZA9rO43cGDEQAx...}}
""",
    silent="""\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: api-secret}
spec:
  encryptedData:
    database_url: CIPHERTEXT
""",
)
