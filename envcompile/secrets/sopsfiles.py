"""Reads SOPS files in memory: values under AES-256-GCM, the file's MAC, data keys by age; `sops` for KMS and PGP."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import shutil
import subprocess
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envcompile.secrets.backends import OriginError, Resolved, parse_documents, read_file, walk
from envcompile.secrets.plaintext import Plaintext

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.references import Reference

_VALUE = re.compile(
    r"ENC\[AES256_GCM,data:(?P<data>[^,]*),iv:(?P<iv>[^,]+),tag:(?P<tag>[^,]+),type:(?P<type>[a-z0-9]+)\]"
)
_MAC_ONLY_ENCRYPTED = hashlib.sha256(b"sops").digest()
"""What SOPS starts the MAC with when it covers encrypted values only (`mac_only_encrypted`)."""


@dataclass(frozen=True, slots=True)
class _SopsFile:
    """A SOPS file that was decrypted and whose MAC is right."""

    values: Mapping[tuple[str, ...], Plaintext]


def encrypted_text(reference: Reference, surroundings: Surroundings) -> str:
    """The `ENC[…]` text of one value: public, and the same until the value changes.

    Raises:
        OriginError: when the file or the value is not there, or the value is not encrypted.
    """
    content = _content(reference, surroundings)
    text = walk(content, reference).decode()
    if _VALUE.fullmatch(text) is None:
        raise OriginError(
            f"`{reference}` is not encrypted in that file",
            f"encrypt it: `sops {reference.path}`; then rotate the value",
        )
    return text


def from_sops(reference: Reference, surroundings: Surroundings) -> Resolved:
    """Decrypt one value of a SOPS file.

    Raises:
        OriginError: when no key opens the file, its MAC is wrong, or it has no such value.
    """
    version = encrypted_text(reference, surroundings)
    memory = ("sops", reference.path)
    opened = surroundings.shared.get(memory)
    if opened is None:
        content = _content(reference, surroundings)
        data_key = _data_key(content["sops"], surroundings.environ)
        if data_key is None:
            return Resolved(_by_binary(reference, surroundings), version)
        opened = _SopsFile(_decrypt(content, data_key, reference))
        surroundings.shared[memory] = opened
    if not isinstance(opened, _SopsFile):
        raise TypeError("the memory of opened SOPS files holds something else")
    return Resolved(opened.values[reference.fragment], version)


def _content(reference: Reference, surroundings: Surroundings) -> dict[str, Any]:
    memory = ("sops text", reference.path)
    known = surroundings.shared.get(memory)
    if isinstance(known, dict):
        return known
    documents = parse_documents(read_file(surroundings.root / reference.path, reference), reference)
    content = documents[0]
    if len(documents) != 1 or not isinstance(content, dict) or not isinstance(content.get("sops"), dict):
        raise OriginError(
            f"`{reference.path}` is not a SOPS file of one YAML or JSON document",
            f"make one with `sops encrypt -i {reference.path}`",
        )
    surroundings.shared[memory] = content
    return content


def _data_key(metadata: dict[str, Any], environ: Mapping[str, str]) -> bytes | None:
    """The file's data key by an age identity of this machine; None when age cannot open it."""
    recipients = metadata.get("age")
    if not isinstance(recipients, list) or not recipients:
        return None
    try:
        import pyrage
    except ImportError:
        return None
    identities = list(_identities(environ))
    if not identities:
        return None
    for recipient in recipients:
        armoured = recipient.get("enc") if isinstance(recipient, dict) else None
        if not isinstance(armoured, str):
            continue
        try:
            return bytes(pyrage.decrypt(armoured.strip().encode() + b"\n", identities))
        except pyrage.DecryptError:
            continue
    return None


