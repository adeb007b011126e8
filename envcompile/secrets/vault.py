"""Reads references to HashiCorp Vault's key-value stores, through hvac."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from envcompile.errors import did_you_mean
from envcompile.secrets.backends import OriginError, Resolved
from envcompile.secrets.plaintext import Plaintext
from envcompile.text import address as shown_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.references import Reference

SECONDS = 10
"""How long to wait for Vault."""


def from_vault(reference: Reference, surroundings: Surroundings) -> Resolved:
    """Read one field; for KV version 2 with the version number that Vault gives it.

    `secret/data/app` is KV version 2 below the mount `secret`; a path without `data` is version 1.

    Raises:
        OriginError: when Vault does not answer, refuses, or has no such field.
    """
    answer = _read(reference, surroundings)
    metadata = answer.get("metadata")
    is_versioned = isinstance(metadata, dict) and isinstance(answer.get("data"), dict)
    fields: Mapping[str, Any] = answer["data"] if is_versioned else answer
    name = "/".join(reference.fragment)
    if name not in fields:
        raise OriginError(
            f"`{reference.path}` in Vault has no field `{name}`",
            did_you_mean(name, map(str, fields), "correct the field"),
            absent=True,
        )
    if not isinstance(fields[name], str):
        raise OriginError(f"`{reference}` is not a text in Vault", "store it as a string")
    version = str(metadata.get("version")) if isinstance(metadata, dict) and is_versioned else None
    return Resolved(Plaintext(fields[name].encode()), version)


def _read(reference: Reference, surroundings: Surroundings) -> dict[str, Any]:
    address, token = _address(reference, surroundings), _token(surroundings)
    memory = ("vault", address, reference.path, reference.parameters)
    known = surroundings.shared.get(memory)
    if isinstance(known, dict):
        return known
    try:
        import hvac
        from hvac.exceptions import Forbidden, InvalidPath, VaultError
        from requests.exceptions import RequestException
    except ImportError:
        raise OriginError("reading from Vault needs hvac", "install `envcompile[vault]`") from None
    environ = surroundings.environ
    client = hvac.Client(
        url=address,
        token=token,
        namespace=reference.parameter("namespace") or environ.get("VAULT_NAMESPACE"),
        verify=environ.get("VAULT_CACERT") or True,
        timeout=SECONDS,
    )
    version = reference.parameter("version")
    try:
        answer = client.adapter.get(f"/v1/{reference.path}", params={"version": version} if version else None)
    except InvalidPath:
        raise OriginError(
            f"Vault has nothing at `{reference.path}`",
            "correct the path; for KV version 2 it reads MOUNT/data/PATH, and a deleted version cannot be read",
            absent=True,
        ) from None
    except Forbidden:
        raise OriginError(
            f"Vault refuses to read `{reference.path}`", "log in with a token whose policy allows it: `vault login`"
        ) from None
    except (VaultError, RequestException) as error:
        raise OriginError(
            f"Vault at {shown_address(address)} does not answer ({type(error).__name__})",
            "check VAULT_ADDR and try again",
            unavailable=True,
        ) from None
    finally:
        client.adapter.close()
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict):
        raise OriginError(f"Vault's answer for `{reference.path}` holds no data", "is it a key-value store?")
    surroundings.shared[memory] = data
    return data


def _address(reference: Reference, surroundings: Surroundings) -> str:
    address = reference.parameter("address") or surroundings.environ.get("VAULT_ADDR")
    if not address:
        raise OriginError(
            "Vault's address is not known", "set VAULT_ADDR, or write `?address=https://…` in the reference"
        )
    return address.rstrip("/")


def _token(surroundings: Surroundings) -> str:
    if token := surroundings.environ.get("VAULT_TOKEN"):
        return token
    home = surroundings.environ.get("HOME") or surroundings.environ.get("USERPROFILE")
    file = Path(home) / ".vault-token" if home else None
    if file is not None and file.is_file():
        return file.read_text(encoding="utf-8").strip()
    raise OriginError("there is no token for Vault", "run `vault login`, or set VAULT_TOKEN")
