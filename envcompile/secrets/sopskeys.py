"""The data key of a SOPS file, by the age identities of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCKED = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")
LARGEST_KEY_FILE = 1_000_000


class DataKey(NamedTuple):
    """The data key, or why there is none."""

    key: bytes | None
    unusable: tuple[str, ...] = ()
    """Identities that had to be passed over, each as words for people."""

    def __repr__(self) -> str:
        return f"DataKey({'found' if self.key else 'none'})"


def find_data_key(metadata: Mapping[str, Any], environ: Mapping[str, str]) -> DataKey:
    """Decrypt the file's data key with an age identity that sops itself would use.

    An identity that cannot be used (damaged, of a newer kind, locked) keeps no other from being tried.
    """
    recipients = metadata.get("age")
    if not isinstance(recipients, list) or not recipients:
        return DataKey(None)
    try:
        import pyrage
    except ImportError:
        return DataKey(None, ("`envcompile[age]` is not installed",))
    unusable: list[str] = []
    identities = _identities(environ, unusable)
    for recipient in recipients if identities else ():
        armoured = recipient.get("enc") if isinstance(recipient, dict) else None
        if not isinstance(armoured, str):
            continue
        try:
            return DataKey(bytes(pyrage.decrypt(armoured.strip().encode() + b"\n", identities)))
        except pyrage.DecryptError:
            continue
    return DataKey(None, tuple(unusable))


def _identities(environ: Mapping[str, str], unusable: list[str]) -> list[Any]:
    import pyrage

    home = environ.get("HOME") or environ.get("USERPROFILE")
    configured = environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else None)
    found: list[Any] = []
    texts = [("SOPS_AGE_KEY", environ.get("SOPS_AGE_KEY", "").encode(errors="surrogateescape"))]
    files = (environ.get("SOPS_AGE_KEY_FILE"), f"{configured}/sops/age/keys.txt" if configured else None)
    texts += [(str(file), data) for file in files if (data := _read(file)) is not None]
    for origin, data in texts:
        if data.lstrip().startswith(_LOCKED):
            unusable.append(f"{origin} is itself encrypted")
            continue
        for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
            if line.strip().startswith("AGE-SECRET-KEY-"):
                try:
                    found.append(pyrage.x25519.Identity.from_str(line.strip()))
                except pyrage.IdentityError:
                    unusable.append(f"the identity in line {number} of {origin} is damaged or of a newer kind")
            elif line.strip().startswith("AGE-PLUGIN-"):
                unusable.append(f"the identity in line {number} of {origin} needs a plugin")
    keys = [environ.get("SOPS_AGE_SSH_PRIVATE_KEY_FILE")]
    keys += [f"{home}/.ssh/id_ed25519", f"{home}/.ssh/id_rsa"] if home else []
    for file in keys:
        if (data := _read(file)) is None:
            continue
        try:
            found.append(pyrage.ssh.Identity.from_buffer(data))
        except pyrage.IdentityError:
            unusable.append(f"{file} is locked or no key")
    return found


def _read(file: str | None) -> bytes | None:
    """The bytes of a key file; None when there is none that can be read."""
    try:
        if file and Path(file).is_file():
            with Path(file).open("rb") as opened:
                return opened.read(LARGEST_KEY_FILE)
    except OSError:
        return None
    return None
