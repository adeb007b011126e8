"""Sealing certificates: PEM text to public RSA keys with fingerprints, and the rules that say which may be used."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from envcompile.errors import EnvcError, fail
from envcompile.model import Location

if TYPE_CHECKING:
    from datetime import datetime

LEAST_BITS = 2048
ADVISED_BITS = 3072
LEAST_EXPONENT = 65537
"""What Go's `rsa.GenerateKey` makes, and with it every controller; smaller ones make padding flaws exploitable."""
_RSA_PSS = "1.2.840.113549.1.1.10"
RENEWAL = timedelta(days=30)
"""How often the controller makes a new key by default."""
STALE_RENEWALS = 3
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A public sealing key and what its certificate says of it; a bare public key has no dates."""

    key: rsa.RSAPublicKey = field(repr=False)
    fingerprint: str
    """SHA-256 of the public key's SPKI bytes, as `sha256:<hex>`."""
    where: Location
    not_before: datetime | None = None
    not_after: datetime | None = None
    pem: str = field(default="", repr=False)

    @property
    def bits(self) -> int:
        """Length of the RSA modulus."""
        return self.key.key_size

    @property
    def modulus(self) -> int:
        """The RSA modulus."""
        return self.key.public_numbers().n

    def __str__(self) -> str:
        if self.not_before is None or self.not_after is None:
            return f"{self.fingerprint} (RSA-{self.bits}, a public key without dates)"
        return f"{self.fingerprint} (RSA-{self.bits}, valid {self.not_before:%Y-%m-%d} to {self.not_after:%Y-%m-%d})"


def spki_fingerprint(key: rsa.RSAPublicKey) -> str:
    """The fingerprint that pins a public key: SHA-256 over its SubjectPublicKeyInfo."""
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(spki).hexdigest()}"


def read_certificates(data: bytes, file: str) -> list[Certificate]:
    """Read every certificate and public key of a PEM file, in order.

    Raises:
        EnvcError: for a file without any, in UTF-16, with a private key in it, or with a key that is not RSA.
    """
    start = Location(file, 1, 1)
    if data[:1] == b"\x30" and b"\0" in data[:64]:
        raise fail(
            "the certificate is in DER form",
            f"turn it into PEM: `openssl x509 -inform der -in {file} -out {file}.pem`",
            start,
        )
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in data[:64]:
        raise fail(
            "the certificate is saved as UTF-16",
            "save it as plain ASCII; in PowerShell: `… | Out-File -Encoding ascii`",
            start,
        )
    found: list[Certificate] = []
    for block in _BLOCK.finditer(data):
        where = Location(file, data.count(b"\n", 0, block.start()) + 1, 1)
        kind = block[1].decode("ascii")
        if "PRIVATE KEY" in kind:
            raise fail(
                "a private key is in the certificate file",
                "whoever has this file can read every secret sealed for it: remove the key, and if it was ever "
                "committed, renew it on the cluster and list what to rotate with `envc secrets audit --compromised "
                "FINGERPRINT`",
                where,
            )
        if kind in {"CERTIFICATE", "PUBLIC KEY"}:
            found.append(_read_block(kind, block[0], where))
    if not found:
        raise fail(
            "the file holds no PEM certificate",
            "fetch the cluster's certificate with `envc secrets fetch-cert ENV`",
            start,
        )
    return found


def _read_block(kind: str, pem: bytes, where: Location) -> Certificate:
    try:
        if kind == "CERTIFICATE":
            parsed = x509.load_pem_x509_certificate(pem)
            _refuse_signing_only(parsed, where)
            return Certificate(
                _rsa(parsed.public_key(), where),
                spki_fingerprint(_rsa(parsed.public_key(), where)),
                where,
                parsed.not_valid_before_utc,
                parsed.not_valid_after_utc,
                _lines(pem),
            )
        key = _rsa(serialization.load_pem_public_key(pem), where)
    except EnvcError:
        raise
    except Exception as error:  # ruff: ignore[blind-except] - the parser has no common error type for the many ways a PEM can be broken
        raise fail(
            f"the {kind.lower()} cannot be read ({type(error).__name__})",
            "fetch it again with `envc secrets fetch-cert ENV`; a sealing certificate is RSA with 2048 bits or more",
            where,
        ) from None
    return Certificate(key, spki_fingerprint(key), where, pem=_lines(pem))


def _refuse_signing_only(certificate: x509.Certificate, where: Location) -> None:
    if certificate.public_key_algorithm_oid.dotted_string == _RSA_PSS:
        raise fail(
            "the certificate's key is for RSA-PSS signatures: nothing can be encrypted with it",
            "take the certificate of the sealed-secrets controller: `envc secrets fetch-cert ENV`",
            where,
        )


