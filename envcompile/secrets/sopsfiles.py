"""Reads SOPS files in memory: values under AES-256-GCM, the file's MAC, data keys by age; `sops` for KMS and PGP."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from envcompile.errors import did_you_mean
from envcompile.secrets.backends import OriginError, Resolved, read_file
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.sopskeys import find_data_key
from envcompile.secrets.sopstree import VALUE, SopsTree, leaves, read_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.references import Reference
    from envcompile.secrets.sopstree import Form

_MAC_ONLY_ENCRYPTED = hashlib.sha256(b"sops").digest()
"""What SOPS starts the MAC with when it covers encrypted values only (`mac_only_encrypted`)."""


@dataclass(frozen=True, slots=True)
class _OpenedFile:
    """A SOPS file that was decrypted and whose MAC is right; `kinds` says what each value was before."""

    values: Mapping[tuple[str, ...], Plaintext]


def encrypted_text(reference: Reference, surroundings: Surroundings) -> str:
    """The `ENC[…]` text of one value: public, and the same until the value changes. An empty value has an empty one.

    Raises:
        OriginError: when the file or the value is not there, or the value is not encrypted.
    """
    tree = _tree(reference, surroundings)
    value, names = _find(tree.documents[0], reference)
    if not isinstance(value, str):
        raise OriginError(
            f"`{reference}` is not a text",
            "name one of the values below it" if isinstance(value, (dict, list)) else "give it a value with sops",
        )
    if value and not tree.is_encrypted(names, value):
        raise OriginError(
            f"`{reference}` is not encrypted in that file",
            f"encrypt it: `sops {reference.path}`; then rotate the value",
        )
    return value


def from_sops(reference: Reference, surroundings: Surroundings) -> Resolved:
    """Decrypt one value of a SOPS file: the bytes that `sops decrypt` shows for it.

    Raises:
        OriginError: when no key opens the file, its MAC is wrong, or it has no such value.
    """
    version = encrypted_text(reference, surroundings)
    memory = ("sops", reference.path)
    opened = surroundings.shared.get(memory)
    if opened is None:
        tree = _tree(reference, surroundings)
        data_key = find_data_key(tree.metadata, surroundings.environ)
        if data_key.key is None:
            from envcompile.secrets.sopsprogram import decrypt_by_program

            values = decrypt_by_program(tree, reference, surroundings, data_key.unusable)
        else:
            values = _decrypt(tree, data_key.key, reference)
        opened = _OpenedFile(values)
        surroundings.shared[memory] = opened
    if not isinstance(opened, _OpenedFile):
        raise TypeError("the memory of opened SOPS files holds something else")
    if not version:
        return Resolved(Plaintext(b""), version)
    if reference.fragment not in opened.values:
        raise OriginError(f"sops gives no value for `{reference}`", "look at it with `sops decrypt`")
    value = opened.values[reference.fragment]
    match = VALUE.fullmatch(version)
    return Resolved(_as_written(value, match["type"] if match else "str", _tree(reference, surroundings).form), version)


def _tree(reference: Reference, surroundings: Surroundings) -> SopsTree:
    memory = ("sops tree", reference.path)
    known = surroundings.shared.get(memory)
    if isinstance(known, SopsTree):
        return known
    tree = read_tree(read_file(reference, surroundings), reference)
    surroundings.shared[memory] = tree
    return tree


def _find(document: Any, reference: Reference) -> tuple[Any, tuple[str, ...]]:
    """What stands at the reference's way, and the names on it without positions."""
    value, names = document, []
    for part in reference.fragment:
        if isinstance(value, dict) and part in value:
            value = value[part]
            names.append(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            known = [str(key) for key in value] if isinstance(value, dict) else []
            raise OriginError(
                f"`{reference.path}` has no `{'/'.join(reference.fragment)}`",
                did_you_mean(part, known, "correct the key"),
                absent=True,
            )
    return value, tuple(names)


def _decrypt(tree: SopsTree, key: bytes, reference: Reference) -> dict[tuple[str, ...], Plaintext]:
    only_encrypted = str(tree.metadata.get("mac_only_encrypted")).lower() == "true"
    digest = hashlib.sha512(_MAC_ONLY_ENCRYPTED if only_encrypted else b"")
    found: dict[tuple[str, ...], Plaintext] = {}
    for number, document in enumerate(tree.documents):
        for path, names, value in leaves(document):
            if isinstance(value, str) and tree.is_encrypted(names, value):
                opened = _open(value, key, ":".join(names) + ":", reference)
                digest.update(opened.reveal())
                if not number:
                    found[path] = opened
            elif not only_encrypted and value is not None:
                digest.update(_bytes_of(value))
    recorded = _open(str(tree.metadata.get("mac")), key, str(tree.metadata.get("lastmodified")), reference)
    if not hmac.compare_digest(recorded.reveal().decode(errors="replace").upper(), digest.hexdigest().upper()):
        raise OriginError(
            f"the MAC of `{reference.path}` does not fit: the file was changed without sops",
            f"take it from git as sops wrote it, or look at it with `sops {reference.path}`",
        )
    return found


def _open(text: str, key: bytes, bound_to: str, reference: Reference) -> Plaintext:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    match = VALUE.fullmatch(text)
    broken = OriginError(
        f"a value of `{reference.path}` cannot be decrypted", "take the file from git as sops wrote it"
    )
    if match is None:
        raise broken
    try:
        data, nonce, tag = (base64.b64decode(match[part], validate=True) for part in ("data", "iv", "tag"))
        return Plaintext(AESGCM(key).decrypt(nonce, data + tag, bound_to.encode()))
    except (InvalidTag, binascii.Error, ValueError):
        raise broken from None


def _bytes_of(value: Any) -> bytes:
    """A clear value as SOPS counts it into the MAC (`ToBytes` of sops.go)."""
    if isinstance(value, bool):
        return b"True" if value else b"False"
    if isinstance(value, float):
        if value != value or value in {float("inf"), float("-inf")}:  # ruff: ignore[comparison-with-itself]
            return {"inf": b"+Inf", "-inf": b"-Inf"}.get(str(value), b"NaN")
        return format(Decimal(repr(value)), "f").removesuffix(".0").encode()
    return str(value).encode()


def _as_written(value: Plaintext, kind: str, form: Form) -> Plaintext:
    """A value as `sops decrypt` writes it: a ciphertext holds `True` and a float's digits without an exponent."""
    if kind == "bool":
        return Plaintext(value.reveal().lower())
    if kind == "float":
        return Plaintext(_go_float(float(value.reveal()), form).encode())
    return value


def _go_float(value: float, form: Form) -> str:
    """A float as Go prints it: `strconv`'s `g` in YAML, `encoding/json`'s rule in JSON."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    if not isinstance(exponent, int):
        return str(value)
    power = exponent + len(digits) - 1
    text = "".join(map(str, digits))
    if form == "json":
        exponential = value != 0 and not 1e-6 <= abs(value) < 1e21
    else:
        exponential = value != 0 and not -4 <= power < 6
    if not exponential:
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    least = 1 if form == "json" and power < 0 else 2
    fraction = f".{text[1:]}" if len(text) > 1 else ""
    return f"{'-' if sign else ''}{text[0]}{fraction}e{'-' if power < 0 else '+'}{abs(power):0{least}d}"