def _identities(environ: Mapping[str, str]) -> Iterator[Any]:
    """The age identities that SOPS itself would use."""
    import pyrage

    home = environ.get("HOME") or environ.get("USERPROFILE")
    configured = environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else None)
    texts = [environ.get("SOPS_AGE_KEY", "")]
    files = [environ.get("SOPS_AGE_KEY_FILE"), f"{configured}/sops/age/keys.txt" if configured else None]
    texts += [Path(file).read_text(encoding="utf-8") for file in files if file and Path(file).is_file()]
    for line in "\n".join(texts).splitlines():
        if line.strip().startswith("AGE-SECRET-KEY-"):
            yield pyrage.x25519.Identity.from_str(line.strip())
    ssh = [
        environ.get("SOPS_AGE_SSH_PRIVATE_KEY_FILE"),
        *([f"{home}/.ssh/id_ed25519", f"{home}/.ssh/id_rsa"] if home else []),
    ]
    for file in ssh:
        if file and Path(file).is_file():
            try:
                yield pyrage.ssh.Identity.from_buffer(Path(file).read_bytes())
            except pyrage.IdentityError:
                continue


def _decrypt(content: dict[str, Any], key: bytes, reference: Reference) -> dict[tuple[str, ...], Plaintext]:
    metadata = content["sops"]
    only_encrypted = metadata.get("mac_only_encrypted") is True
    digest = hashlib.sha512(_MAC_ONLY_ENCRYPTED if only_encrypted else b"")
    found: dict[tuple[str, ...], Plaintext] = {}
    for path, names, value in _leaves({name: value for name, value in content.items() if name != "sops"}):
        if isinstance(value, str) and _VALUE.fullmatch(value):
            opened = _open(value, key, ":".join(names) + ":", reference)
            digest.update(opened.reveal())
            found[path] = opened
        elif not only_encrypted and value is not None:
            digest.update(_bytes_of(value))
    recorded = _open(str(metadata.get("mac")), key, str(metadata.get("lastmodified")), reference)
    if not hmac.compare_digest(recorded.reveal().decode(errors="replace").upper(), digest.hexdigest().upper()):
        raise OriginError(
            f"the MAC of `{reference.path}` does not fit: the file was changed without sops",
            f"take it from git as sops wrote it, or look at it with `sops {reference.path}`",
        )
    return found


def _leaves(
    value: Any, path: tuple[str, ...] = (), names: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], Any]]:
    """Every scalar with its way and, without list positions, the names that SOPS authenticates it with."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, (*path, str(name)), (*names, str(name)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, str(index)), names)
    else:
        yield path, names, value


def _open(text: str, key: bytes, bound_to: str, reference: Reference) -> Plaintext:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    match = _VALUE.fullmatch(text)
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
    """A clear value as SOPS counts it into the MAC."""
    if isinstance(value, bool):
        return b"True" if value else b"False"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f").removesuffix(".0").encode()
    return str(value).encode()


def _by_binary(reference: Reference, surroundings: Surroundings) -> Plaintext:
    """Ask the sops binary, which knows KMS, PGP and key services; the value comes through a pipe."""
    program = shutil.which("sops", path=surroundings.environ.get("PATH"))
    if program is None:
        raise OriginError(
            f"no key of this machine opens `{reference.path}`",
            "set SOPS_AGE_KEY_FILE (and install `envcompile[age]`), or have `sops` on PATH for KMS and PGP",
        )
    way = "".join(f"[{part}]" if part.isdigit() else f'["{part}"]' for part in reference.fragment)
    answer = subprocess.run(
        [program, "--decrypt", "--extract", way, str(surroundings.root / reference.path)],
        capture_output=True,
        check=False,
        env=dict(surroundings.environ),
    )
    if answer.returncode:
        # Its own words are not shown: nothing promises that they are free of values.
        raise OriginError(
            f"sops cannot decrypt `{reference.path}` (status {answer.returncode})",
            f"see why with `sops --decrypt {reference.path} > /dev/null`",
        )
    return Plaintext(answer.stdout)
