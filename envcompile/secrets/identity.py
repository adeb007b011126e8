"""Change identity: how `seal` and `status` know that a value is still the sealed one without storing a digest of it.

Two kinds, the first that applies; both, as `provenance:…+hmac:…`, where one version stands for several values:

* `provenance:<hex>` hashes bytes that are public already: the reference and the source's own version of the value
  (the `ENC[…]` text of SOPS, the version number of Vault). It needs no key and is the same on every machine.
* `hmac:<key>:<salt>:<mac>` is keyed with a secret that never enters the repository, salted anew at each sealing, and
  bound to environment, scope, namespace, name and key. `<key>` tells keys apart, so that a record made with somebody
  else's key reads as "cannot be verified" and never as "changed".
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from envcompile.errors import UnavailableError, fail
from envcompile.files import lock, write_atomically
from envcompile.model import Location
from envcompile.secrets.plaintext import Plaintext

if TYPE_CHECKING:
    from collections.abc import Mapping

Verdict = Literal["unchanged", "changed", "unverified"]

KEY_VARIABLE = "ENVC_IDENTITY_KEY"
KEY_FILE = "envcompile/identity.key"
LEAST_KEY_BYTES = 32
SALT_BYTES = 16
MAC_BYTES = 16
_VERSION = b"envc/v1"


class Binding(NamedTuple):
    """Where a value belongs; part of every identity, so that no two places share one."""

    environment: str
    scope: str
    namespace: str
    name: str
    key: str


class Parts(NamedTuple):
    """The two kinds in one identity; an empty text for the one that is not there."""

    provenance: str
    keyed: str


def parts_of(identity: str) -> Parts:
    """Take a recorded identity apart."""
    kinds = {part.partition(":")[0]: part for part in identity.split("+")}
    return Parts(kinds.get("provenance", ""), kinds.get("hmac", ""))


def _framed(*parts: bytes) -> bytes:
    """Join with lengths, so that no two lists of parts give the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def provenance(binding: Binding, reference: str, version: str) -> str:
    """The identity of a value whose source has a public version of its own."""
    public = _framed(_VERSION, *(part.encode() for part in binding), reference.encode(), version.encode())
    return f"provenance:{hashlib.sha256(public).hexdigest()[: 2 * MAC_BYTES]}"


@dataclass(frozen=True, slots=True)
class IdentityKey:
    """The secret that keyed identities are made with; one per person or team, for all environments."""

    master: Plaintext = field(repr=False)

    @property
    def name(self) -> str:
        """What tells this key from another one; says nothing about the key."""
        return hmac.digest(self.master.reveal(), b"envc/v1 key name", "sha256").hex()[:8]

    def seal(self, binding: Binding, value: Plaintext) -> str:
        """A fresh keyed identity of a value."""
        salt = os.urandom(SALT_BYTES)
        return f"hmac:{self.name}:{salt.hex()}:{self._mac(binding, salt, value).hex()}"

    def compare(self, binding: Binding, value: Plaintext, identity: str) -> Verdict:
        """Tell whether the value is the one the identity was made of."""
        keyed = parts_of(identity).keyed
        name, _, rest = keyed.removeprefix("hmac:").partition(":")
        salt, _, mac = rest.partition(":")
        if not keyed or name != self.name:
            return "unverified"
        expected = self._mac(binding, bytes.fromhex(salt), value)
        return "unchanged" if hmac.compare_digest(expected.hex(), mac) else "changed"

    def digest_of(self, value: str) -> str:
        """A digest that tells whether two values of a cluster's Secrets are the same, to nobody without the key.

        It is bound to no place, so that it tells, too, whether two clusters have the same value.
        """
        key = hmac.digest(self.master.reveal(), b"envc/v1 live value", "sha256")
        return f"{self.name}:{hmac.digest(key, value.encode(), 'sha256')[:MAC_BYTES].hex()}"

    def _mac(self, binding: Binding, salt: bytes, value: Plaintext) -> bytes:
        # HKDF-SHA256 (RFC 5869) with one block of output: each environment has a key of its own.
        extracted = hmac.digest(bytes(32), self.master.reveal(), "sha256")
        key = hmac.digest(extracted, b"envc/v1 environment " + binding.environment.encode() + b"\x01", "sha256")
        message = _framed(salt, _VERSION, *(part.encode() for part in binding), value.reveal())
        return hmac.digest(key, message, "sha256")[:MAC_BYTES]


def identity_file(environ: Mapping[str, str]) -> Path | None:
    """Where the key is kept: `$XDG_CONFIG_HOME` or `~/.config`; None when there is no home."""
    if configured := environ.get("XDG_CONFIG_HOME"):
        return Path(configured) / KEY_FILE
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) / ".config" / KEY_FILE if home else None


def load_identity(environ: Mapping[str, str]) -> IdentityKey | None:
    """The identity key of this machine or CI job; None when there is none.

    Raises:
        EnvcError: for a key that is too short to be secret, or a file that others may read.
    """
    if text := environ.get(KEY_VARIABLE):
        return _checked(text.encode(), f"${KEY_VARIABLE}")
    file = identity_file(environ)
    if file is None or not file.is_file():
        return None
    if stat.S_IMODE(file.stat().st_mode) & 0o077 and os.name == "posix":
        raise fail("others can read the identity key", f"run `chmod 600 {file}`", Location(str(file), 1, 1))
    return _checked(file.read_bytes(), str(file))


def create_identity(environ: Mapping[str, str]) -> tuple[IdentityKey, Path] | None:
    """Make this machine's identity key, readable by its owner only; None when there is no home to keep it in."""
    file = identity_file(environ)
    if file is None:
        return None
    master = secrets.token_hex(LEAST_KEY_BYTES).encode()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with lock(file.parent):
            if file.exists():  # another process was quicker
                return None
            write_atomically(file, master + b"\n", mode=0o600)
    except (OSError, UnavailableError):
        return None
    return IdentityKey(Plaintext(master)), file


def _checked(text: bytes, origin: str) -> IdentityKey:
    master = text.strip()
    if len(master) < LEAST_KEY_BYTES:
        raise fail(
            f"the identity key in {origin} has fewer than {LEAST_KEY_BYTES} characters",
            "make one with `openssl rand -hex 32`; a short key lets others guess short secrets",
        )
    return IdentityKey(Plaintext(master))