def _lines(pem: bytes) -> str:
    return "\n".join(line.strip() for line in pem.decode("ascii").splitlines()) + "\n"


def _rsa(key: object, where: Location) -> rsa.RSAPublicKey:
    if isinstance(key, rsa.RSAPublicKey):
        if (exponent := key.public_numbers().e) < LEAST_EXPONENT:
            raise fail(
                f"the certificate's key has the public exponent {exponent}; the controller makes {LEAST_EXPONENT}",
                "take the certificate of the sealed-secrets controller: `envc secrets fetch-cert ENV`",
                where,
            )
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        got = f"EC {_CURVES.get(key.curve.name, key.curve.name)}"
    elif isinstance(key, dsa.DSAPublicKey):
        got = "DSA"
    else:
        got = type(key).__name__.strip("_").removesuffix("PublicKey")
    raise fail(
        f"a sealing certificate needs an RSA key, this one has {got}",
        "take the certificate of the sealed-secrets controller: `envc secrets fetch-cert ENV`",
        where,
    )


def same_fingerprint(left: str, right: str) -> bool:
    """Compare two fingerprints, with or without `sha256:` and colons, in any case."""

    def plain(text: str) -> str:
        return text.lower().removeprefix("sha256:").replace(":", "").strip()

    return hmac.compare_digest(plain(left).encode(), plain(right).encode())


def choose(certificates: list[Certificate], *, pin: str | None, now: datetime) -> tuple[Certificate, tuple[str, ...]]:
    """Pick the certificate to seal with, and what to warn of.

    Args:
        certificates: what the file holds.
        pin: the fingerprint the environment trusts; it picks one of several.
        now: the moment to judge validity at, with a time zone.

    Raises:
        EnvcError: for an unpinned choice among several, another one than the pinned, one outside its dates, a key
            below 2048 bits, a bare public key without a pin.
    """
    matching = [one for one in certificates if pin is not None and same_fingerprint(one.fingerprint, pin)]
    distinct = list({one.fingerprint: one for one in certificates}.values())
    if pin is not None and not matching:
        raise fail(
            f"the certificate is not the pinned one: pinned is {pin}",
            "if the cluster's key was renewed, take the new one with `envc secrets fetch-cert ENV --accept`; if not, "
            "somebody changed the file",
            *(one.where for one in distinct),
            trace=[f"found {one}" for one in distinct],
        )
    if pin is None and len(distinct) > 1:
        raise fail(
            f"the file holds {len(distinct)} certificates",
            "keep one, or choose it by `sealing: {fingerprint: sha256:…}` in environment.yaml",
            *(one.where for one in distinct),
            trace=[f"found {one}" for one in distinct],
        )
    chosen = (matching or distinct)[0]
    if pin is None and chosen.not_before is None:
        raise fail(
            "a bare public key says nothing of who made it",
            f"if you trust it, pin it: `sealing: {{fingerprint: {chosen.fingerprint}}}` in environment.yaml",
            chosen.where,
        )
    _refuse_dates(chosen, now)
    if chosen.bits < LEAST_BITS:
        raise fail(
            f"the certificate's key has {chosen.bits} bits; at least {LEAST_BITS} are needed",
            "start the controller with --key-size=4096, let it renew its key, then run `envc secrets fetch-cert ENV "
            "--accept`",
            chosen.where,
        )
    return chosen, tuple(_warnings(chosen, now))


def _refuse_dates(chosen: Certificate, now: datetime) -> None:
    if chosen.not_after is not None and chosen.not_after < now:
        raise fail(
            f"the certificate expired on {chosen.not_after:%Y-%m-%d} ({chosen.fingerprint})",
            "fetch the cluster's present one with `envc secrets fetch-cert ENV --accept`",
            chosen.where,
        )
    if chosen.not_before is not None and chosen.not_before > now:
        raise fail(
            f"the certificate is not valid before {chosen.not_before:%Y-%m-%d} ({chosen.fingerprint})",
            "check this machine's clock, or fetch the one in use with `envc secrets fetch-cert ENV --accept`",
            chosen.where,
        )


def _warnings(chosen: Certificate, now: datetime) -> list[str]:
    found = []
    if chosen.not_before is not None and (age := now - chosen.not_before) > STALE_RENEWALS * RENEWAL:
        found.append(
            f"{chosen.where.file}: the certificate is {age.days} days old and the controller renews its key every "
            f"{RENEWAL.days} days: a newer one probably exists (`envc secrets fetch-cert ENV`)"
        )
    if chosen.bits < ADVISED_BITS:
        found.append(
            f"{chosen.where.file}: the certificate's key has {chosen.bits} bits; {ADVISED_BITS} or more are advised"
        )
    return found
