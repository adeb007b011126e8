"""Reads references to HashiCorp Vault's key-value stores, as the External Secrets operator reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from envcompile.errors import did_you_mean
from envcompile.secrets.backends import OriginError, Resolved
from envcompile.secrets.origin import origin_of
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.vaultserver import Number, ask_vault, refuse_foreign_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.references import Reference


def from_vault(reference: Reference, surroundings: Surroundings) -> Resolved:
    """Read one field; for KV version 2 with the version number that Vault gives the whole path.

    `secret/data/app` is KV version 2 below the mount `secret`; a path without `data` is version 1.

    Raises:
        OriginError: when Vault does not answer, refuses, or has no such field.
    """
    address, warnings = _address(reference, surroundings)
    answer = _read(reference, surroundings, address)
    metadata = answer.get("metadata")
    is_versioned = (
        "/data/" in reference.path
        and isinstance(answer.get("data"), dict)
        and isinstance(metadata, dict)
        and isinstance(metadata.get("version"), Number)
    )
    fields: Mapping[str, Any] = answer["data"] if is_versioned else answer
    version = str(metadata["version"]) if isinstance(metadata, dict) and is_versioned else None
    value = Plaintext(_text_of(_pick(fields, reference), reference).encode())
    return Resolved(value, version, warnings, is_shared_version=True)


def _pick(fields: Mapping[str, Any], reference: Reference) -> Any:
    """A field, as the operator finds it: one of exactly this name (with dots) wins, else the way into nested fields.

    Source: external-secrets `providers/v1/vault` `getTypedKey` and its `gjson` lookup behind an exact name.
    """
    exact = ".".join(reference.fragment)
    if exact in fields:
        return fields[exact]
    value: Any = fields
    for part in exact.split(".") if len(reference.fragment) == 1 else reference.fragment:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            known = map(str, value) if isinstance(value, dict) else ()
            raise OriginError(
                f"`{reference.path}` in Vault has no field `{'/'.join(reference.fragment)}`",
                did_you_mean(part, known, "correct the field"),
                absent=True,
            )
    return value


def _text_of(value: Any, reference: Reference) -> str:
    """The text that `vault kv get -field=` and the operator both make of a field.

    Raises:
        OriginError: for null, which the operator turns into an empty value, and for what the two write differently.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        _refuse_inexact(value, reference)
        return str(value)
    if isinstance(value, str):
        return value
    if value is None:
        raise OriginError(f"`{reference}` is null in Vault", "give it a value")
    for number in _numbers(value):
        _refuse_inexact(number, reference)
    text = json.dumps(_with_numbers(value), separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":  # what Go's encoder never writes as it is
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _refuse_inexact(number: Number, reference: Reference) -> None:
    """Refuse a number that the operator would write in other digits: it reads every number as a 64-bit float."""
    from decimal import Decimal

    if format(Decimal(repr(float(number))), "f").removesuffix(".0") != number:
        raise OriginError(
            f"`{reference}` is a number in Vault that not every reader writes in the same digits",
            "store it as a string",
        )


def _numbers(value: Any) -> list[Number]:
    if isinstance(value, dict):
        return [number for item in value.values() for number in _numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in _numbers(item)]
    return [value] if isinstance(value, Number) else []


def _with_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_numbers(item) for item in value]
    if isinstance(value, Number):
        return float(value) if "." in value else int(value)
    return value


def _read(reference: Reference, surroundings: Surroundings, address: str) -> dict[str, Any]:
    environ = surroundings.environ
    memory = ("vault", address, reference.path, reference.parameters)
    known = surroundings.shared.get(memory)
    if isinstance(known, dict):
        return known
    namespace = reference.parameter("namespace") or environ.get("VAULT_NAMESPACE")
    headers = {"X-Vault-Token": _token(surroundings), "X-Vault-Request": "true"}
    if namespace:
        headers["X-Vault-Namespace"] = namespace
    version = reference.parameter("version")
    query = urlencode({"version": version}) if version else ""
    data = ask_vault(address, reference.path, query, headers, environ).get("data")
    if not isinstance(data, dict):
        raise OriginError(f"Vault's answer for `{reference.path}` holds no data", "is it a key-value store?")
    surroundings.shared[memory] = data
    return data


def _address(reference: Reference, surroundings: Surroundings) -> tuple[str, tuple[str, ...]]:
    """Where to ask, and what to warn of."""
    environ = surroundings.environ
    named = reference.parameter("address")
    if named:
        refuse_foreign_address(named, environ, f"`?address=` of `{reference}`")
    address = named or environ.get("VAULT_ADDR")
    if not address:
        raise OriginError("Vault's address is not known", "set VAULT_ADDR")
    found = origin_of(address)
    if found is not None and found.scheme == "http" and not found.is_loopback:
        return address, ("came over plain http, and so did the Vault token: use https",)
    return address, ()


def _token(surroundings: Surroundings) -> str:
    if token := surroundings.environ.get("VAULT_TOKEN"):
        return token
    home = surroundings.environ.get("HOME") or surroundings.environ.get("USERPROFILE")
    file = Path(home) / ".vault-token" if home else None
    if file is not None and file.is_file():
        try:
            return file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise OriginError(f"{file} cannot be read", "run `vault login`, or set VAULT_TOKEN") from None
    raise OriginError("there is no token for Vault", "run `vault login`, or set VAULT_TOKEN")
