"""Makes the throw-away certificate authority of a test cluster and the certificates it signs."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME: Final = dt.timedelta(days=2)
# A clock that is set back a little during a run must not make the certificates "not yet valid".
_HEAD_START: Final = dt.timedelta(hours=1)

SERVER_NAMES: Final = (
    x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")),
    x509.IPAddress(ipaddress.IPv4Address("10.0.0.1")),
    x509.DNSName("localhost"),
    x509.DNSName("kubernetes"),
    x509.DNSName("kubernetes.default"),
    x509.DNSName("kubernetes.default.svc"),
    x509.DNSName("kubernetes.default.svc.cluster.local"),
)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The files of a certificate and of its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class ClusterPki:
    """Every key file an API server needs."""

    authority: Path
    server: KeyPair
    admin: KeyPair
    front_proxy: KeyPair
    kubelet: KeyPair
    service_account_key: Path
    service_account_public: Path


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def write_pki(folder: Path) -> ClusterPki:
    """Write a new authority and all the certificates of one cluster into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    authority = _new_authority()
    authority_file = _write(folder / "ca.crt", authority.certificate.public_bytes(serialization.Encoding.PEM))
    account_key = ec.generate_private_key(ec.SECP256R1())
    account_public = account_key.public_key().public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo,
    )
    return ClusterPki(
        authority=authority_file,
        server=_leaf(folder / "apiserver", authority, _name("kube-apiserver"), serves=True),
        admin=_leaf(folder / "admin", authority, _name("admin", organization="system:masters")),
        front_proxy=_leaf(folder / "front-proxy", authority, _name("front-proxy")),
        kubelet=_leaf(
            folder / "kubelet", authority, _name("system:node:kwok", organization="system:nodes"), serves=True
        ),
        service_account_key=_write(folder / "service-account.key", _private_pem(account_key)),
        service_account_public=_write(folder / "service-account.pub", account_public),
    )


def _name(common: str, *, organization: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(attributes)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509
        .CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _HEAD_START)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _new_authority() -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("envcompile-oracle-ca")
    certificate = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _Authority(certificate, key)


def _leaf(stem: Path, authority: _Authority, subject: x509.Name, *, serves: bool = False) -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if serves else ExtendedKeyUsageOID.CLIENT_AUTH
    # Python 3.13 refuses a server certificate that does not name its issuer's key.
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = (
        _builder(subject, authority.certificate.subject, key.public_key())
        .add_extension(issuer_key, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    )
    if serves:
        builder = builder.add_extension(x509.SubjectAlternativeName(SERVER_NAMES), critical=False)
    certificate = builder.sign(authority.key, hashes.SHA256())
    return KeyPair(
        certificate=_write(stem.with_suffix(".crt"), certificate.public_bytes(serialization.Encoding.PEM)),
        key=_write(stem.with_suffix(".key"), _private_pem(key)),
    )


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path
